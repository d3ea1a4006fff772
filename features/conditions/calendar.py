"""Business hours and holidays of a site, in its own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from .fault import ConditionError
from .times import Days, Span, is_day, read_days, read_span, read_weekdays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo

Hours = tuple[Span, ...]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Calendar:
    """When there is somebody: `weekly` from Monday on, where `special` says nothing else of the day.

    On a holiday there is nobody, unless `special` says so. Without `zone` a moment's own one counts; `weekly` of None
    means that no hours were given.
    """

    zone: tzinfo | None = None
    weekly: tuple[Hours, ...] | None = None
    special: tuple[tuple[Days, Hours], ...] = ()
    holidays: tuple[Days, ...] = ()

    def local(self, moment: datetime) -> datetime:
        """What the clocks show where the calendar is."""
        return moment if self.zone is None else moment.astimezone(self.zone)

    def is_holiday(self, moment: datetime) -> bool:
        """Whether the day of `moment` is a holiday."""
        today = self.local(moment).date()
        return any(days.includes(today) for days in self.holidays)

    def is_open(self, moment: datetime) -> bool:
        """Whether `moment` is within business hours."""
        local = self.local(moment)
        hours = next((hours for days, hours in self.special if days.includes(local.date())), None)
        if hours is None:
            hours = () if self.weekly is None or self.is_holiday(moment) else self.weekly[local.weekday()]
        return any(span.includes(local) for span in hours)


def read_calendar(zone: str | None, hours: Mapping[str, Sequence[str]], holidays: Iterable[str]) -> Calendar:
    """Read a calendar as a site file has it; raises `ConditionError`.

    `hours` maps a weekday, several, or days of the year to times: `{"mon-fri": ["08:00-17:00"], "12-24": []}`.
    """
    weekly: dict[int, Hours] = {}
    special: list[tuple[Days, Hours]] = []
    for key, texts in hours.items():
        spans = tuple(_read(read_span, text, "hours", key, place) for place, text in enumerate(texts))
        if is_day(key):
            special.append((_read(read_days, key, "hours", key), spans))
            continue
        for weekday in _read(read_weekdays, key, "hours", key):
            if weekday in weekly:
                raise ConditionError(
                    ("hours", key), f'"{key}" names a day that has hours already', "remove it"
                )
            weekly[weekday] = spans
    return Calendar(
        _zone(zone),
        tuple(weekly.get(weekday, ()) for weekday in range(7)) if hours else None,
        tuple(special),
        tuple(_read(read_days, day, "holidays", place) for place, day in enumerate(holidays)),
    )


def _read(read: Callable[[str], _T], text: str, *path: str | int) -> _T:
    try:
        return read(text)
    except ConditionError as error:
        raise error.inside(*path) from None


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        what = f'the time zone "{name}" is not known here'
        raise ConditionError(("time_zone",), what, 'write e.g. "Europe/Berlin"') from None
