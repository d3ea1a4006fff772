"""What an administrator can do, as values: `Administration.apply` carries them out, alone or many as one.

A name in an act is that of a user, location or group of the moment at which the act's turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...features.telephone.settings import Forward
    from .attendants import Attendant


@dataclass(frozen=True, slots=True)
class CreateUser:
    """A new user, who gets the next sequence number; without `display_name` he is shown by his name."""

    name: str
    location: str
    extension: str
    password: str = field(repr=False)
    display_name: str = ""
    group: str | None = None
    fax_number: str | None = None
    email: str | None = None
    voicemail_pin: str | None = field(default=None, repr=False)
    forward: Forward | None = None


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """Other values for some of a user's fields: those that `CreateUser` has, without name and place."""

    name: str
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MoveUser:
    """A user goes to a location and, unless None, a group there (L-05)."""

    name: str
    location: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """A user goes for good, with settings, messages and tokens."""

    name: str


@dataclass(frozen=True, slots=True)
class SetSetting:
    """A personal setting of a function that is on for the user; a value of None deletes it."""

    user: str
    function: str
    key: str
    value: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class CreateLocation:
    """A new location without groups."""

    name: str
    functions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DuplicateLocation:
    """A location `name` with the functions and groups of `of`, and none of its users (L-63)."""

    of: str
    name: str


@dataclass(frozen=True, slots=True)
class DeleteLocation:
    """A location in which nobody is goes, with its groups."""

    name: str


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """A new group of a location; functions of None are the location's."""

    location: str
    name: str
    functions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DeleteGroup:
    """A group in which nobody is goes."""

    location: str
    name: str


@dataclass(frozen=True, slots=True)
class SwitchFunctions:
    """The whole function list of a location (`group` None), or of a group; None inherits again (L-04)."""

    location: str
    group: str | None
    functions: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class SetAttendant:
    """An attendant, as a site file would have it, in the place of the one of that name, or a new one."""

    attendant: Attendant


@dataclass(frozen=True, slots=True)
class DeleteAttendant:
    """An attendant goes, with its sounds; calls that it has go on."""

    name: str


@dataclass(frozen=True, slots=True)
class ImportPackage:
    """A licence package, byte for byte as issued; one that is there already changes nothing.

    `source` names its file in messages.
    """

    data: bytes = field(repr=False)
    source: str = ""


@dataclass(frozen=True, slots=True)
class BindLine:
    """A line takes a TAPI licence by its first use; one that has it keeps it (L-09)."""

    line: str


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """A line gives its TAPI licence back (A-09)."""

    line: str


Act = (
    CreateUser
    | ChangeUser
    | MoveUser
    | DeleteUser
    | SetSetting
    | CreateLocation
    | DuplicateLocation
    | DeleteLocation
    | CreateGroup
    | DeleteGroup
    | SwitchFunctions
    | SetAttendant
    | DeleteAttendant
    | ImportPackage
    | BindLine
    | ReleaseLine
)
