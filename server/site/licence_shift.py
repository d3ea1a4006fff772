"""What a change of the allocation means to each user, as events: assigned, displaced, released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.catalogue import DEALT_LICENCES
from .events import LicenceAssigned, LicenceDisplaced, LicenceReleased

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...licensing.allocation import Allocation
    from .events import SiteEvent


def shifts(before: Allocation, after: Allocation) -> Iterator[SiteEvent]:
    """Releases first, then displacements, then assignments; each in the order of service.

    Both allocations are of the same users. Whoever is displaced is paired with one who got the licence
    (A-02).
    """
    moved = [user for user in after.users if before.assigned(user) != after.assigned(user)]
    displaced: list[SiteEvent] = []
    assigned: list[SiteEvent] = []
    for licence in DEALT_LICENCES:
        held = [user for user in moved if licence in before.assigned(user)]
        losers = [user for user in held if licence not in after.assigned(user)]
        gainers = [user for user in moved if licence in after.assigned(user) and user not in held]
        takers = iter(gainers)
        for user in losers:
            if licence in after.required(user):
                displaced.append(LicenceDisplaced(user, licence, next(takers, None)))
            else:
                yield LicenceReleased(user, licence)
        assigned += [LicenceAssigned(user, licence) for user in gainers]
    yield from displaced
    yield from assigned
