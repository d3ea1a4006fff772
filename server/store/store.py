"""The store of one server: opened once at start, closed at its end.

The composition root opens it with the site that was read; without a data directory it lives in a temporary
one. The first start imports the site; from then on the store is the truth, and `site` is what it holds.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError, OperationalError

from ..site.merge import Merge, merge
from . import schema
from .changes import note_changes
from .failure import StoreError
from .mailbox import Mailbox, sweep
from .site_rows import all_meta, read_site, set_meta, update_functions, update_users, write_site
from .unit import InlineRunner, ThreadRunner, connect, disconnect, in_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from ..site.events import SiteEvent
    from ..site.site import Location, Site, User
    from .unit import Unit

_DATABASE = "ringfence.sqlite"
_LOCK = "ringfence.lock"


@dataclass(slots=True)
class Store:
    """An open store. `site` is what it held when it was opened; `unit` writes, `mailbox` keeps voicemail.

    `messages_dir` is the folder of the recordings; `merge` tells what `--apply-site` changed, if it did.
    """

    site: Site
    unit: Unit
    mailbox: Mailbox
    messages_dir: Path
    merge: Merge | None
    _lock: sqlite3.Connection
    _temporary: Path | None

    @classmethod
    def open(
        cls,
        data_dir: Path | None,
        site: Site | None,
        *,
        apply_site: bool = False,
        announce: Callable[[Merge], None] = lambda _: None,
        inline: bool = False,
    ) -> Store:
        """Open the store in `data_dir` (None: a temporary one); import `site` where nothing is stored yet.

        With `site` None the store must be there. With `apply_site` a site that differs from the imported one
        is merged, after `announce` was given what that changes. With `inline` no thread is used and, without
        `data_dir`, no database file either (virtual time). Raises `StoreError`, and `SiteError` where a merge
        does not go together.
        """
        temporary = Path(tempfile.mkdtemp(prefix="ringfence-")) if data_dir is None else None
        folder = data_dir or temporary or Path()
        try:
            with _explained(folder):
                return cls._open(
                    folder, temporary, site, apply_site=apply_site, announce=announce, inline=inline
                )
        except BaseException:
            if temporary is not None:
                rmtree(temporary, ignore_errors=True)
            raise

    @classmethod
    def _open(
        cls,
        folder: Path,
        temporary: Path | None,
        site: Site | None,
        *,
        apply_site: bool,
        announce: Callable[[Merge], None],
        inline: bool,
    ) -> Store:
        if site is None and not (folder / _DATABASE).exists():
            raise StoreError(folder, "there is no store yet", "name a site file to import")
        messages_dir = folder / "messages"
        messages_dir.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder)
        try:
            connection = connect(None if inline and temporary else folder / _DATABASE)
            try:

                def work(connection: Connection) -> tuple[Site, Merge | None]:
                    result = _imported(connection, folder, site, apply_site=apply_site, announce=announce)
                    sweep(connection, messages_dir)
                    return result

                stored, merged = in_transaction(connection, work)
            except BaseException:
                disconnect(connection)
                raise
        except BaseException:
            lock.close()
            raise
        unit = InlineRunner(connection) if inline else ThreadRunner(connection)
        return cls(stored, unit, Mailbox(unit, messages_dir), messages_dir, merged, lock, temporary)

    async def record(
        self, users: Sequence[User], location: Location | None, events: Sequence[SiteEvent], at: float
    ) -> None:
        """Write an administrator's change; see `server.site.administration.Ledger`."""

        def work(connection: Connection) -> None:
            update_users(connection, users)
            if location is not None:
                update_functions(connection, location)
            note_changes(connection, events, at)

        await self.unit.run(work)

    def close(self) -> None:
        """Finish what is being written and let go of the files; a temporary store is removed."""
        self.unit.close()
        self._lock.close()
        if self._temporary is not None:
            rmtree(self._temporary, ignore_errors=True)


def stored_site(data_dir: Path) -> Site:
    """The site that the store in `data_dir` holds, even while a server runs on it. Raises `StoreError`."""
    if not (data_dir / _DATABASE).is_file():
        raise StoreError(data_dir, "there is no store", "name the directory that was given to serve --data")

    def work(connection: Connection) -> Site:
        _check_revision(connection, data_dir)
        return read_site(connection)

    with _explained(data_dir):
        connection = connect(data_dir / _DATABASE)
        try:
            return in_transaction(connection, work)
        finally:
            disconnect(connection)


def _imported(
    connection: Connection,
    folder: Path,
    site: Site | None,
    *,
    apply_site: bool,
    announce: Callable[[Merge], None],
) -> tuple[Site, Merge | None]:
    """What the store holds once `site` was imported, merged, or found to be the imported one."""
    if not inspect(connection).get_table_names():
        if site is None:
            raise StoreError(folder, "there is no store yet", "name a site file to import")
        schema.metadata.create_all(connection)
        set_meta(connection, schema_revision=str(schema.REVISION))
        write_site(connection, site, highest_seq=0)
        return site, None
    known = _check_revision(connection, folder)
    stored = read_site(connection)
    if site is None or site.digest == known["site_digest"]:
        return stored, None
    if not apply_site:
        what = f"{site.source} differs from the site that was imported here"
        raise StoreError(folder, what, "give --apply-site to merge it, or another --data")
    merged = merge(stored, site, int(known["highest_seq"]))
    announce(merged)
    write_site(connection, merged.site, int(known["highest_seq"]))
    return merged.site, merged


def _check_revision(connection: Connection, folder: Path) -> dict[str, str]:
    check = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if check != "ok":
        raise _damaged(folder)
    if not inspect(connection).has_table(schema.meta.name):
        raise StoreError(folder, f"{_DATABASE} is not a Ringfence store", "name another --data")
    known = all_meta(connection)
    revision = int(known["schema_revision"])
    if revision > schema.REVISION:
        what = f"the store is of a newer version (revision {revision}, this version knows {schema.REVISION})"
        raise StoreError(folder, what, "start the version that wrote it, or name another --data")
    return known


def _damaged(folder: Path) -> StoreError:
    what = f"the database {_DATABASE} is damaged"
    return StoreError(folder, what, "restore it from a copy, or name another --data")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the system and the database raise into one sentence."""
    try:
        yield
    except OSError as error:
        what = f"the data directory cannot be used ({error.strerror})"
        raise StoreError(folder, what, "name a directory that can be written") from error
    except OperationalError as error:
        what = f"the database cannot be used ({error.orig})"
        raise StoreError(folder, what, "make the directory writable, or name another --data") from error
    except DatabaseError as error:
        raise _damaged(folder) from error


def _locked(folder: Path) -> sqlite3.Connection:
    """Keep a second server out for as long as the returned connection is open, or this process lives."""
    lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        raise StoreError(
            folder, "another server is using this data", "stop it, or name another --data"
        ) from error
    return lock
