"""What a behaviour lets say without knowing the language, and how it becomes a list of prompts.

A behaviour gives these values to `Session.play` and `collect` among the other playables; the session knows language and
day. All is pure: `in_words` takes the day as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

from ..media.plane import Clip, Music, Prompt, Silence, Tone
from . import english, german

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ..media.plane import Playable

MOST = 999_999
"""The greatest number that is said as one; a greater one is said digit by digit."""

_GRAMMARS = {"de": german, "en": english}
_SIGNS = {"*": "star", "#": "hash", "+": "plus"}


@dataclass(frozen=True, slots=True)
class Number:
    """A number: 21 is twenty-one."""

    value: int


@dataclass(frozen=True, slots=True)
class Digits:
    """A telephone number or a code, digit by digit; of other characters only `*`, `#` and `+` are said."""

    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A day and the time on it, in the time zone of the one who listens: today, yesterday, or its date.

    The year is said when it is another one.
    """

    at: datetime


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in hours, minutes and seconds, to the second."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Messages:
    """How many messages somebody has, or how many of a `kind`: a whole sentence."""

    count: int
    kind: Literal["", "new", "saved"] = ""


Spoken: TypeAlias = Number | Digits | Moment | Duration | Messages


def in_words(said: Iterable[Playable | Spoken], language: str, now: datetime) -> tuple[Playable, ...]:
    """Return what is to be played, in `language` (`de` or `en`), to one for whom it is `now`."""
    return tuple(_playables(said, language, now))


def _playables(said: Iterable[Playable | Spoken], language: str, now: datetime) -> Iterator[Playable]:
    for one in said:
        match one:
            case Prompt(_, None):
                yield replace(one, language=language)
            case Prompt() | Tone() | Clip() | Silence() | Music():
                yield one
            case _:
                yield from (Prompt(name, language) for name in _words(one, language, now))


def _words(one: Spoken, language: str, now: datetime) -> tuple[str, ...]:
    match one:
        case Number(value):
            return _number(value, language)
        case Digits(text):
            return tuple(_SIGNS.get(sign, sign) for sign in text if sign in _SIGNS or sign in "0123456789")
        case Moment(at):
            return _moment(at.astimezone(now.tzinfo), language, now)
        case Duration(seconds):
            return _duration(round(seconds), language)
        case Messages(count, kind):
            return _messages(count, kind and f"{kind}_", language)
        case _:
            assert_never(one)


def _number(value: int, language: str) -> tuple[str, ...]:
    sign = ("minus",) if value < 0 else ()
    if abs(value) > MOST:
        return (*sign, *str(abs(value)))
    return (*sign, *_GRAMMARS[language].number(abs(value)))


def _moment(at: datetime, language: str, now: datetime) -> tuple[str, ...]:
    grammar, ago = _GRAMMARS[language], now.date() - at.date()
    if timedelta(0) <= ago <= timedelta(days=1):
        day: tuple[str, ...] = ("yesterday" if ago else "today",)
    else:
        day = ("on", *grammar.day(at), *(grammar.year(at.year) if at.year != now.year else ()))
    return (*day, "at", *grammar.clock(at.time()))


def _duration(seconds: int, language: str) -> tuple[str, ...]:
    minutes, second = divmod(max(0, seconds), 60)
    hour, minute = divmod(minutes, 60)
    parts: list[tuple[str, ...]] = []
    for count, unit in ((hour, "hour"), (minute, "minute"), (second, "second")):
        if count:
            parts.append((f"one_{unit}",) if count == 1 else (*_number(count, language), f"{unit}s"))
    if not parts:
        return ("0", "seconds")
    *first, last = parts
    return (*(word for part in first for word in part), *(("and",) if first else ()), *last)


def _messages(count: int, kind: str, language: str) -> tuple[str, ...]:
    match count:
        case 0:
            return (f"no_{kind}messages",)
        case 1:
            return ("you_have", f"one_{kind}message")
        case _:
            return ("you_have", *_number(count, language), f"{kind}messages")
