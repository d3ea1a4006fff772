"""Users, groups and locations as rows, and back; everything else of a site stays in its text.

Every function here is part of a unit of work and takes its connection.
"""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from ..site.site import Forward, Group, Location, Site, User
from . import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

_COLUMNS = [field.name for field in fields(User)]


def write_site(connection: Connection, site: Site, highest_seq: int) -> None:
    """Put `site` in place of what is stored. `highest_seq` is the last sequence number ever given."""
    for table in (schema.users, schema.groups, schema.locations):
        connection.execute(delete(table))
    write_places(connection, site.locations)
    if site.users:
        connection.execute(insert(schema.users), [_user_row(user) for user in site.users])
    set_meta(
        connection,
        site_text=site.text,
        site_source=site.source,
        site_digest=site.digest,
        highest_seq=str(max([highest_seq, *(user.seq for user in site.users)])),
    )


def write_places(connection: Connection, locations: Iterable[Location]) -> None:
    """Add locations that are not stored yet, with their groups."""
    for position, location in enumerate(locations):
        row = {"name": location.name, "position": position, "functions": sorted(location.functions)}
        connection.execute(insert(schema.locations), row)
        for place, group in enumerate(location.groups):
            own = None if group.functions is None else sorted(group.functions)
            row = {"location": location.name, "name": group.name, "position": place, "functions": own}
            connection.execute(insert(schema.groups), row)


def update_users(connection: Connection, users: Iterable[User]) -> None:
    """Write users that are stored already."""
    rows = [_user_row(user) | {"known_as": user.name} for user in users]
    if rows:
        where = schema.users.c.name == bindparam("known_as")
        change = update(schema.users).where(where)
        connection.execute(change.values({column: bindparam(column) for column in _COLUMNS}), rows)


def update_functions(connection: Connection, location: Location) -> None:
    """Write the function lists of a stored location and of its groups."""
    where = schema.locations.c.name == location.name
    connection.execute(update(schema.locations).where(where), {"functions": sorted(location.functions)})
    for group in location.groups:
        own = None if group.functions is None else sorted(group.functions)
        table = schema.groups
        connection.execute(
            update(table).where(table.c.location == location.name, table.c.name == group.name),
            {"functions": own},
        )


def read_site(connection: Connection) -> Site:
    """The site as stored: the imported text, with the users, groups and locations of today."""
    known = all_meta(connection)
    site = Site.parse(known["site_text"], known["site_source"])
    rows = connection.execute(select(schema.groups).order_by("location", "position")).all()
    groups = {
        location: tuple(Group(row.name, _functions(row.functions)) for row in found)
        for location, found in groupby(rows, lambda row: row.location)
    }
    locations = tuple(
        Location(row.name, frozenset(row.functions), groups=groups.get(row.name, ()))
        for row in connection.execute(select(schema.locations).order_by("position"))
    )
    users = tuple(_user(row._asdict()) for row in connection.execute(select(schema.users).order_by("seq")))
    return replace(site, users=users, locations=locations)


def all_meta(connection: Connection) -> dict[str, str]:
    """What the store knows about itself."""
    return {row.key: row.value for row in connection.execute(select(schema.meta))}


def set_meta(connection: Connection, **values: str) -> None:
    """Write facts about the store, new or known ones."""
    connection.execute(delete(schema.meta).where(schema.meta.c.key.in_(values)))
    connection.execute(insert(schema.meta), [{"key": key, "value": value} for key, value in values.items()])


def _functions(stored: list[str] | None) -> frozenset[str] | None:
    return None if stored is None else frozenset(stored)


def _user_row(user: User) -> dict[str, Any]:
    row = {column: getattr(user, column) for column in _COLUMNS}
    return row | {"forward": None if user.forward is None else asdict(user.forward)}


def _user(row: dict[str, Any]) -> User:
    forward = row.pop("forward")
    return User(**row, forward=None if forward is None else Forward(**forward))
