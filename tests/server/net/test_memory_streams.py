"""Connections in memory: in order, whole, in any pieces, and lost for both ends."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.net.memory import MemoryNetwork, Weather
from ringfence.server.net.memory_streams import MemoryStreams, MemoryWire, connect
from ringfence.server.net.stack import SipStack
from ringfence.server.net.streams import StreamLimits
from ringfence.server.sip.agent import Agent
from ringfence.server.sip.effects import Requested
from ringfence.server.sip.flow import Flow

if TYPE_CHECKING:
    from ringfence.server.sip.effects import Effect

pytestmark = pytest.mark.virtual_time
THERE = Address("192.0.2.1", 5060)


class End(asyncio.Protocol):
    """Notes what comes, and when the connection was lost and why."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.lost: list[Exception | None] = []

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


async def connected(weather: Weather = Weather()) -> tuple[MemoryWire, End, End]:  # noqa: B008 - frozen
    """The wire of the near end, the near end and the far one."""
    network, near, far = MemoryNetwork(Random(3), weather), End(), End()
    network.listeners[THERE] = lambda _: far
    return await connect(network, near, "192.0.2.2", THERE), near, far


@pytest.mark.parametrize("delay_s", [(0.0, 0.0), (0.01, 0.5)])
async def test_octets_arrive_in_order_and_in_pieces(delay_s: tuple[float, float]) -> None:
    wire, _, far = await connected(Weather(delay_s=delay_s, segment=7, loss=1.0, repeat=1.0))
    sent = bytes(range(200))
    wire.write(sent[:150])
    wire.write(sent[150:])
    assert wire.get_write_buffer_size() == 200
    assert far.heard == []
    await asyncio.sleep(200)
    assert b"".join(far.heard) == sent
    assert {len(piece) for piece in far.heard} == {1, 2, 3, 4, 5, 6, 7}
    assert wire.get_write_buffer_size() == 0


async def test_what_was_written_arrives_before_the_end() -> None:
    wire, near, far = await connected(Weather(delay_s=(0.1, 0.2)))
    wire.write(b"last words")
    wire.close()
    wire.write(b"too late")
    await asyncio.sleep(1)
    assert (far.heard, far.lost, near.lost) == ([b"last words"], [None], [None])


async def test_what_is_aborted_loses_what_is_on_its_way() -> None:
    wire, near, far = await connected(Weather(delay_s=(0.1, 0.2)))
    wire.write(b"lost")
    wire.abort()
    await asyncio.sleep(1)
    assert (far.heard, near.lost) == ([], [None])
    assert [type(why) for why in far.lost] == [ConnectionResetError]


async def test_where_nobody_listens_nobody_connects() -> None:
    with pytest.raises(ConnectionRefusedError):
        await connect(MemoryNetwork(), End(), "192.0.2.2", THERE)


class Office:
    """An agent that answers OPTIONS, on a network in memory."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.stack = SipStack(self.handle)
        self.streams = MemoryStreams(
            network, self.stack, lambda: (), StreamLimits(connections=3, from_one_source=2)
        )

    @classmethod
    async def open(cls, network: MemoryNetwork) -> Office:
        office = cls(network)
        await office.stack.start(network, THERE.host, THERE.port, lambda local: Agent(local, Random(1)))
        office.streams.listen(THERE.host, THERE.port)
        return office

    def handle(self, effect: Effect) -> None:
        assert isinstance(effect, Requested)
        self.stack.agent.refuse(effect.request, 200, effect.source)


async def test_limits_hold_and_an_address_is_taken_once() -> None:
    network = MemoryNetwork()
    office = await Office.open(network)
    with pytest.raises(OSError, match="in use"):
        office.streams.listen(THERE.host, THERE.port)
    ends = [End() for _ in range(5)]
    for end, host in zip(
        ends, ("192.0.2.2", "192.0.2.2", "192.0.2.2", "192.0.2.3", "192.0.2.4"), strict=True
    ):
        await connect(network, end, host, THERE)
    await asyncio.sleep(1)
    assert [bool(end.lost) for end in ends] == [False, False, True, False, True]
    await office.streams.stop()
    assert network.listeners == {}
    assert all(end.lost for end in ends)


async def test_nobody_is_swept_where_nobody_is() -> None:
    """No timer runs without a connection, so that virtual time notices when everybody waits for ever."""
    network = MemoryNetwork()
    office = await Office.open(network)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    wire = await connect(network, End(), "192.0.2.2", THERE)
    await asyncio.sleep(1)
    assert len(asyncio.all_tasks()) == 2
    wire.close()
    await asyncio.sleep(2)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await office.streams.stop()


async def test_a_flow_that_nobody_takes_is_lost() -> None:
    """RFC 3261 8.1.3.1: as a TCP connection that is refused."""
    network = MemoryNetwork()
    office = await Office.open(network)
    flow = Flow("TCP", Address("192.0.2.9", 5060))
    office.streams.dial(flow)
    await asyncio.sleep(1)
    assert office.streams.connections == set()
    assert office.stack.agent.flows == set()
