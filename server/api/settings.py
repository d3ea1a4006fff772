"""A user's personal settings over HTTP, whatever function they belong to: read, set and taken away by one name.

A user changes his own with his own token, as long as he has the licence of the function (L-47); administrators change
those of all whom they may see, licensed or not (L-46).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ...features.declaration import SettingError
from ...features.telephone.settings import TELEPHONE
from ...licensing.refusal import Refusal
from ..site import declared
from ..site.acts import SetSetting
from ..site.personal import value_of
from ..store.tokens import Token
from .changes import Changes, carry_out
from .operation import API, STRICT, Routes
from .problem import ProblemError
from .rights import EVERYBODY, user_named

if TYPE_CHECKING:
    from ...features.declaration import Declaration
    from ..app import Pbx
    from ..site.site import User

routes = Routes()


@dataclass(frozen=True, slots=True)
class SettingEntry:
    """A setting that a user can have, and its value; null where he has none. `wanted` says what it may be."""

    function: str
    key: str
    value: object
    wanted: str


@dataclass(frozen=True, slots=True)
class SettingValue:
    """What a setting is to be: any JSON that it can have."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = STRICT
    value: object


@routes.get(f"{API}/users/{{name}}/settings", may=EVERYBODY)
async def list_settings(pbx: "Pbx", who: Token, name: str) -> tuple[SettingEntry, ...]:
    """List the settings of all functions that are on for a user, with those that he has not made."""
    directory = pbx.administration.directory
    user = user_named(who, directory, name)
    on = {TELEPHONE, *directory.functions_of(user)}
    return tuple(
        _entry(pbx, user, one)
        for one in declared.DECLARATIONS.values()
        if one.function in on and not (one.secret and who.kind == "user")
    )


@routes.get(f"{API}/users/{{name}}/settings/{{function}}/{{key}}", may=EVERYBODY)
async def read_setting(pbx: "Pbx", who: Token, name: str, function: str, key: str) -> SettingEntry:
    """Tell of one setting of a user."""
    user, found = _found(pbx, who, name, function, key)
    if found.secret and who.kind == "user":
        raise ProblemError.forbidden(f'The setting "{key}" is told to administrators; set another instead.')
    return _entry(pbx, user, found)


@routes.put(f"{API}/users/{{name}}/settings/{{function}}/{{key}}", may=EVERYBODY)
async def set_setting(  # noqa: PLR0917 - three of them are the path
    pbx: "Pbx", who: Token, name: str, function: str, key: str, new: SettingValue, dry_run: bool = False
) -> SettingEntry | Changes:
    """Give a setting a value; it counts from the next call on."""
    _, found = _found(pbx, who, name, function, key)
    if new.value is None:
        raise ProblemError.invalid('The field "value" does not fit: null is no value; DELETE takes one away.')
    outcome = await _set(pbx, who, name, found, new.value, dry_run=dry_run)
    if isinstance(outcome, Changes):
        return outcome
    return SettingEntry(
        function, key, None if found.secret and who.kind == "user" else new.value, found.wanted
    )


@routes.delete(f"{API}/users/{{name}}/settings/{{function}}/{{key}}", may=EVERYBODY)
async def delete_setting(  # noqa: PLR0917 - as above
    pbx: "Pbx", who: Token, name: str, function: str, key: str, dry_run: bool = False
) -> Changes | None:
    """Take a setting away; the server's own counts again."""
    user, found = _found(pbx, who, name, function, key)
    if _entry(pbx, user, found).value is None:
        raise ProblemError.not_found(f'"{name}" has no "{key}" of {function}; PUT makes one.')
    return await _set(pbx, who, name, found, None, dry_run=dry_run)


def _found(pbx: "Pbx", who: Token, name: str, function: str, key: str) -> "tuple[User, Declaration[object]]":
    """The user and what he can set; a user's token needs the licence of the function."""
    user = user_named(who, pbx.administration.directory, name)
    try:
        found = declared.declaration(function, key)
    except SettingError as error:
        raise ProblemError.not_found(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    if who.kind == "user" and function != TELEPHONE:
        answer = pbx.administration.gate.may(name, function)
        if isinstance(answer, Refusal):
            what = f"the setting {key} of {function} of {name}"
            raise ProblemError.of(pbx.decisions.mint(answer, what, user=name))
    return user, found


async def _set(
    pbx: "Pbx", who: Token, name: str, found: "Declaration[object]", value: object, *, dry_run: bool
) -> Changes | None:
    if found.set_by:
        raise ProblemError.invalid(f'The setting "{found.key}" is no value; use {found.set_by}.')
    act = SetSetting(name, found.function, found.key, value)
    outcome = await carry_out(pbx, who, act, dry_run=dry_run, about=name)
    return outcome if isinstance(outcome, Changes) else None


def _entry(pbx: "Pbx", user: "User", found: "Declaration[object]") -> SettingEntry:
    value = value_of(user, found.function, found.key, pbx.site.voicemail)
    return SettingEntry(found.function, found.key, value, found.wanted)
