"""The channel pools over HTTP: how full they are, and which leg holds which channel."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .operation import API, Routes

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool: channels licensed, occupied, occupied at most since the start, and calls denied."""

    limit: int
    used: int
    high_water: int
    denied: int


@dataclass(frozen=True, slots=True)
class LeaseEntry:
    """An occupied channel; `since` is UTC."""

    pool: str
    leg: str
    call: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """All pools by the key of their licence, and all leases, oldest first in each pool."""

    pools: dict[str, PoolState]
    leases: tuple[LeaseEntry, ...]


@routes.get(f"{API}/channels")
async def read_channels(pbx: "Pbx") -> ChannelReport:
    """Tell how the channels stand."""
    calls = {leg: connection.call.id for leg, connection in pbx.switch.connections.items()}
    return ChannelReport(
        {one.key: PoolState(one.limit, one.used, one.high_water, one.denied) for one in pbx.pools},
        tuple(
            LeaseEntry(pool.key, leg, calls.get(leg), pbx.clock.at(lease.taken_at))
            for pool in pbx.pools
            for lease in pool.leases
            for leg in (lease.holder.leg_id,)
        ),
    )
