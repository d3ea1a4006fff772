"""Users over HTTP: who they are, what they lack (L-44), and what administrators make of them (L-05, L-06, L-62)."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import TypedDict

from ...features.telephone.settings import Forward
from ...licensing.catalogue import FUNCTIONS
from ...licensing.overview import MissingLicence, missing_licences
from ...licensing.reasons import reason_for
from ..site import require
from ..site.acts import ChangeUser, CreateUser, DeleteUser, MoveUser
from ..store.tokens import Token
from .changes import Changes, carry_out
from .operation import API, STRICT, Routes
from .problem import ProblemError
from .rights import ALL_ADMINISTRATORS, EVERYBODY, require_location, sees, user_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...licensing.allocation import Allocation
    from ..app import Pbx
    from ..site.acts import Act
    from ..site.directory import Directory
    from ..site.site import User

routes = Routes()


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
    missing: list[MissingLicence]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserDetail(UserEntry):
    """A user with more of his settings; the PIN is told to administrators only."""

    email: str | None
    voicemail_pin: str | None
    forward: Forward | None


@dataclass(frozen=True, slots=True)
class NewUser(CreateUser):
    """A new user; the last in the order of service. Without `voicemail_pin` he gets a random one where he needs it."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = STRICT


class UserChanges(TypedDict, total=False):
    """What is to be another; what is not named stays.

    `location` puts the user there and, unless `group` is named as well, into none of its groups.
    """

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict
    location: str
    group: str | None
    extension: str
    password: str
    display_name: str
    fax_number: str | None
    email: str | None
    voicemail_pin: str | None
    forward: Forward | None


@routes.get(f"{API}/users", may=EVERYBODY)
async def list_users(pbx: "Pbx", who: Token, location: str = "", group: str = "") -> tuple[UserEntry, ...]:
    """List users in the order in which they are served, all or those of a location or group."""
    directory, allocation = pbx.administration.directory, pbx.administration.allocation
    if location:
        if who.kind != "user":
            require_location(who, location)
        require.place(directory, location, group or None)
    return tuple(
        UserEntry(**_entry(directory, allocation, user))
        for user in directory.users
        if sees(who, user) and location in {"", user.location} and group in {"", user.group}
    )


@routes.post(f"{API}/users", may=ALL_ADMINISTRATORS, status=HTTPStatus.CREATED)
async def create_user(pbx: "Pbx", who: Token, new: NewUser, dry_run: bool = False) -> UserDetail | Changes:
    """Create a user; he gets the next sequence number (A-01)."""
    return await _apply(pbx, who, [new], new.name, dry_run=dry_run)


@routes.get(f"{API}/users/{{name}}", may=EVERYBODY)
async def read_user(pbx: "Pbx", who: Token, name: str) -> UserDetail:
    """Tell of one user."""
    now = pbx.administration
    user = user_named(who, now.directory, name)
    return _detail(now.directory, now.allocation, user, secrets=who.kind != "user")


@routes.patch(f"{API}/users/{{name}}", may=ALL_ADMINISTRATORS)
async def change_user(
    pbx: "Pbx", who: Token, name: str, change: UserChanges, dry_run: bool = False
) -> UserDetail | Changes:
    """Put a user elsewhere, with functions, licences and settings following (L-05, L-06), or change his fields."""
    fields: dict[str, Any] = dict(change)
    acts: list[Act] = []
    if "group" in fields and "location" not in fields:
        raise ProblemError.invalid('The field "group" does not fit: it goes with "location".')
    if "location" in fields:
        acts.append(MoveUser(name, fields.pop("location"), fields.pop("group", None)))
    if fields or not acts:
        acts.append(ChangeUser(name, fields))
    return await _apply(pbx, who, acts, name, dry_run=dry_run)


@routes.delete(f"{API}/users/{{name}}", may=ALL_ADMINISTRATORS)
async def delete_user(pbx: "Pbx", who: Token, name: str, dry_run: bool = False) -> Changes | None:
    """Delete a user for good, with settings, messages and tokens; whoever waits for his seats is served (L-48)."""
    outcome = await carry_out(pbx, who, DeleteUser(name), dry_run=dry_run)
    return outcome if isinstance(outcome, Changes) else None


def in_order(functions: "Iterable[str]") -> tuple[str, ...]:
    """Return function keys as the catalogue orders them."""
    return tuple(key for key in FUNCTIONS if key in functions)


async def _apply(
    pbx: "Pbx", who: Token, acts: "Iterable[Act]", name: str, *, dry_run: bool
) -> UserDetail | Changes:
    """Change a user and tell of him as he stands right after that, whatever others have changed since."""
    outcome = await carry_out(pbx, who, *acts, dry_run=dry_run)
    if isinstance(outcome, Changes):
        return outcome
    after = outcome.after
    return _detail(after.directory, after.allocation, require.user(after.directory, name), secrets=True)


def _detail(directory: "Directory", allocation: "Allocation", user: "User", *, secrets: bool) -> UserDetail:
    return UserDetail(
        **_entry(directory, allocation, user),
        email=user.email,
        voicemail_pin=user.voicemail_pin if secrets else None,
        forward=user.forward,
    )


def _entry(directory: "Directory", allocation: "Allocation", user: "User") -> dict[str, Any]:
    held, missing = allocation.assigned(user.name), allocation.missing(user.name)
    return {
        "name": user.name,
        "display_name": user.display_name,
        "location": user.location,
        "group": user.group,
        "extension": user.extension,
        "fax_number": user.fax_number,
        "functions": in_order(directory.functions_of(user)),
        "licences": tuple(key for key in allocation.required(user.name) if key in held),
        "missing": missing_licences(user.name, allocation),
        "warnings": tuple(
            reason_for(one.reason).sentence({"user": user.name, "because": one.because}) for one in missing
        ),
    }
