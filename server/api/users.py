"""Users over HTTP: who they are, what they lack (L-44), and where an administrator puts them (L-05)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ...licensing.catalogue import FUNCTIONS
from ...licensing.reasons import reason_for
from ..site import require
from ..site.acts import MoveUser
from .operation import API, STRICT, Routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..app import Pbx
    from ..site.site import User

routes = Routes()


@dataclass(frozen=True, slots=True)
class Lacking:
    """A required licence that a user does not hold, and why."""

    licence: str
    state: str
    reason: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserEntry:
    """A user in the list. `warnings` has a sentence for each missing licence, and is empty for all others."""

    name: str
    display_name: str
    location: str
    group: str | None
    extension: str
    fax_number: str | None
    functions: tuple[str, ...]
    licences: tuple[str, ...]
    missing: tuple[Lacking, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserDetail(UserEntry):
    """A user with what only an administrator is told."""

    email: str | None
    voicemail_pin: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a user is from now on; without `group`, at the location itself."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    location: str
    group: str | None = None


@routes.get(f"{API}/users")
async def list_users(pbx: "Pbx", location: str = "", group: str = "") -> tuple[UserEntry, ...]:
    """List users in the order in which they are served, all or those of a location or group."""
    if location:
        require.place(pbx.administration.directory, location, group or None)
    return tuple(
        UserEntry(**_entry(pbx, user))
        for user in pbx.administration.directory.users
        if location in {"", user.location} and group in {"", user.group}
    )


@routes.get(f"{API}/users/{{name}}")
async def read_user(pbx: "Pbx", name: str) -> UserDetail:
    """Tell of one user."""
    return _detail(pbx, require.user(pbx.administration.directory, name))


@routes.patch(f"{API}/users/{{name}}")
async def move_user(pbx: "Pbx", name: str, place: Place) -> UserDetail:
    """Put a user elsewhere; functions, licences and settings follow (L-05, L-06)."""
    await pbx.administration.apply(MoveUser(name, place.location, place.group))
    return await read_user(pbx, name)


def in_order(functions: "Iterable[str]") -> tuple[str, ...]:
    """Return function keys as the catalogue orders them."""
    return tuple(key for key in FUNCTIONS if key in functions)


def _detail(pbx: "Pbx", user: "User") -> UserDetail:
    return UserDetail(**_entry(pbx, user), email=user.email, voicemail_pin=user.voicemail_pin)


def _entry(pbx: "Pbx", user: "User") -> dict[str, Any]:
    allocation = pbx.administration.allocation
    held = allocation.assigned(user.name)
    missing = allocation.missing(user.name)
    return {
        "name": user.name,
        "display_name": user.display_name,
        "location": user.location,
        "group": user.group,
        "extension": user.extension,
        "fax_number": user.fax_number,
        "functions": in_order(pbx.administration.directory.functions_of(user)),
        "licences": tuple(key for key in allocation.required(user.name) if key in held),
        "missing": tuple(Lacking(one.licence, one.state, one.reason, one.because) for one in missing),
        "warnings": tuple(
            reason_for(one.reason).sentence({"user": user.name, "because": one.because}) for one in missing
        ),
    }
