"""How English says numbers and dates: the order of blocks in `fixtures/prompts/en.toml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .calendar_blocks import MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from datetime import date, time


def number(value: int) -> tuple[str, ...]:
    """Say 0 to 999,999: 101 is "one hundred and one", 1,001 "one thousand and one"."""
    if value < 100:
        return (str(value),)
    if value < 1000:
        return (str(value // 100), "hundred", *_rest(value % 100))
    return (*number(value // 1000), "thousand", *_rest(value % 1000))


def year(value: int) -> tuple[str, ...]:
    """Say a year: 2026 is "twenty twenty-six", 1905 "nineteen oh five", 2005 "two thousand and five"."""
    century, rest = divmod(value, 100)
    if century % 10 == 0 and rest < 10:
        return number(value)
    if rest == 0:
        return str(century), "hundred"
    return (str(century), "oh", str(rest)) if rest < 10 else (str(century), str(rest))


def day(when: date) -> tuple[str, ...]:
    """Say day and month: "Tuesday, November the twenty-fourth"."""
    return WEEKDAYS[when.weekday()], MONTHS[when.month - 1], f"day_{when.day}"


def clock(when: time) -> tuple[str, ...]:
    """Say the time by twelve hours: "two oh five p m"."""
    minute = (str(when.minute),) if when.minute > 9 else ("oh", str(when.minute)) if when.minute else ()
    return str(when.hour % 12 or 12), *minute, "am" if when.hour < 12 else "pm"


def _rest(value: int) -> tuple[str, ...]:
    if not value:
        return ()
    return number(value) if value >= 100 else ("and", *number(value))
