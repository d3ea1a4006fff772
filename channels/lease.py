"""A lease is one channel of one pool in the hands of one call leg (L-71 … L-76).

Leases are objects that the leg keeps and closes, never counters: who holds a channel can always be asked, and closing
twice cannot make the count wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .pool import Pool


class Holder(Protocol):
    """Whoever occupies a channel: a call leg."""

    @property
    def leg_id(self) -> str:
        """The leg's id, unique in one server."""
        ...


class Lease:
    """One occupied channel. Made by `Pool.take` only."""

    __slots__ = ("holder", "pool", "taken_at")

    def __init__(self, pool: Pool, holder: Holder, taken_at: float) -> None:
        self.pool = pool
        self.holder = holder
        self.taken_at = taken_at

    @property
    def is_open(self) -> bool:
        """Whether the channel is still occupied."""
        return self in self.pool.leases

    def close(self) -> None:
        """Give the channel back; closing again changes nothing (L-74)."""
        self.pool.give_back(self)
