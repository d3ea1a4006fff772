"""The one stream of events: each gets the next sequence number and the time, and goes to everybody who listens.

Journal, metrics, log, API and tests live from it. The last events are kept, so that whoever comes late can look back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clock import Clock

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Stamped:
    """An event with its place in the stream (from 1) and its time in seconds on the server's clock."""

    seq: int
    at_s: float
    event: Any


class EventStream:
    """Stamps events and hands them on, at once and in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seq = 0
        self._listeners: list[Callable[[Stamped], None]] = []
        self.recent: deque[Stamped] = deque(maxlen=KEPT)

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest event; 0 before the first."""
        return self._seq

    def publish(self, event: object) -> None:
        """Stamp an event and hand it to every listener."""
        self._seq += 1
        stamped = Stamped(self._seq, self._clock.now(), event)
        self.recent.append(stamped)
        for listener in self._listeners:
            listener(stamped)

    async def until(self, holds: Callable[[], bool], timeout_s: float) -> None:
        """Wait until something holds, which is looked at after each event; raises TimeoutError."""
        changed = asyncio.Event()
        leave = self.listen(lambda _: changed.set())
        try:
            async with asyncio.timeout(timeout_s):
                while not holds():
                    changed.clear()
                    await changed.wait()
        finally:
            leave()

    def listen(self, listener: Callable[[Stamped], None]) -> Callable[[], None]:
        """Call `listener` for each event from now on, until the function that is returned is called."""
        self._listeners = [*self._listeners, listener]

        def leave() -> None:
            self._listeners = [one for one in self._listeners if one is not listener]

        return leave
