"""Which revision a stored database has, and the way from an older one to this version's.

One SELECT decides; Alembic is imported only where the answer is an older revision.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, select

from .failure import StoreError
from .meta import all_meta
from .schema import REVISION, meta, metadata, version

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MIGRATIONS = Path(__file__).with_name("migrations")


def make(connection: Connection) -> None:
    """Make the tables of this version's revision."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(version), {"version_num": str(REVISION)})


def is_empty(connection: Connection) -> bool:
    """Whether nothing is stored yet."""
    return not inspect(connection).get_table_names()


def check(connection: Connection, folder: Path) -> int:
    """The revision that is stored; raises `StoreError` where this version cannot know it."""
    tables = inspect(connection).get_table_names()
    if meta.name not in tables:
        raise StoreError(folder, "its database is not a Ringfence store", "name another --data")
    if version.name in tables:
        stored = int(connection.execute(select(version.c.version_num)).scalar_one())
    else:
        stored = int(all_meta(connection)["schema_revision"])
    if stored > REVISION:
        what = f"the store is of a newer version (revision {stored}, this version knows {REVISION})"
        raise StoreError(folder, what, "start the version that wrote it, or name another --data")
    return stored


def upgrade(connection: Connection, folder: Path) -> None:
    """Bring the store to this version's revision, as part of the transaction that is open."""
    stored = check(connection, folder)
    if stored == REVISION:
        return
    from alembic import command  # noqa: PLC0415 - costs 100 ms, and only an older store needs it
    from alembic.config import Config  # noqa: PLC0415 - as above

    if not inspect(connection).has_table(version.name):  # the first revision did not know about Alembic
        version.create(connection)
        connection.execute(insert(version), {"version_num": str(stored)})
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, str(REVISION))
