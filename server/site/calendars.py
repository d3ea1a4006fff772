"""`[[calendar]]`: business hours and holidays of a site; the first one is read where none is named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ...features.conditions.calendar import Calendar, read_calendar
from ...features.conditions.fault import ConditionError
from .problem import Problem

if TYPE_CHECKING:
    from .site import Site


@dataclass(frozen=True, slots=True)
class CalendarSettings:
    """One calendar, in the time zone of the machine unless `time_zone` names one (IANA).

    `hours` maps a weekday (`mon`, `mon-fri`), a date or a date of each year (`12-24`) to times as `08:00-12:00`.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "strict": True}
    name: str
    time_zone: str | None = None
    hours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    holidays: tuple[str, ...] = ()


def calendars_of(site: "Site") -> Mapping[str, Calendar]:
    """Return the calendars of a site without problems, by name and in the order of the file."""
    return {one.name: _read(one) for one in site.calendars}


def calendar_problems(site: "Site") -> Iterator[Problem]:
    """Everything that is wrong with the calendars of `site`."""
    for index, one in enumerate(site.calendars):
        try:
            _read(one)
        except ConditionError as error:
            what = f'{error.what} in the calendar "{one.name}"'
            yield Problem(("calendar", index, *error.path), what, error.remedy)


def _read(one: CalendarSettings) -> Calendar:
    return read_calendar(one.time_zone, one.hours, one.holidays)
