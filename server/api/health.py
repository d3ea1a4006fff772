"""Whether the server lives, whether it takes calls, and its metrics for Prometheus."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from ...licensing.refusal import Refusal
from .operation import Routes
from .problem import ProblemError

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is always "ok"; whatever is not ok is a problem."""

    status: str


@routes.get("/livez")
async def read_liveness(pbx: "Pbx") -> Health:
    """Answer as long as the event loop runs."""
    return Health("ok")


@routes.get("/readyz")
async def read_readiness(pbx: "Pbx") -> Health:
    """Answer 200 while calls are taken, 503 once the server is going down or has no media."""
    if pbx.is_stopping:
        raise ProblemError(Refusal("server.stopping"))
    if pbx.plane.has_failed:
        raise ProblemError(Refusal("media.failed"))
    return Health("ok")


@routes.get("/metrics", produces="text/plain")
async def read_metrics(pbx: "Pbx") -> web.StreamResponse:
    """Counters and gauges in the text format of Prometheus."""
    return web.Response(body=pbx.metrics.text(), headers={"Content-Type": pbx.metrics.content_type})
