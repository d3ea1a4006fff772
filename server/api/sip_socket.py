"""SIP over WebSocket at `/sip` (RFC 7118): who may open a socket, and how many there are.

No token is asked here: SIP authenticates each request. But a browser says from whose page it connects (RFC 6454 7), and
only pages of the own host, or of an origin that the site allows, may; who sends no Origin is no browser and passes.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ...channels.network import Address
from ...licensing.refusal import Refusal
from ..net.websocket import PROTOCOL, SocketFlow, new_socket
from .problem import ProblemError

if TYPE_CHECKING:
    from aiohttp import web

    from ..app import Pbx
    from ..net.stack import SipStack

PATH: Final = "/sip"
MOST_SOCKETS: Final = 1024


class SocketDoor:
    """The open sockets of one server; `own_hosts` are the names of the host that it runs on."""

    def __init__(self, pbx: Pbx, stack: SipStack, own_hosts: frozenset[str]) -> None:
        self._pbx = pbx
        self._stack = stack
        self._own_hosts = own_hosts
        self._open: set[SocketFlow] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer the handshake, and run the flow to its end; raises `ProblemError`."""
        self._check(request)
        socket = new_socket()
        await socket.prepare(request)
        wire = request.transport
        if wire is None:
            return socket
        flow = SocketFlow(self._stack, socket, wire, Address(*wire.get_extra_info("peername")[:2]))
        self._open.add(flow)
        try:
            await flow.run()
        finally:
            self._open.discard(flow)
        return socket

    async def stop(self, _: web.Application) -> None:
        """Send what waits, and close them all."""
        await asyncio.gather(*(flow.close() for flow in self._open))

    def _check(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and not self._allows(origin):
            raise ProblemError.forbidden(
                "Pages of this origin may not speak SIP here; name it in websocket_origins of [security]."
            )
        offered = request.headers.getall("Sec-WebSocket-Protocol", ())
        if PROTOCOL not in {name.strip() for line in offered for name in line.split(",")}:
            detail = "This is for SIP over WebSocket; offer the subprotocol sip (RFC 7118)."
            raise ProblemError(Refusal("request.invalid"), detail=detail, status=HTTPStatus.BAD_REQUEST)
        if len(self._open) >= MOST_SOCKETS or not self._stack.is_started:
            raise ProblemError(Refusal("server.overloaded"))

    def _allows(self, origin: str) -> bool:
        try:
            host = urlsplit(origin).hostname
        except ValueError:
            return False
        site = self._pbx.site
        return (
            host in self._own_hosts or host == site.server.domain or origin in site.security.websocket_origins
        )
