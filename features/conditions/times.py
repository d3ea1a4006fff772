"""Times of a day, weekdays and dates, as a condition or a calendar writes them.

`08:00-12:00`, `24:00` being the end of a day; `mon` or `mon-fri`; `2026-12-24` or, of each year, `12-24`; and
`12-24..01-06` from one day to another, both included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from .fault import ConditionError

if TYPE_CHECKING:
    from datetime import datetime

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_DAY = re.compile(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})")
_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Span:
    """A time of the day, in minutes since midnight; the end does not belong to it."""

    begin_min: int
    end_min: int

    def includes(self, local: datetime) -> bool:
        """Whether it is that time."""
        return self.begin_min <= 60 * local.hour + local.minute < self.end_min


@dataclass(frozen=True, slots=True)
class Days:
    """From one day to another: `(year, month, day)`, or `(month, day)` of each year, which may pass the New Year."""

    first: tuple[int, ...]
    last: tuple[int, ...]

    def includes(self, day: date) -> bool:
        """Whether `day` is one of them."""
        if len(self.first) == 3:
            return self.first <= (day.year, day.month, day.day) <= self.last
        of_year = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= of_year <= self.last
        return of_year >= self.first or of_year <= self.last


def read_span(text: str) -> Span:
    """Read `08:00-12:00`; raises `ConditionError`."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ConditionError((), f'"{text}" is no time of the day', 'write e.g. "08:00-12:00"')
    hour, minute, end_hour, end_minute = match.groups()
    span = Span(
        60 * int(hour) + int(minute),
        24 * 60 if end_hour is None else 60 * int(end_hour) + int(end_minute),
    )
    if span.begin_min >= span.end_min:
        remedy = 'write what is before and what is after midnight, e.g. "22:00-24:00" and "00:00-06:00"'
        raise ConditionError((), f'the time "{text}" ends before it begins', remedy)
    return span


def read_weekdays(text: str) -> frozenset[int]:
    """Read `mon` or `mon-fri`, Monday being 0; raises `ConditionError`."""
    first, dash, last = text.partition("-")
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        remedy = f'use {", ".join(WEEKDAYS)}, or e.g. "mon-fri"'
        raise ConditionError((), f'"{text}" is no day of the week', remedy)
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return frozenset((begin + n) % 7 for n in range((end - begin) % 7 + 1))


def read_days(text: str) -> Days:
    """Read a day, or one day and another with two dots between; raises `ConditionError`."""
    first, dots, last = text.partition("..")
    begin, end = _day(first, text), _day(last if dots else first, text)
    if len(begin) != len(end):
        remedy = "write both with a year or both without"
        raise ConditionError((), f'of the days "{text}" one has a year and one has not', remedy)
    if len(begin) == 3 and begin > end:
        raise ConditionError((), f'the days "{text}" end before they begin', "exchange them")
    return Days(begin, end)


def is_day(text: str) -> bool:
    """Whether `text` begins as a day does, not as a weekday."""
    return text[:1].isdigit()


def _day(text: str, whole: str) -> tuple[int, ...]:
    match = _DAY.fullmatch(text)
    year, month, day = match.groups() if match is not None else (None, "0", "0")
    try:
        date(int(year or _LEAP_YEAR), int(month), int(day))
    except ValueError:
        remedy = 'write e.g. "2026-12-24", "12-24" for each year, or "12-24..01-06"'
        raise ConditionError((), f'"{whole}" is no day', remedy) from None
    return tuple(int(part) for part in (year, month, day) if part is not None)
