"""The order of service: who is served with a licence before whom, and from which part of its pool.

`allocation` asks it for the shares of each pool. A contingent is a hard cap and a guarantee (L-64): nobody takes
a seat of another share, and a reservation puts a user at the front of his own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a pool that is for one location, or with None for all locations without a contingent.

    `positions` gives each competitor's place in the order of service, from 1; who stands within `seats` holds
    one.
    """

    location: str | None
    seats: int
    positions: Mapping[str, int] = field(hash=False)

    @property
    def assigned(self) -> int:
        """How many seats are held."""
        return min(self.seats, len(self.positions))

    @property
    def waiting(self) -> int:
        """How many compete and hold none."""
        return len(self.positions) - self.assigned


@dataclass(frozen=True, slots=True)
class ServiceOrder:
    """What an administrator has laid down about the order of service.

    `reservations` names, by licence, the users to serve first. `contingents` gives, by location, how many of a
    licence it has for itself; the locations stand in the order in which they are served when a pool is smaller
    than its contingents together.
    """

    reservations: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    contingents: Mapping[str, Mapping[str, int]] = field(default_factory=dict, hash=False)

    def caps(self, licence: str) -> dict[str | None, int]:
        """The contingents of `licence` by location, in the order of service."""
        return {place: counts[licence] for place, counts in self.contingents.items() if licence in counts}

    def shares(
        self, licence: str, queue: list[str], seats: int, locations: Mapping[str, str], bundled: list[str]
    ) -> tuple[Share, ...]:
        """Deal `seats` to the users in `queue`, who stand by sequence; `locations` tells where each of them is.

        The shares stand in the order of service, the one without a location last. Users in `bundled` bring a seat
        each; they stand at the front of that one and count on no contingent.
        """
        reserved: list[str] = []
        if first := self.reservations.get(licence):
            competing = set(queue)
            reserved = [user for user in dict.fromkeys(first) if user in competing]
            queue = list(dict.fromkeys((*reserved, *queue)))
        caps = self.caps(licence)
        if not caps:
            return (_share(None, len(bundled) + seats, [*bundled, *queue]),)
        queues: dict[str | None, list[str]] = {place: [] for place in (*caps, None)}
        for user in queue:
            queues.get(locations[user], queues[None]).append(user)
        rooms: dict[str | None, int] = {**caps, None: max(0, seats - sum(caps.values()))}
        if sum(caps.values()) > seats:
            rooms = _divided(rooms, queues, seats, [locations[user] for user in reserved])
        rooms[None] += len(bundled)
        queues[None] = [*bundled, *queues[None]]
        return tuple(_share(place, rooms[place], queues[place]) for place in rooms)


def _divided(
    caps: Mapping[str | None, int],
    queues: Mapping[str | None, list[str]],
    seats: int,
    reserved_at: list[str],
) -> dict[str | None, int]:
    """Divide fewer seats than the contingents promise: one for each reservation, then location by location."""
    served: dict[str | None, int] = dict.fromkeys(caps, 0)
    for location in reserved_at:
        if sum(served.values()) < seats and served.get(location, 0) < caps.get(location, 0):
            served[location] += 1
    for place, queue in queues.items():
        served[place] += min(seats - sum(served.values()), min(caps[place], len(queue)) - served[place])
    left = seats - sum(served.values())
    return {place: count + min(left, caps[place] - count) for place, count in served.items()}


def _share(location: str | None, seats: int, queue: list[str]) -> Share:
    return Share(location, seats, dict(zip(queue, range(1, len(queue) + 1), strict=True)))


BY_SEQUENCE = ServiceOrder()
"""The order without reservations and contingents: the sequence of creation alone (A-01)."""
