"""Trunks whose uri is a name, at a whole server (RFC 3263)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import structlog

from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options, Pbx
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.sip.locating import NotLocatedError, Pointer, Service
from ringfence.server.sip.message import Request
from ringfence.server.sip.parser import parse
from ringfence.server.switch.events import TrunkRegistered, TrunkUnregistered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ringfence.channels.network import Address, Endpoint

pytestmark = pytest.mark.virtual_time
HOSTS = {"one.amt.example": "127.0.0.41", "two.amt.example": "127.0.0.42"}
SITE = read_site("small").text.replace(
    'numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:amt.example;transport=udp"\n'
)
REGISTERS = SITE.replace(
    'transport=udp"\n', 'transport=udp"\nusername = "firma"\npassword = "Amt-3100-Tor"\nregister = true\n'
)


class Zone:
    """Two servers, the first of which is preferred; while it is `lost`, DNS does not answer."""

    def __init__(self) -> None:
        self.lost = False

    async def pointers(self, name: str) -> Sequence[Pointer]:
        raise AssertionError(f"the uri names the transport, and so nobody asks for pointers of {name}")

    async def services(self, name: str) -> Sequence[Service]:
        if self.lost:
            raise NotLocatedError(f"DNS does not answer for {name} (SRV)")
        assert name == "_sip._udp.amt.example"
        return [Service(10, 0, 5070, "one.amt.example"), Service(20, 0, 5070, "two.amt.example")]

    async def addresses(self, name: str) -> Sequence[str]:
        return [HOSTS[name]]


class FarEnd:
    """One server of the trunk: `status` is what it answers, None is silence; `heard` are the methods."""

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.heard: list[Request] = []
        self.endpoint: Endpoint | None = None

    def receive(self, data: bytes, source: Address) -> None:
        request = parse(data)
        if not isinstance(request, Request) or request.method == "ACK":
            return
        self.heard.append(request)
        if self.status is None or self.endpoint is None:
            return
        answer = request.respond(self.status, to_tag="far")
        if request.method == "REGISTER" and self.status == 200:
            answer.add("Contact", f"{request.get('contact')};expires=3600")
        self.endpoint.send(answer.to_bytes(), source)


class Trunk:
    """A server, the zone that it asks, and the two far ends."""

    def __init__(self, pbx: Pbx, zone: Zone, one: FarEnd, two: FarEnd) -> None:
        self.pbx, self.zone, self.one, self.two = PbxUnderTest(pbx), zone, one, two
        self.events: list[object] = []
        pbx.stream.listen(lambda stamped: self.events.append(stamped.event))

    def told(self) -> list[object]:
        return [one for one in self.events if isinstance(one, TrunkRegistered | TrunkUnregistered)]


@asynccontextmanager
async def trunk(
    one: int | None, two: int | None, site: str = SITE, *, lost: bool = False
) -> AsyncIterator[Trunk]:
    network, zone, ends = MemoryNetwork(), Zone(), (FarEnd(one), FarEnd(two))
    zone.lost = lost
    for end, host in zip(ends, HOSTS.values(), strict=True):
        end.endpoint = await network.bind(host, 5070, end.receive)
    options = Options(seed=1, in_process=True, http_port=None, network=network, records=zone)
    here = Trunk(await Pbx.start(read_site(site), options), zone, *ends)
    try:
        yield here
    finally:
        await here.pbx.stop()


async def test_a_call_goes_to_the_first_server_by_the_name_that_the_site_gives() -> None:
    async with trunk(486, 486) as here:
        call = await (await here.pbx.phone("101")).dial("0731123")
        assert call.status == 486
        assert [one.uri for one in here.one.heard] == ["sip:0731123@amt.example;transport=udp"]
        assert here.two.heard == []


@pytest.mark.parametrize(("one", "after_s"), [(503, 0), (None, 32)])
async def test_a_call_goes_to_the_next_server_when_the_first_fails(one: int | None, after_s: int) -> None:
    """RFC 3263 4.3: after a 503 at once, after silence by timer B; the caller hears of neither."""
    async with trunk(one, 486) as here:
        ben = await here.pbx.phone("101")
        began = here.pbx.server.clock.now()
        call = await ben.dial("0731123")
        await call.ended()
        assert (call.status, len(here.two.heard)) == (486, 1)
        assert round(here.pbx.server.clock.now() - began) == after_s


async def test_a_call_that_every_server_fails_is_refused() -> None:
    async with trunk(503, 503) as here:
        call = await (await here.pbx.phone("101")).dial("0731123")
        assert (call.status, call.reason) == (503, "trunk.failed")
        assert (len(here.one.heard), len(here.two.heard)) == (1, 1)


async def test_a_name_that_leads_nowhere_refuses_the_call_and_says_so_once() -> None:
    async with trunk(200, 200, lost=True) as here:
        ben = await here.pbx.phone("101")
        with structlog.testing.capture_logs() as logs:
            call = await ben.dial("0731123")
        assert (call.status, call.reason) == (503, "trunk.failed")
        assert [(one["event"], one["trunk"], one["error"]) for one in logs if "trunk" in one] == [
            ("trunk.not_located", "amt", "DNS does not answer for _sip._udp.amt.example (SRV)")
        ]


@pytest.mark.parametrize(("one", "after_s"), [(503, 0), (None, 32)])
async def test_a_trunk_registers_at_the_next_server_when_the_first_fails(
    one: int | None, after_s: int
) -> None:
    async with trunk(one, 200, REGISTERS) as here:
        await here.pbx.server.stream.until(lambda: bool(here.told()), 60)
        assert here.told() == [TrunkRegistered("amt", 3600)]
        assert round(here.pbx.server.clock.now()) == after_s
        assert {request.method for request in here.two.heard} == {"REGISTER"}


async def test_a_trunk_that_registers_nowhere_is_told_once_for_all_servers() -> None:
    """Then it begins with the first one again, after the wait of RFC 5626 4.5."""
    async with trunk(503, 503, REGISTERS) as here:
        await here.pbx.server.stream.until(lambda: bool(here.told()), 60)
        assert here.told() == [TrunkUnregistered("amt", 503)]
        here.one.status = 200
        await here.pbx.server.stream.until(lambda: len(here.told()) > 1, 60)
        assert here.told()[1:] == [TrunkRegistered("amt", 3600)]
        assert (len(here.one.heard), len(here.two.heard)) == (2, 1)


async def test_a_trunk_whose_name_leads_nowhere_registers_when_it_leads_somewhere() -> None:
    async with trunk(200, 200, REGISTERS, lost=True) as here:
        await here.pbx.server.stream.until(lambda: bool(here.told()), 60)
        assert here.told() == [TrunkUnregistered("amt", 503)]
        here.zone.lost = False
        await here.pbx.server.stream.until(lambda: len(here.told()) > 1, 60)
        assert here.told()[1:] == [TrunkRegistered("amt", 3600)]
