"""A WAV file as an answer, whole or in part."""

from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from ...licensing.refusal import Refusal
from .problem import ProblemError

AUDIO = "audio/wav"


def wav(request: web.Request, path: Path) -> web.StreamResponse:
    """Answer with the file at `path`; Range is understood."""
    _require_range(request, path)
    return web.FileResponse(path, headers={"Content-Type": AUDIO})


def _require_range(request: web.Request, path: Path) -> None:
    """Refuse a Range that is none of the sound (RFC 9110 14.4); with If-Range it may come to be ignored."""
    if "If-Range" in request.headers:
        return
    size = path.stat().st_size
    try:
        start = request.http_range.start
    except ValueError:
        start = size
    if start is not None and start >= size:
        raise ProblemError(
            Refusal("request.invalid"),
            detail=f"The Range is outside of the sound, which has {size} bytes.",
            status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            headers={"Content-Range": f"bytes */{size}"},
        )
