"""Attendants from the values of a site file or of JSON, and what is wrong with where they lead.

A target is a number, or words: `menu sales`, `dial extension`, `dial name`, `repeat`, `hang up`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..conditions.fault import ConditionError
from .settings import MAIN, Dial, HangUp, Repeat, Target, ToMenu, ToNumber

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .settings import Attendant

_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_WORDS: Mapping[str, Target] = {
    "dial extension": Dial("extension"),
    "dial name": Dial("name"),
    "repeat": Repeat(),
    "hang up": HangUp(),
}
_REMEDY = 'write a number, "menu NAME", "dial extension", "dial name", "repeat" or "hang up"'
Node = tuple[str, str]
"""An attendant's name and a menu's; a menu of "" is where its calls begin."""


def is_number(text: str) -> bool:
    """Whether a target is a number."""
    return _NUMBER.fullmatch(text) is not None


def read_target(text: str, menus: Iterable[str]) -> Target:
    """Read a target; `menus` are those that there are. Raises `ConditionError`."""
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("menu "):
        name = text.removeprefix("menu ").strip()
        if name not in menus:
            remedy = f"use one of {', '.join(menus)}, or add it to the submenus"
            raise ConditionError((), f'the menu "{name}" is not there', remedy)
        return ToMenu(name)
    if not is_number(text):
        raise ConditionError((), f'"{text}" leads nowhere', _REMEDY)
    return ToNumber(text)


def stuck(attendants: Mapping[str, Attendant]) -> Iterator[Node]:
    """Yield each menu that leads, whatever is pressed, only to menus that do so too: nobody gets out of them.

    `attendants` are by their extension: a number may be that of another one.
    """
    ways = {node: set(targets) for node, targets in _graph(attendants)}
    out: set[Node | None] = {None, *(node for node, targets in ways.items() if not targets)}
    while more := {node for node in ways if node not in out and not out.isdisjoint(ways[node])}:
        out |= more
    yield from (node for node in ways if node not in out and node[1])


def restless(attendants: Mapping[str, Attendant]) -> Iterator[Node]:
    """Yield each menu, or beginning of an attendant, that comes back to itself though nobody presses anything."""
    by_itself = {node: set(targets) for node, targets in _unasked(attendants)}
    for start in by_itself:
        seen: set[Node] = set()
        ahead = {start}
        while ahead:
            ahead = {target for node in ahead for target in by_itself.get(node, ())} - seen
            seen |= ahead
        if start in seen:
            yield start


def _graph(attendants: Mapping[str, Attendant]) -> Iterator[tuple[Node, Iterable[Node | None]]]:
    """Every beginning and every menu with where it may lead: None is out."""
    for one in attendants.values():
        yield (one.name, ""), _beginning(one, attendants)
        for menu in one.menus.values():
            yield (one.name, menu.name), [_node(way, one, menu.name, attendants) for way in menu.ways]


def _unasked(attendants: Mapping[str, Attendant]) -> Iterator[tuple[Node, Iterable[Node]]]:
    """Every beginning and every menu with where they lead by themselves."""
    for one in attendants.values():
        yield (one.name, ""), [node for node in _beginning(one, attendants) if node is not None]
        for menu in one.menus.values():
            limit = menu.no_input
            node = None if limit is None else _node(limit.then, one, menu.name, attendants)
            yield (one.name, menu.name), [] if node is None else [node]


def _beginning(one: Attendant, attendants: Mapping[str, Attendant]) -> list[Node | None]:
    return [(one.name, MAIN), *(_node(greeting.then, one, MAIN, attendants) for greeting in one.greetings)]


def _node(target: Target, of: Attendant, menu: str, attendants: Mapping[str, Attendant]) -> Node | None:
    match target:
        case ToMenu(name):
            return of.name, name
        case Repeat():
            return of.name, menu
        case ToNumber(number) if number in attendants:
            return attendants[number].name, ""
        case _:
            return None
