"""One of the places for a worker in the plane, with its slice of the RTP ports: whoever dies there is replaced.

A worker that dies takes its streams with it, each with a last `StreamLost`, its recording as far as it is on disk, and
`StreamClosed`.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING

import structlog

from ..network import Address
from . import control
from .plane import PlaneFailedError, PortsExhaustedError, StreamClosed
from .restarts import MOST_ENDS, WITHIN_S, Restarts
from .worker_events import MediaWorkerEnded, MediaWorkerGivenUp, MediaWorkerRestarted
from .worker_link import WorkerLink
from .worker_stream import WorkerStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from .control import Happened
    from .plane import MediaEvent
    from .worker_events import WorkerEvent

log = structlog.get_logger()


class WorkerPost:
    """See the module; its length is the number of its streams. For the arguments see `WorkerPlane`."""

    def __init__(
        self, host: str, ports: range | None, stock: int, publish: Callable[[WorkerEvent], None]
    ) -> None:
        self._host = host
        self._ports = ports
        self._stock = stock
        self._publish = publish
        self._numbers = count(1)
        self._streams: dict[int, WorkerStream] = {}
        self._link: WorkerLink | None = None
        self._coming: asyncio.Task[None] | None = None
        self._restarts = Restarts()
        self._stopping = False
        self.has_failed = False

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def link(self) -> WorkerLink | None:
        """The worker, while there is one."""
        return self._link

    @property
    def ports_left(self) -> int | None:
        """How many streams more its ports allow; None when they are not bounded."""
        return None if self._ports is None else len(self._ports) // 2 - len(self._streams)

    @property
    def is_ready(self) -> bool:
        """Whether the worker has reported ports."""
        return self._link is not None and self._link.proved

    async def start(self) -> None:
        """Start the worker; `open` waits for its first ports. Raises OSError."""
        self._link = WorkerLink(self._happened, self._lost)
        await self._link.start(self._host, self._ports, self._stock)

    def start_soon(self) -> None:
        """Start the worker beside whatever runs; `open` waits for it."""
        self._coming = asyncio.get_running_loop().create_task(self._come())

    async def open(self, sink: Callable[[MediaEvent], None]) -> WorkerStream:
        """See `MediaPlane.open`."""
        while not self._stopping:
            if self._link is None and self._coming is not None:
                await asyncio.shield(self._coming)
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
        if self.has_failed:
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
        if self._coming is not None:
            self._coming.cancel()
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
            stream.lose()
        if not self._stopping:
            self._link = None
            self._coming = asyncio.get_running_loop().create_task(self._replace(link, len(streams)))

    async def _replace(self, dead: WorkerLink, streams: int) -> None:
        await dead.reap()
        ended = MediaWorkerEnded(dead.pid or 0, dead.exit_status or 0, dead.hung, streams)
        log.warning("media.worker.ended", **asdict(ended))
        self._publish(ended)
        if await self._may_come(proved=dead.proved):
            await self._come()
            if self._link is not None:
                self._publish(MediaWorkerRestarted(self._link.pid or 0))

    async def _come(self) -> None:
        while True:
            try:
                await self.start()
            except OSError as error:
                self._link = None
                log.warning("media.worker.not_started", error=str(error))
                if await self._may_come(proved=False):
                    continue
            return

    async def _may_come(self, *, proved: bool) -> bool:
        """Wait as long as the next one has to; False when there is none any more."""
        delay_s = self._restarts.delay_s(asyncio.get_running_loop().time(), proved=proved)
        if delay_s is None:
            self.has_failed = True
            given_up = MediaWorkerGivenUp(MOST_ENDS + 1, WITHIN_S)
            log.error("media.worker.given.up", **asdict(given_up), remedy="start the server anew")
            self._publish(given_up)
            return False
        await asyncio.sleep(delay_s)
        return True
