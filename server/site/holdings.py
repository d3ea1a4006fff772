"""What a server holds at one moment, whole: the inputs of allocation (users, functions, packages, lines) and no more.

The store keeps it, `Administration` changes it, and `standing` says what it amounts to.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ...licensing.package import Package
    from .site import Location, Site, User


@dataclass(frozen=True, slots=True)
class StoredPackage:
    """A licence package, and when it was imported (Unix time)."""

    package: Package
    imported_at: float


@dataclass(frozen=True, slots=True)
class BoundLine:
    """A telephone line that holds a TAPI licence since `bound_at` (Unix time) and keeps it (L-09)."""

    line: str
    bound_at: float


@dataclass(frozen=True, slots=True)
class Holdings:
    """`file` is the site as imported, `site` the same with the users and locations of today.

    `lines` are in the order in which they were bound. `over_since` tells for each licence that too many
    require since when that is so. `highest_seq` is the last sequence number ever given (A-01).
    """

    file: Site
    site: Site
    packages: tuple[StoredPackage, ...] = ()
    lines: tuple[BoundLine, ...] = ()
    over_since: Mapping[str, datetime] = field(default_factory=dict)
    highest_seq: int = 0

    def has(self, package: bytes) -> bool:
        """Whether the package that was issued as these bytes is held."""
        return any(one.package.data == package for one in self.packages)

    @classmethod
    def of(cls, site: Site) -> Holdings:
        """What there is once `site` is imported and nothing has happened yet."""
        return cls(site, site, highest_seq=max((user.seq for user in site.users), default=0))


def peopled(file: Site, users: tuple[User, ...], locations: tuple[Location, ...]) -> Site:
    """The site of `file` with other users and locations; teams, groups and reservations lose whom there is not."""
    names = {user.name for user in users}

    def here(people: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in people if name in names)

    teams = tuple(replace(one, members=here(one.members), leaders=here(one.leaders)) for one in file.teams)
    groups = tuple(replace(one, members=here(one.members)) for one in file.pickup_groups)
    places = {one.name for one in locations}
    dialling = tuple(one for one in file.dialling if one.location is None or one.location in places)
    reservations = {key: here(people) for key, people in file.licensing.reservations.items()}
    licensing = replace(file.licensing, reservations=reservations)
    return replace(
        file,
        users=users,
        locations=locations,
        teams=teams,
        pickup_groups=groups,
        dialling=dialling,
        licensing=licensing,
    )
