"""The media plane on the event loop, over any `Network`: for virtual time, tests and scripted phones.

It runs the same stream machine as the worker. Time is `loop.time()` and nothing else, so a virtual clock drives it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from ..network import Address
from .inband import InbandDigits
from .plane import PortsExhaustedError, PortUse, Recorded, StreamClosed
from .prompts import require_prompts
from .stream import Stream
from .telephone_event import event_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ..network import Endpoint, Network
    from .acceptance import Source
    from .plane import MediaEvent, MediaStream, Playable, Remote

_EVEN_PORT_TRIES = 64


class InlineStream:
    """A stream on the loop; keeps `MediaStream`."""

    def __init__(self, plane: InlinePlane, sink: Callable[[MediaEvent], None], rng: Random) -> None:
        self._plane = plane
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._endpoint: Endpoint | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tokens = count(1)
        self._closed = False
        self._control: Endpoint | None = None
        self._opening: asyncio.Task[None] | None = None
        self.machine = Stream(
            self._transmit, self._queue, rng, plane.inband, self._transmit_control, woken=self.schedule
        )

    def attach(self, endpoint: Endpoint) -> None:
        """Take the bound socket; called once by the plane."""
        self._endpoint = endpoint

    def deliver(self, data: bytes, source: Address) -> None:
        """Take a datagram from the network."""
        self.machine.receive(data, (source.host, source.port), self._loop.time())
        self._plane.listen()

    @property
    def local(self) -> Address:
        """Where the far end sends its RTP."""
        if self._endpoint is None:
            raise RuntimeError("the stream has no socket yet: streams come from InlinePlane.open")
        return self._endpoint.local

    def connect(self, remote: Remote, *, fill: bool, listen: bool = False) -> None:
        """See `MediaStream.connect`."""
        self.machine.connect(remote, fill=fill, listen=listen, now=self._loop.time())
        self.schedule()

    def play(self, playables: Sequence[Playable]) -> int:
        """See `MediaStream.play`; raises ValueError for a prompt that does not exist."""
        require_prompts(playables)
        token = next(self._tokens)
        self.machine.play(token, playables, self._loop.time())
        self.schedule()
        return token

    def stop_playing(self) -> None:
        """See `MediaStream.stop_playing`."""
        self.machine.stop_playing()

    def record(self, path: Path, max_s: float) -> None:
        """See `MediaStream.record`."""
        self.machine.record(path, max_s, self._loop.time())
        self.schedule()

    def stop_recording(self) -> None:
        """See `MediaStream.stop_recording`."""
        self.machine.stop_recording()

    def echo(self) -> None:
        """See `MediaStream.echo`."""
        self.machine.echo()

    def bridge(self, other: MediaStream | None) -> None:
        """See `MediaStream.bridge`; raises ValueError for a stream of another kind of plane."""
        self.machine.bridge(None if other is None else _ours(other).machine)

    def mix(self, other: MediaStream) -> None:
        """See `MediaStream.mix`; raises ValueError for a stream of another kind of plane."""
        other = _ours(other)
        self.machine.mix(other.machine, self._loop.time())
        for one in (self, other):
            one.schedule()

    def reaches(self, other: MediaStream) -> bool:
        """See `MediaStream.reaches`."""
        return isinstance(other, InlineStream)

    def send_digits(self, digits: str) -> None:
        """See `MediaStream.send_digits`; raises ValueError for what is no DTMF digit."""
        event_codes(digits)
        self.machine.send_digits(digits, self._loop.time())
        self.schedule()

    def watch(self, silent_s: float | None) -> None:
        """See `MediaStream.watch`."""
        self.machine.watch(silent_s, self._loop.time())
        self.schedule()

    def measure(self) -> None:
        """See `MediaStream.measure`."""
        self.machine.measure()

    def close(self) -> None:
        """See `MediaStream.close`."""
        if self._closed:
            return
        self.machine.close()
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        if self._control is not None:
            self._control.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._endpoint is not None:
            self._endpoint.close()
        self._plane.release(self)

    def _transmit(self, data: bytes, destination: Source) -> None:
        if self._endpoint is not None and not self._closed:
            self._endpoint.send(data, Address(*destination))

    def _transmit_control(self, data: bytes, destination: Source) -> None:
        """Send from the port above the stream's, which the first report opens."""
        if self._control is not None:
            self._control.send(data, Address(*destination))
        elif self._opening is None and not self._closed:
            self._opening = self._loop.create_task(self._open_control(data, destination))

    async def _open_control(self, data: bytes, destination: Source) -> None:
        try:
            self._control = await self._plane.bind_beside(self.local.port, self._deliver_control)
        except OSError:
            return  # the port is another's: this stream has no reports
        self._control.send(data, Address(*destination))

    def _deliver_control(self, data: bytes, source: Address) -> None:
        self.machine.receive_control(data, (source.host, source.port), self._loop.time())

    def _queue(self, event: MediaEvent) -> None:
        self._loop.call_soon(self._tell, event)

    def _tell(self, event: MediaEvent) -> None:
        if not self._closed or isinstance(event, (Recorded, StreamClosed)):
            self._sink(event)

    def schedule(self) -> None:
        """Be woken when the machine has something to do."""
        deadline = self.machine.next_deadline()
        if self._timer is not None:
            if deadline is not None and self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        due = self._timer.when() if self._timer is not None else 0.0
        self._timer = None
        self.machine.tick(max(due, self._loop.time()))
        self.schedule()


def _ours(stream: MediaStream) -> InlineStream:
    if isinstance(stream, InlineStream):
        return stream
    raise ValueError(f"{stream!r} is no stream of an inline plane: join streams of the same plane")


class InlinePlane:
    """Streams on the running loop; keeps `MediaPlane`.

    `ports` bounds the local ports, of which only the even ones are used; None takes any free one. `rng` gives SSRCs
    and first sequence numbers.
    """

    def __init__(
        self, network: Network, host: str, ports: range | None = None, *, rng: Random | None = None
    ) -> None:
        self._network = network
        self._host = host
        self._limited = ports is not None
        self._free = deque(port for port in ports or () if port % 2 == 0 and port > 0)
        self._rng = rng or Random()  # noqa: S311 - SSRCs, not secrets
        self._streams: dict[InlineStream, None] = {}
        self._listening: asyncio.TimerHandle | None = None
        self.inband = InbandDigits()

    @property
    def has_failed(self) -> bool:
        """Never: there is no worker."""
        return False

    @property
    def ports(self) -> PortUse:
        """See `MediaPlane.ports`; none is bound in advance."""
        return PortUse(0, len(self._streams))

    async def start(self) -> None:
        """Nothing to prepare."""

    async def open(
        self,
        sink: Callable[[MediaEvent], None],
        near: Callable[[], Iterable[MediaStream]] | None = None,
    ) -> InlineStream:
        """Return a stream with a bound port; raises `PortsExhaustedError` when there is none left."""
        stream = InlineStream(self, sink, self._rng)
        stream.attach(await (self._bind_limited(stream) if self._limited else self._bind_any(stream)))
        self._streams[stream] = None
        return stream

    async def stop(self) -> None:
        """Close every stream and let the last events out."""
        for stream in list(self._streams):
            stream.close()
        await asyncio.sleep(0)

    def listen(self) -> None:
        """Look for digits in what came, when it is time."""
        due = self.inband.next_deadline()
        if due is not None and self._listening is None:
            self._listening = asyncio.get_running_loop().call_at(due, self._look, due)

    def _look(self, due: float) -> None:
        self._listening = None
        self.inband.tick(due)

    async def bind_beside(self, port: int, receive: Callable[[bytes, Address], None]) -> Endpoint:
        """Bind the port above `port`; raises OSError when it is held."""
        return await self._network.bind(self._host, port + 1, receive)

    def release(self, stream: InlineStream) -> None:
        """Put a closed stream's port behind all others, so that its late packets meet no new stream."""
        del self._streams[stream]
        if self._limited:
            self._free.append(stream.local.port)

    async def _bind_limited(self, stream: InlineStream) -> Endpoint:
        for _ in range(len(self._free)):
            if not self._free:
                break
            port = self._free.popleft()
            try:
                return await self._network.bind(self._host, port, stream.deliver)
            except OSError:
                self._free.append(port)
        raise PortsExhaustedError(
            f"every RTP port of {self._host} is in use: give a larger range, or end calls first"
        )

    async def _bind_any(self, stream: InlineStream) -> Endpoint:
        odd: list[Endpoint] = []
        try:
            for _ in range(_EVEN_PORT_TRIES):
                endpoint = await self._network.bind(self._host, 0, stream.deliver)
                if endpoint.local.port % 2 == 0:
                    return endpoint
                odd.append(endpoint)
        except OSError as error:
            raise PortsExhaustedError(f"no free RTP port at {self._host}: {error}") from error
        finally:
            for endpoint in odd:
                endpoint.close()
        raise PortsExhaustedError(f"no free even RTP port at {self._host}: end other programs first")
