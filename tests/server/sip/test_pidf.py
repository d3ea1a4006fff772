"""Presence documents (RFC 3863, RFC 4480): what is understood of a published one, and how ours read."""

from __future__ import annotations

import pytest

from ringfence.server.sip.grammar import SipSyntaxError
from ringfence.server.sip.pidf import LONGEST_NOTE, Contact, Presentity, read_pidf, write_pidf
from ringfence.server.sip.xml_body import read_xml

IN = "{urn:ietf:params:xml:ns:pidf}"
HEAD = (
    '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"'
    ' xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="pres:anna@klein.example">'
)
ACTIVITIES = "<rpid:activities><rpid:meeting/><rpid:unknown/><rpid:busy/><rpid:busy/></rpid:activities>"


def document(inner: str) -> bytes:
    return f"{HEAD}{inner}</presence>".encode()


@pytest.mark.parametrize(
    ("inner", "read"),
    [
        ("", Presentity()),
        ('<tuple id="a"><status><basic>open</basic></status></tuple>', Presentity(is_open=True)),
        ('<tuple id="a"><status><basic> closed </basic></status></tuple>', Presentity(is_open=False)),
        (
            '<tuple id="a"/><tuple id="b"><status><basic>open</basic></status><note>  At\n home </note></tuple>',
            Presentity(is_open=True, note="At home"),
        ),
        (
            f"<dm:person>{ACTIVITIES}<dm:note>Back at 5</dm:note></dm:person>",
            Presentity(activities=("meeting", "busy"), note="Back at 5"),
        ),
        (f"<note>{'x' * 500}</note>", Presentity(note="x" * LONGEST_NOTE)),
        ('<tuple id="a"><status><x xmlns="urn:x"/></status></tuple>', Presentity()),
    ],
)
def test_status_activities_and_note_are_read(inner: str, read: Presentity) -> None:
    """RFC 3863 4.1, RFC 4480 3.2: what is not known is read over."""
    assert read_pidf(document(inner)) == read


@pytest.mark.parametrize(
    "body",
    [
        b"<presence/>",
        b'<presence xmlns="urn:x" entity="pres:a@b"/>',
        HEAD.replace('entity="pres:anna@klein.example"', "").encode() + b"</presence>",
        document('<tuple id="a"><status><basic>perhaps</basic></status></tuple>'),
        b"<!DOCTYPE presence>" + document(""),
    ],
)
def test_what_is_no_presence_document_is_400(body: bytes) -> None:
    with pytest.raises(SipSyntaxError) as caught:
        read_pidf(body)
    assert caught.value.status == 400


def test_ours_says_how_to_reach_somebody_and_can_be_read_again() -> None:
    contacts = [Contact("t0", "sip:anna@x", is_open=False), Contact("t1", "sip:100@x", is_open=True)]
    body = write_pidf("sip:anna@x", contacts, ["on-the-phone"], "A <b> & c")
    root = read_xml(body)
    assert root.get("entity") == "sip:anna@x"
    assert [
        (one.get("id"), one.findtext(f"{IN}status/{IN}basic"), one.findtext(f"{IN}contact"))
        for one in root.findall(f"{IN}tuple")
    ] == [("t0", "closed", "sip:anna@x"), ("t1", "open", "sip:100@x")]
    assert read_pidf(body) == Presentity(True, ("on-the-phone",), "A <b> & c")
