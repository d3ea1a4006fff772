"""How German says numbers and dates: the order of blocks in `fixtures/prompts/de.toml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .calendar_blocks import MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from datetime import date, time


def number(value: int) -> tuple[str, ...]:
    """Say 0 to 999,999: 21 is one block, 101 is „ein hundert eins“, 21,000 „einundzwanzig tausend“."""
    if value < 100:
        return (str(value),)
    if value < 1000:
        return (*_before_noun(value // 100), "hundred", *_rest(value % 100))
    return (*_before_noun(value // 1000), "thousand", *_rest(value % 1000))


def year(value: int) -> tuple[str, ...]:
    """Say a year: 1999 is „neunzehn hundert neunundneunzig“, 2026 a number."""
    if 1100 <= value < 2000:
        return (str(value // 100), "hundred", *_rest(value % 100))
    return number(value)


def day(when: date) -> tuple[str, ...]:
    """Say day and month: „Dienstag, dem vierundzwanzigsten November“."""
    return WEEKDAYS[when.weekday()], f"day_{when.day}", MONTHS[when.month - 1]


def clock(when: time) -> tuple[str, ...]:
    """Say the time: „vierzehn Uhr fünf“, „ein Uhr“."""
    return (*_before_noun(when.hour), "oclock", *_rest(when.minute))


def _rest(value: int) -> tuple[str, ...]:
    return number(value) if value else ()


def _before_noun(value: int) -> tuple[str, ...]:
    """„ein Uhr“, „hundertein tausend“: a last one loses its s."""
    *first, last = number(value)
    return (*first, "ein" if last == "1" else last)
