"""The media plane in processes of its own: real sockets, real time, and no load on the event loop.

The switch opens streams here and sends one-way commands. There is one worker at first, and another one whenever those
that run have much to do, up to one for each core but one; each has its slice of the RTP ports.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING

from .plane import NoStreamError, PortsExhaustedError, PortUse
from .worker_post import WorkerPost
from .worker_stream import WorkerStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .plane import MediaEvent, MediaStream
    from .worker_events import WorkerEvent

MANY_STREAMS = 200
"""When every worker has so many streams, about a fifth of what a core carries, another one is started."""

SPARE_PORTS = 16
"""The last ports of a worker are for those who talk to somebody there, as long as others have more."""

LEAST_PORTS = 128
"""A worker has at least so many ports: whoever talk to each other need theirs in the same one."""


class WorkerPlane:
    """Streams in worker processes; keeps `MediaPlane`.

    `ports` bounds the RTP ports, of which the even ones are used; None takes any. `stock` sockets are open in advance
    in each worker. `workers` is how many there may be; None is one for each core but one. `publish` is told how they
    fare.
    """

    def __init__(
        self,
        host: str,
        ports: range | None = None,
        *,
        stock: int = 64,
        workers: int | None = None,
        publish: Callable[[WorkerEvent], None] = lambda _: None,
    ) -> None:
        most = workers or max(1, len(os.sched_getaffinity(0)) - 1)
        self._idle = deque(WorkerPost(host, slice_, stock, publish) for slice_ in slices(ports, most))
        self._running = [self._idle.popleft()]

    @property
    def pid(self) -> int | None:
        """The process id of the first worker, while there is one."""
        link = self._running[0].link
        return None if link is None else link.pid

    @property
    def has_failed(self) -> bool:
        """See `MediaPlane.has_failed`."""
        return not self._idle and all(post.has_failed for post in self._running)

    @property
    def ports(self) -> PortUse:
        """See `MediaPlane.ports`."""
        each = [post.link.ports for post in self._running if post.link is not None]
        return PortUse(sum(one.free for one in each), sum(one.used for one in each))

    async def start(self) -> None:
        """Start the first worker; `open` waits for its first ports. Raises OSError."""
        await self._running[0].start()

    async def open(
        self,
        sink: Callable[[MediaEvent], None],
        near: Callable[[], Iterable[MediaStream]] | None = None,
    ) -> WorkerStream:
        """See `MediaPlane.open`; a stream that is near another one has no port but of the same worker."""
        beside = self._beside(near) if near is not None and len(self._running) > 1 else None
        stream = await (self._open_anywhere(sink) if beside is None else beside.open(sink))
        if self._idle and all(len(post) >= MANY_STREAMS or _is_short(post) for post in self._running):
            self._start_another()
        return stream

    async def stop(self) -> None:
        """Close every stream, hear its last events, and end the workers."""
        self._idle.clear()
        await asyncio.gather(*(post.stop() for post in self._running))

    def _beside(self, near: Callable[[], Iterable[MediaStream]]) -> WorkerPost | None:
        for stream in near():
            for post in self._running:
                if isinstance(stream, WorkerStream) and stream.link is post.link:
                    return post
        return None

    async def _open_anywhere(self, sink: Callable[[MediaEvent], None]) -> WorkerStream:
        refused: NoStreamError = PortsExhaustedError("the media plane has stopped")
        tried: set[WorkerPost] = set()
        while untried := [post for post in self._running if post not in tried]:
            post = min(untried, key=_by_choice)
            tried.add(post)
            try:
                return await post.open(sink)
            except NoStreamError as error:
                refused = error
            if self._idle and tried.issuperset(self._running):
                self._start_another()
        raise refused

    def _start_another(self) -> None:
        post = self._idle.popleft()
        self._running.append(post)
        post.start_soon()


def _is_short(post: WorkerPost) -> bool:
    return post.ports_left is not None and post.ports_left <= SPARE_PORTS


def _by_choice(post: WorkerPost) -> tuple[bool, bool, bool, int]:
    """Sort the best place first, behind one that has failed: it refuses at once, and what others say counts more."""
    return not post.has_failed, _is_short(post), not post.is_ready, len(post)


def slices(ports: range | None, most: int) -> list[range | None]:
    """Cut the ports for at most `most` workers; an even port and the odd one above (RFC 3550 11) stay together."""
    if ports is None:
        return [None] * most
    count = max(1, min(most, len(ports) // LEAST_PORTS))
    inner = [ports.start + len(ports) * number // count & ~1 for number in range(1, count)]
    return [range(*ends) for ends in zip([ports.start, *inner], [*inner, ports.stop], strict=True)]
