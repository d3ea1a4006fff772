"""The ways by which messages get to a server under fire: datagrams, connections in any pieces, and WebSocket frames.

What the server sends by connections and sockets is put with what it sends by datagrams, under the address for which
they stand. A connection that the server closes is opened anew when something else is to be said.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from aiohttp import WSMessage, WSMsgType, web

from ringfence.channels.network import Address
from ringfence.server.net.memory_streams import connect
from ringfence.server.net.websocket import SocketFlow
from ringfence.server.sip.framing import Framing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from ..server.besieged import Besieged, Tapped

DATAGRAM, STREAM, SOCKET = "datagram", "stream", "socket"
WAYS: Final = (DATAGRAM, DATAGRAM, STREAM, SOCKET)
NOWHERE: Final = Address("", 0)


@dataclass(frozen=True, slots=True)
class Thrown:
    """Something that was sent: when, from where, what, and how; from nowhere it is the server hanging up all there is.

    Of a stream it is one piece, of a socket one frame.
    """

    at: float
    source: Address
    data: bytes
    way: str = DATAGRAM


class Caller(asyncio.Protocol):
    """The far end of a connection."""

    def __init__(self, network: Tapped, source: Address) -> None:
        self._network = network
        self._source = source
        self._framing = Framing()

    def data_received(self, data: bytes) -> None:
        """Cut what the server sent into messages; it has to be possible."""
        self._network.heard += [(message, self._source) for message in self._framing.feed(data)]
        assert not self._framing.is_broken, "nobody can say where the server's next message begins"


class Page:
    """The far end of a WebSocket, in the place of the server's socket."""

    def __init__(self, network: Tapped, source: Address) -> None:
        self._network = network
        self._source = source
        self._frames: asyncio.Queue[WSMessage] = asyncio.Queue()

    def put(self, frame: bytes) -> None:
        """Send one frame: a text if it can be one."""
        try:
            self._frames.put_nowait(WSMessage(WSMsgType.TEXT, frame.decode(), None))
        except UnicodeDecodeError:
            self._frames.put_nowait(WSMessage(WSMsgType.BINARY, frame, None))

    def leave(self) -> None:
        """Close it."""
        self._frames.put_nowait(WSMessage(WSMsgType.CLOSED, None, None))

    # -- what the server calls ---------------------------------------------------------------------------------

    async def receive(self) -> WSMessage:
        """Wait for the next frame."""
        return await self._frames.get()

    async def send_str(self, data: str) -> None:
        """Take a text."""
        await self.send_bytes(data.encode())

    async def send_bytes(self, data: bytes) -> None:
        """Take a frame; only messages and pongs are sent."""
        if data.strip(b"\r\n"):
            self._network.heard.append((data, self._source))

    async def close(self, **_: object) -> None:
        """Be closed by the server, which hears nothing more."""


class Below(asyncio.BaseTransport):
    """The connection below a WebSocket; what is too slow for its server is cut off by it."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page

    def close(self) -> None:
        """Close both."""
        self._page.leave()


class Ways:
    """Carries what is thrown at `target`, and hears what comes back."""

    def __init__(self, target: Besieged) -> None:
        self._target = target
        self._wires: dict[Address, asyncio.Transport] = {}
        self._pages: dict[Address, tuple[Page, asyncio.Task[None]]] = {}

    async def carry(self, one: Thrown) -> None:
        """Let it arrive."""
        match one.way:
            case "stream":
                (await self._wire(one.source)).write(one.data)
            case "socket":
                self._page(one.source).put(one.data)
            case _:
                network = self._target.network
                network.endpoints[self._target.server.sip].receive(one.data, one.source)

    async def close(self) -> None:
        """Close every connection and socket."""
        for wire in self._wires.values():
            wire.close()
        for page, _ in self._pages.values():
            page.leave()
        await asyncio.gather(*(task for _, task in self._pages.values()), return_exceptions=True)
        await asyncio.sleep(1)

    async def _wire(self, source: Address) -> asyncio.Transport:
        wire = self._wires.get(source)
        if wire is None or wire.is_closing():
            network = self._target.network
            caller = Caller(network, source)
            wire = await connect(network, caller, source.host, self._target.server.sip)
            self._wires[source] = wire
        return wire

    def _page(self, source: Address) -> Page:
        known = self._pages.get(source)
        if known is not None and not known[1].done():
            return known[0]
        page = Page(self._target.network, source)
        socket = cast(web.WebSocketResponse, page)
        flow = SocketFlow(self._target.server._stack, socket, Below(page), source)
        task = asyncio.get_running_loop().create_task(flow.run())
        task.add_done_callback(_tell_failure)
        self._pages[source] = (page, task)
        return page


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": "a socket failed", "exception": error})


def cut(data: bytes, way: str, random: Random) -> Iterator[bytes]:
    """Cut a message as its way allows: a stream anywhere, a socket seldom, for each frame is one message."""
    pieces = 1
    if way == STREAM:
        pieces = random.choice((1, 1, 2, 3, 8)) if random.random() < 0.98 else min(len(data), 400)
    elif way == SOCKET and random.random() < 0.03:
        pieces = 2
    begin = 0
    for left in range(pieces - 1, 0, -1):
        if len(data) - begin > left:
            end = begin + random.randint(1, max(1, 2 * (len(data) - begin) // (left + 1)))
            yield data[begin:end]
            begin = end
    if data[begin:]:
        yield data[begin:]
