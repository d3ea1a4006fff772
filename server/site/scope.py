"""What a sub-administrator may do: what stays inside his locations, and neither makes nor removes one (L-61, L-62).

`Administration.apply` asks for each act when its turn comes, so that nobody is changed who has just been moved away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from . import acts
from .require import AdministrationError, Known

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from .acts import Act


def require_within(known: Known, act: Act, locations: AbstractSet[str]) -> None:
    """Raise `AdministrationError` with `auth.forbidden` where `act` reaches beyond `locations`."""
    match act:
        case acts.CreateUser() | acts.CreateGroup() | acts.DeleteGroup() | acts.SwitchFunctions():
            _require(act.location in locations, f'the location "{act.location}"', locations)
        case acts.MoveUser():
            _require_user(known, act.name, locations)
            _require(act.location in locations, f'the location "{act.location}"', locations)
        case acts.ChangeUser() | acts.DeleteUser():
            _require_user(known, act.name, locations)
        case acts.SetSetting():
            _require_user(known, act.user, locations)
        case acts.CreateLocation() | acts.DuplicateLocation() | acts.DeleteLocation():
            _refuse("locations are created, duplicated and deleted")
        case acts.SetAttendant() | acts.DeleteAttendant():
            _refuse("attendants are changed")
        case acts.ImportPackage():
            _refuse("licence packages are imported")
        case acts.BindLine() | acts.ReleaseLine():
            _refuse("TAPI lines are bound and released")
        case _:
            assert_never(act)


def _require_user(known: Known, name: str, locations: AbstractSet[str]) -> None:
    user = known.by_name(name)
    _require(user is not None and user.location in locations, f'the user "{name}"', locations)


def _require(holds: bool, what: str, locations: AbstractSet[str]) -> None:
    if not holds:
        raise AdministrationError(
            "auth.forbidden",
            f"{what} is not of {', '.join(sorted(locations))}; ask an administrator who may go there",
        )


def _refuse(what: str) -> None:
    raise AdministrationError("auth.forbidden", f"{what} by administrators of the whole server; ask one")
