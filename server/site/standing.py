"""What a server's holdings amount to at one moment: a pure function, computed anew for each change.

`Administration` and the store's import ask it. Nothing of the result is stored but since when a licence is
short, which the modes need.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...licensing.allocation import allocate
from ...licensing.gate import Gate
from .directory import Directory
from .events import ComplianceChanged, EntitlementChanged
from .licence_shift import shifts

if TYPE_CHECKING:
    from ...licensing.allocation import Allocation
    from ...licensing.entitlement import Entitlement
    from .events import SiteEvent
    from .holdings import Holdings
    from .packages import PackageReader


@dataclass(frozen=True, slots=True)
class Standing:
    """What belongs together at one moment; replaced whole."""

    holdings: Holdings
    directory: Directory
    entitlement: Entitlement
    allocation: Allocation
    gate: Gate


def stand(holdings: Holdings, packages: PackageReader, now: float) -> Standing:
    """What `holdings` amount to at `now` (Unix time)."""
    directory = Directory(holdings.site)
    bought = [package.data for package in holdings.packages]
    entitlement = packages.entitlement(holdings.site.entitlements, bought, now)
    subjects = directory.subjects()
    allocation = allocate(entitlement, subjects)
    return Standing(holdings, directory, entitlement, allocation, Gate(entitlement, allocation, subjects))


def timed(standing: Standing, now: float) -> tuple[Standing, list[SiteEvent]]:
    """The same standing with `over_since` brought up to `now`, and an event for each licence that it concerns."""
    before = standing.holdings.over_since
    pools = standing.allocation.pools
    over = {key: before.get(key, now) for key, pool in pools.items() if len(pool.positions) > pool.seats}
    if over == before:
        return standing, []
    events: list[SiteEvent] = [
        ComplianceChanged(key, key in over) for key in pools if (key in over) != (key in before)
    ]
    return replace(standing, holdings=replace(standing.holdings, over_since=over)), events


def consequences(before: Standing, after: Standing) -> list[SiteEvent]:
    """What the step from one standing to the next means: to what is bought first, then to each user."""
    old, new = before.entitlement.bought, after.entitlement.bought
    counts = ((key, old.get(key, 0), new.get(key, 0)) for key in dict.fromkeys([*old, *new]))
    changed = [EntitlementChanged(key, was, now) for key, was, now in counts if was != now]
    return [*changed, *shifts(before.allocation, after.allocation)]
