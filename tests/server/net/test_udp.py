from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from ringfence.channels.network import Address
from ringfence.server.net.udp import RECEIVE_BUFFER_BYTES, UdpNetwork


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
