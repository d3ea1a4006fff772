"""What a REFER refers to, and what a NOTIFY tells of it (RFC 3515, RFC 3891)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.dialog import Dialog, DialogId
from ringfence.server.sip.effects import RequestedInside
from ringfence.server.sip.message import Request, SipSyntaxError
from ringfence.server.sip.refer import Referral, ReferTo, Replaces, read_sipfrag

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire


def refer(wire: Wire, *values: str) -> Request:
    """Write a REFER."""
    return wire.request("REFER", headers=tuple(("Refer-To", value) for value in values))


def test_a_refer_names_whom_to_call(wire: Wire) -> None:
    """RFC 3515 2.1."""
    target = ReferTo.of(refer(wire, '"Clara" <sip:102@example.com;method=INVITE>;x=y'))
    assert (target.uri.user, target.replaces) == ("102", None)


def test_a_replaces_in_it_is_unescaped(wire: Wire) -> None:
    """RFC 3891 6.1, RFC 3261 19.1.1."""
    target = ReferTo.of(refer(wire, "<sip:102@a.example?Replaces=c1%40h%3Bto-tag%3Dt1%3Bfrom-tag%3Df1>"))
    assert target.replaces == Replaces(DialogId("c1@h", "t1", "f1"))


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((), 400),
        (("<sip:a@b.example>", "<sip:c@d.example>"), 400),
        (("<sip:a@b.example>, <sip:c@d.example>",), 400),
        (("<tel:102>",), 416),
        (("<sip:a@b.example;method=BYE>",), 501),
        (("<sip:a@b.example?Replaces=c1>",), 400),
        (("<sip:a@b.example?Replaces=%3Bto-tag%3D1%3Bfrom-tag%3D2>",), 400),
        (("<sip:a@b.example?Replaces=c1%3Bto-tag%3D1>",), 400),
    ],
)
def test_what_no_refer_may_say(wire: Wire, values: tuple[str, ...], status: int) -> None:
    """RFC 3515 2.4.2."""
    with pytest.raises(SipSyntaxError) as raised:
        ReferTo.of(refer(wire, *values))
    assert raised.value.status == status


def test_our_own_dialog_is_named_as_its_far_end_has_it(wire: Wire) -> None:
    """RFC 3891 3: to-tag is the recipient's."""
    leg = wire.talking()
    assert leg.dialog is not None
    written = Replaces.of(leg.dialog)
    assert written == f"c1;to-tag=f1;from-tag={leg.local_tag}"
    assert Replaces.parse(f"{written};early-only").early_only


def test_how_it_went_is_told_in_the_dialog_of_the_refer(wire: Wire) -> None:
    """RFC 3515 2.4.4: with the CSeq of the REFER as id; it goes on after a BYE (RFC 5057)."""
    leg = wire.talking()
    wire.receive(
        wire.request("REFER", cseq=7, to_tag=leg.local_tag, headers=(("Refer-To", "<sip:a@b.example>"),))
    )
    (inside,) = wire.take_told()
    assert isinstance(inside, RequestedInside)
    assert isinstance(leg.dialog, Dialog)
    referral = Referral(wire.agent, leg.dialog, inside.transaction, wire.now)
    accepted, trying = wire.take()
    assert wire.names([accepted, trying]) == [202, "NOTIFY"]
    assert trying.get("event") == "refer;id=7"
    wire.receive(wire.request("BYE", cseq=8, to_tag=leg.local_tag))
    referral.tell(486, wire.now, [("Reason", "Q.850;cause=17")])
    (last,) = wire.take()
    assert isinstance(last, Request)
    assert last.body == b"SIP/2.0 486 Busy Here\r\nReason: Q.850;cause=17\r\n"
    assert (last.cseq.number, last.get("subscription-state")) == (2, "terminated;reason=noresource")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"SIP/2.0 100 Trying\r\n", "message/sipfrag;version=2.0", 100),
        (b"SIP/2.0 603 Decline\r\nWarning: x", "Message/SIPFRAG", 603),
        (b"SIP/2.0 200", "message/sipfrag", 200),
        (b"SIP/2.0 2000 OK", "message/sipfrag", None),
        (b"SIP/2.0", "message/sipfrag", None),
        (b"", "message/sipfrag", None),
        (b"SIP/2.0 200 OK", "text/plain", None),
    ],
)
def test_a_sipfrag_tells_a_status(wire: Wire, body: bytes, content_type: str, status: int | None) -> None:
    """RFC 3420, RFC 3515 2.4.5."""
    request = wire.request("NOTIFY", body=body)
    request.set("Content-Type", content_type)
    assert read_sipfrag(request) == status
