"""The HTTP door of one PBX: an aiohttp server whose every route but the health checks wants a bearer token.

The composition root starts and stops it. Whatever goes wrong is answered as a problem (RFC 9457), never as a traceback.
"""

from __future__ import annotations

import json
import logging
import socket
from functools import cached_property
from hmac import compare_digest
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from ...licensing.refusal import Refusal
from ..site.require import AdministrationError
from . import calls, channels, decisions, health, licences, places, users, voicemails
from .problem import ProblemError, failure, of_http

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..app import Pbx
    from .operation import Operation

log = structlog.get_logger()


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether aiohttp tells of a failure here: who sends what is no HTTP gets a 400, and no line in the log."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_http_log = logging.getLogger("ringfence.http")
_http_log.addFilter(_is_ours)

OPERATIONS: tuple[Operation, ...] = tuple(
    operation
    for room in (health, licences, users, places, channels, calls, decisions, voicemails)
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


class ApiDoor:
    """Serves one PBX from `start` to `stop`; port 0 is any free port."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self._token = pbx.token.encode()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, host: str, port: int) -> None:
        """Listen on `host`:`port`; raises OSError when the port is in use."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=128)
        try:
            app = web.Application(middlewares=[self._guard], client_max_size=MOST_BODY_BYTES)
            for operation in OPERATIONS:
                app.router.add_route(operation.method, operation.path, self._serving(operation))
                if operation.method == "GET":
                    app.router.add_route("HEAD", operation.path, self._serving(operation))
            app.router.add_get(DOCUMENT, self._describe)
            self._runner = web.AppRunner(
                app,
                access_log=None,
                logger=_http_log,
                keepalive_timeout=IDLE_S,
                shutdown_timeout=SHUTDOWN_S,
            )
            await self._runner.setup()
            await web.SockSite(self._runner, listening).start()
        except BaseException:
            listening.close()
            raise
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{listening.getsockname()[1]}"

    async def stop(self) -> None:
        """Finish the requests under way and close the socket."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _serving(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await operation.answer(self._pbx, request)

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
            if request.path not in FREE and not self._is_authorized(request):
                response = ProblemError(Refusal("auth.required")).response()
                response.headers["WWW-Authenticate"] = 'Bearer realm="ringfence"'
                return response
            return await handler(request)
        except ProblemError as error:
            return error.response()
        except AdministrationError as error:
            detail = error.sentence[:1].upper() + error.sentence[1:]
            return ProblemError(Refusal(error.reason), detail=detail).response()
        except web.HTTPException as error:
            return of_http(error)
        except Exception:
            log.exception("request.failed", method=request.method, path=request.path)
            return failure()

    def _is_authorized(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return compare_digest(token.strip().encode("utf-8", "surrogateescape"), self._token) & (
            scheme.lower() == "bearer"
        )
