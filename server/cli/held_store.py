"""A store changed from the shell while no server holds it; where one does, its HTTP interface is the way."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from random import SystemRandom
from typing import TYPE_CHECKING

from ..site.administration import Administration
from ..store.failure import StoreHeldError
from ..store.opening import Opening
from ..store.reading import read, reader
from ..store.site_rows import read_holdings
from ..store.store import DATABASE, Store
from .failure import fail, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..site.acts import Act
    from ..site.outcome import Outcome
    from ..store.unit import Unit


@contextmanager
def held(data: Path, route: str) -> Iterator[Store]:
    """Open the store in `data` for a change; `route` is what a server that holds it is asked instead."""
    with told():
        if not (data / DATABASE).is_file():
            fail(f"{data}: there is no store; name the directory that was given to serve --data")
        try:
            store = Store.open(data, Opening(None, time.time()))
        except StoreHeldError:
            fail(f"{data}: a server is using this data; ask it by {route} over HTTP, or stop it first")
        try:
            yield store
        finally:
            store.close()


@contextmanager
def unit_of(data: Path, route: str, *, only_read: bool) -> Iterator[Unit]:
    """The way into the store in `data`; one that is only read may be held by a server."""
    if only_read:
        with told(), reader(data) as unit:
            yield unit
    else:
        with held(data, route) as store:
            yield store.unit


def apply(data: Path, *acts: Act, route: str, dry_run: bool) -> Outcome:
    """Carry out `acts` on the store in `data` as one change, or tell what they would bring."""
    if dry_run:
        with told():
            foreseen = Administration(
                read(data, read_holdings), None, lambda _: None, random=SystemRandom(), clock=time.time
            )
            return asyncio.run(foreseen.apply(*acts, dry_run=True))
    with held(data, route) as store:
        return asyncio.run(_apply(store, acts))


async def _apply(store: Store, acts: tuple[Act, ...]) -> Outcome:
    desk = Administration(
        store.holdings,
        store,
        lambda _: None,
        random=SystemRandom(),
        clock=time.time,
        since=store.reckoned_at,
    )
    try:
        return await desk.apply(*acts)
    finally:
        desk.stop()
