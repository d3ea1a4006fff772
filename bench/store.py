"""What the store loses when its process is killed or its log is torn, and what a change and a start cost.

Run as a script or by `main()`; the exit status is 1 if anything acknowledged is lost, a torn log opens to anything but
a consistent prefix, or a change in a site of 5,000 users takes more than 100 ms.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from ringfence.fixtures import store_load as load
from ringfence.server.site.acts import MoveUser
from ringfence.server.site.administration import Administration
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

KILLS, TEARS = 200, 300
CHANGES = 100
CHANGE_LIMIT_MS = 100.0


def kills() -> bool:
    """Kill a busy process at random points, and look at what it leaves behind."""
    steps = messages = 0
    wrong: list[str] = []
    for seed in range(KILLS):
        with TemporaryDirectory() as room:
            folder = Path(room) / "data"
            told = load.kill_after(folder, seed, 1 + Random(seed).randrange(150))
            steps, messages = steps + told.steps, messages + told.messages
            found = asyncio.run(load.check(folder, seed, told))
            wrong += [] if found is None else [f"seed {seed}: {found}"]
    print(
        f"{KILLS} kills, {steps} changes and {messages} messages acknowledged: {wrong[0] if wrong else 'none lost'}"
    )
    return not wrong


def tears() -> bool:
    """Cut or overwrite a write-ahead log at random, and open what is left."""
    random, places = Random(1), set()
    with TemporaryDirectory() as room:
        possible = asyncio.run(load.written(Path(room) / "whole", seed=1, steps=100))
        for n in range(TEARS):
            load.tear(Path(room) / "whole", Path(room) / str(n), random)
            place, wrong = asyncio.run(load.torn(Path(room) / str(n), possible))
            if wrong is not None:
                print(f"torn log {n}: {wrong}")
                return False
            places.add(place)
    print(
        f"{TEARS} torn logs: each opened to one of {len(places)} states of the script, all of them consistent"
    )
    return True


async def costs(users: int) -> float:
    """Import a site, restart it, and move users about; returns the median of one durable change in ms."""
    site = load.site(users)
    with TemporaryDirectory() as room:
        times = [time.perf_counter()]
        store = Store.open(Path(room), Opening(site, at=load.AT))
        times.append(time.perf_counter())
        store.close()
        times.append(time.perf_counter())
        store = Store.open(Path(room), Opening(None, at=load.AT))
        times.append(time.perf_counter())
        desk = Administration(store.holdings, store, lambda _: None, random=Random(1), clock=lambda: load.AT)
        await desk.start()
        took = []
        for n in range(CHANGES):
            begin = time.perf_counter()
            await desk.apply(MoveUser(f"u{n % users}", "Ulm", ("Plus", "Lager")[n // users % 2]))
            took.append(time.perf_counter() - begin)
        store.close()
    change_ms = statistics.median(took) * 1e3
    print(
        f"{users:5} users: import {(times[1] - times[0]) * 1e3:6.1f} ms, "
        f"open again {(times[3] - times[2]) * 1e3:6.1f} ms, a durable change {change_ms:5.1f} ms"
    )
    return change_ms


def main() -> int:
    """Measure, print and judge."""
    fast = [asyncio.run(costs(users)) <= CHANGE_LIMIT_MS for users in (12, 500, 5000)]
    return 0 if all([*fast, tears(), kills()]) else 1


if __name__ == "__main__":
    sys.exit(main())
