"""Packets that overtake the `connect` which lets them in: few of them wait for it, and not for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .acceptance import Source

EARLY_PACKETS = 8
EARLY_S = 0.5
"""So many packets are kept, so long."""


class Early:
    """What waits for one stream is `waiting`; `refused` counts what was not kept, or for too long."""

    __slots__ = ("_closed", "refused", "waiting")

    def __init__(self) -> None:
        self.waiting: list[tuple[bytes, Source, float]] = []
        self._closed = False
        self.refused = 0

    def keep(self, data: bytes, source: Source, now: float) -> None:
        """Keep a packet, if there is room."""
        if self._closed or len(self.waiting) == EARLY_PACKETS:
            self.refused += 1
        else:
            self.waiting.append((data, source, now))

    def take(self, now: float) -> Iterator[tuple[bytes, Source]]:
        """Give what is fresh enough; afterwards nothing waits."""
        waiting, self.waiting = self.waiting, []
        for data, source, came_at in waiting:
            if now - came_at <= EARLY_S:
                yield data, source
            else:
                self.refused += 1

    def close(self) -> None:
        """Refuse what waits, and all that comes."""
        self._closed = True
        self.refused += len(self.waiting)
        self.waiting.clear()
