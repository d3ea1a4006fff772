"""One listening port for plain connections and for TLS, told apart by the first octet (RFC 8446 5.1: handshake is 22).

The HTTP door listens by it. A connection that says nothing waits here, below any protocol, for a limited time and in a
limited number, of which the one that has waited longest makes room.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from .streams import BACKLOG, TRY_AGAIN_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from .streams import Tls

log = structlog.get_logger()

HANDSHAKE: Final = b"\x16"
FIRST_OCTET_S: Final = 15.0
HANDSHAKE_S: Final = 5.0
MOST_WAITING: Final = 512


class DualPort:
    """Listens at `listening` from `start` to `stop`; each connection is handed to a protocol that `make` makes.

    `tls` gives the certificate, when somebody asks for it first.
    """

    def __init__(self, listening: socket.socket, make: Callable[[], asyncio.Protocol], tls: Tls) -> None:
        self._listening = listening
        self._make = make
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._accepting: asyncio.Task[None] | None = None
        self._waiting: dict[asyncio.Task[None], None] = {}

    def start(self) -> None:
        """Accept connections from now on."""
        self._listening.setblocking(False)
        self._listening.listen(BACKLOG)
        self._accepting = self._loop.create_task(self._accept())

    async def stop(self) -> None:
        """Close the port, and what has not got to its protocol yet."""
        tasks = [*self._waiting, *([self._accepting] if self._accepting is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listening.close()

    async def _accept(self) -> None:
        while True:
            try:
                sock, _ = await self._loop.sock_accept(self._listening)
            except OSError:  # out of file descriptors, or the far end is gone already
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            if len(self._waiting) >= MOST_WAITING:
                next(iter(self._waiting)).cancel()
            task = self._loop.create_task(self._begin(sock))
            self._waiting[task] = None
            task.add_done_callback(self._waiting.pop)

    async def _begin(self, sock: socket.socket) -> None:
        try:
            async with asyncio.timeout(FIRST_OCTET_S):
                first = await self._first_octet(sock)
            context = await self._certificate() if first == HANDSHAKE else None
            await self._loop.connect_accepted_socket(
                self._make, sock, ssl=context, ssl_handshake_timeout=None if context is None else HANDSHAKE_S
            )
        except OSError:  # said nothing, is gone, or hands were not shaken: the far end's affair
            sock.close()
        except asyncio.CancelledError:
            sock.close()
            raise

    async def _first_octet(self, sock: socket.socket) -> bytes:
        """Look at what comes first and leave it there; raises OSError when nothing comes any more."""
        while True:
            with suppress(BlockingIOError):
                first = sock.recv(1, socket.MSG_PEEK)
                if not first:
                    raise ConnectionAbortedError("the connection was closed before its first octet")
                return first
            readable = self._loop.create_future()
            self._loop.add_reader(sock.fileno(), _note, readable)
            try:
                await readable
            finally:
                self._loop.remove_reader(sock.fileno())

    async def _certificate(self) -> SSLContext:
        try:
            return await self._tls()
        except (OSError, ValueError) as error:
            log.warning("http.certificate_failed", error=str(error))
            raise ConnectionAbortedError("there is no certificate") from error


def _note(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)
