"""The rules of a box: what becomes of a caller, by the first condition that holds.

A rule is written `{ if = { hours = "closed" }, then = "announce", greeting = "closed" }` in a site file, and as such an
object in JSON. Where none holds, the box greets and records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from ..conditions.condition import Condition
from ..conditions.fault import ConditionError
from ..conditions.reading import read_condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..conditions.calendar import Calendar
    from ..conditions.condition import Circumstances

Action = Literal["greeting", "announce", "record", "menu", "transfer", "hang_up"]
"""Greet and record; greet and end; record at once; greet until a digit leads away; connect; take no call."""

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
ALWAYS: Final = Condition()
MOST_RULES: Final = 50
KEYS: Final = frozenset("0123456789*#")

_FITTING: Final[Mapping[Action, frozenset[str]]] = {
    "greeting": frozenset({"greeting", "digits"}),
    "announce": frozenset({"greeting"}),
    "record": frozenset(),
    "menu": frozenset({"greeting", "digits"}),
    "transfer": frozenset({"to"}),
    "hang_up": frozenset(),
}
_REQUIRED: Final[Mapping[Action, str]] = {"menu": "digits", "transfer": "to"}
_EXAMPLES: Final = {
    "greeting": 'greeting = "closed"',
    "digits": 'digits = { "1" = "101" }',
    "to": 'to = "101"',
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a caller of whom `condition` holds.

    `greeting` names one of the box's, or an announcement of the server; the box's own stands in for what is neither.
    While it is heard each of `digits` leads to its number. `number` is where `transfer` leads.
    """

    condition: Condition = ALWAYS
    action: Action = "greeting"
    greeting: str = ""
    digits: Mapping[str, str] = field(default_factory=dict)
    number: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Where it leads."""
        return (*self.digits.values(), *([self.number] if self.number else ()))


AS_EVER: Final = Rule()


def chosen(rules: Sequence[Rule], now: Circumstances, calendars: Mapping[str, Calendar]) -> Rule:
    """Return the first rule whose condition holds; where none does, the box greets and records."""
    return next((rule for rule in rules if rule.condition.holds(now, calendars)), AS_EVER)


def read_rules(value: object) -> tuple[Rule, ...]:
    """Read the rules of a box; raises `ConditionError` with one sentence that says which is wrong, and the remedy."""
    if not isinstance(value, list) or len(value) > MOST_RULES:
        remedy = 'write e.g. [{ if = { hours = "closed" }, then = "announce" }]'
        raise ConditionError((), f"rules are a list of up to {MOST_RULES}", remedy)
    rules = []
    for index, one in enumerate(value):
        try:
            rules.append(_read(one))
        except ConditionError as error:
            what = f"in rule {index + 1} {error.what}"
            raise ConditionError((index, *error.path), what, error.remedy) from None
    return tuple(rules)


def _read(value: object) -> Rule:
    if not isinstance(value, dict):
        raise ConditionError((), "there is no table", 'write e.g. { if = {}, then = "record" }')
    known = ("if", "then", *_EXAMPLES)
    for key in value:
        if key not in known:
            raise ConditionError((key,), f'the key "{key}" is not known', f"use {', '.join(known)}")
    action = value.get("then", "greeting")
    if action not in ACTIONS:
        raise ConditionError(("then",), f"the action {action!r} is not known", f"use {', '.join(ACTIONS)}")
    for key in value.keys() & _EXAMPLES.keys():
        if key not in _FITTING[action]:
            raise ConditionError((key,), f'"{key}" does not go with "{action}"', "leave it out")
    required = _REQUIRED.get(action)
    if required is not None and not value.get(required):
        raise ConditionError((), f'"{action}" leads nowhere', f"add e.g. {_EXAMPLES[required]}")
    try:
        condition = read_condition(value.get("if", {}))
    except ConditionError as error:
        raise error.inside("if") from None
    return Rule(
        condition,
        action,
        _text(value, "greeting"),
        dict(_digits(value.get("digits", {}))),
        _text(value, "to"),
    )


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key, "")
    if not isinstance(text, str):
        raise ConditionError((key,), f'"{key}" is no text', f"write e.g. {_EXAMPLES[key]}")
    return text


def _digits(value: object) -> Iterator[tuple[str, str]]:
    pairs = value.items() if isinstance(value, dict) else [("", None)]
    for key, number in pairs:
        if key not in KEYS or not isinstance(number, str):
            what = f'"{key}" of the digits leads from no key to a number'
            raise ConditionError(("digits", key), what, f"write e.g. {_EXAMPLES['digits']}")
        yield key, number
