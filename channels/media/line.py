"""One bound RTP socket of a media worker, and, once its far end is known for good, a second one that hears only that.

Two sockets share the port then. The kernel gives what comes from the far end to the one that is connected to it: that
one needs no address for a packet, to take it or to send it, which is a fifth of what a packet costs. Everybody else's
packets still come to the first one, where the stream refuses and counts them.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from typing import TYPE_CHECKING

from .early import EARLY_PACKETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .acceptance import Source
    from .stream import Stream

DATAGRAM_BYTES = 2048

MOST_WAITING = 512
"""More packets than wait in a socket; whoever sends without end is not taken from without end."""


class Line:
    """A socket, and the stream on it if there is one; a free one keeps the packets that overtake `Adopt`."""

    __slots__ = ("control", "early", "number", "port", "receive", "settled", "socket", "stream")

    def __init__(self, line: socket.socket) -> None:
        self.socket = line
        self.port: int = line.getsockname()[1]
        self.number = 0
        self.stream: Stream | None = None
        self.control: Line | None = None
        self.settled: Settled | None = None
        self.receive: Callable[[bytes, Source, float], None] | None = self.keep
        self.early: deque[tuple[bytes, Source, float]] = deque(maxlen=EARLY_PACKETS)

    def keep(self, data: bytes, source: Source, now: float) -> None:
        """Keep a packet for the stream that is about to come."""
        self.early.append((data, source, now))

    def read(self, now: float) -> None:
        """Take a packet, if there is one."""
        self.read_from(self.socket, now)

    def read_from(self, one: socket.socket, now: float) -> bool:
        """Take a packet from one of the sockets, whoever it came from; False when there was none."""
        try:
            data, source = one.recvfrom(DATAGRAM_BYTES)
        except OSError:
            return False
        if self.receive is not None:
            self.receive(data, source[:2], now)
        return True

    def tick(self, now: float) -> float | None:
        """Let the stream do what is due; return when it wants to be called next."""
        if self.stream is None:
            return None
        self.stream.tick(now)
        return self.stream.next_deadline()

    def transmit(self, data: bytes, destination: Source) -> None:
        """Send a packet of the stream."""
        try:
            if self.settled is None:
                self.socket.sendto(data, destination)
            else:
                self.settled.transmit(data)
        except OSError:
            return


class Settled:
    """The second socket of a line, connected to the far end of its stream."""

    __slots__ = ("_line", "_receive", "fd", "number", "socket")

    def __init__(self, line: Line, stream: Stream, source: Source) -> None:
        """Open it; raises OSError."""
        self._line = line
        self.number = line.number
        self._receive = stream.receive_settled
        self.socket = _beside(line.socket, source)
        self.fd = self.socket.fileno()

    def read(self, now: float) -> None:
        """Take a packet, if there is one."""
        try:
            data = os.read(self.fd, DATAGRAM_BYTES)
        except OSError:
            return
        self._receive(data, now)

    def transmit(self, data: bytes) -> None:
        """Send a packet; one before that the far end refused makes it fail once, and is no reason to lose this one."""
        try:
            os.write(self.fd, data)
        except ConnectionRefusedError:
            os.write(self.fd, data)

    def take_over(self, now: float) -> None:
        """Take what has come to the first socket, and to this one before it was connected, which may be anybody's."""
        for one in (self._line.socket, self.socket):
            for _ in range(MOST_WAITING):
                if not self._line.read_from(one, now):
                    break


def _beside(line: socket.socket, source: Source) -> socket.socket:
    """Return a socket on the port of `line` that is connected to `source`; nobody else can share the port."""
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    beside = socket.socket(line.family, kind)
    try:
        for one in (line, beside):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        beside.bind(line.getsockname())
        beside.connect(source)
    except OSError:
        beside.close()
        raise
    finally:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return beside
