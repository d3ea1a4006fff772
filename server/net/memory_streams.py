"""Connections without sockets: what `Streams` are on a `MemoryNetwork`, so that flows can be tested in virtual time.

Octets arrive in order, in the pieces and with the delay of the network's weather. TLS is a name here: nobody shakes
hands, and nothing is hidden.
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from typing import TYPE_CHECKING, Any

from ...channels.network import Address
from .memory import MemoryNetwork
from .streams import StreamLimits, Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from ...channels.network import Network
    from ..sip.flow import Transport
    from .stack import SipStack
    from .streams import StreamConnection, Tls


def streams_on(
    network: Network,
    stack: SipStack,
    in_use: Callable[[], Collection[object]],
    limits: StreamLimits = StreamLimits(),  # noqa: B008 - frozen
) -> Streams:
    """Return the connections that go with a network: in memory with one in memory, else TCP."""
    if isinstance(network, MemoryNetwork):
        return MemoryStreams(network, stack, in_use, limits)
    return Streams(stack, in_use, limits)


class MemoryWire(asyncio.Transport):
    """One end of a connection, for `protocol`; `far` is the other end."""

    def __init__(self, network: MemoryNetwork, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.far = self
        self._network = network
        self._loop = asyncio.get_running_loop()
        self._on_the_way: deque[bytes | None] = deque()
        self._last_at = 0.0
        self._is_closing = False
        self._is_lost = False

    def write(self, data: Any) -> None:
        """Send octets to the far end."""
        if not self._is_closing:
            for piece in self._pieces(bytes(data)):
                self._send(piece)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        """Count the octets that have not arrived yet."""
        return sum(len(piece or b"") for piece in self._on_the_way)

    def close(self) -> None:
        """Close it once what was written has arrived."""
        if not self._is_closing:
            self._is_closing = True
            self._send(None)

    def abort(self) -> None:
        """Close it at once; what is on the way is lost."""
        self._is_closing = True
        self._on_the_way.clear()
        self._loop.call_soon(self.lose, None)
        self._loop.call_soon(self.far.lose, ConnectionResetError(errno.ECONNRESET, "reset by the far end"))

    def lose(self, why: Exception | None) -> None:
        """Tell the protocol, once, that the connection is gone."""
        self._is_closing = True
        if not self._is_lost:
            self._is_lost = True
            self.protocol.connection_lost(why)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        most, begin = self._network.weather.segment or len(data), 0
        while begin < len(data):
            end = begin + (self._network.random.randint(1, most) if most < len(data) else most)
            yield data[begin:end]
            begin = end

    def _send(self, piece: bytes | None) -> None:
        self._on_the_way.append(piece)
        self._last_at = max(self._last_at, self._loop.time() + self._network.delay_s())
        if self._last_at > self._loop.time():
            self._loop.call_at(self._last_at, self._arrive)
        else:
            self._loop.call_soon(self._arrive)

    def _arrive(self) -> None:
        """Let the next piece arrive; each call is for one, in the order in which they were sent."""
        if not self._on_the_way:
            return
        piece = self._on_the_way.popleft()
        if piece is None:
            self.lose(None)
            self.far.lose(None)
        elif not self.far.is_closing():
            self.far.protocol.data_received(piece)


async def connect(
    network: MemoryNetwork, protocol: asyncio.Protocol, host: str, destination: Address
) -> MemoryWire:
    """Connect `protocol` from a free port of `host`; raises ConnectionRefusedError where nobody listens.

    Whoever has no room for one more connection closes it at once.
    """
    listener = network.listeners.get(destination)
    if listener is None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens at {destination}")
    await asyncio.sleep(network.delay_s())
    taken_by = listener(Address(host, network.free_port()))
    ours = MemoryWire(network, protocol)
    protocol.connection_made(ours)
    if taken_by is None:
        ours.abort()
        return ours
    theirs = MemoryWire(network, taken_by)
    ours.far, theirs.far = theirs, ours
    taken_by.connection_made(theirs)
    return ours


class MemoryStreams(Streams):
    """The connections of one stack on a network in memory."""

    def __init__(
        self,
        network: MemoryNetwork,
        stack: SipStack,
        in_use: Callable[[], Collection[object]],
        limits: StreamLimits,
    ) -> None:
        super().__init__(stack, in_use, limits)
        self._network = network
        self._own: list[Address] = []

    def listen(self, host: str, port: int, tls: Tls | None = None) -> Address:
        """Accept connections at `host`:`port` (0 = any free port); raises OSError when it is in use."""
        local = Address(host, port or self._network.free_port())
        if local in self._network.listeners:
            raise OSError(errno.EADDRINUSE, f"{local} is in use")
        transport: Transport = "TCP" if tls is None else "TLS"
        self._network.listeners[local] = lambda remote: self.admit(transport, remote)
        self._own.append(local)
        return local

    async def stop(self) -> None:
        """Send what waits, and close every connection and listener."""
        for local in self._own:
            del self._network.listeners[local]
        self._own.clear()
        await super().stop()

    async def _open(self, connection: StreamConnection, remote: Address) -> None:
        await connect(self._network, connection, self.stack.agent.local.host, remote)
