"""What a change of the allocation means to each user, as events: assigned, displaced, released, served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.catalogue import DEALT_LICENCES
from .events import LicenceAssigned, LicenceDisplaced, LicenceReleased, WaitingUserServed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...licensing.allocation import Allocation
    from .events import SiteEvent

_NONE: frozenset[str] = frozenset()


def shifts(before: Allocation, after: Allocation) -> Iterator[SiteEvent]:
    """Releases first, then displacements, assignments, and who of the assigned had waited for it.

    Each in the order of service, users who are gone at its end. Whoever is displaced is paired with one who
    got the licence (A-02).
    """
    old, new = _Side(before), _Side(after)
    everybody = dict.fromkeys((*after.users, *before.users))
    moved = [user for user in everybody if old.assigned(user) != new.assigned(user)]
    displaced: list[SiteEvent] = []
    assigned: list[LicenceAssigned] = []
    for licence in DEALT_LICENCES:
        losers = [user for user in moved if licence in old.assigned(user) - new.assigned(user)]
        gainers = [user for user in moved if licence in new.assigned(user) - old.assigned(user)]
        takers = iter(gainers)
        for user in losers:
            if licence in new.required(user):
                displaced.append(LicenceDisplaced(user, licence, next(takers, None)))
            else:
                yield LicenceReleased(user, licence)
        assigned += [LicenceAssigned(user, licence) for user in gainers]
    yield from displaced
    yield from assigned
    served: dict[str, tuple[str, ...]] = {}
    for one in assigned:
        if one.licence in old.required(one.user):
            served[one.user] = (*served.get(one.user, ()), one.licence)
    yield from (WaitingUserServed(user, licences) for user, licences in served.items())


class _Side:
    """One of the allocations, in which a user may be missing."""

    def __init__(self, allocation: Allocation) -> None:
        self._allocation = allocation
        self._known = frozenset(allocation.users)

    def assigned(self, user: str) -> frozenset[str]:
        return self._allocation.assigned(user) if user in self._known else _NONE

    def required(self, user: str) -> tuple[str, ...]:
        return self._allocation.required(user) if user in self._known else ()
