"""The store of one server: opened once at start, closed at its end.

The composition root opens it with the site that was read; without a data directory it lives in a temporary
one. The first start imports the site; from then on the store is the truth, and `holdings` is what it holds.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select

from ..site.events import SiteImported, UserDeleted
from ..site.holdings import Holdings
from ..site.merge import Merge, merge
from ..site.standing import consequences, stand
from . import audit, revisions, schema
from .failure import DAMAGED, READONLY, StoreError, explained, sentence
from .mailbox import Mailbox, sweep
from .site_rows import read_holdings, write_holdings
from .tokens import Tokens
from .unit import InlineRunner, ThreadRunner, connect, disconnect, in_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from ..site.administration import Change
    from ..site.site import Site
    from ..site.standing import Standing
    from .unit import Unit

DATABASE = "ringfence.sqlite"
ACTOR = "server"
_LOCK = "ringfence.lock"


@dataclass(frozen=True, slots=True)
class Opening:
    """How a store is opened: the `site` to import or compare (None: what is stored must be enough).

    With `apply_site` a site that differs from the imported one is merged, after `announce` was given what that
    changes. `at` is the time of the opening (Unix time).
    """

    site: Site | None
    at: float
    apply_site: bool = False
    announce: Callable[[Merge], None] = lambda _: None


@dataclass(slots=True)
class Store:
    """An open store. `holdings` is what it held when it was opened.

    `unit` writes, `mailbox` keeps voicemail, `tokens` those who may come by HTTP. `messages_dir` is the folder
    of the recordings; `merge` tells what `--apply-site` changed, if it did.
    """

    holdings: Holdings
    unit: Unit
    mailbox: Mailbox
    tokens: Tokens
    folder: Path
    messages_dir: Path
    merge: Merge | None
    _lock: sqlite3.Connection
    _temporary: Path | None

    @classmethod
    def open(cls, data_dir: Path | None, opening: Opening, *, inline: bool = False) -> Store:
        """Open the store in `data_dir` (None: a temporary one); import the site where nothing is stored yet.

        With `inline` no thread is used and, without `data_dir`, no database file either (virtual time). Raises
        `StoreError`, and `SiteError` where a merge does not go together.
        """
        temporary = Path(tempfile.mkdtemp(prefix="ringfence-")) if data_dir is None else None
        folder = data_dir or temporary or Path()
        try:
            with explained(folder):
                return cls._open(folder, temporary, opening, inline=inline)
        except BaseException:
            if temporary is not None:
                rmtree(temporary, ignore_errors=True)
            raise

    @classmethod
    def _open(cls, folder: Path, temporary: Path | None, opening: Opening, *, inline: bool) -> Store:
        file = folder / DATABASE
        if opening.site is None and not file.exists():
            raise StoreError(folder, "there is no store yet", "name a site file to import")
        if file.exists() and not os.access(file, os.W_OK):  # SQLite would open it, and refuse every change
            raise StoreError(folder, *READONLY)
        messages_dir = folder / "messages"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # passwords, PINs and voices lie in it
        messages_dir.mkdir(exist_ok=True)
        lock = _locked(folder)
        try:
            connection = connect(None if inline and temporary else file)
            try:

                def work(connection: Connection) -> tuple[Holdings, Merge | None]:
                    result = _opened(connection, folder, opening)
                    sweep(connection, messages_dir)
                    return result

                holdings, merged = in_transaction(connection, work)
            except BaseException:
                disconnect(connection)
                raise
        except BaseException:
            lock.close()
            raise
        unit: Unit = InlineRunner(connection) if inline else ThreadRunner(connection)
        mailbox = Mailbox(unit, messages_dir)
        return cls(holdings, unit, mailbox, Tokens(unit), folder, messages_dir, merged, lock, temporary)

    async def record(self, change: Change) -> None:
        """Write an administrator's change; see `server.site.administration.Ledger`. Raises `StoreError`."""
        deleted = [event.user for event in change.events if isinstance(event, UserDeleted)]

        def work(connection: Connection) -> Sequence[str]:
            files = _without(connection, deleted) if deleted else ()
            write_holdings(connection, change.before, change.after)
            audit.append(connection, change.events, change.actor, change.at)
            return files

        with explained(self.folder):
            files = await self.unit.run(work)
        for file in files:
            (self.messages_dir / file).unlink(missing_ok=True)

    def close(self) -> None:
        """Finish what is being written and let go of the files; a temporary store is removed."""
        self.unit.close()
        self._lock.close()
        if self._temporary is not None:
            rmtree(self._temporary, ignore_errors=True)


def _opened(connection: Connection, folder: Path, opening: Opening) -> tuple[Holdings, Merge | None]:
    """What the store holds once the site was imported, merged, or found to be the imported one."""
    site, at = opening.site, opening.at
    if revisions.is_empty(connection):
        if site is None:
            raise StoreError(folder, "there is no store yet", "name a site file to import")
        revisions.make(connection)
        first, compliance = stand(Holdings.of(site), at)
        write_holdings(connection, None, first.holdings)
        audit.append(connection, [_imported(first), *compliance], ACTOR, at)
        return first.holdings, None
    if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
        raise StoreError(folder, *DAMAGED)
    revisions.upgrade(connection, folder)
    stored = read_holdings(connection)
    if site is None or site.digest == stored.file.digest:
        return stored, None
    if not opening.apply_site:
        what = f"{site.source} differs from the site that was imported here"
        raise StoreError(folder, what, "give --apply-site to merge it, or another --data")
    merged = merge(stored, site)
    opening.announce(merged)
    before, untold = stand(stored, at)
    after, compliance = stand(replace(merged.holdings, over_since=before.holdings.over_since), at)
    write_holdings(connection, stored, after.holdings)
    events = [*merged.events, *consequences(before, after), *untold, *compliance]
    audit.append(connection, events, ACTOR, at)
    return after.holdings, merged


def _imported(first: Standing) -> SiteImported:
    site, allocation = first.holdings.site, first.allocation
    assigned = {
        key: tuple(user for user in allocation.users if key in allocation.assigned(user))
        for key in allocation.pools
    }
    return SiteImported(site.source, site.digest, len(site.users), first.entitlement.bought, assigned)


def _without(connection: Connection, users: Sequence[str]) -> Sequence[str]:
    """Remove the messages and tokens of deleted users; the files of the messages, to be removed afterwards."""
    files = connection.scalars(select(schema.messages.c.file).where(schema.messages.c.user.in_(users))).all()
    rows = [{"owner": user} for user in users]
    for column in (schema.messages.c.user, schema.tokens.c.user):
        connection.execute(delete(column.table).where(column == bindparam("owner")), rows)
    return files


def _locked(folder: Path) -> sqlite3.Connection:
    """Keep a second server out for as long as the returned connection is open, or this process lives."""
    lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            remedy = "stop it, or name another --data"
            raise StoreError(folder, "another server is using this data", remedy) from error
        raise StoreError(folder, *sentence(error)) from error
    return lock
