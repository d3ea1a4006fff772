"""The store of one server: opened once at start, closed at its end.

The composition root opens it with the site that was read; without a data directory it lives in a temporary
one. The first start imports the site; from then on the store is the truth, and `holdings` is what it holds.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select

from ..site.events import SettingChanged, SettingsDeleted, UserDeleted
from . import audit, meta, revisions, schema
from .failure import DAMAGED, READONLY, StoreError, StoreHeldError, explained, sentence
from .mailbox import Mailbox, counted, sweep
from .opening import Opening, opened
from .outbox import Outbox
from .site_rows import read_holdings, write_holdings
from .sounds import Sound, Sounds, greetings, swept
from .tokens import Tokens
from .unit import InlineRunner, ThreadRunner, connect, disconnect, in_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from ..site.administration import Change
    from ..site.events import SiteEvent
    from ..site.holdings import Holdings
    from ..site.merge import Merge
    from .unit import Unit

DATABASE = "ringfence.sqlite"
ACTOR = "server"
_LOCK = "ringfence.lock"


@dataclass(slots=True)
class Store:
    """An open store. `holdings` is what it held when it was opened, brought up to `reckoned_at` (Unix time).

    `unit` writes, `mailbox` keeps voicemail, `outbox` mails and SMS, `sounds` greetings and prompts, `tokens` those who
    may come by HTTP.
    `messages_dir` is the folder of the recordings; `merge` tells what `--apply-site` changed, if it did.
    """

    holdings: Holdings
    reckoned_at: float
    unit: Unit
    mailbox: Mailbox
    outbox: Outbox
    sounds: Sounds
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
        messages_dir, sounds_dir, outbox_dir = folder / "messages", folder / "sounds", folder / "outbox"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # passwords, PINs and voices lie in it
        messages_dir.mkdir(exist_ok=True)
        sounds_dir.mkdir(exist_ok=True)
        outbox_dir.mkdir(exist_ok=True)
        lock = _locked(folder)
        try:
            connection = connect(None if inline and temporary else file)
            try:

                def work(
                    connection: Connection,
                ) -> tuple[Holdings, float, Merge | None, dict[str, Sound], dict[str, int]]:
                    holdings, merged = _opened(connection, folder, opening)
                    sweep(connection, messages_dir, schema.messages.c.file)
                    sweep(connection, outbox_dir, schema.outbox.c.file)
                    prompts = swept(connection, sounds_dir, holdings)
                    at = meta.reckoned_at(connection, opening.at)
                    return holdings, at, merged, prompts, counted(connection)

                holdings, reckoned_at, merged, prompts, counts = in_transaction(connection, work)
            except BaseException:
                disconnect(connection)
                raise
        except BaseException:
            lock.close()
            raise
        unit: Unit = InlineRunner(connection) if inline else ThreadRunner(connection)
        mailbox = Mailbox(unit, messages_dir, counts)
        outbox = Outbox(unit, outbox_dir)
        sounds = Sounds(unit, sounds_dir, prompts)
        tokens = Tokens(unit)
        return cls(
            holdings,
            reckoned_at,
            unit,
            mailbox,
            outbox,
            sounds,
            tokens,
            folder,
            messages_dir,
            merged,
            lock,
            temporary,
        )

    async def record(self, change: Change) -> None:
        """Write an administrator's change; see `server.site.administration.Ledger`. Raises `StoreError`."""
        deleted = [event.user for event in change.events if isinstance(event, UserDeleted)]

        def work(connection: Connection) -> tuple[Sequence[str], Sequence[str]]:
            files = _without(connection, deleted) if deleted else ((), ())
            by = (change.actor, change.at)
            _write(connection, change.before, change.after, change.events, by)
            return files

        with explained(self.folder):
            messages, sent = await self.unit.run(work)
        self.outbox.remove(sent)
        for file in messages:
            (self.messages_dir / file).unlink(missing_ok=True)
        self.mailbox.forget(deleted)
        settings = any(isinstance(event, (SettingChanged, SettingsDeleted)) for event in change.events)
        if settings and change.before is not None:
            self.sounds.remove(greetings(change.before) - greetings(change.after))

    def close(self) -> None:
        """Finish what is being written and let go of the files; a temporary store is removed."""
        self.unit.close()
        self._lock.close()
        if self._temporary is not None:
            rmtree(self._temporary, ignore_errors=True)


def _opened(connection: Connection, folder: Path, opening: Opening) -> tuple[Holdings, Merge | None]:
    """What the store holds once it is brought up to date and to what `opening` asks for."""
    stored = None
    if revisions.is_empty(connection):
        revisions.make(connection)
    elif connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
        raise StoreError(folder, *DAMAGED)
    else:
        revisions.upgrade(connection, folder)
        stored = read_holdings(connection)
    change = opened(stored, meta.reckoned_at(connection, opening.at), folder, opening)
    if change is None:
        if stored is None:
            raise StoreError(folder, "there is no store yet", "name a site file to import")
        return stored, None
    _write(connection, stored, change.after.holdings, change.events, (ACTOR, opening.at))
    return change.after.holdings, change.merge


def _write(
    connection: Connection,
    before: Holdings | None,
    after: Holdings,
    events: Sequence[SiteEvent],
    by: tuple[str, float],
) -> None:
    """Write a change with its events, by whom it was made and when."""
    write_holdings(connection, before, after)
    audit.append(connection, events, *by)
    meta.set_meta(connection, reckoned_at=repr(by[1]))


def _without(connection: Connection, users: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Remove what deleted users have: messages, mails, tokens; the files of the first two, to be removed afterwards."""
    messages, sent = (
        connection.scalars(
            select(table.c.file).where(table.c.user.in_(users), table.c.file.is_not(None))
        ).all()
        for table in (schema.messages, schema.outbox)
    )
    rows = [{"owner": user} for user in users]
    for column in (schema.messages.c.user, schema.outbox.c.user, schema.tokens.c.user):
        connection.execute(delete(column.table).where(column == bindparam("owner")), rows)
    return messages, sent


def _locked(folder: Path) -> sqlite3.Connection:
    """Keep a second server out for as long as the returned connection is open, or this process lives."""
    lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            remedy = "stop it, or name another --data"
            raise StoreHeldError(folder, "another server is using this data", remedy) from error
        raise StoreError(folder, *sentence(error)) from error
    return lock
