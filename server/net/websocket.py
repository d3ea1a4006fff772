"""One WebSocket as a flow of the SIP stack (RFC 7118): each frame is one message, and Content-Length may be missing.

The HTTP door accepts the socket and lets a `SocketFlow` run until it is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from aiohttp import WSCloseCode, WSMsgType, web

from ..sip.framing import MOST_HEAD, PONG
from ..sip.parser import MOST_BODY

if TYPE_CHECKING:
    from ...channels.network import Address
    from .stack import SipStack

PROTOCOL: Final = "sip"
MOST_WAITING: Final = 256
"""Messages that may wait for a reader that is slow."""
FIRST_MESSAGE_S: Final = 15.0
HEARTBEAT_S: Final = 30.0
"""How often the far end is pinged (RFC 7118 6); one that does not answer is gone."""
CLOSE_S: Final = 1.0
_PING = PONG * 2


def new_socket() -> web.WebSocketResponse:
    """Return a socket that takes a SIP message a frame."""
    return web.WebSocketResponse(
        protocols=(PROTOCOL,),
        heartbeat=HEARTBEAT_S,
        timeout=CLOSE_S,
        max_msg_size=MOST_HEAD + MOST_BODY,
        compress=False,
    )


class SocketFlow:
    """A socket that is open; `wire` is the connection below it, by TLS that of a secure WebSocket."""

    def __init__(
        self, stack: SipStack, socket: web.WebSocketResponse, wire: asyncio.BaseTransport, remote: Address
    ) -> None:
        self._stack = stack
        self._socket = socket
        self._wire = wire
        self._remote = remote
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)

    async def run(self) -> None:
        """Hear what comes until the socket is closed."""
        is_secure = self._wire.get_extra_info("ssl_object") is not None
        flow = self._stack.opened("WSS" if is_secure else "WS", self._remote, self)
        writer = asyncio.get_running_loop().create_task(self._write())
        try:
            async with asyncio.timeout(FIRST_MESSAGE_S) as first:
                while (data := await self._read()) is not None:
                    if data == _PING:
                        self.send(PONG)
                    else:
                        first.reschedule(None)
                        self._stack.received(data, flow)
        except TimeoutError:
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION)
        finally:
            writer.cancel()
            self._stack.closed(flow)

    def send(self, data: bytes) -> None:
        """Send one message; a far end that does not read what it was sent before is cut off."""
        try:
            self._waiting.put_nowait(data)
        except asyncio.QueueFull:
            self._wire.close()

    async def close(self) -> None:
        """Send what waits, and say goodbye."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._waiting.join()
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def _read(self) -> bytes | None:
        frame = await self._socket.receive()
        match frame.type:
            case WSMsgType.TEXT:
                return str(frame.data).encode()
            case WSMsgType.BINARY:
                return bytes(frame.data)
            case _:
                return None

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):  # the reader hears of it too
            while True:
                data = await self._waiting.get()
                try:
                    text = data.decode()
                except UnicodeDecodeError:
                    await self._socket.send_bytes(data)
                else:
                    await self._socket.send_str(text)
                self._waiting.task_done()
