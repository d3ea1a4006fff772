"""The leases that one leg holds while it occupies channels (L-74); whatever ends it closes them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..site.events import LimitReached
from .events import LeaseClosed, LeaseTaken

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ...channels.lease import Lease
    from .stream import EventStream


class HeldLeases:
    """See the module. Each one taken and each one closed is told to the event stream."""

    def __init__(self, stream: EventStream, leg_id: str) -> None:
        self._stream = stream
        self._leg_id = leg_id
        self._leases: list[Lease] = []

    def __iter__(self) -> Iterator[Lease]:
        return iter(self._leases)

    def __len__(self) -> int:
        return len(self._leases)

    def occupy(self, leases: Sequence[Lease]) -> None:
        """Keep leases that were taken for the leg."""
        self._leases.extend(leases)
        for lease in leases:
            pool = lease.pool
            self._stream.publish(LeaseTaken(pool.key, self._leg_id, pool.used, pool.limit))
            if pool.is_full:
                self._stream.publish(LimitReached(pool.key, pool.limit))

    def release(self, keep: Collection[str] = ()) -> None:
        """Close the leases whose pool is not in `keep`."""
        closing = [lease for lease in self._leases if lease.pool.key not in keep]
        self._leases = [lease for lease in self._leases if lease.pool.key in keep]
        for lease in closing:
            lease.close()
        for lease in closing:
            pool = lease.pool
            self._stream.publish(LeaseClosed(pool.key, self._leg_id, pool.used, pool.limit))
