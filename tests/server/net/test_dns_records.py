"""DNS for trunks, with a little server on loopback (RFC 3263, RFC 2782, RFC 3403)."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from ringfence.channels.network import Address
from ringfence.server.net import dns_records
from ringfence.server.net.dns_records import DnsRecords
from ringfence.server.net.udp import UdpNetwork
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.locating import Locator, NotLocatedError, Pointer, Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ringfence.channels.network import Endpoint

TTL = 60
ZONE = {
    ("t.example.", "NAPTR"): ['10 0 "s" "SIP+D2T" "" _sip._tcp.t.example.'],
    ("_sip._tcp.t.example.", "SRV"): ["10 0 5080 a.t.example.", "20 0 5081 B.t.example."],
    ("a.t.example.", "A"): ["127.0.0.41"],
    ("a.t.example.", "AAAA"): ["2001:db8::41"],
    ("b.t.example.", "A"): ["127.0.0.42", "127.0.0.43"],
}


class NameServer:
    """Answers from `ZONE`, or SERVFAIL while it is `ill`; `asked` counts the questions."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.ill = False
        self.ttl = TTL
        self.endpoint: Endpoint | None = None

    def receive(self, data: bytes, source: Address) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[f"{name} {kind}"] += 1
        response = dns.message.make_response(query)
        found = ZONE.get((name, kind))
        if self.ill:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif found is not None:
            response.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", kind, *found))
        elif not any(known == name for known, _ in ZONE):
            response.set_rcode(dns.rcode.NXDOMAIN)
        assert self.endpoint is not None
        self.endpoint.send(response.to_wire(), source)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    one = NameServer()
    one.endpoint = await UdpNetwork().bind("127.0.0.1", 0, one.receive)
    try:
        yield one
    finally:
        one.endpoint.close()


def records(server: NameServer, host: str = "127.0.0.1") -> DnsRecords:
    assert server.endpoint is not None
    return DnsRecords(host, server.endpoint.local)


async def test_a_trunk_s_name_is_followed_to_its_addresses() -> None:
    async with name_server() as server:
        found = await Locator(records(server), Random(1)).locate("sip:t.example")
        assert found[0] == Flow("TCP", Address("127.0.0.41", 5080))
        assert set(found[1:]) == {Flow("TCP", Address(f"127.0.0.4{one}", 5081)) for one in (2, 3)}, (
            "addresses of one name come in any order"
        )


async def test_each_record_is_read_as_it_is_written() -> None:
    async with name_server() as server:
        here = records(server)
        assert await here.pointers("t.example") == [Pointer(10, 0, "s", "SIP+D2T", "_sip._tcp.t.example")]
        assert set(await here.services("_sip._tcp.t.example")) == {
            Service(10, 0, 5080, "a.t.example"),
            Service(20, 0, 5081, "b.t.example"),
        }
        assert await here.addresses("a.t.example") == ["127.0.0.41"]
        assert await records(server, "::1").addresses("a.t.example") == ["2001:db8::41"]
        assert await here.services("a.t.example") == [], "the name is there, and the record is not"
        assert await here.addresses("nobody.example") == []


@pytest.mark.parametrize(("ttl", "questions"), [(TTL, 1), (0, 3)])
async def test_an_answer_counts_as_long_as_it_says(ttl: int, questions: int) -> None:
    async with name_server() as server:
        server.ttl = ttl
        here = records(server)
        for _ in range(3):
            assert await here.addresses("a.t.example") == ["127.0.0.41"]
        assert server.asked == {"a.t.example. A": questions}


async def test_a_server_that_fails_or_is_silent_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_records, "LONGEST_S", 0.2)
    async with name_server() as server:
        server.ill = True
        with pytest.raises(NotLocatedError, match=r"DNS does not answer for a\.t\.example \(A\)"):
            await records(server).addresses("a.t.example")
    silent = await UdpNetwork().bind("127.0.0.1", 0, lambda data, source: None)
    with pytest.raises(NotLocatedError, match=r"DNS does not answer for a\.t\.example \(A\)"):
        await DnsRecords("127.0.0.1", silent.local).addresses("a.t.example")
    silent.close()


async def test_the_file_of_hosts_counts_first_and_localhost_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 6761 6.3."""
    hosts = tmp_path / "hosts"
    text = (
        "127.0.0.1 localhost\n127.0.0.9 Trunk.lan a.t.example # ours\n::9 trunk.lan\nno-address trunk.lan\n\n"
    )
    await asyncio.to_thread(hosts.write_text, text)
    monkeypatch.setattr(dns_records, "HOSTS", hosts)
    async with name_server() as server:
        here = records(server)
        assert await here.addresses("trunk.lan") == ["127.0.0.9"]
        assert await records(server, "::1").addresses("trunk.lan") == ["::9"]
        assert await here.addresses("a.t.example") == ["127.0.0.9"]
        assert await here.addresses("localhost") == ["127.0.0.1"]
        monkeypatch.setattr(dns_records, "HOSTS", tmp_path / "none")
        assert await here.addresses("localhost") == ["127.0.0.1"]
        assert await records(server, "::1").addresses("localhost") == ["::1"]
        assert server.asked == {}
