"""The one way to the database: a unit of work is a synchronous function, run in one transaction.

`ThreadRunner` runs units on one writer thread, `InlineRunner` at once on the caller's thread, for virtual
time, where no thread may run. When `run` returns, the unit is on the disk.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

T = TypeVar("T")

_PRAGMAS = ("foreign_keys=ON", "busy_timeout=5000")


class Unit(Protocol):
    """Runs units of work, one after the other."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of its own and return its result.

        An exception undoes what it wrote and is passed on.
        """
        ...

    def close(self) -> None:
        """Wait for the unit that runs, and close the connection. Calling it again does nothing."""
        ...


def connect(file: Path | None, *, synchronous: str = "FULL") -> Connection:
    """Open the database in `file` (None: in memory), creating it where there is none.

    Every transaction begins as a writer (BEGIN IMMEDIATE), so that none fails half-way because another wrote.
    `synchronous` FULL makes each durable when it ends, NORMAL some time later.
    """
    return _connected(file, ("journal_mode=WAL", f"synchronous={synchronous}", *_PRAGMAS), "BEGIN IMMEDIATE")


def connect_reader(file: Path) -> Connection:
    """Open the database in `file` for reading only; its transactions stand in no writer's way."""
    return _connected(file, (*_PRAGMAS, "query_only=ON"), "BEGIN")


def _connected(file: Path | None, pragmas: tuple[str, ...], begin: str) -> Connection:
    engine = create_engine(
        "sqlite://" if file is None else f"sqlite:///{file}",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", partial(_prepare, pragmas))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    try:
        return engine.connect()
    except BaseException:
        engine.dispose()
        raise


def in_transaction(connection: Connection, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction."""
    with connection.begin():
        return work(connection)


class InlineRunner:
    """Runs each unit at once, on the caller's thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def run(self, work: Callable[[Connection], T]) -> T:
        """See `Unit.run`."""
        return self.run_now(work)

    def run_now(self, work: Callable[[Connection], T]) -> T:
        """Do the same where nothing is awaited."""
        return in_transaction(self._connection, work)

    def close(self) -> None:
        """See `Unit.close`."""
        disconnect(self._connection)


class ThreadRunner:
    """Runs units in order on one thread; one that has begun is finished even if its caller is cancelled."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ringfence-store")

    async def run(self, work: Callable[[Connection], T]) -> T:
        """See `Unit.run`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, in_transaction, self._connection, work)

    def close(self) -> None:
        """See `Unit.close`."""
        self._thread.shutdown()
        disconnect(self._connection)


def disconnect(connection: Connection) -> None:
    """Close the connection and its database."""
    connection.close()
    connection.engine.dispose()


def _prepare(pragmas: tuple[str, ...], connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come late and deferred
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
