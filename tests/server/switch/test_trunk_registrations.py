"""Trunks that register at their far end (RFC 3261 section 10.2), at a whole server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options, Pbx
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.sip.credentials import Challenge
from ringfence.server.sip.message import Request
from ringfence.server.sip.parser import parse
from ringfence.server.switch.events import TrunkRegistered, TrunkUnregistered

if TYPE_CHECKING:
    from ringfence.channels.network import Address, Endpoint

pytestmark = pytest.mark.virtual_time
ACCOUNT = 'uri = "sip:127.0.0.30:5070"\nusername = "firma"\npassword = "Amt-3100-Tor"\nregister = true\n'
SITE = read_site("small").text.replace('numbers = "08955550"\n', f'numbers = "08955550"\n{ACCOUNT}')


class Registrar:
    """The far end: it challenges, then takes the registration; None as status is silence."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.expires: list[str | None] = []
        self.endpoint: Endpoint | None = None

    def receive(self, data: bytes, source: Address) -> None:
        request = parse(data)
        if not isinstance(request, Request) or request.method != "REGISTER" or self.endpoint is None:
            return
        if self.status is None:
            return
        answer = request.respond(self.status, to_tag="far")
        if request.get("authorization") is None:
            answer = request.respond(401, to_tag="far")
            answer.add("WWW-Authenticate", str(Challenge("amt", "nonce-1")))
        elif self.status == 200:
            self.expires.append(request.get("expires"))
            answer.add("Contact", f"{request.get('contact')};expires={request.get('expires')}")
        self.endpoint.send(answer.to_bytes(), source)


async def start(registrar: Registrar, site: str = SITE) -> Pbx:
    network = MemoryNetwork()
    registrar.endpoint = await network.bind("127.0.0.30", 5070, registrar.receive)
    options = Options(seed=1, in_process=True, http_port=None, network=network)
    return await Pbx.start(read_site(site), options)


async def test_a_trunk_registers_refreshes_and_leaves() -> None:
    """RFC 3261 10.2: told as events, seen in the metrics, taken back at the end."""
    registrar = Registrar()
    pbx = await start(registrar)
    events: list[object] = []
    pbx.stream.listen(lambda stamped: events.append(stamped.event))
    await pbx.stream.until(lambda: pbx.trunks.registered == {"amt": True}, 5)
    assert events == [TrunkRegistered("amt", 3600)]
    assert b'ringfence_trunk_registered{trunk="amt"} 1.0' in pbx.metrics.text()
    await asyncio.sleep(3600)
    await pbx.stop()
    assert registrar.expires == ["3600", "3600", "0"]
    assert events[-1] == TrunkUnregistered("amt", 0)


async def test_a_far_end_of_another_realm_is_not_registered_at() -> None:
    """RFC 3261 22.3: it gets no credentials, and the failure is told."""
    registrar = Registrar()
    pbx = await start(registrar, SITE.replace("register = true", 'realm = "other"\nregister = true'))
    events: list[object] = []
    pbx.stream.listen(lambda stamped: events.append(stamped.event))
    await pbx.stream.until(lambda: bool(events), 5)
    assert (events, registrar.expires) == ([TrunkUnregistered("amt", 401)], [])
    await pbx.stop()


async def test_a_far_end_that_is_silent_delays_nobody() -> None:
    registrar = Registrar()
    registrar.status = None
    pbx = await start(registrar)
    events: list[object] = []
    pbx.stream.listen(lambda stamped: events.append(stamped.event))
    await pbx.stream.until(lambda: bool(events), 40)
    assert events == [TrunkUnregistered("amt", 408)]
    assert b'ringfence_trunk_registered{trunk="amt"} 0.0' in pbx.metrics.text()
    began = pbx.clock.now()
    await pbx.stop()
    assert pbx.clock.now() - began < 1


async def test_the_end_does_not_wait_for_ever() -> None:
    registrar = Registrar()
    pbx = await start(registrar)
    await pbx.stream.until(lambda: pbx.trunks.registered["amt"], 5)
    registrar.status = None
    began = pbx.clock.now()
    await pbx.stop()
    assert pbx.clock.now() - began < 3
