"""How fast strangers may ask: a bucket of tokens for each source, so that one of them cannot keep the server busy.

Asked for each request without proof that would be answered. A company behind one address that comes back after a power
cut registers hundreds of phones at once, which the bucket's depth allows.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from .sources import counted_as

PER_SECOND: Final = 100.0
BURST: Final = 1000.0
MOST_SOURCES: Final = 4096


class Rates:
    """The buckets; of the source that has been quiet longest nothing is known any more."""

    def __init__(self, most_sources: int = MOST_SOURCES) -> None:
        self._most_sources = most_sources
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Count the sources that are known."""
        return len(self._buckets)

    def allow(self, host: str, now: float) -> bool:
        """Take one token of `host`; False when there is none."""
        source = counted_as(host)
        tokens, since = self._buckets.get(source, (BURST, now))
        tokens = min(BURST, tokens + (now - since) * PER_SECOND)
        allowed = tokens >= 1.0
        self._buckets[source] = (tokens - 1.0 if allowed else tokens, now)
        self._buckets.move_to_end(source)
        if len(self._buckets) > self._most_sources:
            self._buckets.popitem(last=False)
        return allowed
