"""Fifty administrators at once, each in a thread of his own: some order of their changes explains what is left."""

from __future__ import annotations

import asyncio
import csv
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.fixtures import store_load as load
from ringfence.server.site.administration import Administration
from ringfence.server.site.require import AdministrationError
from ringfence.server.store import audit
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

if TYPE_CHECKING:
    from ringfence.server.site.acts import Act

ADMINISTRATORS = 50
Answer = tuple[object, ...] | str


async def ask(desk: Administration, act: Act, actor: str, *, dry_run: bool = False) -> Answer:
    try:
        return (await desk.apply(act, actor=actor, dry_run=dry_run)).events
    except AdministrationError as error:
        return error.sentence


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
async def test_some_order_of_the_changes_explains_state_answers_and_log(seed: int) -> None:
    with TemporaryDirectory() as folder:
        await judge(Path(folder) / "data", Random(seed))


async def judge(folder: Path, random: Random) -> None:
    store = Store.open(folder, Opening(load.site(20), at=load.AT))
    first = store.holdings
    desk = Administration(first, store, lambda _: None, random=Random(1), clock=lambda: load.AT)
    acts = {f"admin {n}": load.random_act(random, first) for n in range(ADMINISTRATORS)}
    loop = asyncio.get_running_loop()

    def work(actor: str) -> Answer:
        return asyncio.run_coroutine_threadsafe(ask(desk, acts[actor], actor), loop).result()

    with ThreadPoolExecutor(ADMINISTRATORS) as threads:
        given_answers = await asyncio.gather(*(loop.run_in_executor(threads, work, actor) for actor in acts))
    answers = dict(zip(acts, given_answers, strict=True))
    lines = await store.unit.run(lambda connection: list(audit.export(connection, "csv")))
    assert await store.unit.run(audit.verify) is None
    store.close()
    order = list(dict.fromkeys(row["actor"] for row in csv.DictReader(io.StringIO("".join(lines)))))[1:]
    assert set(order) == {
        actor for actor, answer in answers.items() if answer and not isinstance(answer, str)
    }

    again = Administration(first, None, lambda _: None, random=Random(1), clock=lambda: load.AT)
    unexplained = {actor for actor in acts if actor not in order}
    for actor in [*order, None]:
        for other in sorted(unexplained):
            if await ask(again, acts[other], other, dry_run=True) == answers[other]:
                unexplained.discard(other)
        if actor is not None:
            assert await ask(again, acts[actor], actor) == answers[actor]
    assert unexplained == set()
    assert again.holdings == desk.holdings
    reopened = Store.open(folder, Opening(None, at=load.AT))
    reopened.close()
    assert reopened.holdings == desk.holdings
