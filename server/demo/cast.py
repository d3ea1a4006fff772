"""Who plays which part: chosen by asking the allocation, so that the sample company may change.

Nobody has two parts, because the first scenes are played at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..site.acts import MoveUser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..site.administration import Administration
    from ..site.attendants import Attendant
    from ..site.site import Trunk, User

SOFTPHONE = "softphone"
SHORT_OF_PLUS = "license.office_plus.under_licensed"


class CastError(Exception):
    """The site has nobody for a part; the sentence says for which one, and what to add."""


@dataclass(frozen=True, slots=True)
class Move:
    """A change of place by which `waiting` is served with the licence of `user`."""

    user: User
    location: str
    group: str | None
    waiting: User


@dataclass(frozen=True, slots=True)
class Cast:
    """`digit` in the menu of `attendant` leads to `reached`; `box_owner` has a licensed box."""

    trunk: Trunk
    attendant: Attendant
    digit: str
    reached: User
    caller: User
    called: User
    refused: User
    box_owner: User
    move: Move

    @classmethod
    def choose(cls, administration: Administration) -> Cast:
        """Give every part to a user; raises `CastError`."""
        directory, site = administration.directory, administration.directory.site
        if not site.trunks or not site.attendants or site.voicemail.extension is None:
            raise CastError("the site needs a [[trunk]], an [[auto_attendant]] and a voicemail extension")
        attendant = site.attendants[0]
        choices = ((digit, directory.by_extension(number)) for digit, number in attendant.menu.items())
        digit, reached = next(((digit, user) for digit, user in choices if user is not None), ("", None))
        if reached is None:
            raise CastError(
                f"no digit of the attendant {attendant.name} leads to a user: add one to its menu"
            )
        taken = {reached.name}
        served = (user for user in _licensed(administration, SOFTPHONE) if user.name not in taken)
        caller = _next(served, taken, "two users with a licensed softphone")
        called = _next(served, taken, "two users with a licensed softphone")
        owners = (user for user in _licensed(administration, "voicemail") if user.name not in taken)
        box_owner = _next(owners, taken, "a user with a licensed voicemail box")
        move = _move(administration, taken)
        taken |= {move.user.name, move.waiting.name}
        waiting = (user for user in _waiting(administration) if user.name not in taken)
        refused = _next(waiting, taken, "two users who wait for Office Plus")
        return cls(site.trunks[0], attendant, digit, reached, caller, called, refused, box_owner, move)


def _next(users: Iterator[User], taken: set[str], what: str) -> User:
    user = next(users, None)
    if user is None:
        raise CastError(f"the site needs {what}: add users or licences")
    taken.add(user.name)
    return user


def _licensed(administration: Administration, function: str) -> Iterator[User]:
    gate = administration.gate
    return (
        user
        for user in administration.directory.users
        if not isinstance(gate.may(user.name, function), Refusal)
    )


def _waiting(administration: Administration) -> Iterator[User]:
    for user in administration.directory.users:
        answer = administration.gate.may(user.name, SOFTPHONE)
        if isinstance(answer, Refusal) and answer.reason == SHORT_OF_PLUS:
            yield user


def _move(administration: Administration, taken: set[str]) -> Move:
    """Find whom to move where, by trying: he alone loses functions, and a waiting user gains the softphone."""
    directory = administration.directory
    places = [
        (location.name, group)
        for location in directory.locations
        for group in (*(one.name for one in location.groups), None)
        if SOFTPHONE not in directory.functions_at(location.name, group)
    ]
    for user in reversed([one for one in _licensed(administration, SOFTPHONE) if one.name not in taken]):
        elsewhere = [place for place in places if place[0] != user.location]
        for location, group in (*(place for place in places if place not in elsewhere), *elsewhere):
            changes = administration.what_if(MoveUser(user.name, location, group)).users
            losers = {one.user for one in changes if one.functions_lost}
            winners = [one.user for one in changes if SOFTPHONE in one.functions_gained]
            waiting = directory.by_name(winners[0]) if winners else None
            if waiting is not None and losers <= {user.name}:
                return Move(user, location, group, waiting)
    raise CastError("nobody waits for Office Plus whom a move would serve: add users with a softphone")
