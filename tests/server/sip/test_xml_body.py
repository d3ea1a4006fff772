"""XML bodies from the wire: read whole or refused, and no entity is ever expanded."""

from __future__ import annotations

import pytest

from ringfence.server.sip.grammar import SipSyntaxError
from ringfence.server.sip.xml_body import LARGEST, read_xml

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "xxxxxxxxxx">'
    + b"".join(b'<!ENTITY c%d "%s">' % (i, b"&b;" * 10) for i in range(40))
    + b"]><a>&c1;</a>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"<a/><b/>",
        b"<a>&b;</a>",
        b"\xff\xfe<a/>",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"<a" * 500,
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://192.0.2.1/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        BOMB,
    ],
    ids=lambda body: body[:20].decode(errors="replace"),
)
def test_what_is_no_document_or_has_a_document_type_is_400(body: bytes) -> None:
    with pytest.raises(SipSyntaxError) as caught:
        read_xml(body)
    assert caught.value.status == 400


def test_a_body_too_large_is_413() -> None:
    """RFC 3261 21.4.11."""
    with pytest.raises(SipSyntaxError) as caught:
        read_xml(b"<a>" + b" " * LARGEST + b"</a>")
    assert caught.value.status == 413


def test_deep_nesting_is_harmless() -> None:
    depth = 1000
    root = read_xml(b"<a>" * depth + b"</a>" * depth)
    assert len(list(root.iter())) == depth
