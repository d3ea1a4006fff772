from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest
import structlog

from ringfence.channels.network import Address
from ringfence.server.net.memory import MemoryEndpoint, MemoryNetwork
from ringfence.server.net.stack import SipStack
from ringfence.server.sip.agent import Agent
from ringfence.server.sip.effects import Effect, LegAnswered, LegEnded, Requested, Responded, Unanswered
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.message import Request

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.virtual_time

US = Address("192.0.2.1", 5060)


class Office:
    """A stack whose effects are kept, and handed to `react` first."""

    def __init__(self) -> None:
        self.told: list[Effect] = []
        self.stack = SipStack(self.handle)

    async def open(self, network: MemoryNetwork, host: str) -> Agent:
        await self.stack.start(network, host, 5060, lambda local: Agent(local, Random(host)))
        return self.stack.agent

    def handle(self, effect: Effect) -> None:
        self.told.append(effect)
        self.react(effect)

    def react(self, effect: Effect) -> None:
        """Do nothing."""


class Answering(Office):
    """Takes every call at once, while the stack is still telling of it."""

    def react(self, effect: Effect) -> None:
        if isinstance(effect, Requested):
            agent, now = self.stack.agent, asyncio.get_running_loop().time()
            agent.incoming(agent.accept(effect.request, effect.source), effect.source, now).answer(b"", now)
            self.stack.flush()


class Failing(Office):
    def react(self, effect: Effect) -> None:
        raise RuntimeError(f"no {effect}")


def kinds(office: Office) -> list[type[Effect]]:
    return [type(effect) for effect in office.told]


def invite(office: Office, agent: Agent, now: float) -> None:
    agent.invite("sip:a@192.0.2.1", US, from_="<sip:b@b.example>", to="<sip:a@b.example>", body=b"", now=now)
    office.stack.flush()


async def test_two_stacks_make_a_call_and_their_timers_run() -> None:
    network, called, calling = MemoryNetwork(), Answering(), Office()
    await called.open(network, "192.0.2.1")
    agent = await calling.open(network, "192.0.2.2")
    invite(calling, agent, asyncio.get_running_loop().time())
    await asyncio.sleep(1)
    assert kinds(calling) == [LegAnswered]
    called.stack.stop()
    answered = calling.told[0]
    assert isinstance(answered, LegAnswered)
    answered.leg.hang_up(asyncio.get_running_loop().time())
    calling.stack.flush()
    await asyncio.sleep(100)
    assert kinds(calling) == [LegAnswered, LegEnded]
    assert agent.is_idle
    calling.stack.stop()
    assert network.endpoints == {}


async def test_a_timer_that_is_set_for_sooner_fires_first() -> None:
    calling = Office()
    agent = await calling.open(MemoryNetwork(), "192.0.2.2")
    loop = asyncio.get_running_loop()
    fired: list[float] = []
    for after_s in (50, 10, 30):
        agent.timers.set(loop.time() + after_s, lambda now: fired.append(round(now)))
        calling.stack.flush()
    await asyncio.sleep(60)
    assert fired == [10, 30, 50]


async def test_a_request_that_nobody_answers_is_told_after_timer_f() -> None:
    calling = Office()
    agent = await calling.open(MemoryNetwork(), "192.0.2.2")
    headers = [
        ("From", "<sip:a@b.example>;tag=f"),
        ("To", "<sip:c@d.example>"),
        ("Call-ID", "c"),
        ("CSeq", "1 OPTIONS"),
    ]
    agent.send(Request("OPTIONS", "sip:192.0.2.9", headers), US, "me", asyncio.get_running_loop().time())
    calling.stack.flush()
    await asyncio.sleep(31)
    assert kinds(calling) == []
    await asyncio.sleep(2)
    assert kinds(calling) == [Unanswered]
    assert Responded not in kinds(calling)


async def test_a_handler_that_fails_is_logged_and_takes_nothing_with_it() -> None:
    network, called, calling = MemoryNetwork(), Failing(), Office()
    await called.open(network, "192.0.2.1")
    agent = await calling.open(network, "192.0.2.2")
    with structlog.testing.capture_logs() as logs:
        invite(calling, agent, asyncio.get_running_loop().time())
        await asyncio.sleep(0.6)
    assert kinds(called) == [Requested, Requested], "the repetition of the INVITE is heard as well"
    assert [(entry["event"], entry["effect"]) for entry in logs] == [("sip.effect_failed", "Requested")] * 2


async def test_there_is_no_agent_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = Office().stack.agent


async def test_stopping_a_stack_that_never_started_is_no_error() -> None:
    office = Office()
    office.stack.stop()
    office.stack.flush()
    assert office.told == []


async def test_what_comes_before_there_is_an_agent_is_lost_like_any_datagram() -> None:
    class Eager(MemoryNetwork):
        """Delivers something in the moment of binding."""

        async def bind(
            self, host: str, port: int, receive: Callable[[bytes, Address], None]
        ) -> MemoryEndpoint:
            endpoint = await super().bind(host, port, receive)
            receive(b"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\n\r\n", Address("192.0.2.9", 5060))
            return endpoint

    office = Office()
    await office.open(Eager(), "192.0.2.1")
    assert office.told == []
    office.stack.stop()


class Wire:
    """A connection of a flow."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)


async def test_what_is_sent_to_a_flow_goes_over_its_connection() -> None:
    calling, wire = Office(), Wire()
    agent = await calling.open(MemoryNetwork(), "192.0.2.2")
    flow, other = (calling.stack.opened("TCP", US, one) for one in (wire, Wire()))
    assert flow != other, "two connections from one address are two flows"
    calling.stack.received(
        b"OPTIONS sip:192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\n\r\n", flow
    )
    assert [data.partition(b"\r\n")[0] for data in wire.sent] == [b"SIP/2.0 400 Bad Request"]
    agent.invite("sip:a@b.example", flow, from_="<sip:b@b.example>", to="<sip:a@b.example>", body=b"", now=0)
    calling.stack.flush()
    assert [data.partition(b" ")[0] for data in wire.sent] == [b"SIP/2.0", b"INVITE"]


async def test_a_call_over_a_flow_that_closes_or_is_closed_ends_at_once() -> None:
    """RFC 3261 8.1.3.1: as if answered with 503."""
    calling = Office()
    agent = await calling.open(MemoryNetwork(), "192.0.2.2")
    flow = calling.stack.opened("TCP", US, Wire())
    for _ in range(2):
        agent.invite(
            "sip:a@b.example", flow, from_="<sip:b@b.example>", to="<sip:a@b.example>", body=b"", now=0
        )
        calling.stack.flush()
        calling.stack.closed(flow)
        assert [one.status for one in calling.told if isinstance(one, LegEnded)] == [503]
        calling.told.clear()
    assert agent.is_idle


async def test_a_flow_of_our_own_is_opened_once_and_again_when_it_was_closed() -> None:
    calling, flow = Office(), Flow("TCP", US)
    agent = await calling.open(MemoryNetwork(), "192.0.2.2")
    dialled: list[tuple[Flow, Wire]] = []

    def dial(flow: Flow) -> Wire:
        dialled.append((flow, Wire()))
        return dialled[-1][1]

    for stack_dials, count in ((None, 0), (dial, 1), (dial, 1)):
        calling.stack.dial = stack_dials
        agent.invite(
            "sip:a@b.example", flow, from_="<sip:b@b.example>", to="<sip:a@b.example>", body=b"", now=0
        )
        calling.stack.flush()
        assert len(dialled) == count
    assert [len(wire.sent) for _, wire in dialled] == [2]
    assert [one.status for one in calling.told if isinstance(one, LegEnded)] == [503], (
        "nobody could dial at first"
    )
    calling.stack.closed(flow)
    agent.invite("sip:a@b.example", flow, from_="<sip:b@b.example>", to="<sip:a@b.example>", body=b"", now=0)
    calling.stack.flush()
    assert [(flow, len(wire.sent)) for flow, wire in dialled] == [(flow, 2), (flow, 1)]
