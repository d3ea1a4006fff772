"""Look-ups that an administrator's change stands on; what is not there ends the change with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from ...licensing.catalogue import FUNCTIONS
from ...licensing.reasons import reason_for
from .problem import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...licensing.refusal import Refusal
    from .attendants import Attendant
    from .site import Location, User

Reason = Literal["not_found", "request.invalid"]


class Known(Protocol):
    """Users and places by name: a directory, or a draft of one."""

    @property
    def users(self) -> Iterable[User]:
        """All users."""
        ...

    @property
    def locations(self) -> Iterable[Location]:
        """All locations."""
        ...

    def by_name(self, name: str) -> User | None:
        """The user of that name."""
        ...


class AdministrationError(Exception):
    """A change that cannot be made: a reason code of `licensing.reasons`, and a sentence with the remedy."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class LineRefusedError(AdministrationError):
    """No TAPI licence is left for a line, or none has an effect."""

    def __init__(self, line: str, refusal: Refusal) -> None:
        super().__init__(refusal.reason, reason_for(refusal).sentence(refusal.facts))
        self.line = line
        self.refusal = refusal


def user(known: Known, name: str) -> User:
    """The user of that name."""
    found = known.by_name(name)
    if found is None:
        names = [one.name for one in known.users]
        remedy = closest(name, names, "use the name of a user of the site")
        raise AdministrationError("not_found", f'the user "{name}" is not there; {remedy}')
    return found


def location(known: Known, name: str, reason: Reason = "not_found") -> Location:
    """The location of that name."""
    found = next((one for one in known.locations if one.name == name), None)
    if found is None:
        names = [one.name for one in known.locations]
        remedy = closest(name, names, "use the name of a location of the site")
        raise AdministrationError(reason, f'the location "{name}" is not there; {remedy}')
    return found


def place(known: Known, name: str, group: str | None, reason: Reason = "not_found") -> Location:
    """The location of that name, with the group in it."""
    found = location(known, name, reason)
    names = [one.name for one in found.groups]
    if group is not None and group not in names:
        remedy = closest(group, names, "use the name of a group of that location")
        raise AdministrationError(reason, f'the group "{group}" is not there in "{name}"; {remedy}')
    return found


def function(key: str) -> None:
    """Raise unless there is a function of that key."""
    if key not in FUNCTIONS:
        remedy = closest(key, FUNCTIONS, f"use one of {', '.join(FUNCTIONS)}")
        raise AdministrationError("request.invalid", f'the function "{key}" is not known; {remedy}')


def functions(keys: Iterable[str], *, tapi: bool) -> frozenset[str]:
    """The function keys as a set, all of them known; `tapi_line` only where TAPI is configured by user."""
    keys = frozenset(keys)
    for key in sorted(keys):
        if key not in FUNCTIONS or (key == "tapi_line" and not tapi):
            known = [one for one in FUNCTIONS if one != "tapi_line"]
            remedy = closest(key, known, f"use some of {', '.join(known)}")
            raise AdministrationError(
                "request.invalid", f'the function "{key}" cannot be switched on; {remedy}'
            )
    return keys


def attendant(attendants: Mapping[str, Attendant], name: str) -> Attendant:
    """Return the attendant of that name."""
    found = attendants.get(name)
    if found is None:
        otherwise = "see the list of attendants"
        raise AdministrationError(
            "not_found", f'the attendant "{name}" is not there; {closest(name, attendants, otherwise)}'
        )
    return found
