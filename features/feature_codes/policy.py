"""What a code asks for; the licence is not asked, since all of it is the telephone system's own (L-73)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from ...licensing.refusal import Refusal
from .settings import BEFORE_DIGITS, BEFORE_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .settings import FeatureCodes


@dataclass(frozen=True, slots=True)
class PickUp:
    """Whoever dials takes a call that rings at a device of one of these users."""

    users: frozenset[str]


@dataclass(frozen=True, slots=True)
class Park:
    """Whoever dials parks the call that he holds, or takes the one that waits in the slot; None: any that is free."""

    slot: str | None


@dataclass(frozen=True, slots=True)
class Pull:
    """Whoever dials goes on here with the call that he has at another telephone of his."""


@dataclass(frozen=True, slots=True)
class Confer:
    """Whoever dials talks with all whom he holds, and they with one another."""


@dataclass(frozen=True, slots=True)
class Adjust:
    """Whoever dials gives a setting of his telephone another value; None takes it away."""

    key: str
    value: str | bool | None


@dataclass(frozen=True, slots=True)
class CallBack:
    """Whoever dials wants to be called back once both are free, with whoever was busy; or, not `wanted`, no more."""

    wanted: bool


Command = PickUp | Park | Pull | Confer | Adjust | CallBack
"""What is to be done with the leg of whoever dials; nobody is called."""

_FORWARDINGS: Final = {one: one.replace("forward_", "forward.") for one in BEFORE_NUMBERS}
_ALONE: Final[Mapping[str, Command]] = {
    "park": Park(None),
    "pull": Pull(),
    "conference": Confer(),
    "do_not_disturb": Adjust("do_not_disturb", True),
    "do_not_disturb_off": Adjust("do_not_disturb", None),
    "call_waiting": Adjust("call_waiting", None),
    "call_waiting_off": Adjust("call_waiting", False),
    "call_back": CallBack(True),
    "call_back_off": CallBack(False),
}
_NUMBER: Final = re.compile(r"(?:\+?[0-9*]+#?)?")


class Desk(Protocol):
    """Who is who."""

    def user_at(self, extension: str) -> str | None:
        """The user with that extension."""
        ...

    def has_slot(self, slot: str) -> bool:
        """Whether calls are parked there."""
        ...

    def picks_up_for(self, user: str) -> frozenset[str]:
        """The users whose calls `user` picks up by the code alone."""
        ...


def command_of(user: str, dialled: str, codes: FeatureCodes, desk: Desk) -> Command | Refusal | None:
    """Return what `user` asks for by what he has dialled; None when that is no code."""
    match _read(dialled, codes):
        case "pickup", extension:
            called = desk.user_at(extension)
            return Refusal("number.unknown") if called is None else PickUp(frozenset({called}))
        case "group_pickup", _:
            return PickUp(desk.picks_up_for(user))
        case "retrieve", slot:
            return Park(slot) if desk.has_slot(slot) else Refusal("number.unknown")
        case feature, number if feature in _FORWARDINGS:
            return Adjust(_FORWARDINGS[feature], number.removesuffix("#") or None)
        case feature, _:
            return _ALONE.get(feature)


def _read(dialled: str, codes: FeatureCodes) -> tuple[str, str]:
    """Return the feature and the digits behind its code, both empty for what is no code."""
    for feature in codes.__slots__:
        code = getattr(codes, feature)
        rest = dialled.removeprefix(code)
        if code and rest != dialled and _fits(feature, rest):
            return feature, rest
    return "", ""


def _fits(feature: str, rest: str) -> bool:
    """Whether that may stand behind the code of a feature."""
    if feature in BEFORE_NUMBERS:
        return _NUMBER.fullmatch(rest) is not None
    return rest.isdecimal() if feature in BEFORE_DIGITS else not rest
