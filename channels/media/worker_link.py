"""The main side of one media worker: its process, its socket pair, and the ports that it reported.

`WorkerPlane` holds one and makes a new one when the worker is gone. Commands of one turn of the event loop travel in
one write. A worker that hangs is killed, and so ends like one that died.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import control
from .heartbeat import LOOK_S, Activity, Pulse, Vigil
from .plane import PortUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from .control import Command, Happened

END_TIMEOUT_S = 5.0
"""A worker that does not end by itself for so long is killed."""


class WorkerLink(asyncio.Protocol):
    """One worker process, seen from the event loop."""

    def __init__(self, happened: Callable[[Happened], None], lost: Callable[[WorkerLink], None]) -> None:
        self._happened = happened
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._decoder = control.Decoder()
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._pending: list[bytes] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._free: deque[int] = deque()
        self._open: set[int] = set()
        self._returning: set[int] = set()
        self._more = True
        self._proved = False
        self._pulse: Pulse | None = None
        self._vigil = Vigil(self._loop.time())
        self._looking: asyncio.TimerHandle | None = None
        self._hung = False
        self._gone = self._loop.create_future()

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return None if self._process is None else self._process.pid

    @property
    def exit_status(self) -> int | None:
        """How it ended, once it was reaped: negative is a signal."""
        return None if self._process is None else self._process.returncode

    @property
    def proved(self) -> bool:
        """Whether it ever reported a port."""
        return self._proved

    @property
    def hung(self) -> bool:
        """Whether it was killed because it had not come round for too long."""
        return self._hung

    async def start(self, host: str, ports: range | None, stock: int) -> None:
        """Start the process; ports come later. Raises OSError when the system has no room for it."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            bounds = "any" if ports is None else f"{ports.start}:{ports.stop}:{ports.step}"
            try:
                self._spawn(theirs.fileno(), host, bounds, str(stock))
            except OSError:
                ours.close()
                raise
        await self._loop.create_unix_connection(lambda: self, sock=ours)

    def _spawn(self, fd: int, *arguments: str) -> None:
        package = __name__.partition(".")[0]
        root = Path(sys.modules[package].__file__ or "").parent.parent
        search = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
        module = f"{__name__.rpartition('.')[0]}.worker"
        pulse, shared = Pulse.made()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", module, str(fd), str(shared), *arguments],
                pass_fds=(fd, shared),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": search},
                process_group=0,  # Ctrl+C is for the server, which ends its worker itself
            )
        finally:
            os.close(shared)
        self._pulse = pulse

    @property
    def ports(self) -> PortUse:
        """What the worker's RTP ports do: those that it reported, and did not give back, are used."""
        return PortUse(len(self._free), len(self._open) - len(self._free))

    async def take_port(self) -> int | None:
        """Return a free port, after a moment when the stock is being filled; None when there is none."""
        while not self._free:
            if self._gone.done() or not (self._more or self._returning):
                return None
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        return self._free.popleft()

    def send(self, command: Command) -> None:
        """Send `command` with the others of this turn; to a worker that is gone nothing is sent."""
        if self._gone.done():
            return
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.append(control.encode(command))

    def close_stream(self, number: int, port: int) -> None:
        """Send `Close`; the port comes back after its rest."""
        self._returning.add(port)
        self.send(control.Close(number))

    async def stop(self) -> None:
        """Let the worker finish what it records, hear its last events, and reap it."""
        self._flush()
        self._look_no_more()
        if self._transport is not None:
            self._transport.write_eof()
            try:
                await asyncio.wait_for(asyncio.shield(self._gone), END_TIMEOUT_S)
            except TimeoutError:
                self._transport.abort()
        await self.reap()

    async def reap(self) -> None:
        """Wait for the process, which has closed its socket or has to be killed."""
        process = self._process
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, 1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = transport  # type: ignore[assignment]  # a stream socket has a stream transport
        self._looking = self._loop.call_later(LOOK_S, self._look)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        for notice in self._decoder.notices(data):
            if isinstance(notice, control.Ports):
                self._proved = True
                self._more = notice.more
                self._free.extend(notice.ports)
                self._open.update(notice.ports)
                self._returning.difference_update(notice.ports)
                self._wake()
            else:
                self._happened(notice)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop: the worker ended."""
        self._transport = None
        self._look_no_more()
        if not self._gone.done():
            self._gone.set_result(None)
        self._wake()
        self._lost(self)

    def _look(self) -> None:
        """Kill the worker if it hangs: whatever it still does, it is gone for us."""
        self._looking = self._loop.call_later(LOOK_S, self._look)
        process, pulse, transport = self._process, self._pulse, self._transport
        if process is None or pulse is None or transport is None:
            return
        try:
            self._hung = self._vigil.is_hung(
                self._loop.time(), pulse.latest, partial(Activity.of, process.pid)
            )
        except OSError:
            return  # it has just ended
        if self._hung:
            process.kill()
            transport.abort()

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _flush(self) -> None:
        if self._transport is not None and self._pending and not self._transport.is_closing():
            pending, self._pending = self._pending, []
            self._transport.write(b"".join(pending))
