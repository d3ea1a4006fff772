"""What a server's holdings amount to at one moment: a pure function, computed anew for each change.

`Administration` and the store's import ask it. Nothing of the result is stored but since when a licence is
short, which the modes need.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...licensing.allocation import allocate
from ...licensing.entitlement import Entitlement
from ...licensing.gate import Gate
from ...licensing.lines import Lines
from ...licensing.modes import Tolerance, compliance
from ...licensing.overview import pool_counts
from .dealing import modes, service_order
from .directory import Directory
from .events import EntitlementChanged, LimitReached
from .licence_shift import shifts
from .validity import ended_graces, next_notice, turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...licensing.allocation import Allocation
    from ...licensing.modes import ComplianceChanged
    from .events import SiteEvent
    from .holdings import Holdings


@dataclass(frozen=True, slots=True)
class Standing:
    """What belongs together at one moment; replaced whole."""

    holdings: Holdings
    directory: Directory
    entitlement: Entitlement
    allocation: Allocation
    tolerance: Tolerance
    gate: Gate

    @property
    def valid_until(self) -> datetime | None:
        """The next moment at which another one follows of itself, or there is something to tell; None: never."""
        due = (self.gate.valid_until, next_notice(self.entitlement))
        return min((at for at in due if at is not None), default=None)


def bought(holdings: Holdings, now: float) -> Entitlement:
    """What is bought and valid at `now` (Unix time)."""
    packages = [one.package for one in holdings.packages]
    return Entitlement.of(holdings.site.entitlements, packages, datetime.fromtimestamp(now, UTC))


def stand(holdings: Holdings, now: float) -> tuple[Standing, tuple[ComplianceChanged, ...]]:
    """What `holdings` amount to at `now` (Unix time), `over_since` brought up to it, and what changed in that."""
    directory, entitlement = Directory(holdings.site), bought(holdings, now)
    subjects = directory.subjects()
    allocation = allocate(entitlement, subjects, service_order(holdings.site))
    moment = datetime.fromtimestamp(now, UTC)
    over_since, changes = compliance(allocation.pools, holdings.over_since, moment)
    if over_since != holdings.over_since:
        holdings = replace(holdings, over_since=over_since)
    tolerance = Tolerance(modes(holdings.site), over_since, moment)
    gate = Gate(entitlement, allocation, subjects, tolerance)
    return Standing(holdings, directory, entitlement, allocation, tolerance, gate), changes


def brought_up(standing: Standing, now: float) -> tuple[Standing, list[SiteEvent]]:
    """Where `standing` has led of itself by `now` (Unix time), and what was to be told on the way.

    Every moment at which a package or a grace turned is gone through, so that a server which was stopped, or
    woke up late, finds what it would have found in time.
    """
    told: list[SiteEvent] = []
    while (turn := standing.valid_until) is not None and turn.timestamp() <= now:
        later, changes = stand(standing.holdings, turn.timestamp())
        told += [*consequences(standing, later), *changes]
        standing = later
    return standing, told


def consequences(before: Standing, after: Standing) -> list[SiteEvent]:
    """What the step from one standing to the next means: to packages and what is bought, to each user, to pools."""
    old, new = before.entitlement.bought, after.entitlement.bought
    counts = ((key, old.get(key, 0), new.get(key, 0)) for key in dict.fromkeys([*old, *new]))
    changed = [EntitlementChanged(key, was, now) for key, was, now in counts if was != now]
    return [
        *turns(before.entitlement, after.entitlement),
        *changed,
        *shifts(before.allocation, after.allocation),
        *ended_graces(before.tolerance, after.tolerance, after.allocation.pools),
        *_limits(before, after),
    ]


def _limits(before: Standing, after: Standing) -> Iterator[LimitReached]:
    """The pools that are used up now and were not before. What is not there at all is not used up."""
    old, new = _used(before), _used(after)
    for key, (used, limit) in new.items():
        was, had = old.get(key, (0, 0))
        if was < had and used >= limit > 0:
            yield LimitReached(key, limit)


def _used(standing: Standing) -> dict[str, tuple[int, int]]:
    lines = Lines(tuple(one.line for one in standing.holdings.lines))
    counts = pool_counts(standing.entitlement, standing.allocation, lines)
    return {key: (one["assigned"], one["bought"]) for key, one in counts.items()}
