"""The timer values of RFC 3261 and the one heap on which every machine of an agent waits."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class TimerValues:
    """Seconds (RFC 3261 17.1.1.1 and table 4); the defaults are the RFC's."""

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0

    @property
    def give_up_s(self) -> float:
        """64 x T1: timers B, F, H, J, L and M."""
        return 64 * self.t1_s

    def next_interval(self, interval_s: float) -> float:
        """The interval after `interval_s` for what is repeated until it is confirmed: doubled, at most T2."""
        return min(2 * interval_s, self.t2_s)


class Timer:
    """One set timer; `cancel` makes it forget what it would have called."""

    __slots__ = ("fire",)

    def __init__(self, fire: Callable[[float], None]) -> None:
        self.fire: Callable[[float], None] | None = fire

    def cancel(self) -> None:
        """Never fire; harmless when it has fired."""
        self.fire = None


class Timers:
    """A heap of timers; cancelled ones lie in it until their time, which is 32 s at most."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = 0

    def set(self, when: float, fire: Callable[[float], None]) -> Timer:
        """Call `fire(when)` once `when` has come."""
        timer = Timer(fire)
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, timer))
        return timer

    def next_deadline(self) -> float | None:
        """When the earliest live timer fires."""
        heap = self._heap
        while heap and heap[0][2].fire is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now: float) -> Iterator[Callable[[], None]]:
        """What has to be called by `now`, in order of time."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            when, _, timer = heapq.heappop(heap)
            fire, timer.fire = timer.fire, None
            if fire is not None:
                yield lambda fire=fire, when=when: fire(when)  # type: ignore[misc]
