"""Flows of a whole server in virtual time: connections that break, that trickle, and that are silent (RFC 5626)."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.server.net.test_memory_streams import End
from tests.server.test_flows import ANNA, BEN, Desk, answered, desk, talk

from ringfence.server.net.memory import MemoryNetwork, Weather
from ringfence.server.net.memory_streams import MemoryStreams, MemoryWire, connect
from ringfence.server.net.streams import StreamLimits
from ringfence.server.sip.flow import Flow

if TYPE_CHECKING:
    from ringfence.server.phones.phone import Phone

pytestmark = pytest.mark.virtual_time
LIMITS = StreamLimits()
PING, PONG = b"\r\n\r\n", b"\r\n"


def network(**weather: object) -> MemoryNetwork:
    return MemoryNetwork(Random(5), Weather(**weather))  # type: ignore[arg-type]


async def cut(phone: Phone) -> None:
    """Break a telephone's connections; it opens another one when it has something to say."""
    assert isinstance(phone._streams, MemoryStreams)
    assert phone._streams.connections
    for connection in list(phone._streams.connections):
        connection.abort()
    await asyncio.sleep(0.1)
    assert not phone._streams.connections


async def stranger(one: Desk, host: str = "192.0.2.66") -> tuple[MemoryWire, End]:
    assert isinstance(one.pbx.options.network, MemoryNetwork)
    end = End()
    return await connect(one.pbx.options.network, end, host, one.pbx.sip), end


def options(call: str) -> bytes:
    return (
        f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.66;branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:a@b.example>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {call}\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def answers(end: End) -> int:
    return b"".join(end.heard).count(b"SIP/2.0 200 ")


# -- framing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("segment", [0, 1, 3, 100])
async def test_calls_go_over_connections_in_whatever_pieces_they_come(segment: int) -> None:
    """RFC 3261 18.3."""
    async with desk(network=network(segment=segment, delay_s=(0.0, 0.0001))) as one:
        anna, ben = await one.phone(ANNA, "TCP"), await one.phone(BEN, "TCP")
        await talk(anna, "101", ben, "caller")
        await talk(ben, "100", anna, "called")
        assert {flow.transport for flow in one.pbx._stack.agent.flows} == {"TCP"}
        assert len(one.pbx._stack.agent.flows) == 2, "one connection for everything"


# -- connections that break ------------------------------------------------------------------------------------


async def test_a_flow_lost_while_it_rings_ends_that_branch_at_once() -> None:
    """RFC 3261 8.1.3.1: a 503 for it, and no 32 seconds of silence for the caller."""
    async with desk(network=network()) as one:
        anna, ben = await one.phone(ANNA, "TCP"), await one.phone(BEN, "TCP")
        dialled = asyncio.ensure_future(anna.dial("101"))
        await ben.ringing()
        call, before = await dialled, one.pbx.clock.now()
        await ben.unplug()
        await call.ended()
        assert (call.status, call.reason) == (480, "user.not_registered")
        assert one.pbx.clock.now() - before < 1


async def test_a_caller_who_is_gone_while_it_rings_is_given_up_once_somebody_answers() -> None:
    """RFC 3261 13.3.1.4: the 200 finds nobody (18.2.2), no ACK comes for 64 x T1, and the called side gets a BYE."""
    async with desk(network=network()) as one:
        anna, ben = await one.phone(ANNA, "TCP"), await one.phone(BEN)
        dialled = asyncio.ensure_future(anna.dial("101"))
        taken = await ben.ringing()
        await dialled
        await anna.unplug()
        await taken.answer()
        await asyncio.sleep(31)
        assert not taken.is_over
        await asyncio.sleep(2)
        assert taken.is_over
        assert not one.pbx.switch.calls


async def test_a_flow_lost_in_a_call_is_found_out_by_the_next_request_on_it() -> None:
    """RFC 3261 12.2.1: nobody listens at the Contact, so the BYE ends with a 503, and both ends are free at once."""
    async with desk(network=network()) as one:
        anna, ben = await one.phone(ANNA), await one.phone(BEN, "TCP")
        call, taken = await answered(anna, "101", ben)
        await cut(ben)
        await asyncio.sleep(60)
        assert one.pbx.switch.calls, "a dialog outlives its connection"
        await call.hang_up()
        await asyncio.sleep(0.5)
        assert not one.pbx.switch.calls
        assert not [leg for leg in one.pbx._stack.agent._legs.values() if not leg.is_over]
        assert not taken.is_over, "he has not heard of it"
        await ben.unplug()


async def test_a_call_goes_on_over_the_connection_that_its_next_request_comes_by() -> None:
    """RFC 5626 4.3: what the far end sends inside the dialog says where it is now."""
    async with desk(network=network()) as one:
        anna, ben = await one.phone(ANNA), await one.phone(BEN, "TCP")
        call, taken = await answered(anna, "101", ben)
        await cut(ben)
        await taken.hold()
        await call.hang_up()
        await taken.ended()
        assert taken.is_over


async def test_who_registers_over_a_new_connection_is_rung_over_that_one_alone() -> None:
    """RFC 5626 5.3; the Contact is the same, so there is one binding."""
    async with desk(network=network()) as one:
        anna, ben = await one.phone(ANNA), await one.phone(BEN, "TCP")
        (old,) = one.pbx.registrar.bindings("101", one.pbx.clock.now())
        await cut(ben)
        assert (await ben.register()).status == 200
        (new,) = one.pbx.registrar.bindings("101", one.pbx.clock.now())
        assert isinstance(old.source, Flow)
        assert isinstance(new.source, Flow)
        assert new.source.number > old.source.number
        await talk(anna, "101", ben, "caller")
        assert len(ben.calls) == 1
        assert one.pbx._stack.agent.flows == {new.source}


# -- connections that trickle, and that are silent -------------------------------------------------------------


async def test_three_hundred_connections_that_trickle_are_cut_off_and_disturb_nobody() -> None:
    """Hardening: header, idle and size limits for each connection; what was sent last is of no help."""
    async with desk(network=network()) as one:
        trickling = [await stranger(one, f"192.0.2.{number % 250 + 1}") for number in range(300)]
        honest, end = await stranger(one)
        for second in range(20):
            for wire, _ in trickling:
                wire.write(b"INVITE sip:a@b SIP/2.0\r\nVia: "[second : second + 1])
            honest.write(options(str(second)))
            await asyncio.sleep(1)
            assert answers(end) == second + 1
        assert all(slow.lost for _, slow in trickling)
        assert not end.lost
        assert len(one.pbx._stack.agent.flows) == 1


@pytest.mark.parametrize("said", [b"", PING, b"X"], ids=["nothing", "a ping", "one octet"])
async def test_who_has_not_said_anything_whole_in_time_is_cut_off(said: bytes) -> None:
    async with desk(network=network()) as one:
        wire, end = await stranger(one)
        wire.write(said)
        await asyncio.sleep(LIMITS.message_s - 1)
        assert not end.lost
        await asyncio.sleep(3)
        assert end.lost
        assert end.heard == ([PONG] if said == PING else [])


async def test_who_is_idle_is_cut_off_but_for_pings() -> None:
    """RFC 5626 4.4.1: a ping is enough to stay."""
    async with desk(network=network()) as one:
        (silent, idle), (pinging, kept) = await stranger(one), await stranger(one)
        for wire in (silent, pinging):
            wire.write(options("first"))
        for _ in range(10):
            await asyncio.sleep(LIMITS.idle_s / 2)
            pinging.write(PING)
        await asyncio.sleep(1)
        assert idle.lost
        assert not kept.lost
        assert kept.heard[1:] == [PONG] * 10


async def test_a_registered_telephone_may_be_silent_as_long_as_its_registration_lasts() -> None:
    """RFC 5626 5.3: its flow is needed; afterwards it is one as any other."""
    async with desk(network=network()) as one:
        anna, ben = await one.phone(ANNA), await one.phone(BEN, "TCP")
        await asyncio.sleep(3590)
        await talk(anna, "101", ben, "called")
        await asyncio.sleep(11 + LIMITS.idle_s + 2)
        assert not one.pbx._stack.agent.flows


async def test_a_call_may_be_silent_on_its_flow() -> None:
    limits = StreamLimits(idle_s=10)
    async with desk(network=network(), connections=limits) as one:
        anna, ben = await one.phone(ANNA, "TCP"), await one.phone(BEN)
        await anna.register(0)
        call, taken = await answered(anna, "101", ben)
        await asyncio.sleep(limits.idle_s * 3)
        assert len(one.pbx._stack.agent.flows) == 1
        await taken.hang_up()
        await call.ended()
        await asyncio.sleep(limits.idle_s + 2)
        assert not one.pbx._stack.agent.flows


@pytest.mark.parametrize(
    "broken",
    [
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n",
        b"X" * 70_000,
        options("1").replace(b": 0", b": 999999"),
    ],
    ids=["no length", "no end of headers", "too long a body"],
)
async def test_a_stream_of_which_nobody_knows_where_it_goes_on_is_closed(broken: bytes) -> None:
    """RFC 3261 18.3; what came before is answered, what comes after is not looked at."""
    async with desk(network=network()) as one:
        wire, end = await stranger(one)
        wire.write(options("before") + broken + options("after"))
        await asyncio.sleep(1)
        assert end.lost
        assert answers(end) == 1
