"""Five minutes of voicemail and attendant calls that come by chance, in virtual time: how many find no channel?

200 IP channels, 40 calls a second of 5 s each: 200 Erlang. Run as a script or by `main()`; the exit status is 1 where
the blocked share is more than 2 points from Erlang-B, a call fails otherwise, or a channel stays occupied.
"""

from __future__ import annotations

import asyncio
import sys
import time
from random import Random

from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.net.virtual import VirtualLoop
from ringfence.server.phones.traffic import Callers, Traffic, erlang_b
from ringfence.server.site.site import Site

CHANNELS = 200
SETTLING_S = 15.0
TRAFFIC = Traffic(
    ("08955550200", "08955550*100"), rate=40, hold_s=5, duration_s=300 + SETTLING_S, settling_s=SETTLING_S
)
TOLERANCE = 0.02


def _site() -> Site:
    text = read_site("small").text
    for old, new in (
        ("ip_channel = 4", f"ip_channel = {CHANNELS}"),
        ("auto_attendant = 1\n", f"auto_attendant = {CHANNELS // 20}\n"),
    ):
        text = text.replace(old, new)
    return Site.parse(text)


async def measure(seed: int) -> bool:
    """Let the calls come, print what became of them, and tell whether that is as it should be."""
    options = Options(seed=seed, in_process=True, http_port=None, network=MemoryNetwork())
    pbx = await PbxUnderTest.start(_site(), options)
    callers = Callers(pbx.server.sip, "klein.example", "+4989100", Random(seed))
    await callers.start(options.network, "127.0.0.30")
    began = time.process_time()
    outcome = await callers.offer(TRAFFIC)
    took_s = time.process_time() - began
    await asyncio.sleep(1)
    pool, expected = pbx.pools.ip_channel, erlang_b(TRAFFIC.offered_erlang, CHANNELS)
    good = (
        abs(outcome.blocked_share - expected) <= TOLERANCE
        and (outcome.failed, pool.used, len(pbx.server.switch.connections)) == (0, 0, 0)
        and pool.high_water == CHANNELS
    )
    print(
        f"seed {seed}: {outcome.carried} carried, {outcome.blocked} blocked, {outcome.failed} failed; "
        f"blocked {outcome.blocked_share:.2%}, Erlang-B {expected:.2%}; high-water mark {pool.high_water}, "
        f"{pool.used} channels leaked; {took_s:.0f} s of CPU: {'as it should be' if good else 'WRONG'}",
        flush=True,
    )
    callers.stop()
    await pbx.stop()
    return good


def main() -> int:
    """Measure once; returns the exit status."""
    loop = VirtualLoop()
    try:
        return 0 if loop.run_until_complete(measure(7)) else 1
    finally:
        loop.close()


if __name__ == "__main__":
    sys.exit(main())
