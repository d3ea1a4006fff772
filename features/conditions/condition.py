"""Conditions of a call, and what is the case when it comes.

Pure: the moment is an argument, in the time zone of whoever asks. `reading` makes conditions from values of a site file
or of JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .calendar import Calendar
from .fault import ConditionError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .times import Days, Span

Origin = Literal["internal", "external"]

HIDDEN = "anonymous"
"""The caller of a number pattern that fits whoever does not show himself."""

PRESENCES = (
    "available", "offline", "on-the-phone", "busy", "away", "appointment", "meeting", "presentation", "lunch",
    "travel", "vacation", "holiday", "permanent-absence",
)  # fmt: skip
"""What a person can be: reachable and doing nothing else, not reachable, or doing what RPID (RFC 4480) calls so."""

_NO_CALENDAR = Calendar()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the case: `moment` knows its time zone, which counts where no calendar has one.

    `callers` are the numbers by which the caller may be known, none for one who hides; `presences` is what the called
    person is, of `PRESENCES`.
    """

    moment: datetime
    callers: tuple[str, ...] = ()
    called: str = ""
    origin: Origin = "external"
    presences: frozenset[str] = frozenset()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A number, or with `prefix` all that begin like it."""

    text: str
    prefix: bool = False

    def fits(self, number: str) -> bool:
        """Whether `number` is meant."""
        return number.startswith(self.text) if self.prefix else number == self.text


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to be the case, all of it; of the several values of one kind one is enough, and none always holds.

    `calendar` names the calendar that times are read by; None is the site's first one.
    """

    calendar: str | None = None
    hours: Literal["open", "closed"] | None = None
    holiday: bool | None = None
    weekdays: frozenset[int] = frozenset()
    times: tuple[Span, ...] = ()
    days: tuple[Days, ...] = ()
    callers: tuple[Pattern, ...] = ()
    called: tuple[Pattern, ...] = ()
    origin: Origin | None = None
    presences: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()

    def holds(self, now: Circumstances, calendars: Mapping[str, Calendar]) -> bool:
        """Whether all of it is the case; `calendars` are those of the site, which `require` has seen."""
        return (
            self._holds_of_time(now.moment, self._calendar(calendars) or _NO_CALENDAR)
            and _one_fits(self.callers, now.callers or (HIDDEN,))
            and _one_fits(self.called, (now.called,))
            and self.origin in {None, now.origin}
            and (not self.presences or not self.presences.isdisjoint(now.presences))
            and (not self.languages or now.language in self.languages)
        )

    def require(self, calendars: Mapping[str, Calendar]) -> None:
        """Raise `ConditionError` when it asks for a calendar, hours or holidays that the site has not."""
        if self.calendar is not None and self.calendar not in calendars:
            known = f"use one of {', '.join(calendars)}" if calendars else "add a [[calendar]] of that name"
            raise ConditionError(("calendar",), f'the calendar "{self.calendar}" is not there', known)
        calendar = self._calendar(calendars)
        if self.hours is not None and (calendar is None or calendar.weekly is None):
            remedy = 'add a [[calendar]] with e.g. hours = { "mon-fri" = ["08:00-17:00"] }'
            raise ConditionError(
                ("hours",), "the condition asks for business hours, and there are none", remedy
            )
        if self.holiday is not None and (calendar is None or not calendar.holidays):
            remedy = 'add a [[calendar]] with e.g. holidays = ["12-25", "12-26"]'
            raise ConditionError(("holiday",), "the condition asks for holidays, and there are none", remedy)

    def _calendar(self, calendars: Mapping[str, Calendar]) -> Calendar | None:
        if self.calendar is None:
            return next(iter(calendars.values()), None)
        return calendars.get(self.calendar)

    def _holds_of_time(self, moment: datetime, calendar: Calendar) -> bool:
        local = calendar.local(moment)
        return (
            (self.hours is None or calendar.is_open(moment) == (self.hours == "open"))
            and (self.holiday is None or calendar.is_holiday(moment) == self.holiday)
            and (not self.weekdays or local.weekday() in self.weekdays)
            and (not self.times or any(span.includes(local) for span in self.times))
            and (not self.days or any(days.includes(local.date()) for days in self.days))
        )


def _one_fits(patterns: tuple[Pattern, ...], numbers: tuple[str, ...]) -> bool:
    return not patterns or any(one.fits(number) for one in patterns for number in numbers)
