"""TCP and TLS connections on the running event loop: the flows of one SIP stack (RFC 3261 18, RFC 5626).

The composition root lets a `Streams` listen beside the UDP socket; the stack dials by it. Whoever connects has to say
something whole within a time, may then be idle for another, and shares what one source and all may have.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import structlog

from ...channels.network import Address
from ..sip.framing import PONG, Framing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine
    from ssl import SSLContext

    from ..sip.flow import Flow, Transport
    from .stack import SipStack

    Tls = Callable[[], Awaitable[SSLContext]]

log = structlog.get_logger()

BACKLOG = 512
CLOSE_S = 1.0
SWEEP_S = 1.0
TRY_AGAIN_S = 0.1
SLOW, IDLE = "slow", "idle"
WILDCARDS = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What connections may take; times in seconds.

    `message_s` runs from the first octet of a message, or from the connection, to the end of the message; `idle_s` is
    how long a connection lasts that nobody uses. `unsent_octets` may wait for a reader that is slow.
    """

    connections: int = 4096
    from_one_source: int = 2048
    connect_s: float = 5.0
    message_s: float = 15.0
    idle_s: float = 120.0
    unsent_octets: int = 1024 * 1024


class StreamConnection(asyncio.Protocol):
    """One connection; what is sent before it stands waits."""

    def __init__(
        self, streams: Streams, transport: Transport, remote: Address, flow: Flow | None = None
    ) -> None:
        self._streams = streams
        self._framing = Framing()
        self._wire: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._begun_at = self._heard_at = 0.0
        self.transport: Transport = transport
        self.remote = remote
        self.flow = flow
        self.is_ours = flow is not None
        self._has_spoken = self.is_ours

    # -- what the loop tells -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._wire = cast(asyncio.Transport, transport)
        self._begun_at = self._heard_at = self._streams.now()
        if self.flow is None:
            self.flow = self._streams.stack.opened(self.transport, self.remote, self)
        for data in self._waiting:
            self.send(data)
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Cut what came into messages."""
        framing, flow = self._framing, self.flow
        if flow is None:
            return
        was_inside = framing.is_inside
        messages = framing.feed(data)
        self._heard_at = self._streams.now()
        if messages or (self._has_spoken and not was_inside):
            self._has_spoken = True
            self._begun_at = self._heard_at
        if framing.pings:
            self.send(PONG * framing.pings)
        for message in messages:
            self._streams.stack.received(message, flow)
        if framing.is_broken:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._streams.forget(self)

    # -- what the stack and the streams want -------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send one message; a far end that does not read what it was sent before is cut off."""
        if self._wire is None:
            self._waiting.append(data)
        elif not self._wire.is_closing():
            self._wire.write(data)
            if self._wire.get_write_buffer_size() > self._streams.limits.unsent_octets:
                self._wire.abort()

    def close(self) -> None:
        """Send what waits, and close."""
        if self._wire is not None:
            self._wire.close()
        else:
            self._streams.forget(self)

    def abort(self) -> None:
        """Close at once."""
        if self._wire is not None:
            self._wire.abort()

    def overdue(self, now: float) -> str | None:
        """Why the connection should be closed, if it should: a message takes too long, or nothing was heard."""
        limits = self._streams.limits
        if self._wire is None:
            return None
        if self._framing.is_inside or not self._has_spoken:
            return SLOW if now - self._begun_at > limits.message_s else None
        return IDLE if now - self._heard_at > limits.idle_s else None

    def renew(self, now: float) -> None:
        """Let it be idle for another while."""
        self._heard_at = now


class Streams:
    """The connections of `stack`. `in_use` says which flows dialogs and registrations need: those may be idle."""

    def __init__(
        self, stack: SipStack, in_use: Callable[[], Collection[object]], limits: StreamLimits = StreamLimits()
    ) -> None:
        self.stack = stack
        self.limits = limits
        self.connections: set[StreamConnection] = set()
        self._in_use = in_use
        self._sources: Counter[str] = Counter()
        self._listeners: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._client_tls: SSLContext | None = None
        self._one_is_gone = asyncio.Event()
        self._local: tuple[str, int] | None = None
        self._is_swept = False

    def now(self) -> float:
        """Seconds on the loop's clock."""
        return self._loop.time()

    def listen(self, host: str, port: int, tls: Tls | None = None) -> Address:
        """Accept connections at `host`:`port` (0 = any free port), by TLS if it says how; raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setblocking(False)
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
        self._listeners.append(listener)
        self._start(self._accept(listener, tls))
        local = Address(*listener.getsockname()[:2])
        self._local = None if local.host in WILDCARDS else (local.host, 0)
        return local

    def dial(self, flow: Flow) -> StreamConnection:
        """Open the connection of a flow of our own; the stack is told when that fails."""
        connection = StreamConnection(self, flow.transport, flow.remote, flow)
        self._enter(connection)
        self._start(self._connect(connection, flow.remote))
        return connection

    async def stop(self) -> None:
        """Send what waits, and close every connection and listener."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for listener in self._listeners:
            listener.close()
        for connection in list(self.connections):
            connection.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self.connections:
                    self._one_is_gone.clear()
                    await self._one_is_gone.wait()
        for connection in list(self.connections):
            connection.abort()

    def sweep(self, now: float) -> None:
        """Close what has taken too long; a flow that somebody needs may be idle for another while."""
        in_use: Collection[object] | None = None
        for connection in list(self.connections):
            why = connection.overdue(now)
            if why == IDLE:
                in_use = self._in_use() if in_use is None else in_use
                if connection.flow in in_use:
                    connection.renew(now)
                    continue
            if why is not None:
                connection.abort()

    def admit(self, transport: Transport, remote: Address) -> StreamConnection | None:
        """Make the connection that `remote` wants; None where there are as many as there may be."""
        limits = self.limits
        if (
            len(self.connections) >= limits.connections
            or self._sources[remote.host] >= limits.from_one_source
        ):
            return None
        connection = StreamConnection(self, transport, remote)
        self._enter(connection)
        self._sources[remote.host] += 1
        return connection

    def forget(self, connection: StreamConnection) -> None:
        """A connection is gone, or never came to be."""
        if connection not in self.connections:
            return
        self.connections.discard(connection)
        self._one_is_gone.set()
        if not connection.is_ours:
            self._sources[connection.remote.host] -= 1
            if not self._sources[connection.remote.host]:
                del self._sources[connection.remote.host]
        if connection.flow is not None:
            self.stack.closed(connection.flow)

    # -- inside ------------------------------------------------------------------------------------------------

    def _enter(self, connection: StreamConnection) -> None:
        self.connections.add(connection)
        if not self._is_swept:
            self._is_swept = True
            self._start(self._sweep_while_any())

    async def _accept(self, listener: socket.socket, tls: Tls | None) -> None:
        while True:
            try:
                sock, (host, port, *_) = await self._loop.sock_accept(listener)
            except OSError:  # out of file descriptors, or the far end is gone already
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            connection = self.admit("TCP" if tls is None else "TLS", Address(host, port))
            if connection is None:
                sock.close()
            else:
                self._start(self._begin(connection, sock, tls))

    async def _begin(self, connection: StreamConnection, sock: socket.socket, tls: Tls | None) -> None:
        """Shake hands, where that is needed."""
        context, patience_s = None, None
        try:
            if tls is not None:
                context, patience_s = await self._certificate(tls), self.limits.connect_s
            await self._loop.connect_accepted_socket(
                lambda: connection, sock, ssl=context, ssl_handshake_timeout=patience_s
            )
        except OSError as error:  # hands that were not shaken are the far end's affair
            log.debug("sip.connection_refused", source=str(connection.remote), error=str(error))
            sock.close()
            self.forget(connection)

    @staticmethod
    async def _certificate(tls: Tls) -> SSLContext:
        try:
            return await tls()
        except (OSError, ValueError) as error:
            log.warning("sip.certificate_failed", error=str(error))
            raise ConnectionAbortedError("there is no certificate") from error

    async def _connect(self, connection: StreamConnection, remote: Address) -> None:
        try:
            async with asyncio.timeout(self.limits.connect_s):
                await self._open(connection, remote)
        except (OSError, TimeoutError) as error:
            log.warning("sip.connection_failed", flow=str(connection.flow), error=str(error))
            self.forget(connection)

    async def _open(self, connection: StreamConnection, remote: Address) -> None:
        tls = self._tls_of_client() if connection.transport == "TLS" else None
        name = None
        if tls is not None:
            name = (connection.flow.name if connection.flow is not None else "") or remote.host
        await self._loop.create_connection(
            lambda: connection,
            remote.host,
            remote.port,
            ssl=tls,
            server_hostname=name,
            local_addr=self._local,
        )

    def _tls_of_client(self) -> SSLContext:
        """Whom we connect to has to show a certificate of a known authority (SSL_CERT_FILE names another)."""
        if self._client_tls is None:
            from ssl import create_default_context  # noqa: PLC0415 - only trunks by TLS need it

            self._client_tls = create_default_context()
        return self._client_tls

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep_while_any(self) -> None:
        while self.connections:
            await asyncio.sleep(SWEEP_S)
            self.sweep(self.now())
        self._is_swept = False
