"""What a server holds as rows, and back: users with their settings, places, packages, lines; the rest is text.

Every function here is part of a unit of work and takes its connection.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select

from ...licensing.package import PackageError, read
from ..site.holdings import BoundLine, Holdings, StoredPackage, peopled
from ..site.personal import settings_of, with_settings
from ..site.site import Group, Location, Setting, Site, User
from . import schema
from .failure import StoredPackageError
from .meta import all_meta, set_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from ..site.attendants import Attendant

_COLUMNS = [field.name for field in fields(User) if field.name in schema.users.c]


def write_holdings(connection: Connection, before: Holdings | None, after: Holdings) -> None:
    """Write what is another in `after` than in the stored `before`; None where nothing is stored yet."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # rows may come and go in any order
    if before is None or before.site.locations != after.site.locations:
        for table in (schema.groups, schema.locations):
            connection.execute(delete(table))
        _write_places(connection, after.site.locations)
    _write_users(connection, before.site.users if before else (), after.site)
    for package in after.packages[len(before.packages) if before else 0 :]:
        row = {"id": package.package.id, "data": package.package.data, "imported_at": package.imported_at}
        connection.execute(insert(schema.packages), row)
    _write_lines(connection, before.lines if before else (), after.lines)
    if before is None or before.over_since != after.over_since:
        connection.execute(delete(schema.over_since))
        rows = [{"licence": key, "since": since.timestamp()} for key, since in after.over_since.items()]
        _insert(connection, schema.over_since, rows)
    if before is None or before.file is not after.file:
        text, source = after.file.text, after.file.source
        set_meta(connection, site_text=text, site_source=source, site_digest=after.file.digest)
    if (before.site if before else after.file).attendants != after.site.attendants:
        set_meta(connection, attendants=json.dumps([asdict(one) for one in after.site.attendants]))
    if before is None or before.highest_seq != after.highest_seq:
        set_meta(connection, highest_seq=str(after.highest_seq))


def read_holdings(connection: Connection) -> Holdings:
    """What is held: the imported text, with the users, groups and locations of today."""
    known = all_meta(connection)
    file = Site.parse(known["site_text"], known["site_source"])
    rows = connection.execute(select(schema.settings).order_by("user", "function", "key")).all()
    settings = {
        user: [Setting(row.function, row.key, row.value) for row in found]
        for user, found in groupby(rows, lambda row: str(row.user))
    }
    users = tuple(
        with_settings(User(**row._asdict()), settings.get(row.name, ()))
        for row in connection.execute(select(schema.users).order_by("seq"))
    )
    packages = connection.execute(select(schema.packages).order_by("number"))
    lines = connection.execute(select(schema.lines).order_by("number"))
    return Holdings(
        file,
        replace(peopled(file, users, _read_places(connection)), attendants=_attendants(known, file)),
        tuple(_package(row.data, row.imported_at) for row in packages),
        tuple(BoundLine(row.line, row.bound_at) for row in lines),
        {
            row.licence: datetime.fromtimestamp(row.since, UTC)
            for row in connection.execute(select(schema.over_since))
        },
        int(known["highest_seq"]),
    )


def _attendants(known: Mapping[str, str], file: Site) -> tuple[Attendant, ...]:
    """The attendants of today: those of the file until one was changed."""
    stored = known.get("attendants")
    if stored is None:
        return file.attendants
    from ..site.reader import attendants_of  # noqa: PLC0415 - pydantic, which has just read the file

    return attendants_of(stored)


def _package(data: bytes, imported_at: float) -> StoredPackage:
    try:
        return StoredPackage(read(data), imported_at)
    except PackageError as error:
        raise StoredPackageError from error


def _write_places(connection: Connection, locations: Sequence[Location]) -> None:
    places = [
        {
            "name": location.name,
            "position": position,
            "functions": sorted(location.functions),
            "contingent": dict(location.contingent),
        }
        for position, location in enumerate(locations)
    ]
    groups = [
        {
            "location": location.name,
            "name": group.name,
            "position": position,
            "functions": None if group.functions is None else sorted(group.functions),
        }
        for location in locations
        for position, group in enumerate(location.groups)
    ]
    _insert(connection, schema.locations, places)
    _insert(connection, schema.groups, groups)


def _read_places(connection: Connection) -> tuple[Location, ...]:
    rows = connection.execute(select(schema.groups).order_by("location", "position")).all()
    groups = {
        location: tuple(Group(row.name, _functions(row.functions)) for row in found)
        for location, found in groupby(rows, lambda row: row.location)
    }
    return tuple(
        Location(row.name, frozenset(row.functions), row.contingent, groups.get(row.name, ()))
        for row in connection.execute(select(schema.locations).order_by("position"))
    )


def _write_users(connection: Connection, before: Iterable[User], site: Site) -> None:
    """Changed users are written anew, so that two of them may exchange a number."""
    old = {user.name: user for user in before}
    new = [user for user in site.users if old.get(user.name) is not user]
    same = {user.name for user in site.users} - {user.name for user in new}
    outdated = [{"known_as": name} for name in old if name not in same]
    if outdated:
        for column in (schema.settings.c.user, schema.users.c.name):
            connection.execute(delete(column.table).where(column == bindparam("known_as")), outdated)
    _insert(connection, schema.users, [{key: getattr(user, key) for key in _COLUMNS} for user in new])
    rows = [
        {"user": user.name, "function": one.function, "key": one.key, "value": one.value}
        for user in new
        for one in settings_of(user, site.voicemail)
    ]
    _insert(connection, schema.settings, rows)


def _write_lines(connection: Connection, before: tuple[BoundLine, ...], after: tuple[BoundLine, ...]) -> None:
    for line in before:
        if line not in after:
            connection.execute(delete(schema.lines).where(schema.lines.c.line == line.line))
    last = connection.scalar(select(func.max(schema.lines.c.number))) or 0
    new = [line for line in after if line not in before]
    rows = [{"number": last + n, "line": one.line, "bound_at": one.bound_at} for n, one in enumerate(new, 1)]
    _insert(connection, schema.lines, rows)


def _insert(connection: Connection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _functions(stored: list[str] | None) -> frozenset[str] | None:
    return None if stored is None else frozenset(stored)
