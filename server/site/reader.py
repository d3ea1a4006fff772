"""From a site file to a `Site`: TOML, then types (pydantic on the frozen values of `site`), then `checks`.

Called by `Site.read` and `Site.parse`. Every fault is one `SiteError` with the line in the file; where there
are several, the first in the file is told.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import StrictInt, TypeAdapter, ValidationError

from ...features.dialling.settings import Dialling
from ...features.feature_codes.settings import FeatureCodes, PickupGroup
from ...features.one_number.gateway import Gateway
from ...features.parking.settings import Parking
from ...features.telephone import settings as telephone
from . import site as shapes
from .attendants import Attendant, AttendantGreeting, Submenu, TryLimit
from .calendars import CalendarSettings
from .carriers import MailSettings, SmsSettings
from .checks import problems
from .code_checks import unused_defaults
from .declared import file_problems
from .locate import line_of, lines
from .problem import Problem, closest
from .responses import PoolResponses, Responses
from .site import CONTROL, Site, SiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from .problem import KeyPath

_TABLES: dict[str, tuple[str, Any]] = {
    "server": ("server", shapes.Server),
    "entitlements": ("entitlements", dict[str, StrictInt]),
    "licensing": ("licensing", shapes.LicensingSettings),
    "location": ("locations", tuple[shapes.Location, ...]),
    "user": ("users", tuple[shapes.User, ...]),
    "team": ("teams", tuple[shapes.Team, ...]),
    "trunk": ("trunks", tuple[shapes.Trunk, ...]),
    "auto_attendant": ("attendants", tuple[Attendant, ...]),
    "data_source": ("data_sources", tuple[shapes.DataSource, ...]),
    "voicemail": ("voicemail", shapes.VoicemailSettings),
    "numbers": ("numbers", shapes.Numbers),
    "dialling": ("dialling", tuple[Dialling, ...]),
    "feature_codes": ("feature_codes", FeatureCodes),
    "parking": ("parking", Parking),
    "one_number": ("one_number", Gateway),
    "pickup_group": ("pickup_groups", tuple[PickupGroup, ...]),
    "csta": ("csta", shapes.Csta),
    "fax": ("fax", shapes.Fax),
    "media": ("media", shapes.Media),
    "test_numbers": ("test_numbers", shapes.TestNumbers),
    "security": ("security", shapes.Security),
    "webhook": ("webhooks", tuple[shapes.Webhook, ...]),
    "calendar": ("calendars", tuple[CalendarSettings, ...]),
    "responses": ("responses", Responses),
    "mail": ("mail", MailSettings),
    "sms": ("sms", SmsSettings),
}
_SHAPES: dict[tuple[str, ...], Any] = {
    ("server",): shapes.Server,
    ("licensing",): shapes.LicensingSettings,
    ("licensing", "modes"): shapes.PoolMode,
    ("location",): shapes.Location,
    ("location", "group"): shapes.Group,
    ("user",): shapes.User,
    ("user", "forward"): telephone.Forward,
    ("user", "forward", "internal"): telephone.ForwardTargets,
    ("user", "forward", "external"): telephone.ForwardTargets,
    ("team",): shapes.Team,
    ("trunk",): shapes.Trunk,
    ("auto_attendant",): Attendant,
    ("auto_attendant", "greetings"): AttendantGreeting,
    ("auto_attendant", "submenus"): Submenu,
    ("auto_attendant", "no_input"): TryLimit,
    ("auto_attendant", "wrong_input"): TryLimit,
    ("auto_attendant", "submenus", "no_input"): TryLimit,
    ("auto_attendant", "submenus", "wrong_input"): TryLimit,
    ("data_source",): shapes.DataSource,
    ("voicemail",): shapes.VoicemailSettings,
    ("numbers",): shapes.Numbers,
    ("dialling",): Dialling,
    ("feature_codes",): FeatureCodes,
    ("parking",): Parking,
    ("one_number",): Gateway,
    ("pickup_group",): PickupGroup,
    ("csta",): shapes.Csta,
    ("fax",): shapes.Fax,
    ("media",): shapes.Media,
    ("test_numbers",): shapes.TestNumbers,
    ("security",): shapes.Security,
    ("webhook",): shapes.Webhook,
    ("calendar",): CalendarSettings,
    ("responses",): Responses,
    ("responses", "ip_channel"): PoolResponses,
    ("responses", "auto_attendant"): PoolResponses,
    ("mail",): MailSettings,
    ("sms",): SmsSettings,
}
_ARRAYS = {key for key, (_, shape) in _TABLES.items() if get_origin(shape) is tuple}
_SINGLE = {"forward", "internal", "external", "no_input", "wrong_input"}
_ADD = "add it"
_INTERNAL = {"user": ("seq",), "location": ("groups",)}
_FILE_KEYS = {"groups": "group"}
_KINDS = {
    "string": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": 'a list such as ["a", "b"]',
    "frozen_set": 'a list such as ["a", "b"]',
    "dict": "a table",
    "mapping": "a table",
    "dataclass": "a table",
}
_SYNTAX_PLACE = re.compile(r"(?P<what>.*) \(at (line (?P<line>\d+), column \d+|end of document)\)")


def read(path: Path) -> Site:
    """Read and parse the file at `path`; raises `SiteError`."""
    name = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SiteError(name, None, "the site file is not there", "check the path") from None
    except IsADirectoryError:
        raise SiteError(name, None, "this is a directory", "name the site file in it") from None
    except OSError as error:
        what = f"the site file cannot be read ({error.strerror})"
        raise SiteError(name, None, what, "check its permissions") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise SiteError(name, line, "the text is not UTF-8", "save the file as UTF-8") from None
    return parse(text, name)


def _not_text(value: object) -> list[str]:
    """A TOML date or time: nothing in a site is one, and it is not text either."""
    return [str(value)]


def parse(text: str, name: str) -> Site:
    """Parse TOML `text`, called `name` in messages; raises `SiteError`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(text, name, str(error)) from None
    except (RecursionError, ValueError):  # nested too deep, or a number of thousands of digits
        raise SiteError(
            name, None, "a value is nested too deep or a number is too long", "write it as the example does"
        ) from None
    found: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in _TABLES:
            found.append(Problem((key,), f'the key "{key}" is not known', closest(key, _TABLES, "remove it")))
            continue
        found += _internal_keys(key, value)
        found += _settings_tables(key, value)
        found += _control_characters((key,), value)
        try:
            values[_TABLES[key][0]] = _adapter(key).validate_json(
                json.dumps(_shaped(key, value), default=_not_text)
            )
        except ValidationError as error:
            found += [_translated(key, detail) for detail in error.errors(include_url=False)]
    if not found:
        site = Site(**values, source=name, text=text)
        if "emergency" not in data.get("numbers", {}):
            site = _without_used_emergency_numbers(site)
        site = replace(site, feature_codes=unused_defaults(site, data.get("feature_codes", {})))
        found = [*problems(site), *file_problems(site)]
        if not found:
            return site
    raise _first(text, name, found)


def attendants_of(text: str) -> tuple[Attendant, ...]:
    """Read attendants that were written as JSON."""
    attendants: tuple[Attendant, ...] = _adapter("auto_attendant").validate_json(text)
    return attendants


@cache
def _adapter(key: str) -> TypeAdapter[Any]:
    return TypeAdapter(_TABLES[key][1])


def _shaped(key: str, value: Any) -> Any:
    """The TOML value as the dataclasses want it: numbered users, `groups` for `group`."""
    if not isinstance(value, list):
        return value
    if key == "user":
        return [_numbered(seq, entry) for seq, entry in enumerate(value, 1)]
    if key == "location":
        return [_renamed(entry, "group", "groups") for entry in value]
    return value


def _numbered(seq: int, entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    name = entry.get("name")
    shown = {"display_name": name} if isinstance(name, str) else {}
    return {**shown, **entry, "seq": seq, "settings": _settings(entry.get("settings"))}


def _settings(tables: Any) -> list[dict[str, Any]]:
    """`[user.settings.FUNCTION]` with its keys, as the list that `User` has."""
    return [
        {"function": function, "key": key, "value": value}
        for function, table in sorted(tables.items() if isinstance(tables, dict) else ())
        for key, value in sorted(table.items() if isinstance(table, dict) else ())
    ]


def _settings_tables(key: str, value: Any) -> Iterator[Problem]:
    """Complain of settings that are not in a table of their function."""
    for index, entry in enumerate(value if key == "user" and isinstance(value, list) else ()):
        tables = entry.get("settings", {}) if isinstance(entry, dict) else {}
        inside = tables.items() if isinstance(tables, dict) else [("", tables)]
        for function, table in inside:
            if not isinstance(table, dict):
                path = (key, index, "settings", *([function] if function else []))
                what = f'"{path[-1]}" is not the table that it should be'
                yield Problem(path, what, "write [user.settings.FUNCTION], and the keys below it")


def _renamed(entry: Any, old: str, new: str) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {new if key == old else key: value for key, value in entry.items()}


def _internal_keys(key: str, value: Any) -> Iterator[Problem]:
    """Complain of keys that the dataclasses have but the file may not."""
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        for internal in _INTERNAL.get(key, ()):
            if isinstance(entry, dict) and internal in entry:
                path = (key, index, internal)
                yield Problem(path, *_unknown(path))


def _control_characters(path: KeyPath, value: Any) -> Iterator[Problem]:
    if isinstance(value, str) and CONTROL.search(value):
        yield Problem(path, f'the text of "{path[-1]}" has a control character', "remove it")
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from _control_characters((*path, key), one)


def _unknown(path: KeyPath) -> tuple[str, str]:
    where = tuple(str(part) for part in path[:-1] if not isinstance(part, int))
    shape = _SHAPES.get(where[:2] if where[:2] == ("licensing", "modes") else where)
    known = {_FILE_KEYS.get(one.name, one.name) for one in fields(shape)} if shape else set()
    known -= {"seq"}
    what = f'the key "{path[-1]}" is not known in {_header(where)}'
    return what, closest(str(path[-1]), sorted(known), f"known keys are {', '.join(sorted(known))}")


def _header(where: tuple[str, ...]) -> str:
    name = ".".join(where)
    return f"[[{name}]]" if where[0] in _ARRAYS and where[-1] not in _SINGLE else f"[{name}]"


def _translated(key: str, detail: ErrorDetails) -> Problem:
    path = (key, *(_FILE_KEYS.get(part, part) if isinstance(part, str) else part for part in detail["loc"]))
    kind = detail["type"]
    where = tuple(part for part in path[:-1] if isinstance(part, str))
    if kind == "unexpected_keyword_argument":
        return Problem(path, *_unknown(path))
    if kind == "missing":
        return Problem(path, f'the key "{path[-1]}" is missing in {_header(where)}', _ADD)
    last = path[-1] if isinstance(path[-1], str) else f"entry {path[-1] + 1} of {path[-2]}"
    if kind == "literal_error":
        what = f'the key "{last}" has the unknown value {detail["input"]!r}'
        return Problem(path, what, f"use {detail.get('ctx', {})['expected']}")
    if len(path) == 1:
        return Problem(path, f'"{key}" is not the table that it should be', f"write {_header((key,))}")
    expected = next((text for start, text in _KINDS.items() if kind.startswith(start)), "another value")
    return Problem(path, f'"{last}" has the wrong type of value', f"write {expected}")


def _without_used_emergency_numbers(site: Site) -> Site:
    """A number that the site gives to somebody wins over the default emergency numbers."""
    used = {user.extension for user in site.users} | {user.fax_number for user in site.users}
    used |= {attendant.extension for attendant in site.attendants} | {site.voicemail.extension}
    emergency = tuple(number for number in site.numbers.emergency if number not in used)
    return replace(site, numbers=shapes.Numbers(emergency))


def _syntax_error(text: str, name: str, message: str) -> SiteError:
    match = _SYNTAX_PLACE.fullmatch(message)
    what, line = (match["what"], match["line"]) if match else (message, None)
    end = text.rstrip().count("\n") + 1
    return SiteError(name, int(line) if line else end, f"this is not TOML ({what})", "correct the line")


def _first(text: str, name: str, found: Iterable[Problem]) -> SiteError:
    known = lines(text)
    placed = [(line_of(known, problem.path) or 1, problem) for problem in found]
    # A misspelt key is also a missing one; the misspelling is what to tell.
    line, problem = min(placed, key=lambda pair: (pair[1].remedy == _ADD, pair[0]))
    return SiteError(name, line, problem.what, problem.remedy)
