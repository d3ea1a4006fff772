"""Documents of the event package `dialog` (RFC 4235 section 4)."""

from __future__ import annotations

from ringfence.server.sip.dialog_info import Dialogue, write_dialog_info
from ringfence.server.sip.headers import NameAddr
from ringfence.server.sip.xml_body import read_xml

IN = "{urn:ietf:params:xml:ns:dialog-info}"
US = "sip:100@example.com"


def test_a_call_has_state_direction_and_the_far_end_s_identity() -> None:
    """RFC 4235 4.1: full state, version, entity; no Call-ID and no tags, which would let others speak in it."""
    remote = NameAddr.parse('"Ben \\"K\\" <&>" <sip:101@example.com>')
    root = read_xml(write_dialog_info(US, [Dialogue("l-3", "early", initiator=False, remote=remote)], 7))
    assert root.tag == f"{IN}dialog-info"
    assert root.attrib == {"version": "7", "state": "full", "entity": US}
    dialog = root[0]
    assert dialog.attrib == {"id": "l-3", "direction": "recipient"}
    assert dialog.findtext(f"{IN}state") == "early"
    identity = dialog.find(f"{IN}remote/{IN}identity")
    assert identity is not None
    assert (identity.text, identity.get("display")) == ("sip:101@example.com", 'Ben "K" <&>')


def test_a_call_that_may_be_picked_up_has_a_name_for_that() -> None:
    """RFC 4235 4.1.2 and RFC 3891 3: Replaces wants a Call-ID and two tags."""
    remote = NameAddr.parse("<sip:101@example.com>")
    call = Dialogue("l-3", "early", initiator=False, remote=remote, pickup="l-3.abc")
    dialog = read_xml(write_dialog_info(US, [call], 0))[0]
    assert dialog.get("call-id") == "l-3.abc"
    assert dialog.get("local-tag")
    assert dialog.get("remote-tag")


def test_a_held_call_is_not_rendered() -> None:
    """RFC 4235 4.1.6.2: the local target says so by +sip.rendering."""
    remote = NameAddr.parse("<sip:101@example.com>")
    call = Dialogue("l-3", "confirmed", initiator=True, remote=remote, held=True)
    root = read_xml(write_dialog_info(US, [call], 0))
    param = root.find(f"{IN}dialog/{IN}local/{IN}target/{IN}param")
    assert param is not None
    assert param.attrib == {"pname": "+sip.rendering", "pvalue": "no"}


def test_control_characters_of_a_name_do_not_break_the_document() -> None:
    """XML 1.0 2.2: it can hold none, however they are written."""
    remote = NameAddr('a\x01b\x1b\ufffe"', NameAddr.parse("<sip:1@x>").uri)
    root = read_xml(write_dialog_info(US, [Dialogue("l-1", "trying", initiator=False, remote=remote)], 0))
    identity = root.find(f"{IN}dialog/{IN}remote/{IN}identity")
    assert identity is not None
    assert identity.get("display") == 'ab"'
