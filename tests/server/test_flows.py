"""A whole server over connections: telephones that register by them are called by them (RFC 3261 18, RFC 5626)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.channels.network import Address
from ringfence.server.app import Options, Pbx
from ringfence.server.net import dns_records
from ringfence.server.net.certificate import CERTIFICATE
from ringfence.server.net.streams import StreamLimits
from ringfence.server.phones.phone import Account, Phone, PhoneError
from ringfence.server.sip.flow import Flow, Peer, Transport, address_of
from ringfence.server.sip.uri import SipUri
from ringfence.server.site.site import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ringfence.server.phones.call import PhoneCall

SMALL = Site.sample("small")
ANNA, BEN = (
    Account("100", "klein.example", "Anna-1000-Apfel"),
    Account("101", "klein.example", "Ben-1010-Birne"),
)


class Desk:
    """A server on real sockets and its telephones."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.phones: list[Phone] = []

    async def phone(self, account: Account, transport: Transport | None = None) -> Phone:
        """A telephone that is registered."""
        server: Peer = self.pbx.sip
        if transport is not None:
            address = self.pbx.sips if transport == "TLS" else self.pbx.sip
            assert address is not None
            server = Flow(transport, address)
        phone = await Phone.start(self.pbx.options.network, server, account, host=self.pbx.options.host)
        self.phones.append(phone)
        assert (await phone.register()).status == 200
        return phone


@asynccontextmanager
async def desk(site: Site = SMALL, **options: Any) -> AsyncIterator[Desk]:
    pbx = await Pbx.start(site, Options(seed=1, in_process=True, http_port=None, **options))
    one = Desk(pbx)
    try:
        yield one
    finally:
        for phone in one.phones:
            await phone.stop()
        await pbx.stop()


async def answered(caller: Phone, number: str, called: Phone) -> tuple[PhoneCall, PhoneCall]:
    """Dial a telephone that answers; return the call as either side has it."""
    dialled = asyncio.ensure_future(caller.dial(number))
    taken = await called.answer()
    call = await dialled
    await call.answered()
    return call, taken


async def talk(caller: Phone, number: str, called: Phone, ends: str) -> None:
    call, taken = await answered(caller, number, called)
    await (call if ends == "caller" else taken).hang_up()
    await call.ended()
    await taken.ended()
    assert (call.status, taken.status) == (200, 0)


async def test_telephones_by_tcp_and_udp_call_each_other_and_either_ends_it() -> None:
    async with desk() as one:
        anna, ben = await one.phone(ANNA, "TCP"), await one.phone(BEN)
        await talk(anna, "101", ben, "caller")
        await talk(anna, "101", ben, "called")
        await talk(ben, "100", anna, "caller")
        await talk(ben, "100", anna, "called")
        sources = [found[0].source for _, found in one.pbx.registrar.accounts(one.pbx.clock.now())]
        assert sorted(isinstance(source, Flow) for source in sources) == [False, True]


async def test_who_rings_at_a_flow_that_closes_is_not_waited_for() -> None:
    """RFC 3261 8.1.3.1: 503 for that branch, and the caller hears 480 at once."""
    async with desk() as one:
        anna, ben = await one.phone(ANNA), await one.phone(BEN, "TCP")
        dialled = asyncio.ensure_future(anna.dial("101"))
        await ben.ringing()
        call = await dialled
        await ben.unplug()
        await call.ended()
        assert (call.status, call.reason) == (480, "user.not_registered")
        again = await anna.dial("101")
        assert (again.status, again.reason) == (480, "user.not_registered")


async def test_udp_and_tcp_share_a_port_also_when_any_will_do() -> None:
    async with desk() as one, desk() as other:
        assert one.pbx.sip != other.pbx.sip
        for pbx in (one.pbx, other.pbx):
            reader, writer = await asyncio.open_connection(pbx.sip.host, pbx.sip.port)
            writer.write(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\r\n"
            writer.close()


async def test_a_server_may_be_given_other_limits_of_connections() -> None:
    async with desk(connections=StreamLimits(connections=1)) as one:
        await one.phone(BEN, "TCP")
        reader, writer = await asyncio.open_connection(one.pbx.sip.host, one.pbx.sip.port)
        assert await reader.read() == b""
        writer.close()


async def test_a_port_that_is_taken_for_tcp_is_an_error_and_leaves_nothing_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            await Pbx.start(SMALL, Options(in_process=True, http_port=None, sip_port=port))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", port))


async def test_telephones_by_tls_call_each_other_and_trust_the_own_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3261 26.3.1; the certificate is for the address, and is the store's from its first start on."""
    async with desk(sips_port=0, data_dir=tmp_path) as one:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / CERTIFICATE))
        anna, ben = await one.phone(ANNA, "TLS"), await one.phone(BEN, "TLS")
        await talk(anna, "101", ben, "caller")
        await talk(ben, "100", anna, "called")


MOBILE = Site.parse(SMALL.text.replace('"softphone", "voicemail",', '"softphone_mobile", "voicemail",'))


async def test_a_mobile_softphone_registers_by_tls_and_is_called_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(MOBILE, sips_port=0, data_dir=tmp_path) as one:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / CERTIFICATE))
        mobile = await one.phone(replace(ANNA, name="anna+mobile"), "TLS")
        ben = await one.phone(BEN)
        await talk(ben, "100", mobile, "caller")
        await talk(mobile, "101", ben, "called")
        await mobile.unplug()
        async with asyncio.timeout(5):
            while one.pbx.registrar.bindings("anna+mobile", one.pbx.clock.now()):  # noqa: ASYNC110 - real time
                await asyncio.sleep(0.01)


async def test_who_does_not_know_the_certificate_does_not_speak_to_the_server() -> None:
    async with desk(sips_port=0) as one:
        assert one.pbx.sips is not None
        phone = await Phone.start(one.pbx.options.network, Flow("TLS", one.pbx.sips), ANNA)
        one.phones.append(phone)
        with pytest.raises(PhoneError, match="nobody answers REGISTER"):
            await phone.register()


async def test_hands_that_are_not_shaken_are_let_go() -> None:
    """Neither a plain text nor a TLS version that RFC 8996 forbids gets anywhere; the next telephone does."""
    async with desk(sips_port=0) as one:
        assert one.pbx.sips is not None
        reader, writer = await asyncio.open_connection(one.pbx.sips.host, one.pbx.sips.port)
        writer.write(b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n\r\n")
        assert b"SIP/2.0" not in await reader.read()
        writer.close()
        old, new = (_believing_everybody() for _ in range(2))
        with pytest.deprecated_call():
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(one.pbx.sips.host, one.pbx.sips.port, ssl=old)
        reader, writer = await asyncio.open_connection(one.pbx.sips.host, one.pbx.sips.port, ssl=new)
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        writer.close()


async def test_a_sips_uri_is_reached_by_tls_alone() -> None:
    """RFC 3261 26.2.2: 403, since after 416 a client would try again without the s (8.1.3.5)."""
    request = (
        b"OPTIONS sips:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
        b"From: <sip:a@b.example>;tag=1\r\nTo: <sips:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    async with desk(sips_port=0) as one:
        for address, tls, status in (
            (one.pbx.sip, None, b"403"),
            (one.pbx.sips, _believing_everybody(), b"200"),
        ):
            assert address is not None
            reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
            writer.write(request)
            assert (await reader.readline()).split()[1] == status
            writer.close()


def _believing_everybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.parametrize("scheme", ["sip:{};transport=tcp", "sips:{}", "sip:{};transport=tls"])
async def test_a_trunk_is_called_over_a_connection_that_the_server_opens(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3263 4.1; the far end is a second server, for which this one is a trunk by its address."""
    local = replace(SMALL, trunks=(replace(SMALL.trunks[0], peers=("127.0.0.1",)),))
    async with desk(local, sips_port=0, data_dir=tmp_path) as far:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / CERTIFICATE))
        uri = scheme.format(far.pbx.sip if "tcp" in scheme else far.pbx.sips)
        away = replace(SMALL, trunks=(replace(SMALL.trunks[0], uri=uri, outbound_prefix="7"),))
        async with desk(away) as near:
            anna = await near.phone(ANNA)
            for number in ("7089555509900", "7089555509901"):
                call = await anna.dial(number)
                await call.answered()
                await call.hang_up()
            busy = await anna.dial("7089555509903")
            assert busy.status == 486
            assert near.pbx._stack.agent.flows == {address_of(uri)}, "one connection for all"
            assert len(far.pbx._stack.agent.flows) == 1


@pytest.mark.parametrize(
    ("name", "status"), [("localhost", 200), ("klein.example", 200), ("other.example", 503)]
)
async def test_a_trunk_s_certificate_has_to_be_for_the_name_in_its_uri(
    name: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 5922 7.1: whatever address that leads to (RFC 3263 4.2), here by the file of hosts."""
    hosts = tmp_path / "hosts"
    await asyncio.to_thread(hosts.write_text, "127.0.0.1 klein.example other.example\n")
    monkeypatch.setattr(dns_records, "HOSTS", hosts)
    local = replace(SMALL, trunks=(replace(SMALL.trunks[0], peers=("127.0.0.1",)),))
    async with desk(local, sips_port=0, data_dir=tmp_path / "far") as far:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "far" / CERTIFICATE))
        assert far.pbx.sips is not None
        uri = f"sips:{name}:{far.pbx.sips.port}"
        away = replace(SMALL, trunks=(replace(SMALL.trunks[0], uri=uri, outbound_prefix="7"),))
        async with desk(away) as near:
            call = await (await near.phone(ANNA)).dial("7089555509900")
            if status == 200:
                await call.answered()
                await call.hang_up()
            assert call.status == status


async def test_a_contact_whose_flow_is_gone_is_rung_at_its_address() -> None:
    """RFC 3261 18.1.1: another connection is opened, but only to the host that it registered from."""
    async with desk() as one:
        ben = await one.phone(BEN, "TCP")
        (first,) = one.pbx.registrar.bindings("101", one.pbx.clock.now())
        await ben.unplug()
        async with asyncio.timeout(10):
            while one.pbx._stack.agent.flows:  # noqa: ASYNC110 - the real loop has to go round
                await asyncio.sleep(0)
        ways = [
            one.pbx._stack.agent.way_to(replace(first, contact=SipUri.parse(uri)))
            for uri in (
                "sip:b@127.0.0.1:5070;transport=tcp",
                "sip:b@192.0.2.1;transport=tcp",
                "sip:b@x.invalid",
            )
        ]
        assert ways == [Flow("TCP", Address("127.0.0.1", 5070)), first.source, first.source]


@pytest.mark.parametrize("transport", [None, "TCP", "TLS"])
async def test_a_server_at_an_ipv6_address_serves_every_transport(
    transport: Transport | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3261 25.1 and RFC 5118: in brackets wherever a port may follow."""
    async with desk(host="::1", sips_port=0, data_dir=tmp_path) as one:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / CERTIFICATE))
        assert str(one.pbx.sip).startswith("[::1]:")
        anna, ben = await one.phone(ANNA, transport), await one.phone(BEN, transport)
        await talk(anna, "101", ben, "caller")
        await talk(ben, "100", anna, "called")
