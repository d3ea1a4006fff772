"""Finding one part in a multipart body (RFC 2046 section 5.1, RFC 5621), bounded in depth and number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .grammar import SipSyntaxError
from .headers import parse_params

if TYPE_CHECKING:
    from .message import Response

SDP: Final = "application/sdp"
DEEPEST: Final = 10
MOST_PARTS: Final = 32

_LINE = re.compile(rb"\r?\n")


def find_part(content_type: str, body: bytes, wanted: str) -> bytes | None:
    """Give the body itself, or its first part, of media type `wanted` (lower case), or None.

    `content_type` is the header value with its parameters. Raises `SipSyntaxError` for a multipart without a
    boundary, nested deeper than 10 or with more than 32 parts in all.
    """
    return _Search(wanted).find(content_type, body, 0)


def description_in(response: Response) -> bytes:
    """Return the session description in a response to an INVITE; nothing where there is none that can be read."""
    kind = response.get("content-type") or SDP
    if kind == SDP or not response.body:
        return response.body
    try:
        return find_part(kind, response.body, SDP) or b""
    except SipSyntaxError:
        return b""


class _Search:
    """One walk through nested parts; it counts the parts of all levels together."""

    __slots__ = ("_parts", "_wanted")

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._parts = 0

    def find(self, content_type: str, body: bytes, depth: int) -> bytes | None:
        media_type, _, parameters = content_type.partition(";")
        media_type = "".join(media_type.split()).lower()
        if media_type == self._wanted:
            return body
        if not media_type.startswith("multipart/"):
            return None
        if depth == DEEPEST:
            raise SipSyntaxError(f"the body is nested deeper than {DEEPEST} multiparts")
        boundary = dict(parse_params(";" + parameters)).get("boundary") if parameters.strip() else None
        if not boundary or len(boundary) > 70 or not boundary.isascii():
            raise SipSyntaxError("a multipart body has no usable boundary")
        for part in self._split(body, boundary.encode()):
            headers, blank, content = part.partition(b"\r\n\r\n")
            if part.startswith(b"\r\n"):
                headers, blank, content = b"", b"", part[2:]
            found = self.find(_content_type(headers), content if blank or not headers else b"", depth + 1)
            if found is not None:
                return found
        return None

    def _split(self, body: bytes, boundary: bytes) -> list[bytes]:
        delimiter = b"\r\n--" + boundary
        chunks = (b"\r\n" + body).split(delimiter, MOST_PARTS + 2)
        parts = []
        for chunk in chunks[1:]:
            if chunk.startswith(b"--"):
                break
            padding, line_end, part = chunk.partition(b"\r\n")
            if padding.strip(b" \t") or not line_end:
                raise SipSyntaxError("a multipart boundary line is malformed")
            self._parts += 1
            if self._parts > MOST_PARTS:
                raise SipSyntaxError(f"the body has more than {MOST_PARTS} parts")
            parts.append(part)
        return parts


def _content_type(headers: bytes) -> str:
    for line in _LINE.split(headers):
        name, _, value = line.decode(errors="replace").partition(":")
        if name.strip(" \t").lower() in {"content-type", "c"}:
            return value.strip(" \t")
    return "text/plain"
