"""Locations and configuration groups over HTTP, and the functions that are switched on there (L-04)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..site.acts import SwitchFunctions
from .operation import API, STRICT, Routes
from .users import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..app import Pbx

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
class LocationFunctions:
    """The whole list of a location."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupFunctions:
    """The whole list of a group, or null for its location's."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    functions: tuple[str, ...] | None


@routes.get(f"{API}/locations")
async def list_locations(pbx: "Pbx") -> tuple[LocationEntry, ...]:
    """List the locations."""
    return tuple(
        LocationEntry(one.name, in_order(one.functions), tuple(group.name for group in one.groups))
        for one in pbx.administration.directory.locations
    )


@routes.patch(f"{API}/locations/{{name}}")
async def switch_location(pbx: "Pbx", name: str, change: LocationFunctions) -> LocationEntry:
    """Switch the functions of a location; groups without a list of their own follow."""
    await pbx.administration.apply(SwitchFunctions(name, None, frozenset(change.functions)))
    return next(one for one in await list_locations(pbx) if one.name == name)


@routes.get(f"{API}/groups")
async def list_groups(pbx: "Pbx") -> tuple[GroupEntry, ...]:
    """List the groups of all locations."""
    return tuple(
        GroupEntry(location.name, one.name, None if one.functions is None else in_order(one.functions))
        for location in pbx.administration.directory.locations
        for one in location.groups
    )


@routes.patch(f"{API}/groups/{{location}}/{{name}}")
async def switch_group(pbx: "Pbx", location: str, name: str, change: GroupFunctions) -> GroupEntry:
    """Switch the functions of a group."""
    functions = None if change.functions is None else frozenset(change.functions)
    await pbx.administration.apply(SwitchFunctions(location, name, functions))
    return next(one for one in await list_groups(pbx) if (one.location, one.name) == (location, name))
