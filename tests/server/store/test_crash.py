"""A process that is killed, and a write-ahead log that is torn: what was acknowledged is there."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures import store_load as load

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 20
TEARS = 40


@pytest.mark.parametrize("seed", range(KILLS))
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path, seed: int) -> None:
    """L-42"""
    lines = 1 + Random(seed).randrange(60)
    acknowledged = await asyncio.to_thread(load.kill_after, tmp_path / "data", seed, lines)
    assert acknowledged.steps + acknowledged.messages >= lines
    assert await load.check(tmp_path / "data", seed, acknowledged) is None


async def test_a_torn_or_cut_write_ahead_log_opens_to_a_consistent_prefix(tmp_path: Path) -> None:
    possible = await load.written(tmp_path / "whole", seed=1, steps=40)
    random = Random(1)
    reached = set()
    for n in range(TEARS):
        load.tear(tmp_path / "whole", tmp_path / str(n), random)
        place, wrong = await load.torn(tmp_path / str(n), possible)
        assert wrong is None
        reached.add(place)
    assert len(reached) > TEARS // 4
