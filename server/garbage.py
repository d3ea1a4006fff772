"""Cyclic garbage is collected while the server has little else to do; `serve` asks for it once a second.

What a call leaves goes by reference counts, at the latest when its transactions end after 32 s. Until then Python's own
collector looks at all of it, again and again: a sixth of what a call costs at 1,000 calls/s, in pauses of up to 0.1 s.
So while the server is busy everything is put where the collector does not look, and what did not go by itself is looked
for when it is idle again, and once it has stopped going.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from time import monotonic, process_time

LOOK_S = 1.0
BUSY = 0.1
"""A server is busy that uses this share of a core."""

MANY = 10_000
"""So many new objects are worth a look."""

STILL_GOING = 0.99
"""What was put aside is still going by itself while it shrinks to less than this from look to look."""


class Collector:
    """Decides at each look what is done. Python's own collector is switched off."""

    def __init__(self) -> None:
        gc.disable()
        gc.freeze()  # nothing that was imported becomes garbage
        self._aside: int | None = None

    def look(self, busy: float) -> None:
        """Look after garbage; `busy` is the share of a core that was used since the last time."""
        if busy > BUSY:
            gc.freeze()
            self._aside = sys.maxsize
        elif self._aside is not None:
            before, self._aside = self._aside, gc.get_freeze_count()
            if self._aside >= before * STILL_GOING:
                gc.unfreeze()
                gc.collect()
                gc.freeze()
                self._aside = None
        elif gc.get_count()[0] > MANY:
            gc.collect()


async def collect_when_idle() -> None:
    """Look once a second, until cancelled."""
    collector, at, used_s = Collector(), monotonic(), process_time()
    while True:
        await asyncio.sleep(LOOK_S)
        before, used_before_s = at, used_s
        at, used_s = monotonic(), process_time()
        collector.look((used_s - used_before_s) / (at - before))
