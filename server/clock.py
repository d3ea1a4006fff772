"""The one clock of a server: seconds that only go forward, and the calendar time that belongs to them.

Nobody reads another one. On a virtual loop both jump together, so that a run can be repeated to the microsecond.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """`monotonic` gives seconds; `began` is the calendar time at its present value."""

    def __init__(self, monotonic: Callable[[], float], began: datetime | None = None) -> None:
        self.now = monotonic
        self._began = began or datetime.now(UTC)
        self._zero_s = monotonic()

    def at(self, now_s: float) -> datetime:
        """Return the calendar time (UTC) of a value of `now`."""
        return self._began + timedelta(seconds=now_s - self._zero_s)

    def today(self) -> datetime:
        """Return the calendar time (UTC) of this moment."""
        return self.at(self.now())
