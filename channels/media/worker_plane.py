"""The media plane in a process of its own: real sockets, real time, and no load on the event loop.

The switch opens streams here and sends one-way commands; a worker that dies takes its streams with it, each with a
last `StreamLost` and `StreamClosed`, and a new one takes its place.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import structlog

from ..network import Address
from . import control
from .plane import PlaneFailedError, PortsExhaustedError, Recorded, StreamClosed, StreamLost
from .prompts import require_prompts
from .restarts import MOST_ENDS, WITHIN_S, Restarts
from .telephone_event import event_codes
from .verdict import Verdict
from .worker_link import WorkerLink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .control import Happened
    from .plane import MediaEvent, MediaStream, Playable, Remote

log = structlog.get_logger()


class WorkerStream:
    """A stream in the worker; keeps `MediaStream`."""

    def __init__(
        self, link: WorkerLink, number: int, local: Address, sink: Callable[[MediaEvent], None]
    ) -> None:
        self._link = link
        self._number = number
        self._local = local
        self._sink = sink
        self._tokens = count(1)
        self._closed = False

    @property
    def local(self) -> Address:
        """Where the far end sends its RTP."""
        return self._local

    @property
    def link(self) -> WorkerLink:
        """The worker that carries it."""
        return self._link

    @property
    def number(self) -> int:
        """Its name in the control protocol."""
        return self._number

    def tell(self, event: MediaEvent) -> None:
        """Hand an event to the owner; after `close` only what closing brings."""
        if isinstance(event, StreamClosed):
            self._closed = True
        if not self._closed or isinstance(event, (Recorded, StreamClosed)):
            self._sink(event)

    def connect(self, remote: Remote, *, fill: bool, listen: bool = False) -> None:
        """See `MediaStream.connect`."""
        self._link.send(control.Connect(self._number, remote, fill, listen))

    def play(self, playables: Sequence[Playable]) -> int:
        """See `MediaStream.play`; raises ValueError for a prompt that does not exist."""
        require_prompts(playables)
        token = next(self._tokens)
        self._link.send(control.Play(self._number, token, tuple(playables)))
        return token

    def stop_playing(self) -> None:
        """See `MediaStream.stop_playing`."""
        self._link.send(control.StopPlaying(self._number))

    def record(self, path: Path, max_s: float) -> None:
        """See `MediaStream.record`."""
        self._link.send(control.Record(self._number, path.absolute(), max_s))

    def stop_recording(self) -> None:
        """See `MediaStream.stop_recording`."""
        self._link.send(control.StopRecording(self._number))

    def echo(self) -> None:
        """See `MediaStream.echo`."""
        self._link.send(control.Echo(self._number))

    def bridge(self, other: MediaStream | None) -> None:
        """See `MediaStream.bridge`; raises ValueError for a stream of another plane."""
        if other is None:
            self._link.send(control.Bridge(self._number, None))
        elif isinstance(other, WorkerStream) and other.link is self._link:
            self._link.send(control.Bridge(self._number, other.number))
        else:
            raise ValueError(f"{other!r} is in another process: bridge streams of the same worker")

    def send_digits(self, digits: str) -> None:
        """See `MediaStream.send_digits`; raises ValueError for what is no DTMF digit."""
        event_codes(digits)
        self._link.send(control.SendDigits(self._number, digits))

    def watch(self, silent_s: float | None) -> None:
        """See `MediaStream.watch`."""
        self._link.send(control.Watch(self._number, silent_s))

    def measure(self) -> None:
        """See `MediaStream.measure`."""
        self._link.send(control.Measure(self._number))

    def close(self) -> None:
        """See `MediaStream.close`."""
        if not self._closed:
            self._closed = True
            self._link.close_stream(self._number, self._local.port)


class WorkerPlane:
    """Streams in a worker process; keeps `MediaPlane`.

    `ports` bounds the RTP ports, of which the even ones are used; None takes any. `stock` sockets are open in advance.
    """

    def __init__(self, host: str, ports: range | None = None, *, stock: int = 64) -> None:
        self._host = host
        self._ports = ports
        self._stock = stock
        self._numbers = count(1)
        self._streams: dict[int, WorkerStream] = {}
        self._link: WorkerLink | None = None
        self._restart: asyncio.Task[None] | None = None
        self._restarts = Restarts()
        self._failed = False
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id of the worker, while there is one."""
        return None if self._link is None else self._link.pid

    @property
    def has_failed(self) -> bool:
        """See `MediaPlane.has_failed`."""
        return self._failed

    async def start(self) -> None:
        """Start the worker; `open` waits for its first ports."""
        self._link = WorkerLink(self._happened, self._lost)
        await self._link.start(self._host, self._ports, self._stock)

    async def open(self, sink: Callable[[MediaEvent], None]) -> WorkerStream:
        """See `MediaPlane.open`."""
        while not self._stopping:
            if self._link is None and self._restart is not None:
                await asyncio.shield(self._restart)
            link = self._link
            if link is None:
                break
            port = await link.take_port()
            if link is not self._link:
                continue
            if port is None:
                break
            stream = WorkerStream(link, next(self._numbers), Address(self._host, port), sink)
            self._streams[stream.number] = stream
            link.send(control.Adopt(stream.number, port))
            return stream
        if self._failed:
            raise PlaneFailedError(
                f"the media worker ended more than {MOST_ENDS} times within {WITHIN_S:.0f} s and is started no more: "
                "see the log for why, and start the server anew"
            )
        span = "any port" if self._ports is None else f"ports {self._ports.start}-{self._ports[-1]}"
        raise PortsExhaustedError(
            f"no RTP port is free at {self._host} ({span}): give a larger range with --rtp-ports, or end calls"
        )

    async def stop(self) -> None:
        """Close every stream, hear its last events, and end the worker."""
        self._stopping = True
        if self._restart is not None:
            self._restart.cancel()
        if self._link is not None:
            await self._link.stop()
            self._link = None

    def _happened(self, notice: Happened) -> None:
        stream = self._streams.get(notice.stream)
        if stream is None:
            return
        if isinstance(notice.event, StreamClosed):
            del self._streams[notice.stream]
        stream.tell(notice.event)

    def _lost(self, link: WorkerLink) -> None:
        streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.tell(StreamLost(0.0))
            stream.tell(StreamClosed(Verdict()))
        if not self._stopping:
            self._link = None
            self._restart = asyncio.get_running_loop().create_task(self._start_again(link, len(streams)))

    async def _start_again(self, dead: WorkerLink, streams: int) -> None:
        await dead.reap()
        log.warning("media_worker.ended", pid=dead.pid, exit=dead.exit_status, streams=streams)
        loop, proved = asyncio.get_running_loop(), dead.proved
        while (delay_s := self._restarts.delay_s(loop.time(), proved=proved)) is not None:
            await asyncio.sleep(delay_s)
            try:
                await self.start()
            except OSError as error:
                self._link, proved = None, False
                log.warning("media_worker.not_started", error=str(error))
            else:
                return
        self._failed = True
        log.error(
            "media_worker.given_up", ends=MOST_ENDS + 1, within_s=WITHIN_S, remedy="start the server anew"
        )
