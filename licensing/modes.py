"""What happens when more is required than bought: the mode of each pool, and whom it lets pass without a seat.

A mode never changes the allocation or a state. Only the gate asks, by a `Tolerance`, about a user who is
under-licensed; who is blocked never passes, and channels are always enforced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, assert_never

from .refusal import Step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .allocation import Allocation, Pool


@dataclass(frozen=True, slots=True)
class Enforce:
    """Who has no seat is refused."""

    name: ClassVar[str] = "enforce"


@dataclass(frozen=True, slots=True)
class Warn:
    """Who has no seat passes; the overview counts and warns."""

    name: ClassVar[str] = "warn"


@dataclass(frozen=True, slots=True)
class Grace:
    """For `days` after the pool came to be over, those next in the order pass.

    How many that are is `percent` of the seats, rounded up; None is all of them.
    """

    name: ClassVar[str] = "grace"
    days: int = 30
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Overdraft:
    """So many as there are `seats` beyond the bought ones pass, in the order of service."""

    name: ClassVar[str] = "overdraft"
    seats: int = 5


Mode = Enforce | Warn | Grace | Overdraft


@dataclass(frozen=True, slots=True)
class Modes:
    """The mode of each pool: its own in `pools`, or else `default`."""

    default: Mode = Enforce()
    pools: Mapping[str, Mode] = field(default_factory=dict, hash=False)

    def of(self, licence: str) -> Mode:
        """The mode of the pool of `licence`."""
        return self.pools.get(licence, self.default)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The modes at one moment. `over_since` tells of each pool since when more is required than it has."""

    modes: Modes
    over_since: Mapping[str, datetime] = field(hash=False)
    now: datetime

    def step(self, licence: str, pool: Pool, user: str) -> Step | None:
        """Whether `user`, who waits for a seat of `pool`, passes all the same; None where seats are enforced."""
        mode = self.modes.of(licence)
        turn = pool.turn(user)
        facts: dict[str, object] = {"user": user, "licence": licence, "mode": mode.name, "turn": turn}
        match mode:
            case Enforce():
                return None
            case Warn():
                return Step("mode", passed=True, facts=facts)
            case Overdraft():
                return Step("mode", turn <= mode.seats, {**facts, "allowed": mode.seats})
            case Grace():
                until = self.until(licence, mode)
                facts["until"] = until.isoformat()
                if mode.percent is None:
                    return Step("mode", self.now < until, facts)
                allowed = -(-pool.seats * mode.percent // 100)
                return Step("mode", self.now < until and turn <= allowed, {**facts, "allowed": allowed})
            case _:
                assert_never(mode)

    def until(self, licence: str, grace: Grace) -> datetime:
        """When the grace of a pool ends."""
        return self.over_since.get(licence, self.now) + timedelta(days=grace.days)

    def valid_until(self, pools: Mapping[str, Pool]) -> datetime | None:
        """The next moment at which a grace ends and other answers are due; None if none runs."""
        ends = [
            self.until(licence, mode)
            for licence, pool in pools.items()
            if pool.waiting and isinstance(mode := self.modes.of(licence), Grace)
        ]
        return min((end for end in ends if end > self.now), default=None)

    def tolerated(self, allocation: Allocation, user: str) -> frozenset[str]:
        """The licences that `user` lacks and may do without."""
        lacks = [one.licence for one in allocation.missing(user) if one.state == "under_licensed"]
        steps = ((key, self.step(key, allocation.pools[key], user)) for key in lacks)
        return frozenset(key for key, step in steps if step is not None and step.passed)


@dataclass(frozen=True, slots=True)
class ComplianceChanged:
    """More of a licence is required than there is (`over`), since now; or no more, after being over since then.

    `waiting` is how many users have no seat now.
    """

    licence: str
    over: bool
    since: datetime
    waiting: int


def compliance(
    pools: Mapping[str, Pool], over_since: Mapping[str, datetime], now: datetime
) -> tuple[dict[str, datetime], tuple[ComplianceChanged, ...]]:
    """Return since when each pool is over, to be kept for the next time, and what changed in it.

    `over_since` is what the last call returned. A pool of which nobody waits for a seat is not in the answer.
    """
    kept: dict[str, datetime] = {}
    changes: list[ComplianceChanged] = []
    for licence, pool in pools.items():
        since = over_since.get(licence)
        if pool.waiting:
            kept[licence] = since or now
        if (since is None) == bool(pool.waiting):
            changes.append(ComplianceChanged(licence, bool(pool.waiting), since or now, pool.waiting))
    return kept, tuple(changes)
