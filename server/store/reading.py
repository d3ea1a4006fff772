"""A store read from outside, even while a server runs on it: for the command line, and for long questions."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..site.outcome import outcome
from . import revisions
from .failure import StoreError, explained
from .meta import reckoned_at
from .opening import opened
from .schema import REVISION
from .site_rows import read_holdings
from .store import DATABASE
from .unit import InlineRunner, connect_reader, disconnect, in_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from ..site.holdings import Holdings
    from ..site.outcome import Outcome
    from .opening import Opening
    from .store import Store

T = TypeVar("T")


@contextmanager
def reader(data_dir: Path) -> Iterator[InlineRunner]:
    """Give a unit that only reads the store in `data_dir`. Raises `StoreError`."""
    if not (data_dir / DATABASE).is_file():
        raise StoreError(data_dir, "there is no store", "name the directory that was given to serve --data")
    with explained(data_dir):
        connection = connect_reader(data_dir / DATABASE)
        try:
            if in_transaction(connection, lambda one: revisions.check(one, data_dir)) < REVISION:
                what = "the store is of an older version"
                raise StoreError(data_dir, what, "let serve --data bring it up to date once")
            yield InlineRunner(connection)
        finally:
            disconnect(connection)


def read(data_dir: Path, work: Callable[[Connection], T]) -> T:
    """Run `work` on the store in `data_dir` as it is at one moment. Raises `StoreError`."""
    with reader(data_dir) as unit:
        return unit.run_now(work)


async def read_beside(store: Store, work: Callable[[Connection], T]) -> T:
    """Run `work`, which only reads, on an open store, and let nobody wait who writes. Raises `StoreError`."""
    if isinstance(store.unit, InlineRunner):
        return await store.unit.run(work)
    return await asyncio.to_thread(read, store.folder, work)


def foretell(data_dir: Path | None, opening: Opening) -> Outcome | None:
    """What opening the store in `data_dir` like this would bring, None if nothing; nothing is written.

    Raises `StoreError`, and what `opened` raises.
    """
    stored, since = None, opening.at
    if data_dir is not None and (data_dir / DATABASE).is_file():
        stored, since = read(data_dir, lambda one: (read_holdings(one), reckoned_at(one, opening.at)))
    change = opened(stored, since, data_dir or Path(), opening)
    return None if change is None else outcome(change.before, change.after, change.events)


def stored_holdings(data_dir: Path) -> Holdings:
    """What the store in `data_dir` holds. Raises `StoreError`."""
    return read(data_dir, read_holdings)
