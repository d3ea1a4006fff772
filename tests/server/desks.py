"""An administration over an open store, as the composition root makes one."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from ringfence.server.site.administration import Administration

if TYPE_CHECKING:
    from ringfence.server.store.store import Store

AT = 1_700_000_000.0


def desk_of(store: Store, at: float = AT) -> Administration:
    """Its clock stands at `at` (Unix time)."""
    return Administration(store.holdings, store, lambda _: None, random=Random(1), clock=lambda: at)
