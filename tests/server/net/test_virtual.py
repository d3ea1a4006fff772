from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.server.net.virtual import DeadlockError, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine


def run(main: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main)


def test_the_clock_jumps_to_the_next_timer() -> None:
    began = time.monotonic()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert loop.time() == 0
        await asyncio.sleep(86400)
        assert loop.time() == pytest.approx(86400)

    run(main())
    assert time.monotonic() - began < 5


def test_timers_fire_in_order_at_their_time() -> None:
    fired: list[tuple[float, str]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def note(name: str) -> None:
            fired.append((round(loop.time(), 9), name))

        for when, name in [(3, "c"), (1, "a"), (2, "b"), (2, "b2")]:
            loop.call_at(when, note, name)
        await asyncio.sleep(5)

    run(main())
    assert fired == [(1, "a"), (2, "b"), (2, "b2"), (3, "c")]


def test_time_stands_while_there_is_work() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(1000):
            await asyncio.sleep(0)
        assert loop.time() == 0

    run(main())


def test_when_everybody_waits_for_ever_it_is_an_error() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(DeadlockError, match="waits for ever"):
        run(main())


def test_a_timeout_is_no_deadlock() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()

    run(main())


def test_one_seed_replays_identically() -> None:
    def history(seed: int) -> list[tuple[float, int]]:
        random, events = Random(seed), list[tuple[float, int]]()

        async def walker(number: int) -> None:
            for _ in range(20):
                await asyncio.sleep(random.uniform(0, 100))
                events.append((asyncio.get_running_loop().time(), number))

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                for number in range(10):
                    group.create_task(walker(number))

        run(main())
        return events

    assert history(1) == history(1)
    assert history(1) != history(2)
