"""Calls that come by chance find all channels busy as often as Erlang-B says."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.phones.traffic import Callers, Traffic, erlang_b

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

CHANNELS = 200
SITE = (
    read_site("small")
    .text.replace("ip_channel = 4", f"ip_channel = {CHANNELS}")
    .replace("auto_attendant = 1\n", "auto_attendant = 10\n")
)


@pytest.mark.parametrize(
    ("offered", "channels", "share"),
    [(1, 1, 0.5), (2, 5, 0.0367), (10, 10, 0.2146), (200, 200, 0.0544), (0, 5, 0)],
)
def test_erlang_b_is_the_one_of_the_tables(offered: float, channels: int, share: float) -> None:
    assert erlang_b(offered, channels) == pytest.approx(share, abs=0.0001)


@pytest.mark.virtual_time
@pytest.mark.ringfence(site=SITE)
async def test_the_blocked_share_of_voicemail_and_attendant_calls_agrees_with_erlang_b(
    pbx: PbxUnderTest,
) -> None:
    """200 IP channels, 40 calls/s of 5 s by chance: 200 Erlang. After it no lease is left (L-71, L-74)."""
    traffic = Traffic(("08955550200", "08955550*100"), rate=40, hold_s=5, duration_s=40, settling_s=10)
    callers = Callers(pbx.server.sip, "klein.example", "+4989100", Random(2))
    await callers.start(pbx.server.options.network, "127.0.0.30")
    outcome = await callers.offer(traffic)
    pool = pbx.pools.ip_channel
    assert outcome.failed == 0
    assert outcome.blocked > 0
    assert outcome.blocked_share == pytest.approx(erlang_b(traffic.offered_erlang, CHANNELS), abs=0.02)
    assert outcome.blocked <= pool.denied
    assert pool.high_water == CHANNELS
    await asyncio.sleep(1)
    assert (pool.used, pbx.pools.auto_attendant.used, len(pbx.server.switch.connections)) == (0, 0, 0)
    callers.stop()
