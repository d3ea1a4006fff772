"""Who may do what over HTTP: administrators everything, sub-administrators what is in their locations, users their own.

The door finds out `who` asks and whether his kind of token may use a route; a route looks at whom it is about. What a
change touches is looked at again when its turn comes, by `Administration.apply` (L-61, L-62).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..site import require
from ..site.administration import ADMINISTRATOR
from ..store.tokens import Kind, Token
from .problem import ProblemError

if TYPE_CHECKING:
    from ..site.directory import Directory
    from ..site.site import User

Kinds = frozenset[Kind]

ADMINISTRATORS: Kinds = frozenset({"administrator"})
ALL_ADMINISTRATORS: Kinds = frozenset({"administrator", "sub_administrator"})
EVERYBODY: Kinds = frozenset({"administrator", "sub_administrator", "user"})

OWNER = Token(ADMINISTRATOR, "administrator")
"""Whoever brings the token that `serve` printed or was given."""


def require_kind(who: Token, may: Kinds) -> None:
    """Raise `ProblemError` unless tokens of this kind may come here."""
    if who.kind not in may:
        kinds = " or ".join(sorted(may))
        raise ProblemError.forbidden(f"A token of kind {who.kind} may not do that; use one of kind {kinds}.")


def sees(who: Token, user: User) -> bool:
    """Whether `user` is himself, of his locations, or anybody for an administrator."""
    match who.kind:
        case "administrator":
            return True
        case "sub_administrator":
            return user.location in who.locations
        case "user":
            return user.name == who.user


def sees_name(who: Token, directory: Directory, name: str | None) -> bool:
    """Whether `who` sees the user of that name; what is about nobody is for administrators."""
    user = None if name is None else directory.by_name(name)
    return who.kind == "administrator" or (user is not None and sees(who, user))


def sees_location(who: Token, name: str) -> bool:
    """Whether the location is his, or any for an administrator."""
    return who.kind == "administrator" or name in who.locations


def user_named(who: Token, directory: Directory, name: str) -> User:
    """The user of that name, as long as `who` may see him; whether others exist is not told."""
    if who.kind == "administrator":
        return require.user(directory, name)
    found = directory.by_name(name)
    if found is None or not sees(who, found):
        raise ProblemError.forbidden(f'This token is good for {_reach(who)}, and "{name}" is not among them.')
    return found


def require_location(who: Token, name: str) -> None:
    """Raise `ProblemError` if the location is none of those that `who` may see; any may be for an administrator."""
    if not sees_location(who, name):
        raise ProblemError.forbidden(f'This token is good for {_reach(who)}, and "{name}" is not among them.')


def within(who: Token, about: str | None = None) -> frozenset[str] | None:
    """The locations that a change by `who` must not leave; None: it may go anywhere.

    What a user changes `about` himself goes with him wherever he is moved.
    """
    is_own = who.kind == "user" and about == who.user
    return None if who.kind == "administrator" or is_own else frozenset(who.locations)


def _reach(who: Token) -> str:
    return f'the user "{who.user}"' if who.kind == "user" else f"the locations {', '.join(who.locations)}"
