"""Look-ups that an administrator's change stands on; what is not there ends the change with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ...licensing.catalogue import FUNCTIONS
from .problem import closest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .directory import Directory
    from .site import User

Reason = Literal["not_found", "request.invalid"]


class AdministrationError(Exception):
    """A change that cannot be made: a reason code of `licensing.reasons`, and a sentence with the remedy."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def user(directory: Directory, name: str) -> User:
    """The user of that name."""
    found = directory.by_name(name)
    if found is None:
        names = [one.name for one in directory.users]
        remedy = closest(name, names, "use the name of a user of the site")
        raise AdministrationError("not_found", f'the user "{name}" is not there; {remedy}')
    return found


def location(directory: Directory, name: str, reason: Reason = "not_found") -> None:
    """Make sure that the location is there."""
    if not directory.has_place(name, None):
        remedy = closest(
            name, [one.name for one in directory.locations], "use the name of a location of the site"
        )
        raise AdministrationError(reason, f'the location "{name}" is not there; {remedy}')


def place(directory: Directory, name: str, group: str | None, reason: Reason = "not_found") -> None:
    """Make sure that the location is there, and the group in it."""
    location(directory, name, reason)
    if not directory.has_place(name, group):
        groups = next(one.groups for one in directory.locations if one.name == name)
        remedy = closest(
            group or "", [one.name for one in groups], "use the name of a group of that location"
        )
        raise AdministrationError(reason, f'the group "{group}" is not there in "{name}"; {remedy}')


def functions(keys: Iterable[str]) -> frozenset[str]:
    """The function keys as a set, all of them known."""
    keys = frozenset(keys)
    for key in sorted(keys):
        if key not in FUNCTIONS or key == "tapi_line":
            known = [one for one in FUNCTIONS if one != "tapi_line"]
            remedy = closest(key, known, f"use some of {', '.join(known)}")
            raise AdministrationError(
                "request.invalid", f'the function "{key}" cannot be switched on; {remedy}'
            )
    return keys
