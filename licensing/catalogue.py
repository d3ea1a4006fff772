"""Every licence and every function that Ringfence knows, with what each of them needs.

All of `licensing` reads this table, the site reader checks keys against it, and the doors take titles from
it. It keeps the prerequisites L-21 to L-33 and the rule that a function asks for the licences which its way
of use needs (L-34 to L-37).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME_VERSION = 1
"""Names the rules by which licences go to users; it grows when they change."""

ATTENDANT_CHANNELS_PER_LICENCE = 20
BUILT_IN_DATA_SOURCES = 10
DATA_SOURCES_PER_LICENCE = 10
USERS_PER_IP_CHANNEL = 25
ADVISED_USERS = 5000
MOST_OF_A_LICENCE = 1_000_000
"""More of one licence is taken for a mistake, in a site file and in a package."""


class Kind(StrEnum):
    """What a licence is counted by: the whole system, a user, or a telephone line."""

    SYSTEM = "system"
    USER = "user"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Licence:
    """One article of the catalogue.

    `unit` says what one of it buys. `prerequisites` are the licences without which it has no effect;
    `min_ip_channels` is how many IP channels the system must be licensed for.
    """

    key: str
    kind: Kind
    title: str
    title_de: str
    unit: str
    prerequisites: tuple[str, ...] = ()
    min_ip_channels: int = 0


@dataclass(frozen=True, slots=True)
class Function:
    """Something that is switched on for a user by location or group.

    `licences` are needed all at once, the one that names the function first. `channels` are the pools from
    which each call of the function takes a channel (L-71).
    """

    key: str
    title: str
    title_de: str
    licences: tuple[str, ...]
    channels: tuple[str, ...] = ()


_LICENCES = (
    Licence("server", Kind.SYSTEM, "Server", "Server", "1 server"),
    Licence("ip_channel", Kind.SYSTEM, "IP Channel", "IP-Kanal", "1 channel", ("server",)),
    Licence("auto_attendant", Kind.SYSTEM, "Auto Attendant", "Auto Attendant", "20 channels", ("server",), 2),
    Licence("additional_databases", Kind.SYSTEM, "Databases", "Datenbanken", "10 data sources", ("server",)),
    Licence("office", Kind.USER, "Office", "Office", "1 user", ("server",)),
    Licence("office_plus", Kind.USER, "Office Plus", "Office Plus", "1 user", ("server", "office")),
    Licence("teamdesk", Kind.USER, "TeamDesk", "TeamDesk", "1 user", ("server", "office_plus")),
    Licence("voicemail", Kind.USER, "Voicemail", "Voicemail", "1 user", ("server",), 2),
    Licence("fax", Kind.USER, "Fax", "Fax", "1 user", ("server",), 1),
    Licence("contacts", Kind.USER, "Contacts", "Kontakte", "1 user", ("server",)),
    Licence("dashboard", Kind.USER, "Dashboard", "Dashboard", "1 user", ("server", "contacts")),
    Licence("tapi_line", Kind.LINE, "TAPI Line", "TAPI-Leitung", "1 line", ("server",)),
)

LICENCES: Mapping[str, Licence] = MappingProxyType({one.key: one for one in _LICENCES})
"""Every licence by its key, in the order in which they are shown."""

SYSTEM_LICENCES: tuple[str, ...] = tuple(one.key for one in _LICENCES if one.kind is Kind.SYSTEM)
"""Licences of the whole system, which are never dealt to users (L-43)."""

USER_LICENCES: tuple[str, ...] = tuple(one.key for one in _LICENCES if one.kind is Kind.USER)
"""Licences that are dealt to users, in catalogue order."""

DEALT_LICENCES: tuple[str, ...] = tuple(one.key for one in _LICENCES if one.kind is not Kind.SYSTEM)
"""Licences whose seats are dealt to users; a TAPI Line only where the function `tapi_line` is on (L-09)."""

USER_PREREQUISITES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {one.key: tuple(need for need in one.prerequisites if need in USER_LICENCES) for one in _LICENCES}
)
"""For each licence, the user licences that the same user must hold as well."""

BUNDLES: Mapping[str, str] = MappingProxyType({"office_plus": "office"})
"""A licence that contains one of another: it brings its own prerequisite with it (L-11, L-14, A-03)."""

_OFFICE = ("office",)
_PLUS = ("office_plus", "office")

_FUNCTIONS = (
    Function("cti", "call control", "Anrufsteuerung", _OFFICE),
    Function("journal", "call journal", "Anrufjournal", _OFFICE),
    Function("presence", "presence", "Präsenz", _OFFICE),
    Function("chat", "chat", "Chat", _OFFICE),
    Function("sms", "text messages", "SMS", _OFFICE),
    Function("team_panel", "team panel", "Team-Panel", _OFFICE),
    Function("assistant", "assistant functions", "Assistenzfunktionen", _OFFICE),
    Function("groupware", "groupware integration", "Groupware-Anbindung", _OFFICE),
    Function("meetings", "meetings", "Besprechungen", _OFFICE),
    Function("softphone", "softphone", "Softphone", _PLUS),
    Function("softphone_mobile", "mobile softphone", "mobiles Softphone", _PLUS),
    Function("one_number", "one number", "One Number", _PLUS),
    Function("federation", "federation", "Föderation", _PLUS),
    Function("teamdesk", "hotline membership", "Hotline-Mitgliedschaft", ("teamdesk", *_PLUS)),
    Function("voicemail", "voicemail box", "Voicemail-Box", ("voicemail",), ("ip_channel",)),
    Function("voicemail_client", "voicemail in the client", "Voicemail im Client", ("voicemail", "office")),
    Function("voicemail_sms", "text message about voicemail", "SMS bei Voicemail", ("voicemail", "office")),
    Function(
        "voicemail_mobile", "voicemail in the mobile app", "Voicemail in der App", ("voicemail", *_PLUS)
    ),
    Function("fax", "fax", "Fax", ("fax",), ("ip_channel",)),
    Function("fax_client", "fax in the client", "Fax im Client", ("fax", "office")),
    Function("contacts", "directory search", "Verzeichnissuche", ("contacts",)),
    Function("dashboard", "dashboard", "Dashboard", ("dashboard", "contacts")),
    Function("tapi_line", "TAPI line", "TAPI-Leitung", ("tapi_line",)),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({one.key: one for one in _FUNCTIONS})
"""Every function by its key, in the order in which they are shown."""
