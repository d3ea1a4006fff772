"""UDP sockets on the running event loop: the real `Network`.

Called by the composition root for SIP, and by scripted phones for SIP and RTP. The receive buffer is enlarged, because
the kernel's default overflows in a burst of calls long before the loop is busy.

How long a datagram has waited in there, the kernel's stamp tells. It is calendar time, the only one that the kernel
stamps with, so it is compared with the calendar at once, and no datagram has waited longer than the socket has had
something in it by the loop's clock: whoever sets the calendar makes nobody late. Reading the stamp takes as long again
as reading the datagram, which is why it is done for one of a turn, and only while turns leave something behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

from ...channels.network import Address

if TYPE_CHECKING:
    from collections.abc import Callable

RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
MOST_AT_ONCE = 64
LONGEST_TURN_S = 0.02
JUDGED_AFTER_S = 0.05
_LARGEST_BYTES = 65535
_SO_TIMESTAMPNS = 35 if sys.platform == "linux" else None
_STAMP = struct.Struct("@ll")  # struct timespec
_STAMP_BYTES = socket.CMSG_SPACE(_STAMP.size)


class UdpEndpoint:
    """One bound UDP socket, read in turns that leave the loop time for timers and connections."""

    def __init__(self, sock: socket.socket, receive: Callable[[bytes, Address], None]) -> None:
        self._sock = sock
        self._receive = receive
        self._addresses: dict[tuple[str, int], Address] = {}
        self._is_open = True
        self._behind_since: float | None = None
        self.on_wait: Callable[[float, float], None] | None = None
        host, port = sock.getsockname()[:2]
        self._local = Address(host, port)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._read)

    @property
    def local(self) -> Address:
        """The bound address."""
        return self._local

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram; a destination that cannot be reached loses it."""
        if self._is_open:
            with contextlib.suppress(OSError, ValueError):
                self._sock.sendto(data, (destination.host, destination.port))

    def close(self) -> None:
        """Close the socket."""
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()

    def _read(self) -> None:
        """Take what waits, up to a turn's number and time; what is left then makes us late."""
        began = self._loop.time()
        take: Callable[[int], tuple[bytes, tuple[str, int]]] = self._sock.recvfrom
        if self._behind_since is not None and began - self._behind_since > JUDGED_AFTER_S:
            take = self._take_and_judge
        for _ in range(MOST_AT_ONCE):
            try:
                data, addr = take(_LARGEST_BYTES)
            except BlockingIOError:
                self._caught_up()
                return
            except OSError:  # an ICMP error: the far end is gone, which the protocol's own timers find out
                continue
            take = self._sock.recvfrom
            self._receive(data, self._address(addr))
            if not self._is_open:
                return
            if self._loop.time() - began > LONGEST_TURN_S:
                break
        if not self._has_more():
            self._caught_up()
        elif self._behind_since is None:
            self._behind_since = began

    def _caught_up(self) -> None:
        """Nothing waits any more."""
        if self._behind_since is not None:
            self._behind_since = None
            if self.on_wait is not None:
                self.on_wait(0.0, self._loop.time())

    def _take_and_judge(self, size: int) -> tuple[bytes, tuple[str, int]]:
        """Take one datagram, and tell how long it has waited."""
        data, ancillary, _, addr = self._sock.recvmsg(size, _STAMP_BYTES)
        now = self._loop.time()
        waited_s = now - (self._behind_since or now)
        for level, kind, stamp in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _STAMP.unpack(stamp)
                waited_s = max(0.0, min(waited_s, time.time() - seconds - nanoseconds / 1e9))
        if self.on_wait is not None:
            self.on_wait(waited_s, now)
        return data, addr

    def _has_more(self) -> bool:
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def _address(self, addr: tuple[str, int]) -> Address:
        source = self._addresses.get(addr)
        if source is None:
            if len(self._addresses) >= 4096:
                self._addresses.clear()
            source = self._addresses[addr] = Address(addr[0], addr[1])
        return source


class UdpNetwork:
    """Real sockets; see `channels.network.Network`."""

    async def bind(self, host: str, port: int, receive: Callable[[bytes, Address], None]) -> UdpEndpoint:
        """Bind a UDP socket; raises OSError when the port is in use."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if _SO_TIMESTAMPNS is not None:
                sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            sock.setblocking(False)
            sock.bind((host, port))
            return UdpEndpoint(sock, receive)
        except BaseException:
            sock.close()
            raise
