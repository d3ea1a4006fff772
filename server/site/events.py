"""What a change of users, locations or licences brings about, as values for the event stream and the audit.

`Administration` hands them to its sink after the change is on the disk. None of them carries a PIN or a
password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...licensing.modes import ComplianceChanged

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class SiteImported:
    """A store was made from a site file: what was bought, and who holds each licence from the start."""

    source: str
    digest: str
    users: int
    bought: Mapping[str, int] = field(hash=False)
    assigned: Mapping[str, tuple[str, ...]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class SiteMerged:
    """A changed site file was laid over the store; users by name."""

    source: str
    digest: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserCreated:
    """There is a new user; `seq` is his for ever (A-01)."""

    user: str
    seq: int
    location: str
    group: str | None


@dataclass(frozen=True, slots=True)
class UserChanged:
    """Some of a user's fields have other values; the values are not told, since some are secret."""

    user: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserDeleted:
    """A user is gone, with his messages and tokens."""

    user: str
    seq: int


@dataclass(frozen=True, slots=True)
class LocationCreated:
    """There is a new location, made after another or (`of` None) from nothing."""

    location: str
    of: str | None
    functions: frozenset[str]


@dataclass(frozen=True, slots=True)
class LocationDeleted:
    """A location is gone, with its groups."""

    location: str


@dataclass(frozen=True, slots=True)
class GroupCreated:
    """There is a new group; functions of None are its location's."""

    location: str
    group: str
    functions: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class GroupDeleted:
    """A group is gone."""

    location: str
    group: str


@dataclass(frozen=True, slots=True)
class AttendantChanged:
    """An attendant has other menus or another number, or (`is_new`) there was none of that name."""

    attendant: str
    extension: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class AttendantDeleted:
    """An attendant is gone."""

    attendant: str


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """A personal setting has another value, or (`deleted`) none."""

    user: str
    function: str
    key: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class PackageImported:
    """A licence package is in the store; what it adds follows as `EntitlementChanged`."""

    package: str
    licences: Mapping[str, int] = field(hash=False)


@dataclass(frozen=True, slots=True)
class PackageBegun:
    """A stored package counts from now on."""

    package: str


@dataclass(frozen=True, slots=True)
class PackageExpiring:
    """A package ends in so many days, with `not_after`; told 30, 7 and 1 days before, once each."""

    package: str
    days: int
    not_after: str | None


@dataclass(frozen=True, slots=True)
class PackageExpired:
    """A stored package has no effect from now on; what it takes with it follows as `EntitlementChanged`."""

    package: str


@dataclass(frozen=True, slots=True)
class GraceEnded:
    """So many users wait for a seat of a licence, and those whom its grace let pass are refused from now on."""

    licence: str
    waiting: int


@dataclass(frozen=True, slots=True)
class EntitlementChanged:
    """So many of a licence are bought now, and so many were before."""

    licence: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class LineBound:
    """A line holds a TAPI licence and keeps it (L-09)."""

    line: str


@dataclass(frozen=True, slots=True)
class LineReleased:
    """A line gave its TAPI licence back (A-09)."""

    line: str


@dataclass(frozen=True, slots=True)
class WaitingUserServed:
    """A user who had been waiting holds licences now, without an act of his own (L-46, L-48)."""

    user: str
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserMoved:
    """A user has another location or group (L-05). A group of None means the location itself."""

    user: str
    from_location: str
    from_group: str | None
    to_location: str
    to_group: str | None


@dataclass(frozen=True, slots=True)
class FunctionsSwitched:
    """A location, or one of its groups, has another function list (L-04); None means the group inherits."""

    location: str
    group: str | None
    functions: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class SettingsDeleted:
    """A user lost the personal settings of a function that is off now (L-06); keys as in the site file."""

    user: str
    function: str
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PinMade:
    """A user who needs a voicemail PIN and had none was given a random one."""

    user: str


@dataclass(frozen=True, slots=True)
class LicenceAssigned:
    """A user holds a licence that he did not hold before (L-01, L-48)."""

    user: str
    licence: str


@dataclass(frozen=True, slots=True)
class LicenceDisplaced:
    """A user still requires a licence and lost it to one who is served before him (A-02).

    `by` is None where the seat or its prerequisite is gone and nobody else has it.
    """

    user: str
    licence: str
    by: str | None


@dataclass(frozen=True, slots=True)
class LicenceReleased:
    """A user no longer requires a licence, and it is free again (L-04, L-05)."""

    user: str
    licence: str


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The seats, lines or channels of a licence are used up, all `limit` of them; before, there was one left."""

    pool: str
    limit: int


SiteEvent = (
    SiteImported
    | SiteMerged
    | UserCreated
    | UserChanged
    | UserDeleted
    | LocationCreated
    | LocationDeleted
    | GroupCreated
    | GroupDeleted
    | AttendantChanged
    | AttendantDeleted
    | SettingChanged
    | PackageImported
    | PackageBegun
    | PackageExpiring
    | PackageExpired
    | GraceEnded
    | EntitlementChanged
    | LineBound
    | LineReleased
    | ComplianceChanged
    | WaitingUserServed
    | UserMoved
    | FunctionsSwitched
    | SettingsDeleted
    | PinMade
    | LicenceAssigned
    | LicenceDisplaced
    | LicenceReleased
    | LimitReached
)
