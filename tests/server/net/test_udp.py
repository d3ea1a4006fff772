from __future__ import annotations

import asyncio
import errno
import socket
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


async def test_a_flood_leaves_the_timers_their_time_and_is_told() -> None:
    """Datagrams are read in turns; it is known that some wait after one, and when none wait any more."""
    loop, done, seen = asyncio.get_running_loop(), asyncio.Event(), 0
    waited: list[tuple[int, bool]] = []

    def work(_data: bytes, _source: Address) -> None:
        nonlocal seen
        seen += 1
        until = loop.time() + 0.001
        while loop.time() < until:
            pass

    there = await UdpNetwork().bind("127.0.0.1", 0, work)
    here = await UdpNetwork().bind("127.0.0.1", 0, nothing)

    def tick() -> None:
        waited.append((seen, there.behind_since is not None))
        if seen < 150 or there.behind_since is not None:
            loop.call_later(0.005, tick)
        else:
            done.set()

    for _ in range(150):
        here.send(b"x", there.local)
    tick()
    async with asyncio.timeout(10):
        await done.wait()
    between = [count for count, is_behind in waited if is_behind]
    assert len(between) > 1
    assert max(after - before for before, after in pairwise(between)) <= MOST_AT_ONCE
    there.close()
    here.close()
