"""When a server has more to do than it can: new work is turned away, so that what is under way goes on.

Two things tell of it: datagrams that have waited without a pause, and timers that fire late again and again; one late
timer is a pause of the machine, no load. The shell notes both; the door asks before it takes a new request. As soon as
nothing waits any more, everybody is welcome again.
"""

from __future__ import annotations

from typing import Final

PATIENCE_S: Final = 0.4
LATE_S: Final = 0.25
RELIEF_S: Final = 0.5


class Overload:
    """The load of one server; `shed` counts the requests that were turned away."""

    def __init__(self) -> None:
        self._late_since: float | None = None
        self._relieved_at = 0.0
        self.shed = 0

    def note_timer(self, due: float, now: float) -> None:
        """A timer that was due then fires now."""
        if now - due <= LATE_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since > PATIENCE_S:
            self._relieved_at = now + RELIEF_S

    def is_over(self, behind_since: float | None, now: float) -> bool:
        """Whether new work has to be turned away; `behind_since` is when datagrams began to wait, None for not now."""
        return now < self._relieved_at or (behind_since is not None and now - behind_since > PATIENCE_S)
