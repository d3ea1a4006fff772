"""The RTP sockets that a media worker has open before anyone needs them.

Only even ports are bound ahead (RFC 3550, section 11), and only those that no other process holds; the odd one above is
opened when the first report goes out from it. A port that was given back rests, its late packets thrown away, before a
new stream gets it. The worker owns the one stock of its process.
"""

from __future__ import annotations

import socket
from collections import deque

REST_S = 2.0
"""How long a port rests after a stream, while others are free."""

SHORT_REST_S = 0.25
"""How long it rests when no other is left."""

RETRY_S = 1.0
"""How often ports that another process held are tried again."""

BATCH = 16
"""How many sockets are opened in one go, so that no stream waits for it."""

_ANY_PORT_TRIES = 32


class PortStock:
    """Opens sockets ahead of use: at least `size` are free while the range, or the system, has more."""

    def __init__(self, host: str, ports: range | None, size: int) -> None:
        self._host = host
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._size = size
        self._ports = ports
        self._any = ports is None
        self._dry = False
        self._untried = deque(port for port in ports or () if port % 2 == 0 and port > 0)
        self._held: list[int] = []
        self._retry_at = 0.0
        self._resting: deque[tuple[float, int]] = deque()
        self._free = 0
        self._used = 0

    @property
    def more(self) -> bool:
        """Whether ports can still be opened."""
        return (self._any and not self._dry) or bool(self._untried)

    def take(self) -> None:
        """One of the free ports got a stream."""
        self._free -= 1
        self._used += 1

    def give_back(self, port: int, now: float) -> None:
        """The stream of `port` is gone; the port rests."""
        self._used -= 1
        self._resting.append((now, port))

    def wants(self, now: float) -> bool:
        """Whether `top_up` has something to do."""
        if self._resting and now - self._resting[0][0] >= REST_S:
            return True
        return self._free < max(self._size, self._used // 4)

    def top_up(self, now: float) -> tuple[list[socket.socket], list[int]]:
        """Return newly opened sockets, and rested ports whose sockets are open already; all are free now."""
        rested = []
        while self._resting and now - self._resting[0][0] >= REST_S:
            rested.append(self._resting.popleft()[1])
        self._free += len(rested)
        opened: list[socket.socket] = []
        target = max(self._size, self._used // 4)
        if (self._held or self._dry) and now >= self._retry_at:
            self._retry_at = now + RETRY_S
            self._dry = False
            self._untried.extend(self._held)
            self._held.clear()
        while self._free < target and len(opened) < BATCH and (line := self._next_socket()) is not None:
            opened.append(line)
            self._free += 1
        if self._free == 0 and self._resting and now - self._resting[0][0] >= SHORT_REST_S:
            rested.append(self._resting.popleft()[1])
            self._free += 1
        return opened, rested

    def beside(self, port: int) -> socket.socket | None:
        """Return the socket of the port above a stream's, for RTCP; None if it is out of the range or held."""
        allowed = self._ports is None or self._ports.start <= port + 1 <= self._ports[-1]
        return self._bound(port + 1) if allowed else None

    def _next_socket(self) -> socket.socket | None:
        if self._any:
            for _ in range(0 if self._dry else _ANY_PORT_TRIES):
                line = self._bound(0)
                if line is None:
                    break
                if line.getsockname()[1] % 2 == 0:
                    return line
                line.close()
            self._dry = True
            return None
        while self._untried:
            port = self._untried.popleft()
            if (line := self._bound(port)) is not None:
                return line
            self._held.append(port)
        return None

    def _bound(self, port: int) -> socket.socket | None:
        try:
            line = socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        except OSError:
            return None
        try:
            line.bind((self._host, port))
        except OSError:
            line.close()
            return None
        return line
