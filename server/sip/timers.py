"""The timer values of RFC 3261 and the one heap on which every machine of an agent waits."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVarTuple, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable

_Given = TypeVarTuple("_Given")

_FIRST_SWEEP = 1024


@dataclass(frozen=True, slots=True)
class TimerValues:
    """Seconds (RFC 3261 17.1.1.1 and table 4); the defaults are the RFC's."""

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0

    @property
    def give_up_s(self) -> float:
        """64 x T1: timers B, D, F, H, J, L and M."""
        return 64 * self.t1_s

    def next_interval(self, interval_s: float) -> float:
        """Return the interval after `interval_s` for what is repeated until it is confirmed: doubled, at most T2."""
        return min(2 * interval_s, self.t2_s)


class Timer(list[Any]):
    """One set timer, which is its own entry of the heap: when, which in the order of setting, what is called by what.

    Thousands wait for half a minute each, so one is no more than a list.
    """

    __slots__ = ()

    @property
    def is_set(self) -> bool:
        """Whether it has neither fired nor been cancelled."""
        return self[2] is not None

    @property
    def given(self) -> tuple[Any, ...]:
        """What is called is given this before the time."""
        given: tuple[Any, ...] = self[3]
        return given

    def cancel(self) -> None:
        """Never fire; harmless when it has fired."""
        self[2] = None


class Timers:
    """A heap of timers; cancelled ones are swept out before they are as many as the live ones."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._count = 0
        self._sweep_at = _FIRST_SWEEP

    def __len__(self) -> int:
        """Count the timers that are kept, cancelled ones included."""
        return len(self._heap)

    def set(self, when: float, fire: Callable[[Unpack[_Given], float], None], *given: *_Given) -> Timer:
        """Call `fire(*given, now)` once `when` has come."""
        self._count += 1
        timer = Timer((when, self._count, fire, given))
        heap = self._heap
        if len(heap) >= self._sweep_at:
            self._heap = heap = [one for one in heap if one[2] is not None]
            heapq.heapify(heap)
            self._sweep_at = max(_FIRST_SWEEP, 2 * len(heap))
        heapq.heappush(heap, timer)
        return timer

    def next_deadline(self) -> float | None:
        """When the earliest live timer fires."""
        heap = self._heap
        while heap and heap[0][2] is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def run(self, now: float) -> None:
        """Fire what is due, in order of time; what that sets and is due as well fires too."""
        while self._heap and self._heap[0][0] <= now:
            timer = heapq.heappop(self._heap)
            fire, timer[2] = timer[2], None
            if fire is not None:
                fire(*timer[3], now)
