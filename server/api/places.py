"""Locations and configuration groups over HTTP, and the functions that are switched on there (L-04, L-63)."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from ..site import require
from ..site.acts import (
    CreateGroup,
    CreateLocation,
    DeleteGroup,
    DeleteLocation,
    DuplicateLocation,
    SwitchFunctions,
)
from ..store.tokens import Token
from .changes import Changes, carry_out
from .operation import API, STRICT, Routes
from .problem import ProblemError
from .rights import ALL_ADMINISTRATORS, sees_location
from .users import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..app import Pbx
    from ..site.acts import Act
    from ..site.site import Location

routes = Routes()


@dataclass(frozen=True, slots=True)
class LocationEntry:
    """A location, its functions, and the names of its groups."""

    name: str
    functions: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """A group; `functions` null means that it has its location's."""

    location: str
    name: str
    functions: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class NewLocation:
    """A new location with these functions, or `like` another: with its functions and groups, and no users (L-63)."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    name: str
    functions: tuple[str, ...] | None = None
    like: str | None = None


@dataclass(frozen=True, slots=True)
class LocationFunctions:
    """The whole list of a location."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupFunctions:
    """The whole list of a group, or null for its location's."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    functions: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A new group of a location; without functions it has its location's."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    location: str
    name: str
    functions: tuple[str, ...] | None = None


@routes.get(f"{API}/locations", may=ALL_ADMINISTRATORS)
async def list_locations(pbx: "Pbx", who: Token) -> tuple[LocationEntry, ...]:
    """List the locations."""
    return tuple(map(_location, _seen(pbx, who)))


@routes.post(f"{API}/locations", status=HTTPStatus.CREATED)
async def create_location(
    pbx: "Pbx", who: Token, new: NewLocation, dry_run: bool = False
) -> LocationEntry | Changes:
    """Create a location, or duplicate one."""
    if new.like is None:
        return await _changed(
            pbx, who, CreateLocation(new.name, frozenset(new.functions or ())), new.name, dry_run=dry_run
        )
    if new.functions is not None:
        raise ProblemError.invalid('The field "functions" does not go with "like", which brings them.')
    return await _changed(pbx, who, DuplicateLocation(new.like, new.name), new.name, dry_run=dry_run)


@routes.patch(f"{API}/locations/{{name}}", may=ALL_ADMINISTRATORS)
async def switch_location(
    pbx: "Pbx", who: Token, name: str, change: LocationFunctions, dry_run: bool = False
) -> LocationEntry | Changes:
    """Switch the functions of a location; groups without a list of their own follow."""
    act = SwitchFunctions(name, None, frozenset(change.functions))
    return await _changed(pbx, who, act, name, dry_run=dry_run)


@routes.delete(f"{API}/locations/{{name}}")
async def delete_location(pbx: "Pbx", who: Token, name: str, dry_run: bool = False) -> Changes | None:
    """Delete a location in which nobody is, with its groups."""
    outcome = await carry_out(pbx, who, DeleteLocation(name), dry_run=dry_run)
    return outcome if isinstance(outcome, Changes) else None


@routes.get(f"{API}/groups", may=ALL_ADMINISTRATORS)
async def list_groups(pbx: "Pbx", who: Token) -> tuple[GroupEntry, ...]:
    """List the groups of all locations."""
    return tuple(group for location in _seen(pbx, who) for group in _groups(location))


@routes.post(f"{API}/groups", may=ALL_ADMINISTRATORS, status=HTTPStatus.CREATED)
async def create_group(pbx: "Pbx", who: Token, new: NewGroup, dry_run: bool = False) -> GroupEntry | Changes:
    """Create a group of a location."""
    act = CreateGroup(new.location, new.name, _set(new.functions))
    return await _changed_group(pbx, who, act, (new.location, new.name), dry_run=dry_run)


@routes.patch(f"{API}/groups/{{location}}/{{name}}", may=ALL_ADMINISTRATORS)
async def switch_group(
    pbx: "Pbx", who: Token, location: str, name: str, change: GroupFunctions, *, dry_run: bool = False
) -> GroupEntry | Changes:
    """Switch the functions of a group."""
    act = SwitchFunctions(location, name, _set(change.functions))
    return await _changed_group(pbx, who, act, (location, name), dry_run=dry_run)


@routes.delete(f"{API}/groups/{{location}}/{{name}}", may=ALL_ADMINISTRATORS)
async def delete_group(
    pbx: "Pbx", who: Token, location: str, name: str, dry_run: bool = False
) -> Changes | None:
    """Delete a group in which nobody is."""
    outcome = await carry_out(pbx, who, DeleteGroup(location, name), dry_run=dry_run)
    return outcome if isinstance(outcome, Changes) else None


async def _changed(
    pbx: "Pbx", who: Token, act: "Act", name: str, *, dry_run: bool
) -> LocationEntry | Changes:
    outcome = await carry_out(pbx, who, act, dry_run=dry_run)
    if isinstance(outcome, Changes):
        return outcome
    return _location(require.location(outcome.after.directory, name))


async def _changed_group(
    pbx: "Pbx", who: Token, act: "Act", place: tuple[str, str], *, dry_run: bool
) -> GroupEntry | Changes:
    outcome = await carry_out(pbx, who, act, dry_run=dry_run)
    if isinstance(outcome, Changes):
        return outcome
    location = require.place(outcome.after.directory, *place)
    return next(one for one in _groups(location) if one.name == place[1])


def _seen(pbx: "Pbx", who: Token) -> "Iterator[Location]":
    return (one for one in pbx.administration.directory.locations if sees_location(who, one.name))


def _location(location: "Location") -> LocationEntry:
    names = tuple(group.name for group in location.groups)
    return LocationEntry(location.name, in_order(location.functions), names)


def _groups(location: "Location") -> "Iterator[GroupEntry]":
    for one in location.groups:
        own = None if one.functions is None else in_order(one.functions)
        yield GroupEntry(location.name, one.name, own)


def _set(functions: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if functions is None else frozenset(functions)
