"""Conditions from values of a site file or of JSON: `{ hours = "closed", caller = ["+43*", "100"] }`.

Every kind takes one value or a list of which one is enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .condition import HIDDEN, PRESENCES, Condition, Pattern
from .fault import ConditionError
from .times import read_days, read_span, read_weekdays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NUMBER = re.compile(r"\+?[\w.*#~-]{0,63}[\w.#~-]|\+")
_LANGUAGE = re.compile(r"[a-z]{2}")


def read_condition(value: object) -> Condition:
    """Read a condition; raises `ConditionError` with one sentence that says what is wrong and how to mend it."""
    if not isinstance(value, dict):
        remedy = 'write a table, e.g. { hours = "closed" }, or {} for always'
        raise ConditionError((), f"{_shown(value)} is no condition", remedy)
    fields: dict[str, Any] = {}
    for key, one in value.items():
        if key not in _KINDS:
            remedy = f"known conditions are {', '.join(_KINDS)}"
            raise ConditionError((key,), f'the condition "{key}" is not known', remedy)
        field, read = _KINDS[key]
        try:
            fields[field] = read(one)
        except ConditionError as error:
            raise error.inside(key) from None
    return Condition(**fields)


def _shown(value: object) -> str:
    """Show a value in one line that is not long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _texts(value: object) -> tuple[str, ...]:
    values: list[object] = value if isinstance(value, list) else [value]
    texts = tuple(one for one in values if isinstance(one, str))
    if len(texts) < len(values):
        wrong = next(one for one in values if not isinstance(one, str))
        raise ConditionError((), f"{_shown(wrong)} is no text", "write it in quotes, or a list of such")
    if not texts:
        raise ConditionError((), "the list is empty", "write a value, or leave the condition out")
    return texts


def _each(read: Callable[[str], object]) -> Callable[[object], tuple[Any, ...]]:
    return lambda value: tuple(read(text) for text in _texts(value))


def _one_of(*known: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise ConditionError((), f"{_shown(value)} is not known", f"use {' or '.join(known)}")
        return value

    return read


def _presences(value: object) -> frozenset[str]:
    texts = _texts(value)
    for text in texts:
        if text not in PRESENCES:
            remedy = f"use one of {', '.join(PRESENCES)}"
            raise ConditionError((), f'the presence "{text}" is not known', remedy)
    return frozenset(texts)


def _languages(value: object) -> frozenset[str]:
    texts = _texts(value)
    for text in texts:
        if not _LANGUAGE.fullmatch(text):
            raise ConditionError((), f'"{text}" is no language', 'use two letters, e.g. "de" or "en"')
    return frozenset(texts)


def _pattern(text: str) -> Pattern:
    stem = text.removesuffix("*")
    if not _NUMBER.fullmatch(stem):
        remedy = f'write a number, one with * behind it for all that begin so, e.g. "+43*", or "{HIDDEN}"'
        raise ConditionError((), f'"{text}" is no number', remedy)
    return Pattern(stem, prefix=stem != text)


def _is_true(value: object) -> bool:
    if not isinstance(value, bool):
        raise ConditionError((), f"{_shown(value)} is neither true nor false", "write true or false")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise ConditionError((), f"{_shown(value)} is no text", "write the name of a [[calendar]] in quotes")
    return value


def _weekdays(value: object) -> frozenset[int]:
    return frozenset[int]().union(*(read_weekdays(text) for text in _texts(value)))


_KINDS: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "calendar": ("calendar", _name),
    "hours": ("hours", _one_of("open", "closed")),
    "holiday": ("holiday", _is_true),
    "weekday": ("weekdays", _weekdays),
    "time": ("times", _each(read_span)),
    "date": ("days", _each(read_days)),
    "caller": ("callers", _each(_pattern)),
    "called": ("called", _each(_pattern)),
    "from": ("origin", _one_of("internal", "external")),
    "presence": ("presences", _presences),
    "language": ("languages", _languages),
}
