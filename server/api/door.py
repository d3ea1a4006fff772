"""The HTTP door of one PBX: an aiohttp server whose every route but health checks and SIP wants a bearer token.

The composition root starts and stops it. Whatever goes wrong is answered as a problem (RFC 9457), never as a traceback.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from functools import cached_property
from hmac import compare_digest
from typing import TYPE_CHECKING, cast

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from ...channels.network import Address
from ...licensing.refusal import Refusal
from ..net.dual_port import DualPort
from ..store.tokens import Token
from . import (
    analytics,
    attendants,
    audit,
    bans,
    call_backs,
    calls,
    channels,
    decisions,
    greetings,
    health,
    journal,
    licences,
    lines,
    outbox,
    packages,
    parked,
    pin_locks,
    places,
    settings,
    sounds,
    tokens,
    users,
    voicemails,
    what_if,
)
from .problem import ProblemError, failure, malformed, translated
from .rights import OWNER, require_kind
from .sip_socket import PATH, SocketDoor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..app import Pbx
    from ..net.streams import Tls
    from .operation import Operation

log = structlog.get_logger()


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether aiohttp tells of a failure here: who sends what is no HTTP gets a 400, and no line in the log."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_http_log = logging.getLogger("ringfence.http")
_http_log.addFilter(_is_ours)

OPERATIONS: tuple[Operation, ...] = tuple(
    operation
    for room in (
        health,
        licences,
        what_if,
        packages,
        lines,
        analytics,
        users,
        settings,
        call_backs,
        places,
        channels,
        calls,
        parked,
        decisions,
        voicemails,
        pin_locks,
        outbox,
        sounds,
        attendants,
        greetings,
        tokens,
        audit,
        journal,
        bans,
    )
    for operation in room.routes
)
FREE = frozenset({"/livez", "/readyz"})
"""The paths that need no token."""

DOCUMENT = "/api/openapi.json"
MOST_BODY_BYTES = 1024 * 1024
SHUTDOWN_S = 1.0
IDLE_S = 30.0
"""How long a connection may be idle, or take to send the head of a request."""

SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "ringfence",
}
_WHO = web.RequestKey("who", Token)
_SECRET = re.compile(r"[0-9a-f]{40}")


NO_LOG = cast("logging.Logger", None)  # aiohttp takes None for none, which its types do not say


class _Connection(web.RequestHandler):
    """One connection; whatever is no HTTP is a problem too."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """See aiohttp; it writes the log, and raises where an answer has begun already."""
        super().handle_error(request, status, exc, message)
        response = (failure() if status >= 500 else malformed(status)).response()
        response.headers.update(SAFETY)
        response.force_close()
        return response


class ApiDoor:
    """Serves one PBX from `start` to `stop`; port 0 is any free port. HTTPS shows the certificate that `tls` gives."""

    def __init__(self, pbx: Pbx, sip: SocketDoor, tls: Tls) -> None:
        self._pbx = pbx
        self._sip = sip
        self._tls = tls
        self._token = pbx.token.encode()
        self._runner: web.AppRunner | None = None
        self._port: DualPort | None = None
        self.local = Address("", 0)

    @property
    def url(self) -> str:
        """The base URL; https: will do as well."""
        return f"http://{self.local}"

    async def start(self, host: str, port: int) -> None:
        """Listen on `host`:`port`; raises OSError when the port is in use."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
        try:
            app = web.Application(middlewares=[self._guard], client_max_size=MOST_BODY_BYTES)
            for operation in OPERATIONS:
                app.router.add_route(operation.method, operation.path, self._serving(operation))
                if operation.method == "GET":
                    app.router.add_route("HEAD", operation.path, self._serving(operation))
            app.router.add_get(DOCUMENT, self._describe)
            app.router.add_get(PATH, self._sip.serve)
            app.on_shutdown.append(self._sip.stop)
            self._runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_S)
            await self._runner.setup()
            self._port = self._listen(self._runner, listening)
        except BaseException:
            listening.close()
            raise
        self.local = Address(host, listening.getsockname()[1])

    async def stop(self) -> None:
        """Finish the requests under way and close the socket."""
        if self._port is not None:
            await self._port.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def _listen(self, runner: web.AppRunner, listening: socket.socket) -> DualPort:
        loop, server = asyncio.get_running_loop(), cast("web.Server", runner.server)

        def connection() -> _Connection:
            return _Connection(
                server, loop=loop, access_log=NO_LOG, logger=_http_log, keepalive_timeout=IDLE_S
            )

        port = DualPort(listening, connection, self._tls)
        port.start()
        return port

    def _serving(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            who = request[_WHO]
            require_kind(who, operation.may)
            return await operation.answer(self._pbx, who, request)

        return serve

    async def _describe(self, _: web.Request) -> web.Response:
        return web.Response(text=self._document, content_type="application/json")

    @cached_property
    def _document(self) -> str:
        from .openapi import document  # noqa: PLC0415 - at the first question

        return json.dumps(document(OPERATIONS, FREE), ensure_ascii=False)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response = await self._answered(request, handler)
        response.headers.update(SAFETY)
        return response

    async def _answered(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            is_open = request.path in FREE or request.path == PATH
            request[_WHO] = OWNER if is_open else await self._who(request)
            return await handler(request)
        except Exception as error:
            problem = translated(error)
            if problem is None or problem.problem.reason.startswith("store."):
                log.exception("request.failed", method=request.method, path=request.path)
            return (problem or failure()).response()

    async def _who(self, request: web.Request) -> Token:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        secret, known = secret.strip(), None
        if scheme.lower() == "bearer":
            if compare_digest(secret.encode("utf-8", "surrogateescape"), self._token):
                known = OWNER
            elif _SECRET.fullmatch(secret):
                known = await self._pbx.store.tokens.find(secret)
        if known is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="ringfence"'}
            raise ProblemError(Refusal("auth.required"), headers=challenge)
        return known
