"""Messages in a stream of octets: Content-Length tells where one ends and the next begins (RFC 3261 18.3, 7.5).

A TCP or TLS connection holds a `Framing` and feeds it with what it reads, however that is split.
"""

from __future__ import annotations

import re
from typing import Final

from .parser import MOST_BODY

MOST_HEAD: Final = 65_536
"""Octets that start line and headers of a message may have on a stream."""
PONG: Final = b"\r\n"

_END: Final = b"\r\n\r\n"
_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:(?:\r\n[ \t]|[ \t])*([0-9]{1,10})(?:\r\n[ \t]|[ \t])*(?=\r\n[^ \t])",
    re.IGNORECASE,
)


class Framing:
    """Cuts one stream into messages.

    `pings` counts the double CRLFs that the last `feed` found between messages, each of which wants a `PONG` (RFC 5626
    4.4.1). `is_broken` tells that nobody can say where the next message begins: close the connection.
    """

    __slots__ = ("_buffer", "_length", "_line_ends", "_searched", "is_broken", "pings")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._length = 0
        self._line_ends = 0
        self.pings = 0
        self.is_broken = False

    @property
    def is_inside(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next octets; returns the messages that are whole by now.

        A message without a Content-Length that can be believed, or whose body is longer than `MOST_BODY`, is the last
        one and comes without its body; what has no end of headers within `MOST_HEAD` is dropped.
        """
        self.pings = 0
        messages: list[bytes] = []
        self._buffer += data
        while self._buffer and not self.is_broken:
            if not self._length and not self._measure():
                break
            if self._length > len(self._buffer):
                break
            messages.append(bytes(memoryview(self._buffer)[: self._length]))
            del self._buffer[: self._length]
            self._length = self._searched = 0
        if self.is_broken:
            self._buffer.clear()
        return messages

    def _measure(self) -> bool:
        """Find how long the message is that the buffer begins with; False while that cannot be told."""
        self._skip_line_ends()
        buffer = self._buffer
        end = buffer.find(_END, max(0, self._searched - len(_END) + 1), MOST_HEAD)
        if end < 0:
            self._searched = len(buffer)
            self.is_broken = len(buffer) >= MOST_HEAD
            return False
        end += len(_END)
        lengths = _LENGTH.findall(buffer, 0, end)
        body = int(lengths[0]) if len(lengths) == 1 else -1
        self.is_broken = not 0 <= body <= MOST_BODY
        self._length = end if self.is_broken else end + body
        return True

    def _skip_line_ends(self) -> None:
        buffer, begin = self._buffer, 0
        while buffer.startswith(PONG, begin):
            begin += len(PONG)
            self._line_ends += 1
        if begin:
            del buffer[:begin]
            self._searched = 0
        self.pings += self._line_ends // 2
        self._line_ends = self._line_ends % 2 if len(buffer) < len(PONG) else 0
