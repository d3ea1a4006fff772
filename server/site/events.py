"""What an administrator's change brings about, as values for the event stream, the journal and the audit.

`Administration` hands them to its sink after the change is on the disk. None of them carries a PIN or a
password.
"""

from __future__ import annotations

from dataclasses import dataclass


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


SiteEvent = (
    UserMoved
    | FunctionsSwitched
    | SettingsDeleted
    | PinMade
    | LicenceAssigned
    | LicenceDisplaced
    | LicenceReleased
)
