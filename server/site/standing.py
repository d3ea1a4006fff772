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
from ...licensing.modes import Tolerance, compliance
from .dealing import modes, service_order
from .directory import Directory
from .events import EntitlementChanged
from .licence_shift import shifts

if TYPE_CHECKING:
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


def consequences(before: Standing, after: Standing) -> list[SiteEvent]:
    """What the step from one standing to the next means: to what is bought first, then to each user."""
    old, new = before.entitlement.bought, after.entitlement.bought
    counts = ((key, old.get(key, 0), new.get(key, 0)) for key in dict.fromkeys([*old, *new]))
    changed = [EntitlementChanged(key, was, now) for key, was, now in counts if was != now]
    return [*changed, *shifts(before.allocation, after.allocation)]
