"""Offers inside a dialog: re-INVITE from both sides (RFC 3261 14), UPDATE in early and confirmed dialogs (RFC 3311)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.effects import (
    LegEnded,
    LegReanswered,
    LegReconfirmed,
    LegReoffered,
    LegUnblocked,
)
from ringfence.server.sip.leg_state import LegState
from ringfence.server.sip.message import Request, Response

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

    from ringfence.server.sip.leg import Leg

ANSWER = (
    b"v=0\r\no=- 2 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"
)


# -- re-INVITE from the far end: RFC 3261 14.2 -----------------------------------------------------------------


def reinvite(
    wire: Wire, to_tag: str, cseq: int = 2, contact: str = "<sip:100@192.0.2.7:5070>"
) -> list[str | int]:
    request = wire.request("INVITE", cseq=cseq, to_tag=to_tag, body=wire.offer)
    request.set("contact", contact)
    return wire.names(wire.receive(request))


def test_a_reinvite_is_accepted_repeated_until_ack_and_moves_the_target(wire: Wire) -> None:
    leg = wire.talking()
    assert reinvite(wire, leg.local_tag, contact="<sip:100@192.0.2.77:5999>") == []
    (reoffered,) = wire.take_told()
    assert isinstance(reoffered, LegReoffered)
    assert reoffered.request.body == wire.offer
    leg.accept_offer(ANSWER, wire.now)
    (ok,) = wire.take()
    assert isinstance(ok, Response)
    assert (ok.status, ok.body, ok.to.tag) == (200, ANSWER, leg.local_tag)
    assert reinvite(wire, leg.local_tag, contact="<sip:100@192.0.2.77:5999>") == [200]
    assert [when for when, _ in wire.pass_time(2)] == [0.5, 1.5]
    wire.receive(wire.request("ACK", to_tag=leg.local_tag, cseq=1))
    assert [when for when, _ in wire.pass_time(2)] == [1.5], "a late ACK of the first INVITE confirms nothing"
    wire.receive(wire.request("ACK", to_tag=leg.local_tag, cseq=2))
    assert wire.pass_time(40) == []
    assert wire.take_told() == [LegReconfirmed(leg, b"")]
    leg.hang_up(wire.now)
    wire.collect()
    _, bye, destination = wire.sent[-1]
    assert isinstance(bye, Request)
    assert (bye.uri, destination) == ("sip:100@192.0.2.77:5999", Address("192.0.2.77", 5999))


def test_a_refused_reinvite_changes_nothing(wire: Wire) -> None:
    leg = wire.talking()
    reinvite(wire, leg.local_tag, contact="<sip:100@192.0.2.77:5999>")
    leg.refuse_offer(488, wire.now, [("Warning", '399 x "no"')])
    (refusal,) = wire.take()
    assert isinstance(refusal, Response)
    assert (refusal.status, refusal.get("warning")) == (488, '399 x "no"')
    assert leg.state is LegState.ESTABLISHED
    assert leg.dialog is not None
    assert leg.dialog.target == "sip:100@192.0.2.7:5070"
    leg.refuse_offer(488, wire.now)
    leg.accept_offer(ANSWER, wire.now)
    assert wire.take() == []


def test_a_reinvite_while_one_is_open_gets_500_with_retry_after(wire: Wire) -> None:
    leg = wire.talking()
    reinvite(wire, leg.local_tag)
    (response,) = wire.receive(wire.request("INVITE", cseq=3, to_tag=leg.local_tag, body=wire.offer))
    assert wire.names([response]) == [500]
    assert response.get("retry-after") is not None
    leg.accept_offer(ANSWER, wire.now)
    wire.take()
    assert reinvite(wire, leg.local_tag, cseq=4) == [500], "the 200 is not confirmed yet"
    wire.receive(wire.request("ACK", to_tag=leg.local_tag, cseq=2))
    assert reinvite(wire, leg.local_tag, cseq=5) == []


@pytest.mark.parametrize("answered", [False, True])
def test_a_reinvite_before_the_first_invite_is_finished_gets_500(wire: Wire, *, answered: bool) -> None:
    leg = wire.called()
    leg.ring(wire.now)
    if answered:
        leg.answer(ANSWER, wire.now)
    wire.take()
    assert reinvite(wire, leg.local_tag) == [500]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("text/plain", 415), ("multipart/mixed", 400), ("multipart/mixed;boundary=b", 415)],
)
def test_an_offer_that_is_no_session_description_is_refused(
    wire: Wire, content_type: str, status: int
) -> None:
    """RFC 3261 21.4.13."""
    leg = wire.talking()
    request = wire.request("INVITE", cseq=2, to_tag=leg.local_tag, body=b"hello")
    request.set("Content-Type", content_type)
    (refusal,) = wire.receive(request)
    assert wire.names([refusal]) == [status]
    assert refusal.get("accept") == ("application/sdp" if status == 415 else None)
    assert wire.take_told() == []


def test_an_open_reinvite_can_be_cancelled(wire: Wire) -> None:
    leg = wire.talking()
    reinvite(wire, leg.local_tag)
    cancel = wire.request("CANCEL", branch="z9hG4bK-INVITE-c1-f1-2", cseq=2, to_tag=leg.local_tag)
    assert wire.names(wire.receive(cancel)) == [200, 487]
    assert leg.state is LegState.ESTABLISHED
    assert wire.names(wire.receive(cancel)) == [200]


def test_bye_answers_an_open_reinvite_with_487(wire: Wire) -> None:
    """RFC 3261 15.1.2."""
    leg = wire.talking()
    reinvite(wire, leg.local_tag)
    wire.take_told()
    assert wire.names(wire.receive(wire.request("BYE", cseq=3, to_tag=leg.local_tag))) == [200, 487]
    assert wire.ends() == [(0, True)]


def test_a_reinvite_that_is_never_confirmed_ends_the_call(wire: Wire) -> None:
    leg = wire.talking()
    reinvite(wire, leg.local_tag)
    leg.accept_offer(ANSWER, wire.now)
    assert wire.names([wire.pass_time(32)[-1][1]]) == ["BYE"]
    assert wire.ends() == [(0, True)]
    wire.pass_time(40)
    assert wire.agent.is_idle


# -- re-INVITE from us: RFC 3261 14.1 --------------------------------------------------------------------------


def test_our_reinvite_is_acknowledged_and_told(wire: Wire) -> None:
    leg = wire.talking()
    assert leg.reoffer(wire.offer, wire.now)
    assert not leg.reoffer(wire.offer, wire.now)
    (invite,) = wire.take()
    assert isinstance(invite, Request)
    assert (invite.method, invite.from_.tag, invite.body) == ("INVITE", leg.local_tag, wire.offer)
    assert wire.answer(invite, 100) == []
    (ack,) = wire.answer(invite, 200, contact="<sip:100@192.0.2.7:5999>")
    assert isinstance(ack, Request)
    assert (ack.method, ack.cseq.number) == ("ACK", invite.cseq.number)
    assert ack.uri == "sip:100@192.0.2.7:5999", "RFC 3261 12.2.1.2: the 2xx has moved the target"
    told, unblocked = wire.take_told()
    assert isinstance(told, LegReanswered)
    assert told.response.status == 200
    assert unblocked == LegUnblocked(leg)
    (again,) = wire.answer(invite, 200)
    assert again.to_bytes() == ack.to_bytes()
    assert wire.take_told() == []
    assert leg.dialog is not None
    assert leg.dialog.target == "sip:100@192.0.2.7:5999"
    assert leg.reoffer(wire.offer, wire.now)


@pytest.mark.parametrize("late", [False, True], ids=["100 before BYE", "100 after BYE"])
@pytest.mark.parametrize("ours", [False, True], ids=["their BYE", "our BYE"])
def test_our_reinvite_without_a_final_answer_does_not_outlive_the_call(
    wire: Wire, *, late: bool, ours: bool
) -> None:
    """RFC 3261 9.1: a provisional answer stops timer B, so that what nobody waits for any more is cancelled."""
    leg = wire.talking()
    assert leg.reoffer(wire.offer, wire.now)
    (invite,) = wire.take()
    assert isinstance(invite, Request)
    sent = [] if late else wire.answer(invite, 100)
    if ours:
        leg.hang_up(wire.now)
        sent += wire.take()
        bye = next(one for one in sent if isinstance(one, Request) and one.method == "BYE")
        sent += wire.answer(bye, 200)
    else:
        sent += wire.receive(wire.request("BYE", cseq=3, to_tag=leg.local_tag))
    sent += wire.answer(invite, 100) if late else []
    assert "CANCEL" in wire.names(sent)
    wire.pass_time(100)
    assert wire.agent.is_idle


def test_glare_is_refused_with_491_and_told(wire: Wire) -> None:
    leg = wire.talking()
    leg.reoffer(wire.offer, wire.now)
    (ours,) = wire.take()
    assert isinstance(ours, Request)
    assert reinvite(wire, leg.local_tag) == [491]
    assert wire.names(wire.answer(ours, 491, tag="f1")) == ["ACK"]
    (told,) = wire.take_told()
    assert isinstance(told, LegReanswered)
    assert told.response.status == 491
    assert leg.state is LegState.ESTABLISHED


@pytest.mark.parametrize("we_called", [False, True])
def test_after_a_491_we_wait_as_long_as_the_owner_of_the_call_id_has_to(
    wire: Wire, *, we_called: bool
) -> None:
    """RFC 3261 14.1: 2.1 to 4 s for whoever made the Call-ID, else up to 2 s."""
    if we_called:
        leg, invite = wire.calling()
        wire.answer(invite, 200)
    else:
        leg = wire.talking()
    pauses = []
    for _ in range(20):
        wire.take_told()
        assert leg.reoffer(wire.offer, wire.now)
        (ours,) = wire.take()
        assert isinstance(ours, Request)
        wire.answer(ours, 491)
        assert [type(one) for one in wire.take_told()] == [LegReanswered]
        assert not leg.reoffer(wire.offer, wire.now)
        began = wire.now
        while not wire.take_told():
            wire.pass_time(0.01)
        pauses.append(wire.now - began)
    assert (2.1 <= min(pauses) <= max(pauses) <= 4.01) if we_called else (max(pauses) <= 2.01)
    assert len({round(pause, 2) for pause in pauses}) > 10


def test_a_reinvite_that_has_to_wait_is_told_when_it_may_go(wire: Wire) -> None:
    """RFC 3261 14.1: one at a time, ours after the ACK of the far end's."""
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    assert not leg.reoffer(wire.offer, wire.now)
    wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    assert wire.take_told()[-1] == LegUnblocked(leg)
    reinvite(wire, leg.local_tag)
    assert not leg.reoffer(wire.offer, wire.now)
    leg.accept_offer(ANSWER, wire.now)
    wire.take()
    assert LegUnblocked(leg) not in wire.take_told()
    wire.receive(wire.request("ACK", to_tag=leg.local_tag, cseq=2))
    assert wire.take_told() == [LegReconfirmed(leg, b""), LegUnblocked(leg)]
    assert leg.reoffer(wire.offer, wire.now)


@pytest.mark.parametrize("status", [408, 481, None])
def test_a_far_end_that_is_gone_ends_the_call(wire: Wire, status: int | None) -> None:
    """RFC 3261 12.2.1.2: 481, 408 or no answer at all."""
    leg = wire.talking()
    leg.reoffer(wire.offer, wire.now)
    (ours,) = wire.take()
    assert isinstance(ours, Request)
    sent = [one for _, one in wire.pass_time(32)] if status is None else wire.answer(ours, status)
    assert wire.names(sent)[-1] == "BYE"
    assert [one.status for one in wire.take_told() if isinstance(one, LegEnded)] == [0]
    wire.pass_time(80)
    assert wire.agent.is_idle


def test_no_reinvite_before_the_call_stands(wire: Wire) -> None:
    leg = wire.called()
    assert not leg.reoffer(wire.offer, wire.now)
    leg.answer(ANSWER, wire.now)
    assert not leg.reoffer(wire.offer, wire.now)


# -- UPDATE: RFC 3311 ------------------------------------------------------------------------------------------


def update(
    wire: Wire, leg: Leg, *, cseq: int = 2, body: bytes = b"", call: str = "c1", tag: str = "f1"
) -> Response:
    """Let an UPDATE come and return the answer."""
    (response,) = wire.receive(
        wire.request("UPDATE", call=call, from_tag=tag, to_tag=leg.local_tag, cseq=cseq, body=body)
    )
    assert isinstance(response, Response)
    return response


def test_update_is_allowed(wire: Wire) -> None:
    """RFC 3311 4: Allow lists it in every message that makes a dialog."""
    leg = wire.called()
    leg.ring(wire.now)
    leg.answer(ANSWER, wire.now)
    ringing, ok = wire.take()
    _, invite = wire.calling()
    assert all("UPDATE" in one.values("allow") for one in (ringing, ok, invite))


def test_an_update_with_an_offer_is_answered_at_once(wire: Wire) -> None:
    """RFC 3311 5.2: no ACK follows, and it moves the target."""
    leg = wire.talking()
    request = wire.request("UPDATE", cseq=2, to_tag=leg.local_tag, body=wire.offer)
    request.set("contact", "<sip:100@192.0.2.77:5999>")
    assert wire.receive(request) == []
    (reoffered,) = wire.take_told()
    assert isinstance(reoffered, LegReoffered)
    leg.accept_offer(ANSWER, wire.now)
    (ok,) = wire.take()
    assert isinstance(ok, Response)
    assert (ok.status, ok.body, ok.cseq.method) == (200, ANSWER, "UPDATE")
    assert ok.contacts
    assert wire.pass_time(40) == []
    assert leg.dialog is not None
    assert leg.dialog.target == "sip:100@192.0.2.77:5999"


@pytest.mark.parametrize("state", ["ringing", "answered", "talking"])
def test_an_update_without_an_offer_is_taken_in_every_dialog(wire: Wire, state: str) -> None:
    """RFC 3311 5.2: early or confirmed."""
    leg = wire.talking() if state == "talking" else wire.called()
    leg.ring(wire.now)
    if state == "answered":
        leg.answer(ANSWER, wire.now)
    wire.take()
    ok = update(wire, leg)
    assert (ok.status, ok.body) == (200, b"")


def test_an_offer_while_the_invite_has_no_answer_yet_gets_500_and_a_time(wire: Wire) -> None:
    """RFC 3311 5.2: Retry-After between 0 and 10 seconds."""
    leg = wire.called()
    leg.ring(wire.now)
    wire.take()
    refusal = update(wire, leg, body=wire.offer)
    assert refusal.status == 500
    assert 0 <= int(refusal.get("retry-after") or "-1") <= 10


def test_an_offer_while_another_one_of_theirs_is_open_gets_500(wire: Wire) -> None:
    """RFC 3311 5.2."""
    leg = wire.talking()
    wire.receive(wire.request("UPDATE", cseq=2, to_tag=leg.local_tag, body=wire.offer))
    assert update(wire, leg, cseq=3, body=wire.offer).status == 500
    assert reinvite(wire, leg.local_tag, cseq=4) == [500]
    leg.accept_offer(ANSWER, wire.now)
    assert wire.names(wire.take()) == [200]


@pytest.mark.parametrize("ours", ["INVITE", "UPDATE", "late offer"])
def test_an_offer_while_ours_is_open_gets_491(wire: Wire, ours: str) -> None:
    """RFC 3311 5.2."""
    if ours == "late offer":
        leg = wire.called(body=b"")
        leg.answer(ANSWER, wire.now)
    else:
        leg = wire.talking()
        assert leg.reoffer(ANSWER, wire.now) if ours == "INVITE" else leg.update(ANSWER, wire.now)
    wire.take()
    assert update(wire, leg, body=wire.offer).status == 491
    assert update(wire, leg, cseq=3).status == 200, "without an offer there is nothing to cross"


def test_our_update_offers_without_an_ack(wire: Wire) -> None:
    """RFC 3311 5.1 and 5.3."""
    leg = wire.talking()
    assert leg.update(ANSWER, wire.now)
    assert not leg.reoffer(ANSWER, wire.now)
    (ours,) = wire.take()
    assert isinstance(ours, Request)
    assert (ours.method, ours.body, bool(ours.contacts)) == ("UPDATE", ANSWER, True)
    assert wire.answer(ours, 200, contact="<sip:100@192.0.2.7:5999>") == []
    answered, unblocked = wire.take_told()
    assert isinstance(answered, LegReanswered)
    assert unblocked == LegUnblocked(leg)
    assert leg.dialog is not None
    assert leg.dialog.target == "sip:100@192.0.2.7:5999"


def test_our_update_waits_after_a_491_and_stays_as_it_was_after_a_488(wire: Wire) -> None:
    """RFC 3311 5.3."""
    leg = wire.talking()
    for status in (491, 488):
        assert leg.update(ANSWER, wire.now)
        (ours,) = wire.take()
        assert isinstance(ours, Request)
        wire.answer(ours, status)
        assert leg.state is LegState.ESTABLISHED
        assert leg.update(ANSWER, wire.now) is (status == 488)
        wire.pass_time(2.5)


@pytest.mark.parametrize("status", [408, 481, None])
def test_a_far_end_that_does_not_know_our_update_s_dialog_is_gone(wire: Wire, status: int | None) -> None:
    """RFC 3311 5.3."""
    leg = wire.talking()
    leg.update(ANSWER, wire.now)
    (ours,) = wire.take()
    assert isinstance(ours, Request)
    sent = [one for _, one in wire.pass_time(32)] if status is None else wire.answer(ours, status)
    assert wire.names(sent)[-1] == "BYE"
    assert wire.ends() == [(0, True)]


def test_the_called_side_updates_one_of_several_early_dialogs(wire: Wire) -> None:
    """RFC 3261 12.1: each To tag of a provisional response is an early dialog; RFC 3311 5.2 inside it."""
    leg, invite = wire.calling()
    wire.answer(invite, 180, tag="t1")
    wire.answer(invite, 180, tag="t2")
    wire.take_told()
    for tag in ("t1", "t2"):
        assert update(wire, leg, call=invite.call_id, tag=tag, cseq=7).status == 200
        assert update(wire, leg, call=invite.call_id, tag=tag, cseq=8, body=wire.offer).status == 491
        assert update(wire, leg, call=invite.call_id, tag=tag, cseq=6).status == 500, "each counts by itself"
    assert update(wire, leg, call=invite.call_id, tag="t3").status == 481
    wire.answer(invite, 200, tag="t2")
    assert update(wire, leg, call=invite.call_id, tag="t1", cseq=9).status == 481
    assert update(wire, leg, call=invite.call_id, tag="t2", cseq=5).status == 500, "RFC 3261 12.2.2"
    assert update(wire, leg, call=invite.call_id, tag="t2", cseq=9).status == 200


def test_the_called_side_does_not_leave_an_early_dialog_by_bye(wire: Wire) -> None:
    """RFC 3261 15."""
    leg, invite = wire.calling()
    wire.answer(invite, 180)
    bye = wire.request("BYE", call=invite.call_id, from_tag="t1", to_tag=leg.local_tag)
    assert wire.names(wire.receive(bye)) == [481]
    assert wire.names(wire.answer(invite, 200)) == ["ACK"]


def test_early_dialogs_are_forgotten_with_their_call(wire: Wire) -> None:
    leg, invite = wire.calling()
    for number in range(100):
        wire.answer(invite, 180, tag=f"t{number}")
    assert wire.names(wire.answer(invite, 486)) == ["ACK"]
    assert update(wire, leg, call=invite.call_id, tag="t1").status == 481
    wire.pass_time(40)
    assert wire.agent.is_idle
