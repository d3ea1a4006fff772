"""When a media worker that ended is started again, and when it is given up. Its plane asks; no clock is read here."""

from __future__ import annotations

from collections import deque

MOST_ENDS = 5
WITHIN_S = 60.0
"""A worker that ends more often than so within so long would only end again."""

RESTART_DELAY_S = 1.0
"""A worker that ended before it reported a port is not started again at once."""


class Restarts:
    """The ends of one worker and of those that took its place."""

    def __init__(self) -> None:
        self._ends: deque[float] = deque(maxlen=MOST_ENDS + 1)

    def delay_s(self, now: float, *, proved: bool) -> float | None:
        """Note an end at `now`; return how many seconds later the next one starts, None for never.

        `proved` tells that the worker had reported ports.
        """
        self._ends.append(now)
        if len(self._ends) > MOST_ENDS and now - self._ends[0] < WITHIN_S:
            return None
        return 0.0 if proved else RESTART_DELAY_S
