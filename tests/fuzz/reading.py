"""What must hold when any bytes are read: only the parsers' own errors, nothing half read, nothing slow.

A message that the strict check lets through can be written and read again without a change.
"""

from __future__ import annotations

import time
from contextlib import suppress
from random import Random

from ringfence.server.sip.credentials import Challenge, Credentials
from ringfence.server.sip.grammar import SipSyntaxError
from ringfence.server.sip.headers import CSeq, NameAddr, Via, parse_params, split_list
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.multipart import find_part
from ringfence.server.sip.offer_answer import answer
from ringfence.server.sip.parser import parse
from ringfence.server.sip.sdp import Sdp, SdpError
from ringfence.server.sip.uri import parse_uri
from ringfence.server.sip.validate import check

SLOW_S = 0.25
TYPED = (
    "via", "vias", "from_", "to", "cseq", "call_id", "contacts", "contact_star", "max_forwards", "expires",
    "content_type", "require",
)  # fmt: skip
READ_ALONE = (
    Via.parse,
    NameAddr.parse,
    CSeq.parse,
    parse_uri,
    split_list,
    parse_params,
    Credentials.parse,
    Challenge.parse,
)
WRITTEN_AGAIN = (Via, NameAddr, CSeq)


def read(data: bytes) -> None:
    """Read a message in every way; raises AssertionError, or what escaped, when something does not hold."""
    random = Random(data)
    started = time.process_time()
    try:
        message = parse(data)
    except SipSyntaxError as error:
        _can_be_refused(error)
        _read_lines(data.decode(errors="surrogateescape"), random)
    else:
        _read_message(message)
        _read_lines(random.choice(message.headers)[1] if message.headers else "", random)
        _read_body(message)
    took_s = time.process_time() - started
    assert took_s < SLOW_S, f"{took_s:.2f} s to read {len(data)} bytes"


def _can_be_refused(error: SipSyntaxError) -> None:
    if error.request is not None:
        assert error.request.respond(error.status, to_tag="t").to_bytes().endswith(b"\r\n\r\n")


def _read_message(message: Request | Response) -> None:
    for name in TYPED:
        with suppress(SipSyntaxError):
            getattr(message, name)
    if isinstance(message, Request):
        with suppress(SipSyntaxError):
            _ = message.request_uri
    try:
        check(message)
    except SipSyntaxError as error:
        _can_be_refused(error)
        return
    message.accepts("application/sdp")
    written = message.to_bytes()
    again = parse(written)
    check(again)
    assert again.to_bytes() == written
    assert again.body == message.body
    assert (again.via, again.from_, again.to, again.cseq) == (
        message.via,
        message.from_,
        message.to,
        message.cseq,
    )
    if isinstance(message, Request):
        response = parse(message.respond(200, to_tag="t").to_bytes())
        assert (response.via, response.from_, response.cseq) == (message.via, message.from_, message.cseq)


def _read_lines(text: str, random: Random) -> None:
    """Give one line, with its name and without, to each parser of a value."""
    line = random.choice(text.split("\r\n"))
    for value in (line, line.partition(":")[2].strip()):
        for read_one in READ_ALONE:
            try:
                found = read_one(value)
            except SipSyntaxError:
                continue
            if isinstance(found, WRITTEN_AGAIN):
                assert type(found).parse(str(found)) == found


def _read_body(message: Request | Response) -> None:
    body: bytes | None = message.body
    with suppress(SipSyntaxError):
        body = find_part(message.get("content-type") or "", message.body, "application/sdp")
    if body is None:
        return
    try:
        sdp = Sdp.parse(body)
    except SdpError:
        return
    assert Sdp.parse(str(sdp)) == sdp
    with suppress(SdpError):
        text, _ = answer(sdp, "127.0.0.1", 4000, session_id=1, version=1)
        Sdp.parse(text)
