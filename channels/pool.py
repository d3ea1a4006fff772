"""Pools of channels: IP channels (L-15) and Auto Attendant channels (L-16), with high-water marks and denials.

The switch takes leases here before a leg first rings; licensing sets the limits. A lower limit cuts no call, new ones
are refused until the pool is below it again (L-75).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..licensing.refusal import Refusal
from .lease import Holder, Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


@dataclass(eq=False, slots=True)
class Pool:
    """The channels of one kind. `key` is the licence's key; `leases` are the open ones, oldest first."""

    key: str
    limit: int = 0
    high_water: int = 0
    denied: int = 0
    leases: dict[Lease, None] = field(default_factory=dict)

    @property
    def used(self) -> int:
        """How many channels are occupied."""
        return len(self.leases)

    @property
    def is_full(self) -> bool:
        """Whether one more leg must be refused."""
        return self.used >= self.limit

    def take(self, holder: Holder, now: float) -> Lease:
        """Occupy a channel for `holder`; the caller has seen that the pool is not full."""
        lease = Lease(self, holder, now)
        self.leases[lease] = None
        self.high_water = max(self.high_water, self.used)
        return lease

    def give_back(self, lease: Lease) -> None:
        """Free what `lease` occupies, if it still does."""
        self.leases.pop(lease, None)

    def refuse(self) -> Refusal:
        """Count a denial and say why."""
        self.denied += 1
        return Refusal(f"{self.key}.exhausted", facts={"used": self.used, "limit": self.limit})


class Pools:
    """The pools of one server, by the key of their licence."""

    def __init__(self) -> None:
        self.ip_channel = Pool("ip_channel")
        self.auto_attendant = Pool("auto_attendant")

    def __iter__(self) -> Iterator[Pool]:
        return iter((self.ip_channel, self.auto_attendant))

    def take(self, keys: Collection[str], holder: Holder, now: float) -> list[Lease] | Refusal:
        """Occupy a channel of each pool in `keys`: all or none.

        When both kinds are used up, the IP channels are what is told (V7): buying attendants would not help.
        """
        wanted = [pool for pool in self if pool.key in keys]
        for pool in wanted:
            if pool.is_full:
                return pool.refuse()
        return [pool.take(holder, now) for pool in wanted]
