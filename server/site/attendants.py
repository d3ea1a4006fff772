"""`[[auto_attendant]]`: menus as data, the same in a site file and over HTTP, and how they are read.

`desk_of` makes of one what the feature keeps to; `attendant_problems` says what of it leads nowhere.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from ...features.attendant import settings
from ...features.attendant.reading import is_number, read_target, restless, stuck
from ...features.conditions.fault import ConditionError
from ...features.conditions.reading import read_condition
from ...features.route import Overflow
from .calendars import calendars_of
from .problem import Problem

if TYPE_CHECKING:
    from ...features.conditions.calendar import Calendar
    from ...features.conditions.condition import Condition
    from .problem import KeyPath
    from .site import Site

_STRICT: Mapping[str, object] = {"extra": "forbid", "strict": True}
_SOUND = re.compile(r"[\w-]{1,64}")
_LONGEST_NAME = 64
_KEYS = "0123456789*#"
_LONGEST_PAUSE_S, _LONGEST_PATIENCE_S, _MOST_TRIES = 60.0, 600.0, 99


@dataclass(frozen=True, slots=True)
class TryLimit:
    """After `tries` in a row the call goes to the target `then`."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    tries: int
    then: str = "hang up"


@dataclass(frozen=True, slots=True)
class AttendantGreeting:
    """What is said first where `when` holds, with `early` before the call is answered; then the target `then`."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    when: Mapping[str, object] = field(default_factory=dict)
    say: tuple[str, ...] = ()
    early: bool = False
    then: str = f"menu {settings.MAIN}"


@dataclass(frozen=True, slots=True)
class Submenu:
    """A further menu; every menu has these keys, the first one of an attendant too."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    menu: Mapping[str, str] = field(default_factory=dict)
    say: tuple[str, ...] = ()
    pause_s: float = 4.0
    no_input: TryLimit | None = None
    wrong_input: TryLimit | None = None


@dataclass(frozen=True, slots=True)
class Attendant:
    """One attendant. `menu` maps a key to a target: a number, `menu NAME`, `dial extension`, `dial name` and so on.

    `overflow` says what becomes of a call for which no channel is free: `refuse`, `busy`, or a number. `language` is
    that of the server's own prompts.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    extension: str
    menu: Mapping[str, str] = field(default_factory=dict)
    transfer: Literal["release", "hairpin"] = "release"
    say: tuple[str, ...] = ()
    pause_s: float = 4.0
    no_input: TryLimit | None = None
    wrong_input: TryLimit | None = None
    greetings: tuple[AttendantGreeting, ...] = ()
    submenus: tuple[Submenu, ...] = ()
    patience_s: float = 60.0
    language: Literal["site", "caller"] = "site"
    overflow: str = "refuse"


def desk_of(attendant: Attendant) -> settings.Attendant:
    """Return an attendant as the feature keeps to it; raises `ConditionError` with the path of what cannot be read."""
    names = (settings.MAIN, *(one.name for one in attendant.submenus))
    menus = {settings.MAIN: _menu(settings.MAIN, attendant, names)}
    for index, one in enumerate(attendant.submenus):
        menus[one.name] = _menu(one.name, one, names, "submenus", index)
    return settings.Attendant(
        attendant.name,
        menus,
        tuple(_greeting(one, names, "greetings", index) for index, one in enumerate(attendant.greetings)),
        attendant.patience_s,
        attendant.transfer == "hairpin",
        attendant.language,
        _overflow(attendant.overflow),
    )


def targets_of(attendant: Attendant) -> Iterator[tuple["KeyPath", str, str]]:
    """Every target that is a number, or has to be one: its path, what leads there, and the target."""
    which = f'of the attendant "{attendant.name}"'
    if attendant.overflow not in {"refuse", "busy"}:
        yield ("overflow",), f"the overflow {which}", attendant.overflow
    found: list[tuple[KeyPath, str, str]] = []
    for path, one in _menus(attendant):
        found += [((*path, "menu", key), f"the key {key} {which}", text) for key, text in one.menu.items()]
        for limit in ("no_input", "wrong_input"):
            if (then := getattr(one, limit)) is not None:
                found.append(((*path, limit, "then"), f"{limit} {which}", then.then))
    for index, greeting in enumerate(attendant.greetings):
        found.append((("greetings", index, "then"), f"a greeting {which}", greeting.then))
    yield from (one for one in found if is_number(one[2]))


def attendant_problems(site: "Site") -> Iterator[Problem]:
    """Everything that is wrong with the menus of `site`; where their numbers lead is for `numbers` to say."""
    try:
        calendars = calendars_of(site)
    except ConditionError:
        return  # of which the calendars tell
    desks: dict[str, settings.Attendant] = {}
    places: dict[str, KeyPath] = {one.name: ("auto_attendant", n) for n, one in enumerate(site.attendants)}
    for one in site.attendants:
        yield from _values(places[one.name], one)
        try:
            desk = desk_of(one)
            for place, greeting in enumerate(desk.greetings):
                with _within("greetings", place, "when"):
                    _require(greeting.when, calendars)
        except ConditionError as error:
            what = f'{error.what} (in the attendant "{one.name}")'
            yield Problem((*places[one.name], *error.path), what, error.remedy)
        else:
            desks[one.extension] = desk
    for name, menu in stuck(desks):
        what = f'the menu "{menu}" of the attendant "{name}" leads round in a circle that nobody gets out of'
        yield Problem((*places[name], "menu"), what, 'let a key lead to a number or "hang up"')
    for name, _ in restless(desks):
        what = f'the attendant "{name}" comes back to itself though nobody presses anything'
        yield Problem(places[name], what, "let the greeting or no_input lead elsewhere")


def _overflow(text: str) -> Overflow | None:
    match text:
        case "refuse":
            return None
        case "busy":
            return Overflow()
        case _:
            return Overflow(text)


def _require(when: "Condition", calendars: "Mapping[str, Calendar]") -> None:
    when.require(calendars)
    if when.presences:
        what = "the condition asks for a presence, and an attendant has none"
        raise ConditionError(("presence",), what, "leave it out; a mailbox has its owner's")


def _menu(name: str, one: Attendant | Submenu, names: tuple[str, ...], *path: str | int) -> settings.Menu:
    targets: dict[str, settings.Target] = {}
    for key, text in one.menu.items():
        if len(key) != 1 or key not in _KEYS:
            what = f'the menu has a key "{key}" that no telephone has'
            raise ConditionError((*path, "menu", key), what, "use one of 0-9, * and #")
        with _within(*path, "menu", key):
            targets[key] = read_target(text, names)
    limits: dict[str, settings.Limit | None] = {}
    for which in ("no_input", "wrong_input"):
        limit: TryLimit | None = getattr(one, which)
        with _within(*path, which, "then"):
            limits[which] = (
                None if limit is None else settings.Limit(limit.tries, read_target(limit.then, names))
            )
    return settings.Menu(name, targets, _sounds(one.say, *path), one.pause_s, **limits)


def _greeting(one: AttendantGreeting, names: tuple[str, ...], *path: str | int) -> settings.Greeting:
    with _within(*path, "when"):
        when = read_condition(one.when)
    with _within(*path, "then"):
        then = read_target(one.then, names)
    return settings.Greeting(when, _sounds(one.say, *path), one.early, then)


def _is_name(text: str) -> bool:
    """Whether it can stand in a list and in a key of the store, which a line end would part."""
    return bool(text.strip()) and text.isprintable() and len(text) <= _LONGEST_NAME


def is_sound_name(text: str) -> bool:
    """Whether a sound may be called so."""
    return _SOUND.fullmatch(text) is not None


def _sounds(names: tuple[str, ...], *path: str | int) -> tuple[str, ...]:
    for index, name in enumerate(names):
        if not is_sound_name(name):
            what, remedy = f'"{name}" is no name of a sound', "use letters, digits, _ and -, at most 64"
            raise ConditionError((*path, "say", index), what, remedy)
    return names


def _menus(attendant: Attendant) -> Iterator[tuple["KeyPath", Attendant | Submenu]]:
    yield (), attendant
    yield from ((("submenus", index), one) for index, one in enumerate(attendant.submenus))


def _values(path: "KeyPath", attendant: Attendant) -> Iterator[Problem]:
    """Complain of numbers out of range, and of names that are none or are there twice."""
    if not _is_name(attendant.name):
        what = f"the attendant {attendant.name[:64]!r} has no name that can be shown"
        yield Problem((*path, "name"), what, "use 1 to 64 printable characters")
    seen = {settings.MAIN}
    for here, one in _menus(attendant):
        if isinstance(one, Submenu) and (one.name in seen or not _is_name(one.name)):
            what = (
                f'the attendant "{attendant.name}" has more than one menu "{one.name}", or one without a name'
            )
            yield Problem(
                (*path, *here, "name"), what, f'use another name; the first menu is "{settings.MAIN}"'
            )
        seen.add(one.name)
        if not 0 < one.pause_s <= _LONGEST_PAUSE_S:
            what = f'pause_s = {one.pause_s:g} of the attendant "{attendant.name}" is out of range'
            yield Problem((*path, *here, "pause_s"), what, f"write up to {_LONGEST_PAUSE_S:g} seconds")
        for which in ("no_input", "wrong_input"):
            limit = getattr(one, which)
            if limit is not None and not 1 <= limit.tries <= _MOST_TRIES:
                what = f'{limit.tries} tries in {which} of the attendant "{attendant.name}" are out of range'
                yield Problem((*path, *here, which, "tries"), what, f"write 1 to {_MOST_TRIES}")
    if not 0 < attendant.patience_s <= _LONGEST_PATIENCE_S:
        what = f'patience_s = {attendant.patience_s:g} of the attendant "{attendant.name}" is out of range'
        yield Problem((*path, "patience_s"), what, f"write up to {_LONGEST_PATIENCE_S:g} seconds")


@contextmanager
def _within(*path: str | int) -> Iterator[None]:
    """Let a mistake say where it lies."""
    try:
        yield
    except ConditionError as error:
        raise error.inside(*path) from None
