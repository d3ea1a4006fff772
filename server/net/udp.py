"""UDP sockets on the running event loop: the real `Network`.

Called by the composition root for SIP, and by scripted phones for SIP and RTP. The receive buffer is enlarged, because
the kernel's default overflows in a burst of calls long before the loop is busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from ...channels.network import Address

if TYPE_CHECKING:
    from collections.abc import Callable

RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes, Address], None]) -> None:
        self._receive = receive
        self._addresses: dict[tuple[str, int], Address] = {}

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        source = self._addresses.get(addr)
        if source is None:
            if len(self._addresses) >= 4096:
                self._addresses.clear()
            source = self._addresses[addr] = Address(addr[0], addr[1])
        self._receive(data, source)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: the far end is gone, which the protocol's own timers find out."""


class UdpEndpoint:
    """One bound UDP socket."""

    def __init__(self, transport: asyncio.DatagramTransport, sock: socket.socket) -> None:
        self._transport = transport
        host, port = sock.getsockname()[:2]
        self._local = Address(host, port)

    @property
    def local(self) -> Address:
        """The bound address."""
        return self._local

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram; a destination that cannot be reached loses it."""
        if not self._transport.is_closing():
            with contextlib.suppress(OSError, ValueError):
                self._transport.sendto(data, (destination.host, destination.port))

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()


class UdpNetwork:
    """Real sockets; see `channels.network.Network`."""

    is_real = True

    async def bind(self, host: str, port: int, receive: Callable[[bytes, Address], None]) -> UdpEndpoint:
        """Bind a UDP socket; raises OSError when the port is in use."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setblocking(False)
            sock.bind((host, port))
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Protocol(receive), sock=sock
            )
        except BaseException:
            sock.close()
            raise
        return UdpEndpoint(transport, sock)
