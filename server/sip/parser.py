"""From octets to a message (RFC 3261 sections 7 and 18.3): splits it, and reads only what that needs.

The agent calls `parse` for each datagram and each message of a stream; `validate.check` looks at the headers next.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .grammar import SipSyntaxError, is_token, number
from .header_names import WRITTEN, canonical_name
from .message import Request, Response

if TYPE_CHECKING:
    from .message import Message

MOST_HEADERS: Final = 256
MOST_BODY: Final = 262_144
"""Octets that the body of a message may have on a stream."""

_TEXT_OCTETS: Final = bytes(c for c in range(256) if c >= 0x20 and c != 0x7F) + b"\t\r\n"
_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
_STRAY_CONTROL = re.compile(r"(?<!\\)(?:\\\\)*[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STRAY_LINE_END = re.compile(r"\r(?!\n)|(?<!\r)\n")
_REQUEST_LINE = re.compile(r"([^ \t]+) ([^ \t]+) (SIP/[0-9]+\.[0-9]+)", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/([0-9]+\.[0-9]+) ([0-9]+) (.*)", re.IGNORECASE | re.DOTALL)


def parse(data: bytes) -> Request | Response:
    """Read one datagram; what follows the body of Content-Length octets is dropped (RFC 3261 section 18.3).

    Raises `SipSyntaxError`; its `request` is set when a request is broken but its sender can be told so.
    """
    data = data.lstrip(b"\r\n")
    head, blank, body = data.partition(b"\r\n\r\n")
    faults: list[SipSyntaxError] = []
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode(errors="surrogateescape")
        faults.append(SipSyntaxError("the headers are not UTF-8"))
    if not blank:
        faults.append(SipSyntaxError("the headers do not end with an empty line"))
        text = text.rstrip("\r\n")
    line_ends = text.count("\r\n")
    if text.count("\n") != line_ends or text.count("\r") != line_ends:
        faults.append(SipSyntaxError("a line does not end with CR LF"))
        text = _STRAY_LINE_END.sub(" ", text)
    if head.translate(None, _TEXT_OCTETS) and _STRAY_CONTROL.search(text):
        faults.append(SipSyntaxError("the headers hold a control character"))
    start_line, _, lines = text.partition("\r\n")
    message = _start(start_line, faults)
    if message is None:
        raise faults[-1]
    message.headers = _headers(lines, faults)
    message.body = _body(message, body, faults)
    if isinstance(message, Request):
        message.size = len(data)
    if faults:
        request = message if isinstance(message, Request) and message.answerable() else None
        raise SipSyntaxError(faults[0].what, faults[0].status, request)
    return message


def _start(line: str, faults: list[SipSyntaxError]) -> Request | Response | None:
    match = _REQUEST_LINE.fullmatch(line)
    if match is not None:
        method, uri, version = match.groups()
        if version.upper() != "SIP/2.0":
            faults.append(SipSyntaxError("this SIP version is not supported", 505))
        if not is_token(method):
            faults.append(SipSyntaxError("the method is not a token"))
        return Request(method, uri)
    match = _STATUS_LINE.fullmatch(line)
    if match is not None:
        version, status, reason = match.groups()
        if version == "2.0" and len(status) == 3 and 100 <= int(status) <= 699:
            return Response(int(status), reason)
    faults.append(SipSyntaxError("the start line is malformed"))
    method, _, rest = line.strip(" \t").partition(" ")
    uri, _, version = rest.rpartition(" ")
    return Request(method, uri.strip(" \t")) if is_token(method) and version.upper() == "SIP/2.0" else None


def _headers(text: str, faults: list[SipSyntaxError]) -> list[tuple[str, str]]:
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    headers: list[tuple[str, str]] = []
    for line in text.split("\r\n") if text else ():
        name, colon, value = line.partition(":")
        canonical = WRITTEN.get(name)
        if canonical is None:
            name = name.rstrip(" \t")
            if not colon or not is_token(name):
                faults.append(SipSyntaxError("a header line is malformed"))
                continue
            canonical = canonical_name(name)
        headers.append((canonical, value.strip(" \t")))
    if len(headers) > MOST_HEADERS:
        faults.append(SipSyntaxError(f"there are more than {MOST_HEADERS} headers"))
        del headers[MOST_HEADERS:]
    return headers


def _body(message: Message, body: bytes, faults: list[SipSyntaxError]) -> bytes:
    lengths = message.all("content-length")
    if not lengths:
        return body
    try:
        length = number(lengths[0], "Content-Length", 2**31 - 1)
    except SipSyntaxError as error:
        faults.append(error)
        return b""
    if len(lengths) > 1:
        faults.append(SipSyntaxError("Content-Length is there more than once"))
    if length > len(body):
        status = 513 if length > MOST_BODY else 400  # RFC 3261 21.5.7: a stream cannot bring it
        faults.append(SipSyntaxError("the body is shorter than Content-Length says", status))
    return body[:length]
