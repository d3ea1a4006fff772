from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.message import SipSyntaxError
from ringfence.server.sip.multipart import find_part
from ringfence.server.sip.parser import parse

SDP = "application/sdp"
MIXED = 'multipart/mixed; boundary="b 1"'


def part(content: str, content_type: str | None = SDP, boundary: str = "b 1") -> str:
    header = "" if content_type is None else f"Content-Type: {content_type}\r\n"
    return f"--{boundary}\r\n{header}\r\n{content}\r\n"


def test_a_plain_body_is_its_own_part() -> None:
    assert find_part("Application/SDP;charset=utf-8", b"v=0", SDP) == b"v=0"
    assert find_part("text/plain", b"v=0", SDP) is None


def test_the_first_part_of_the_type_is_found() -> None:
    body = (
        "preamble\r\n" + part("hi", "text/plain") + part("v=0\r\nx") + part("second") + "--b 1--\r\nepilogue"
    )
    assert find_part(MIXED, body.encode(), SDP) == b"v=0\r\nx"


def test_a_part_without_headers_is_plain_text() -> None:
    """RFC 2046 section 5.1."""
    body = part("v=0", None) + "--b 1--"
    assert find_part(MIXED, body.encode(), SDP) is None
    assert find_part(MIXED, body.encode(), "text/plain") == b"v=0"


def test_an_empty_part_is_a_part() -> None:
    assert find_part(MIXED, (part("") + "--b 1--").encode(), SDP) == b""


def test_parts_in_parts_are_found() -> None:
    inner = part("v=0", boundary="in") + "--in--"
    body = part("hi", "text/plain") + part(inner, "multipart/alternative;boundary=in") + "--b 1--"
    assert find_part(MIXED, body.encode(), SDP) == b"v=0"


def test_the_binary_part_of_mpart01_is_found() -> None:
    """RFC 4475 section 3.1.1.11."""
    message = parse((Path(__file__).parent / "rfc4475" / "mpart01.dat").read_bytes())
    found = find_part(message.get("content-type") or "", message.body, "application/octet-stream")
    assert found is not None
    assert found.startswith(b"0\x82")


def nested(depth: int) -> tuple[str, str]:
    content_type, body = SDP, "v=0"
    for level in range(depth):
        body = part(body, content_type, f"b{level}") + f"--b{level}--"
        content_type = f"multipart/mixed;boundary=b{level}"
    return content_type, body


def test_depth_is_bounded() -> None:
    content_type, body = nested(10)
    assert find_part(content_type, body.encode(), SDP) == b"v=0"
    content_type, body = nested(11)
    with pytest.raises(SipSyntaxError, match="deeper"):
        find_part(content_type, body.encode(), SDP)


def test_the_number_of_parts_is_bounded() -> None:
    assert find_part(MIXED, (part("", "text/plain") * 31 + part("v=0") + "--b 1--").encode(), SDP) == b"v=0"
    with pytest.raises(SipSyntaxError, match="parts"):
        find_part(MIXED, (part("", "text/plain") * 33 + "--b 1--").encode(), SDP)


@pytest.mark.parametrize(
    "parameters", ["", ";", ";boundary", ";boundary=", ";boundary=" + "x" * 71, ';boundary="ä"']
)
def test_a_multipart_without_a_boundary_is_refused(parameters: str) -> None:
    with pytest.raises(SipSyntaxError):
        find_part("multipart/mixed" + parameters, b"--x--", SDP)


@given(st.text(max_size=40), st.binary(max_size=80))
def test_garbage_raises_nothing_but_syntax_errors(parameters: str, body: bytes) -> None:
    for content_type in (parameters, "multipart/mixed;" + parameters, "multipart/mixed;boundary=a"):
        with suppress(SipSyntaxError):
            find_part(content_type, body.replace(b"\0", b"\r\n--a"), SDP)
