from __future__ import annotations

import asyncio
import errno
import socket
import time
from itertools import pairwise

import pytest

from ringfence.channels.network import Address
from ringfence.server.net.udp import MOST_AT_ONCE, RECEIVE_BUFFER_BYTES, UdpNetwork


def nothing(_data: bytes, _source: Address) -> None:
    pass


async def test_datagrams_arrive_with_their_source() -> None:
    inbox: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()
    network = UdpNetwork()
    there = await network.bind("127.0.0.1", 0, lambda data, source: inbox.put_nowait((data, source)))
    here = await network.bind("127.0.0.1", 0, nothing)
    assert there.local.port != 0
    for _ in range(2):
        here.send(b"hello", there.local)
        async with asyncio.timeout(5):
            assert await inbox.get() == (b"hello", here.local)
    there.close()
    here.close()


async def test_the_receive_buffer_is_as_large_as_the_kernel_lets_it_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sockets: list[socket.socket] = []
    real = socket.socket

    def remember(*args: int) -> socket.socket:
        sockets.append(real(*args))
        return sockets[-1]

    monkeypatch.setattr(socket, "socket", remember)
    endpoint = await UdpNetwork().bind("127.0.0.1", 0, nothing)
    with real(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        most = other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == most
    assert 4 * 1024 * 1024 <= RECEIVE_BUFFER_BYTES <= 8 * 1024 * 1024
    endpoint.close()


async def test_a_port_in_use_is_an_error_and_leaves_no_socket_open() -> None:
    first = await UdpNetwork().bind("127.0.0.1", 0, nothing)
    with pytest.raises(OSError, match="in use") as caught:
        await UdpNetwork().bind("127.0.0.1", first.local.port, nothing)
    assert caught.value.errno == errno.EADDRINUSE
    port = first.local.port
    first.close()
    await asyncio.sleep(0)
    again = await UdpNetwork().bind("127.0.0.1", port, nothing)
    again.close()


async def test_sending_to_nowhere_or_after_the_end_is_no_error() -> None:
    endpoint = await UdpNetwork().bind("127.0.0.1", 0, nothing)
    for host, port in [("255.255.255.255", 9), ("127.0.0.1", 1), ("2001:db8::1", 9)]:
        endpoint.send(b"x", Address(host, port))
    await asyncio.sleep(0)
    endpoint.close()
    endpoint.send(b"x", Address("127.0.0.1", 9))


class Flooded:
    """An endpoint that takes a while for each of 150 datagrams, which come at once."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waits: list[tuple[float, float]] = []
        self.seen: list[float] = []
        self.done = asyncio.Event()

    def note(self, waited_s: float, now: float) -> None:
        self.waits.append((waited_s, now))
        if not waited_s and len(self.seen) == 150:
            self.done.set()

    def work(self, _data: bytes, _source: Address) -> None:
        self.seen.append(self.loop.time())
        while self.loop.time() < self.seen[-1] + 0.001:
            pass

    async def run(self) -> float:
        """Send and take them all; returns when they were sent."""
        there = await UdpNetwork().bind("127.0.0.1", 0, self.work)
        there.on_wait = self.note
        here = await UdpNetwork().bind("127.0.0.1", 0, nothing)
        sent_at = self.loop.time()
        for _ in range(150):
            here.send(b"x", there.local)
        async with asyncio.timeout(10):
            await self.done.wait()
        there.close()
        here.close()
        return sent_at


async def test_a_flood_leaves_the_timers_their_time() -> None:
    """Datagrams are read in turns, and timers fire between them."""
    flood, ticks = Flooded(), list[int]()

    def tick() -> None:
        ticks.append(len(flood.seen))
        flood.loop.call_later(0.005, tick)

    tick()
    await flood.run()
    assert len(ticks) > 2
    assert max(after - before for before, after in pairwise(ticks)) <= MOST_AT_ONCE


async def test_it_is_told_how_long_datagrams_have_waited_until_none_does() -> None:
    """By the kernel's stamp; a little less than since they were sent, and never more."""
    flood = Flooded()
    sent_at = await flood.run()
    *waits, (last, _) = flood.waits
    assert len(waits) >= 2
    assert last == 0.0
    for waited_s, now in waits:
        assert now - sent_at - 0.1 < waited_s <= now - sent_at + 0.002
    assert waits == sorted(waits)


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
async def test_nobody_is_late_because_the_calendar_was_set(
    monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    flood, real = Flooded(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump_s)
    sent_at = await flood.run()
    assert len(flood.waits) >= 2
    assert all(0.0 <= waited_s <= now - sent_at for waited_s, now in flood.waits)
