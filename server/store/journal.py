"""The journal: what calls there were and what was refused, in a database of its own that may forget.

The event stream feeds it by `note`, which only puts an entry into a queue, so that no answer ever waits for it.
Batches are written a moment later (`synchronous=NORMAL`); count and age are bounded. Where entries come faster
than they can be written, the oldest in the queue give way, and one entry tells how many are missing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import structlog
from sqlalchemy import Column, Float, Integer, MetaData, String, Table, delete, func, insert, or_, select

from . import journal_legs
from .failure import DAMAGED, StoreError, explained
from .journal_legs import Leg
from .unit import InlineRunner, ThreadRunner, connect, disconnect, in_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, Select

    from .unit import Unit

FILE = "journal.sqlite"
REVISION = 2
LARGEST_PAGE = 1000
_MEMORY = Path(":memory:")

log = structlog.get_logger()

_metadata = MetaData()
_entries = Table(
    "entries",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("kind", String, nullable=False),
    *(Column(name, String) for name in ("call_id", "caller", "called", "caller_user", "called_user", "user")),
    *(Column(name, String) for name in ("reason", "decision", "what")),
    Column("cause", Integer),
    Column("duration_s", Float),
    Column("missing", Integer),
    sqlite_autoincrement=True,
)


Kind: TypeAlias = Literal[
    "call", "refusal", "forwarding", "pickup", "park", "retrieval", "pull", "conference", "gap"
]
"""A call that is over, what was refused in one or what became of it, or entries that could not be kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `at` is Unix time; a call's is its begin.

    `caller` and `called` are numbers as signalled, with their users where they have one; `user` is whom a
    refusal concerns, or who did `what`; `missing` is how many entries a gap stands for.
    """

    kind: Kind
    at: float
    call_id: str | None = None
    caller: str | None = None
    called: str | None = None
    caller_user: str | None = None
    called_user: str | None = None
    user: str | None = None
    reason: str | None = None
    decision: str | None = None
    what: str | None = None
    cause: int | None = None
    duration_s: float | None = None
    missing: int | None = None


_FIELDS = tuple(one.name for one in fields(Entry))


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, where the next page begins (None: there is none), and the audio of calls by their id."""

    entries: tuple[Entry, ...]
    before: int | None
    legs: Mapping[str, tuple[Leg, ...]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much waits to be written and for how long, and how much is kept and for how long."""

    waiting: int = 10_000
    delay_s: float = 0.25
    kept: int = 100_000
    age_s: float = 90 * 86_400.0


class Journal:
    """The journal in `folder` (None: in memory); `clock` gives Unix time. With `inline` no thread is used."""

    def __init__(
        self,
        folder: Path | None,
        clock: Callable[[], float],
        *,
        inline: bool = False,
        bounds: Bounds = Bounds(),
    ) -> None:
        self._file = None if folder is None else folder / FILE
        self._place = self._file or _MEMORY
        self._clock = clock
        self._inline = inline
        self._bounds = bounds
        self._waiting: deque[Entry | Leg] = deque()
        self._missing = 0
        self._unit: Unit | None = None
        self._turn = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None

    def note(self, entry: Entry | Leg) -> None:
        """Take an entry, to be written a moment later."""
        if len(self._waiting) >= self._bounds.waiting:
            self._waiting.popleft()
            self._missing += 1
        self._waiting.append(entry)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._bounds.delay_s, self._begin)

    async def find(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        user: str | None = None,
        number: str | None = None,
        reason: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Page:
        """What was noted up to now, newest first: at most `limit` entries (and never more than 1000).

        `since` and `until` bound the time (Unix), the latter not included; `user` and `number` match whoever
        takes part; `before` is where the page before said that this one begins. Raises `StoreError`.
        """
        await self.flush()
        limit = max(1, min(limit, LARGEST_PAGE))
        query = select(_entries).order_by(_entries.c.id.desc()).limit(limit + 1)
        query = _matching(query, since=since, until=until, user=user, number=number, reason=reason)
        if before is not None:
            query = query.where(_entries.c.id < before)
        with explained(self._place):
            rows = await (await self._opened()).run(lambda connection: connection.execute(query).all())
            calls = [row.call_id for row in rows[:limit] if row.kind == "call"]
            legs = await (await self._opened()).run(lambda connection: journal_legs.read(connection, calls))
        entries = tuple(Entry(**{name: getattr(row, name) for name in _FIELDS}) for row in rows[:limit])
        return Page(entries, rows[limit - 1].id if len(rows) > limit else None, legs)

    async def flush(self) -> None:
        """Write what waits. What cannot be written is counted as missing, and the log tells why."""
        async with self._turn:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not self._waiting and not self._missing:
                return
            batch, missing = tuple(self._waiting), self._missing
            self._waiting.clear()
            self._missing = 0
            gap: list[Entry | Leg] = (
                [Entry("gap", batch[0].at if batch else self._clock(), missing=missing)] if missing else []
            )
            try:
                with explained(self._place):
                    await (await self._opened()).run(lambda one: self._write(one, [*gap, *batch]))
            except StoreError as error:
                self._missing += missing + len(batch)
                log.warning("journal.write_failed", reason=str(error), missing=self._missing)

    async def close(self) -> None:
        """Write what waits and let go of the file."""
        await self.flush()
        if self._unit is not None:
            self._unit.close()

    def _begin(self) -> None:
        self._timer = None
        self._flushing = asyncio.get_running_loop().create_task(self.flush())

    async def _opened(self) -> Unit:
        if self._unit is None:
            if self._inline:
                self._unit = InlineRunner(_open(self._file))
            else:
                self._unit = ThreadRunner(await asyncio.to_thread(_open, self._file))
        return self._unit

    def _write(self, connection: Connection, batch: list[Entry | Leg]) -> None:
        since = self._clock() - self._bounds.age_s
        legs = [one for one in batch if isinstance(one, Leg)]
        journal_legs.write(connection, legs, kept=self._bounds.kept, since=since)
        rows = [
            {name: getattr(one, name) for name in _FIELDS} for one in batch if isinstance(one, Entry)
        ]  # `asdict` copies deeply
        if not rows:
            return
        connection.execute(insert(_entries), rows)
        last = connection.scalar(select(func.max(_entries.c.id))) or 0
        too_old = _entries.c.at < since
        connection.execute(delete(_entries).where(or_(_entries.c.id <= last - self._bounds.kept, too_old)))


def _matching(
    query: Select[tuple[object, ...]],
    *,
    since: float | None,
    until: float | None,
    user: str | None,
    number: str | None,
    reason: str | None,
) -> Select[tuple[object, ...]]:
    column = _entries.c
    if since is not None:
        query = query.where(column.at >= since)
    if until is not None:
        query = query.where(column.at < until)
    if user is not None:
        query = query.where(or_(column.user == user, column.caller_user == user, column.called_user == user))
    if number is not None:
        query = query.where(or_(column.caller == number, column.called == number))
    return query if reason is None else query.where(column.reason == reason)


def _open(file: Path | None) -> Connection:
    """Open the journal; one that is damaged or of another version is put aside, since a call matters more."""
    try:
        return _made(file)
    except (StoreError, ValueError) as error:
        if file is None or (isinstance(error, StoreError) and error.what != DAMAGED[0]):
            raise
        aside = file.with_suffix(".aside")
        log.warning("journal.put_aside", file=str(aside), reason=str(error))
        for suffix in ("", "-wal", "-shm"):
            part = file.with_name(file.name + suffix)
            if part.exists():
                part.replace(aside.with_name(aside.name + suffix))
        return _made(file)


def _made(file: Path | None) -> Connection:
    with explained(file or _MEMORY):
        connection = connect(file, synchronous="NORMAL")
        try:
            in_transaction(connection, _make)
        except BaseException:
            disconnect(connection)
            raise
        return connection


def _make(connection: Connection) -> None:
    stored = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if stored not in {0, 1, REVISION}:  # the first revision had no legs
        raise ValueError(
            f"the journal is of another version (revision {stored}, this version knows {REVISION})"
        )
    _metadata.create_all(connection, checkfirst=stored != 0)
    journal_legs.make(connection, checkfirst=stored == REVISION)
    connection.exec_driver_sql(f"PRAGMA user_version = {REVISION}")
