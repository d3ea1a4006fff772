"""Datagrams without sockets: the `Network` of tests and of virtual time; `memory_streams` are its connections.

Every endpoint of one `MemoryNetwork` reaches every other by its address. Loss, repetition and delay are drawn from the
`Random` given, so that a run can be repeated.
"""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from ...channels.network import Address

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_FREE_PORT, LAST_FREE_PORT = 49152, 65534


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens on the way: shares of datagrams from 0 to 1 that are lost or arrive twice; bounds of the delay (s).

    A connection loses nothing, but brings at most `segment` octets at once, in pieces of any length up to that (0: as
    they were written).
    """

    loss: float = 0.0
    repeat: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)
    segment: int = 0


class MemoryEndpoint:
    """One bound address of a `MemoryNetwork`."""

    def __init__(
        self, network: MemoryNetwork, local: Address, receive: Callable[[bytes, Address], None]
    ) -> None:
        self._network = network
        self._local = local
        self.on_wait: Callable[[float, float], None] | None = None
        self.receive = receive

    @property
    def local(self) -> Address:
        """The bound address."""
        return self._local

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram into the weather."""
        self._network.carry(data, self._local, destination)

    def close(self) -> None:
        """Give the address back."""
        if self._network.endpoints.get(self._local) is self:
            del self._network.endpoints[self._local]


class MemoryNetwork:
    """A network in memory; `weather` may change while calls run."""

    def __init__(self, random: Random | None = None, weather: Weather = Weather()) -> None:
        self.endpoints: dict[Address, MemoryEndpoint] = {}
        self.listeners: dict[Address, Callable[[Address], asyncio.Protocol | None]] = {}
        self.weather = weather
        self.random = random or Random(0)  # noqa: S311 - chance that can be repeated is the point
        self._next_port = FIRST_FREE_PORT

    async def bind(self, host: str, port: int, receive: Callable[[bytes, Address], None]) -> MemoryEndpoint:
        """Bind an address; raises OSError when it is in use."""
        local = Address(host, port or self.free_port())
        if local in self.endpoints:
            raise OSError(errno.EADDRINUSE, f"{local} is in use")
        endpoint = self.endpoints[local] = MemoryEndpoint(self, local, receive)
        return endpoint

    def free_port(self) -> int:
        """Return the next even port that nobody has, after the last one the first again; raises OSError for none."""
        taken = {local.port for local in (*self.endpoints, *self.listeners)}
        for _ in range(FIRST_FREE_PORT, LAST_FREE_PORT, 2):
            self._next_port += 2
            if self._next_port > LAST_FREE_PORT:
                self._next_port = FIRST_FREE_PORT + 2
            if self._next_port not in taken:
                return self._next_port
        raise OSError(errno.EADDRINUSE, "every port is in use")

    def delay_s(self) -> float:
        """Draw how long something is on its way, in seconds."""
        return self.random.uniform(*self.weather.delay_s) if self.weather.delay_s[1] else 0.0

    def carry(self, data: bytes, source: Address, destination: Address) -> None:
        """Deliver `data` later, perhaps never, perhaps twice."""
        weather, chance = self.weather, self.random.random
        copies = 0 if weather.loss and chance() < weather.loss else 1
        if copies and weather.repeat and chance() < weather.repeat:
            copies = 2
        loop = asyncio.get_running_loop()
        for _ in range(copies):
            if delay_s := self.delay_s():
                loop.call_later(delay_s, self._deliver, data, source, destination)
            else:
                loop.call_soon(self._deliver, data, source, destination)

    def _deliver(self, data: bytes, source: Address, destination: Address) -> None:
        endpoint = self.endpoints.get(destination)
        if endpoint is not None:
            endpoint.receive(data, source)
