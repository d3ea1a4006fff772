"""Conditions and calendars: what they mean at a given moment, and what is said of one that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.features.conditions.calendar import Calendar, read_calendar
from ringfence.features.conditions.condition import PRESENCES, Circumstances
from ringfence.features.conditions.fault import ConditionError
from ringfence.features.conditions.language import language_of
from ringfence.features.conditions.reading import read_condition

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = read_calendar(
    "Europe/Berlin",
    {"mon-thu": ["08:00-12:00", "13:00-17:00"], "fri": ["08:00-12:00"], "12-24": ["08:00-10:00"]},
    ["12-25", "12-26", "2026-04-03"],
)
CALENDARS = {"office": OFFICE}


def at(text: str) -> datetime:
    """Return that time in Berlin, which is told in UTC as a server's clock tells it."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def holds(condition: dict[str, object], **circumstances: object) -> bool:
    moment = circumstances.pop("moment", at("2026-11-25 09:00"))
    assert isinstance(moment, datetime)
    return read_condition(condition).holds(Circumstances(moment, **circumstances), CALENDARS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-25 07:59", False),
        ("2026-11-25 08:00", True),
        ("2026-11-25 12:00", False),
        ("2026-11-25 16:59", True),
        ("2026-11-27 14:00", False),  # a Friday
        ("2026-11-28 09:00", False),  # a Saturday
        ("2026-04-03 09:00", False),  # Good Friday 2026
        ("2027-04-02 09:00", True),  # of which nothing is known next year
        ("2026-12-25 09:00", False),
        ("2026-12-24 09:30", True),  # a Thursday with hours of its own
        ("2026-12-24 14:00", False),
    ],
)
def test_business_hours_go_by_date_then_holiday_then_weekday(moment: str, *, is_open: bool) -> None:
    assert OFFICE.is_open(at(moment)) == is_open
    assert holds({"hours": "open"}, moment=at(moment)) == is_open
    assert holds({"hours": "closed"}, moment=at(moment)) != is_open


def test_hours_are_read_in_the_time_zone_of_the_calendar_in_summer_and_in_winter() -> None:
    assert not OFFICE.is_open(datetime(2026, 11, 25, 6, 59, tzinfo=UTC))
    assert OFFICE.is_open(datetime(2026, 11, 25, 7, 0, tzinfo=UTC))
    assert OFFICE.is_open(datetime(2026, 7, 22, 6, 0, tzinfo=UTC))


def test_without_a_calendar_the_time_is_that_of_the_moment_itself() -> None:
    moment = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    condition = read_condition({"weekday": "thu", "time": "00:00-01:00"})
    assert condition.holds(Circumstances(moment.astimezone(BERLIN)), {})
    assert not condition.holds(Circumstances(moment), {})


@pytest.mark.parametrize(
    ("condition", "moment", "expected"),
    [
        ({"weekday": "wed"}, "2026-11-25 09:00", True),
        ({"weekday": ["sat", "sun"]}, "2026-11-25 09:00", False),
        ({"weekday": "sat-mon"}, "2026-11-23 09:00", True),
        ({"time": ["22:00-24:00", "00:00-06:00"]}, "2026-11-25 23:59", True),
        ({"time": ["22:00-24:00", "00:00-06:00"]}, "2026-11-25 06:00", False),
        ({"date": "2026-11-25"}, "2026-11-25 00:00", True),
        ({"date": "2025-11-25"}, "2026-11-25 00:00", False),
        ({"date": "11-25"}, "2026-11-25 00:00", True),
        ({"date": "12-24..01-06"}, "2027-01-06 23:59", True),
        ({"date": "12-24..01-06"}, "2027-01-07 00:00", False),
        ({"date": "2026-12-24..2027-01-06"}, "2027-12-31 00:00", False),
        ({"holiday": True}, "2026-12-25 09:00", True),
        ({"holiday": False}, "2026-12-25 09:00", False),
        ({"weekday": "wed", "time": "10:00-11:00"}, "2026-11-25 09:00", False),
    ],
)
def test_weekday_time_date_and_holiday(condition: dict[str, object], moment: str, *, expected: bool) -> None:
    assert holds(condition, moment=at(moment)) == expected


@pytest.mark.parametrize(
    ("condition", "circumstances", "expected"),
    [
        ({}, {}, True),
        ({"caller": "+43*"}, {"callers": ("+4366412345",)}, True),
        ({"caller": "+43*"}, {"callers": ("+4989123",)}, False),
        ({"caller": ["101", "100"]}, {"callers": ("anna", "100")}, True),
        ({"caller": "10"}, {"callers": ("100",)}, False),
        ({"caller": "anonymous"}, {"callers": ()}, True),
        ({"caller": "+*"}, {"callers": ()}, False),
        ({"called": "2*"}, {"called": "200"}, True),
        ({"called": "300"}, {"called": "200"}, False),
        ({"from": "internal"}, {"origin": "internal"}, True),
        ({"from": "internal"}, {"origin": "external"}, False),
        ({"presence": ["away", "meeting"]}, {"presences": frozenset({"meeting", "on-the-phone"})}, True),
        ({"presence": "away"}, {"presences": frozenset()}, False),
        ({"language": ["de", "fr"]}, {"language": "fr"}, True),
        ({"language": "de"}, {"language": "en"}, False),
        ({"language": "de", "from": "external"}, {"language": "de", "origin": "internal"}, False),
    ],
)
def test_who_calls_whom_and_how_he_is(
    condition: dict[str, object], circumstances: dict[str, object], *, expected: bool
) -> None:
    assert holds(condition, **circumstances) == expected


@pytest.mark.parametrize(
    ("condition", "path", "sentence"),
    [
        (
            {"moon": "full"},
            ("moon",),
            'the condition "moon" is not known; known conditions are calendar, hours, ',
        ),
        ("closed", (), "'closed' is no condition; write a table"),
        ({"hours": "shut"}, ("hours",), "'shut' is not known; use open or closed"),
        ({"holiday": "yes"}, ("holiday",), "'yes' is neither true nor false; write true or false"),
        ({"weekday": "Montag"}, ("weekday",), '"Montag" is no day of the week; use mon, tue, wed'),
        ({"weekday": "mon-"}, ("weekday",), '"mon-" is no day of the week'),
        ({"weekday": []}, ("weekday",), "the list is empty; write a value"),
        ({"time": "8-12"}, ("time",), '"8-12" is no time of the day; write e.g. "08:00-12:00"'),
        (
            {"time": "22:00-06:00"},
            ("time",),
            'the time "22:00-06:00" ends before it begins; write what is before',
        ),
        ({"date": "30.2."}, ("date",), '"30.2." is no day; write e.g. "2026-12-24"'),
        ({"date": "2026-02-29"}, ("date",), '"2026-02-29" is no day'),
        ({"date": "2026-12-24..01-06"}, ("date",), "one has a year and one has not"),
        ({"date": "2026-12-24..2026-12-01"}, ("date",), "end before they begin; exchange them"),
        ({"caller": 100}, ("caller",), "100 is no text; write it in quotes"),
        ({"caller": ["100", 7]}, ("caller",), "7 is no text"),
        ({"caller": "*"}, ("caller",), '"*" is no number; write a number'),
        ({"from": "outside"}, ("from",), "'outside' is not known; use internal or external"),
        ({"presence": "bored"}, ("presence",), 'the presence "bored" is not known; use one of available'),
        ({"language": "German"}, ("language",), '"German" is no language; use two letters'),
        ({"calendar": 3}, ("calendar",), "3 is no text"),
    ],
)
def test_what_cannot_be_read_gets_one_sentence(
    condition: object, path: tuple[str | int, ...], sentence: str
) -> None:
    with pytest.raises(ConditionError) as error:
        read_condition(condition)
    assert error.value.path == path
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("zone", "hours", "holidays", "path", "sentence"),
    [
        ("Mars/Base", {}, [], ("time_zone",), 'the time zone "Mars/Base" is not known here'),
        ("../../etc/passwd", {}, [], ("time_zone",), "is not known here"),
        (None, {"mo": []}, [], ("hours", "mo"), '"mo" is no day of the week'),
        (None, {"mon-fri": [], "wed": []}, [], ("hours", "wed"), '"wed" names a day that has hours already'),
        (None, {"mon": ["8"]}, [], ("hours", "mon", 0), '"8" is no time of the day'),
        (None, {"13-01": []}, [], ("hours", "13-01"), '"13-01" is no day'),
        (None, {}, ["Easter"], ("holidays", 0), '"Easter" is no day'),
    ],
)
def test_a_calendar_that_cannot_be_read_gets_one_sentence(
    zone: str | None,
    hours: dict[str, list[str]],
    holidays: list[str],
    path: tuple[str | int, ...],
    sentence: str,
) -> None:
    with pytest.raises(ConditionError) as error:
        read_calendar(zone, hours, holidays)
    assert error.value.path == path
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("condition", "calendars", "sentence"),
    [
        ({"hours": "open"}, {}, "the condition asks for business hours, and there are none"),
        (
            {"hours": "open"},
            {"bare": Calendar()},
            "the condition asks for business hours, and there are none",
        ),
        ({"holiday": True}, {"bare": Calendar()}, "the condition asks for holidays, and there are none"),
        (
            {"calendar": "moon", "time": "08:00-09:00"},
            CALENDARS,
            'the calendar "moon" is not there; use one of office',
        ),
    ],
)
def test_a_condition_that_asks_for_what_the_site_has_not_is_told(
    condition: dict[str, object], calendars: dict[str, Calendar], sentence: str
) -> None:
    with pytest.raises(ConditionError) as error:
        read_condition(condition).require(calendars)
    assert sentence in str(error.value)
    read_condition({"hours": "open", "holiday": False}).require(CALENDARS)


def test_a_condition_can_name_another_calendar_than_the_first() -> None:
    calendars = {"office": OFFICE, "shop": read_calendar("UTC", {"mon-sat": ["10:00-20:00"]}, ["12-24"])}
    saturday = Circumstances(at("2026-11-28 12:00"))
    assert not read_condition({"hours": "open"}).holds(saturday, calendars)
    assert read_condition({"hours": "open", "calendar": "shop"}).holds(saturday, calendars)


@pytest.mark.parametrize(
    ("number", "language"),
    [
        ("+4366412345", "de"),
        ("0044207123", "en"),
        ("+12125550100", "en"),
        ("+35312345", "en"),
        ("+352123456", "fr"),
        ("+390612345", "it"),
        ("+999123", "xx"),
        ("089555", "xx"),
        ("100", "xx"),
        ("anonymous", "xx"),
        ("", "xx"),
        ("+41225550", "fr"),
        ("+41445550", "de"),
    ],
)
def test_the_language_goes_by_the_country_and_by_what_the_site_knows_better(
    number: str, language: str
) -> None:
    assert language_of(number, "xx", {"+4122": "fr"}) == language


@given(st.dictionaries(st.sampled_from([
    "hours", "holiday", "weekday", "time", "date", "caller", "called", "from", "presence", "language", "calendar", "x",
]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(PRESENCES), st.lists, max_leaves=4
)))  # fmt: skip
def test_any_value_is_a_condition_or_a_condition_error(value: dict[str, object]) -> None:
    try:
        condition = read_condition(value)
    except ConditionError as error:
        told = str(error)
    else:
        told = f"{condition.holds(Circumstances(at('2026-11-25 09:00')), CALENDARS)}"
    assert "; " in told or told in {"True", "False"}
