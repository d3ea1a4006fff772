"""What a code asks for; the licence is not asked, since all of it is the telephone system's own (L-73)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from ...licensing.refusal import Refusal
from .settings import BEFORE_DIGITS

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


Command = PickUp | Park | Pull | Confer
"""What is to be done with the leg of whoever dials; nobody is called."""

_ALONE: Final[Mapping[str, Command]] = {"park": Park(None), "pull": Pull(), "conference": Confer()}


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
        case feature, _:
            return _ALONE.get(feature)


def _read(dialled: str, codes: FeatureCodes) -> tuple[str, str]:
    """Return the feature and the digits behind its code, both empty for what is no code."""
    for feature in codes.__slots__:
        code = getattr(codes, feature)
        rest = dialled.removeprefix(code)
        if code and rest != dialled and (rest.isdecimal() if feature in BEFORE_DIGITS else not rest):
            return feature, rest
    return "", ""
