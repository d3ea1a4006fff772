"""Calls through an agent: the INVITE usage of RFC 3261 sections 9 and 13 to 15, from both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.effects import (
    LegAnswered,
    LegConfirmed,
    LegEnded,
    LegProgressed,
    Requested,
    RequestedInside,
)
from ringfence.server.sip.leg_state import LegState
from ringfence.server.sip.message import Request, Response

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

ANSWER = (
    b"v=0\r\no=- 2 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"
)


# -- called: ringing, refusing, answering ----------------------------------------------------------------------


def test_100_is_sent_after_200_ms_unless_something_else_was(wire: Wire) -> None:
    """RFC 3261 17.2.1."""
    wire.called()
    assert [(when, one.status) for when, one in wire.pass_time(5) if isinstance(one, Response)] == [
        (0.2, 100)
    ]
    wire.called(call="c2").ring(wire.now)
    assert wire.names(wire.take()) == [180]
    assert wire.pass_time(5) == []


def test_a_repeated_invite_makes_no_second_call(wire: Wire) -> None:
    leg = wire.called()
    leg.ring(wire.now)
    (ringing,) = wire.take()
    (again,) = wire.receive(wire.request("INVITE", body=wire.offer))
    assert again.to_bytes() == ringing.to_bytes()
    leg.answer(ANSWER, wire.now)
    (ok,) = wire.take()
    (again,) = wire.receive(wire.request("INVITE", body=wire.offer))
    assert again.to_bytes() == ok.to_bytes()
    assert wire.take_told() == []


def test_ringing_is_told_again_each_minute_and_may_last(wire: Wire) -> None:
    """RFC 3261 13.3.1.1; the INVITE's transaction has no time limit on the called side."""
    leg = wire.called()
    leg.ring(wire.now)
    sent = wire.pass_time(181)
    assert [(when, one.status) for when, one in sent if isinstance(one, Response)] == [
        (60, 180),
        (120, 180),
        (180, 180),
    ]
    leg.answer(ANSWER, wire.now)
    assert wire.names(wire.take()) == [200]


def test_an_invitation_expires(wire: Wire) -> None:
    """RFC 3261 13.3.1."""
    wire.receive(wire.request("INVITE", headers=(("Expires", "20"),)))
    requested = wire.take_told()[0]
    assert isinstance(requested, Requested)
    leg = wire.agent.incoming(wire.agent.accept(requested.request, requested.source), wire.far, wire.now)
    leg.ring(wire.now)
    assert wire.pass_time(19.9) == []
    assert wire.names([one for _, one in wire.pass_time(0.2)]) == [487]
    assert wire.ends() == [(487, True)]


def test_an_answered_invitation_does_not_expire(wire: Wire) -> None:
    wire.receive(wire.request("INVITE", headers=(("Expires", "20"),)))
    requested = wire.take_told()[0]
    assert isinstance(requested, Requested)
    leg = wire.agent.incoming(wire.agent.accept(requested.request, requested.source), wire.far, wire.now)
    leg.answer(ANSWER, wire.now)
    wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    assert wire.pass_time(60) == []
    assert leg.state is LegState.ESTABLISHED


def test_a_refusal_is_repeated_until_its_ack(wire: Wire) -> None:
    leg = wire.called()
    leg.refuse(486, wire.now, [("Retry-After", "9")], "Not now")
    (refusal,) = wire.take()
    assert isinstance(refusal, Response)
    assert (refusal.status, refusal.reason, refusal.get("retry-after")) == (486, "Not now", "9")
    assert refusal.to.tag == leg.local_tag
    assert [when for when, _ in wire.pass_time(4)] == [0.5, 1.5, 3.5]
    ack = wire.request("ACK", branch=leg.request.via.branch, to_tag=leg.local_tag)
    assert wire.receive(ack) == []
    assert wire.pass_time(60) == []
    assert wire.ends() == [(486, False)]
    assert wire.agent.is_idle


def test_a_200_is_repeated_until_its_ack(wire: Wire) -> None:
    """RFC 3261 13.3.1.4."""
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    (ok,) = wire.take()
    assert isinstance(ok, Response)
    assert (ok.status, ok.body, ok.get("contact")) == (200, ANSWER, "<sip:192.0.2.1:5060>")
    assert "INVITE" in ok.values("allow")
    sent = wire.pass_time(12)
    assert [when for when, _ in sent] == [0.5, 1.5, 3.5, 7.5, 11.5]
    assert {one.to_bytes() for _, one in sent} == {ok.to_bytes()}
    wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    assert [type(one) for one in wire.take_told()] == [LegConfirmed]
    assert wire.pass_time(100) == []
    assert leg.state is LegState.ESTABLISHED


def test_without_an_ack_the_call_is_given_up_with_bye(wire: Wire) -> None:
    """RFC 3261 13.3.1.4: after 64 x T1."""
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    sent = wire.pass_time(32)
    assert (sent[-1][0], wire.names([sent[-1][1]])) == (32, ["BYE"])
    assert wire.ends() == [(408, True)]
    bye = sent[-1][1]
    assert isinstance(bye, Request)
    wire.answer(bye, 200)
    assert leg.state is LegState.ENDED
    wire.pass_time(40)
    assert wire.agent.is_idle
    assert wire.take_told() == []


def test_a_late_offer_is_answered_in_the_ack(wire: Wire) -> None:
    """RFC 3261 13.2.1."""
    leg = wire.called(body=b"")
    leg.answer(wire.offer, wire.now)
    wire.take()
    wire.receive(wire.request("ACK", to_tag=leg.local_tag, body=ANSWER))
    (confirmed,) = wire.take_told()
    assert confirmed == LegConfirmed(leg, ANSWER)


def test_a_repeated_ack_is_told_once(wire: Wire) -> None:
    leg = wire.talking()
    assert wire.receive(wire.request("ACK", to_tag=leg.local_tag)) == []
    assert wire.take_told() == []


def test_an_ack_with_the_branch_of_the_invite_confirms_as_well(wire: Wire) -> None:
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    wire.receive(wire.request("ACK", branch=leg.request.via.branch, to_tag=leg.local_tag))
    assert [type(one) for one in wire.take_told()] == [LegConfirmed]


def test_the_same_call_id_with_another_from_tag_is_another_call(wire: Wire) -> None:
    one, other = wire.called(), wire.called(from_tag="f2")
    for leg in (one, other):
        leg.answer(ANSWER, wire.now)
    wire.take()
    wire.receive(wire.request("ACK", from_tag="f2", to_tag=other.local_tag))
    assert (one.state, other.state) == (LegState.ANSWERED, LegState.ESTABLISHED)


# -- called: CANCEL --------------------------------------------------------------------------------------------


def cancel(wire: Wire) -> list[Request | Response]:
    return wire.receive(wire.request("CANCEL", branch=wire.request("INVITE").via.branch))


@pytest.mark.parametrize("rings", [False, True])
def test_cancel_ends_an_unanswered_call_with_487(wire: Wire, *, rings: bool) -> None:
    """RFC 3261 9.2: both responses have the same To tag."""
    leg = wire.called()
    if rings:
        leg.ring(wire.now)
    wire.take()
    responses = cancel(wire)
    assert wire.names(responses) == [200, 487]
    assert {one.to.tag for one in responses} == {leg.local_tag}
    assert [one.cseq.method for one in responses] == ["CANCEL", "INVITE"]
    assert wire.ends() == [(487, True)]
    leg.answer(ANSWER, wire.now)
    leg.ring(wire.now)
    leg.hang_up(wire.now)
    assert wire.take() == []
    wire.receive(wire.request("ACK", branch=leg.request.via.branch, to_tag=leg.local_tag))
    assert wire.pass_time(60) == []
    assert wire.agent.is_idle


def test_cancel_after_the_200_leaves_the_call_alone(wire: Wire) -> None:
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    wire.take()
    assert wire.names(cancel(wire)) == [200]
    assert wire.names(cancel(wire)) == [200]
    wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    assert [type(one) for one in wire.take_told()] == [LegConfirmed]
    assert leg.state is LegState.ESTABLISHED


def test_cancel_without_an_invite_gets_481(wire: Wire) -> None:
    assert wire.names(cancel(wire)) == [481]
    leg = wire.called(call="c2")
    assert wire.names(cancel(wire)) == [481]
    assert leg.state is LegState.INCOMING


# -- BYE -------------------------------------------------------------------------------------------------------


def test_bye_ends_the_call_and_its_repetition_gets_the_same_200(wire: Wire) -> None:
    leg = wire.talking()
    bye = wire.request("BYE", cseq=2, to_tag=leg.local_tag)
    (ok,) = wire.receive(bye)
    assert wire.names([ok]) == [200]
    assert wire.ends() == [(0, True)]
    (again,) = wire.receive(bye)
    assert again.to_bytes() == ok.to_bytes()
    assert wire.take_told() == []


def test_a_second_bye_gets_481(wire: Wire) -> None:
    """RFC 3261 15.1.2."""
    leg = wire.talking()
    wire.receive(wire.request("BYE", cseq=2, to_tag=leg.local_tag))
    assert wire.names(wire.receive(wire.request("BYE", cseq=3, to_tag=leg.local_tag))) == [481]


@pytest.mark.parametrize(
    ("call", "from_tag", "right_tag"), [("c9", "f1", True), ("c1", "x", True), ("c1", "f1", False)]
)
def test_bye_for_a_dialog_of_nobody_gets_481(
    wire: Wire, call: str, from_tag: str, *, right_tag: bool
) -> None:
    """RFC 3261 12: Call-ID and both tags name a dialog."""
    leg = wire.talking()
    to_tag = leg.local_tag if right_tag else "x"
    bye = wire.request("BYE", cseq=2, call=call, from_tag=from_tag, to_tag=to_tag)
    assert wire.names(wire.receive(bye)) == [481]
    assert leg.state is LegState.ESTABLISHED


def test_crossed_byes_both_get_200(wire: Wire) -> None:
    leg = wire.talking()
    leg.hang_up(wire.now, [("Reason", "Q.850;cause=16")])
    (ours,) = wire.take()
    assert isinstance(ours, Request)
    assert (ours.method, ours.get("reason")) == ("BYE", "Q.850;cause=16")
    assert wire.names(wire.receive(wire.request("BYE", cseq=2, to_tag=leg.local_tag))) == [200]
    wire.answer(ours, 200)
    assert wire.ends() == [(0, False)]
    wire.pass_time(40)
    assert wire.agent.is_idle


@pytest.mark.parametrize("status", [200, 481, 408, 500])
def test_our_bye_is_over_with_any_final_response(wire: Wire, status: int) -> None:
    leg = wire.talking()
    leg.hang_up(wire.now)
    (bye,) = wire.take()
    assert isinstance(bye, Request)
    assert leg.is_over
    wire.answer(bye, 100)
    assert not wire.agent.is_idle
    wire.answer(bye, status)
    assert leg.state is LegState.ENDED
    assert wire.ends() == [(0, False)]


def test_our_bye_that_nobody_answers_is_over_after_timer_f(wire: Wire) -> None:
    leg = wire.talking()
    leg.hang_up(wire.now)
    wire.pass_time(32)
    assert (leg.state, wire.agent.is_idle) == (LegState.ENDED, True)


def test_our_bye_waits_for_the_ack(wire: Wire) -> None:
    """RFC 3261 15: the called side sends no BYE before its 2xx is confirmed; the 2xx is repeated meanwhile."""
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    wire.take()
    leg.hang_up(wire.now, [("Reason", "Q.850;cause=16")])
    assert wire.ends() == [(0, False)]
    assert wire.names([one for _, one in wire.pass_time(1)]) == [200]
    (bye,) = wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    assert isinstance(bye, Request)
    assert (bye.method, bye.get("reason")) == ("BYE", "Q.850;cause=16")
    wire.answer(bye, 200)
    wire.pass_time(40)
    assert wire.agent.is_idle
    assert wire.take_told() == []


def test_our_bye_does_not_wait_for_ever(wire: Wire) -> None:
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    leg.hang_up(wire.now)
    assert wire.names([wire.pass_time(32)[-1][1]]) == ["BYE"]
    wire.pass_time(40)
    assert wire.agent.is_idle
    assert wire.ends() == [(0, False)]


def test_bye_before_the_ack_ends_the_call(wire: Wire) -> None:
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    wire.take()
    assert wire.names(wire.receive(wire.request("BYE", cseq=2, to_tag=leg.local_tag))) == [200]
    assert wire.ends() == [(0, True)]
    assert wire.pass_time(40) == []
    assert wire.agent.is_idle


def test_bye_before_the_ack_meets_our_own_hanging_up(wire: Wire) -> None:
    leg = wire.called()
    leg.answer(ANSWER, wire.now)
    leg.hang_up(wire.now)
    wire.take()
    assert wire.names(wire.receive(wire.request("BYE", cseq=2, to_tag=leg.local_tag))) == [200]
    assert wire.pass_time(40) == []
    assert wire.agent.is_idle


def test_bye_in_an_early_dialog_gets_200_and_the_invite_487(wire: Wire) -> None:
    """RFC 3261 15."""
    leg = wire.called()
    leg.ring(wire.now)
    wire.take()
    assert wire.names(wire.receive(wire.request("BYE", cseq=2, to_tag=leg.local_tag))) == [200, 487]
    assert wire.ends() == [(487, True)]


@pytest.mark.parametrize("rings", [False, True])
def test_hanging_up_a_ringing_call_refuses_it(wire: Wire, *, rings: bool) -> None:
    leg = wire.called()
    if rings:
        leg.ring(wire.now)
    wire.take()
    leg.hang_up(wire.now)
    assert wire.names(wire.take()) == [480]
    assert wire.ends() == [(480, False)]


# -- inside a dialog -------------------------------------------------------------------------------------------


def test_requests_out_of_order_get_500(wire: Wire) -> None:
    """RFC 3261 12.2.2."""
    leg = wire.talking()
    assert wire.names(wire.receive(wire.request("BYE", branch="z9hG4bKx", cseq=1, to_tag=leg.local_tag))) == [
        500
    ]
    assert leg.state is LegState.ESTABLISHED


def test_other_requests_inside_are_left_to_the_owner(wire: Wire) -> None:
    leg = wire.talking()
    wire.receive(wire.request("INFO", cseq=2, to_tag=leg.local_tag))
    (inside,) = wire.take_told()
    assert isinstance(inside, RequestedInside)
    assert (inside.leg, inside.transaction.request.method) == (leg, "INFO")
    leg.hang_up(wire.now)
    wire.take()
    assert wire.names(wire.receive(wire.request("INFO", cseq=3, to_tag=leg.local_tag))) == [481]


# -- calling ---------------------------------------------------------------------------------------------------


def test_a_call_is_made_progresses_and_is_answered(wire: Wire) -> None:
    leg, invite = wire.calling()
    assert (invite.uri, invite.from_.tag, invite.to.tag) == ("sip:100@192.0.2.7:5070", leg.local_tag, None)
    wire.answer(invite, 100)
    assert wire.take_told() == []
    wire.answer(invite, 180)
    assert [type(one) for one in wire.take_told()] == [LegProgressed]
    (ack,) = wire.answer(invite, 200, contact="<sip:ben@192.0.2.70:6000>")
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri, ack.to.tag) == ("ACK", "sip:ben@192.0.2.70:6000", "t1")
    assert ack.via.branch != invite.via.branch, "RFC 3261 13.2.2.4: a transaction of its own"
    assert [type(one) for one in wire.take_told()] == [LegAnswered]
    (again,) = wire.answer(invite, 200, contact="<sip:ben@192.0.2.70:6000>")
    assert again.to_bytes() == ack.to_bytes()
    assert wire.take_told() == []


def test_ringing_longer_than_timer_b_does_not_end_the_call(wire: Wire) -> None:
    leg, invite = wire.calling()
    wire.answer(invite, 180)
    assert wire.pass_time(500) == []
    assert wire.names(wire.answer(invite, 200)) == ["ACK"]
    assert leg.state is LegState.ESTABLISHED


def test_nobody_answers(wire: Wire) -> None:
    wire.calling()
    wire.pass_time(32)
    assert wire.ends() == [(408, True)]
    assert wire.agent.is_idle


def test_a_refused_call_ends_with_its_status_and_response(wire: Wire) -> None:
    leg, invite = wire.calling()
    wire.answer(invite, 180)
    assert wire.names(wire.answer(invite, 486)) == ["ACK"]
    ended = wire.take_told()[-1]
    assert isinstance(ended, LegEnded)
    assert (ended.leg, ended.status, ended.far) == (leg, 486, True)
    assert ended.response is not None
    wire.answer(invite, 486)
    assert wire.take_told() == []


def test_hanging_up_before_any_response_waits_with_the_cancel(wire: Wire) -> None:
    """RFC 3261 9.1: CANCEL only after a provisional response."""
    leg, invite = wire.calling()
    leg.hang_up(wire.now, [("Reason", "SIP;cause=200")])
    assert wire.take() == []
    (cancel,) = wire.answer(invite, 100)
    assert wire.names([cancel]) == ["CANCEL"]
    assert cancel.get("reason") == "SIP;cause=200", "RFC 3326 2"
    assert wire.answer(invite, 180) == [], "one CANCEL is enough"
    assert wire.names(wire.answer(invite, 487)) == ["ACK"]
    assert wire.ends() == [(487, True)]


@pytest.mark.parametrize("status", [100, 180])
def test_hanging_up_after_a_provisional_response_cancels_at_once(wire: Wire, status: int) -> None:
    leg, invite = wire.calling()
    wire.answer(invite, status)
    leg.hang_up(wire.now)
    (cancel,) = wire.take()
    assert isinstance(cancel, Request)
    assert cancel.method == "CANCEL"
    wire.answer(cancel, 200)
    assert wire.names(wire.answer(invite, 487)) == ["ACK"]
    assert wire.ends() == [(487, True)]
    wire.pass_time(40)
    assert wire.agent.is_idle


def test_a_200_that_crosses_our_cancel_is_acknowledged_and_ended(wire: Wire) -> None:
    leg, invite = wire.calling()
    wire.answer(invite, 180)
    leg.hang_up(wire.now)
    wire.take()
    ack, bye = wire.answer(invite, 200)
    assert wire.names([ack, bye]) == ["ACK", "BYE"]
    assert wire.ends() == [(487, False)]
    assert isinstance(bye, Request)
    wire.answer(bye, 200)
    (again,) = wire.answer(invite, 200)
    assert again.to_bytes() == ack.to_bytes()
    wire.pass_time(40)
    assert wire.agent.is_idle


@pytest.mark.parametrize("provisional", [False, True])
def test_a_cancelled_call_ends_though_nobody_answers(wire: Wire, *, provisional: bool) -> None:
    leg, invite = wire.calling()
    if provisional:
        wire.answer(invite, 180)
    wire.take_told()
    leg.hang_up(wire.now)
    wire.pass_time(40)
    assert wire.ends() == [(487, True)]
    assert wire.agent.is_idle


def test_of_several_2xx_the_first_is_the_call_and_the_others_are_ended(wire: Wire) -> None:
    """RFC 3261 13.2.2.4."""
    leg, invite = wire.calling()
    wire.answer(invite, 180, tag="t1")
    wire.answer(invite, 180, tag="t2")
    assert wire.names(wire.answer(invite, 200, tag="t2")) == ["ACK"]
    ack, bye = wire.answer(invite, 200, tag="t1", contact="<sip:100@192.0.2.99>")
    assert isinstance(bye, Request)
    assert wire.names([ack, bye]) == ["ACK", "BYE"]
    assert (ack.to.tag, bye.to.tag, bye.uri) == ("t1", "t1", "sip:100@192.0.2.99")
    assert wire.names(wire.answer(invite, 200, tag="t1")) == ["ACK"], "no second BYE"
    wire.answer(bye, 200)
    assert leg.state is LegState.ESTABLISHED
    assert leg.dialog is not None
    assert leg.dialog.id.remote_tag == "t2"
    assert [type(one) for one in wire.take_told()] == [LegProgressed, LegProgressed, LegAnswered]


def test_a_fork_that_answers_after_the_end_is_ended_as_well(wire: Wire) -> None:
    leg, invite = wire.calling()
    wire.answer(invite, 200, tag="t1")
    leg.hang_up(wire.now)
    wire.take()
    assert wire.names(wire.answer(invite, 200, tag="t2")) == ["ACK", "BYE"]
    assert wire.ends() == [(0, False)]


def test_bye_of_the_called_side_ends_the_call(wire: Wire) -> None:
    leg, invite = wire.calling()
    wire.answer(invite, 200)
    bye = wire.request("BYE", call=invite.call_id, from_tag="t1", to_tag=leg.local_tag)
    assert wire.names(wire.receive(bye)) == [200]
    assert wire.ends() == [(0, True)]
    wire.pass_time(40)
    assert wire.agent.is_idle


@pytest.mark.parametrize(("status", "name"), [(401, "Authorization"), (407, "Proxy-Authorization")])
def test_a_challenge_is_answered_once(wire: Wire, status: int, name: str) -> None:
    """RFC 3261 22.2: same Call-ID, From tag and To, next number."""
    asked: list[int] = []

    def authorize(response: Response, request: Request) -> tuple[str, str]:
        asked.append(response.status)
        return name, f'Digest username="1", uri="{request.uri}"'

    leg = wire.agent.invite(
        "sip:9@192.0.2.7", wire.far, from_="<sip:1@a.example>", to="<sip:9@a.example>", body=wire.offer,
        now=wire.now, authorize=authorize,
    )  # fmt: skip
    (first,) = wire.take()
    assert isinstance(first, Request)
    ack, second = wire.answer(first, status)
    assert isinstance(second, Request)
    assert wire.names([ack, second]) == ["ACK", "INVITE"]
    assert (second.call_id, second.from_, second.to) == (first.call_id, first.from_, first.to)
    assert (second.cseq.number, second.get(name) is not None, second.body) == (2, True, wire.offer)
    assert second.via.branch != first.via.branch
    (again,) = wire.answer(first, status)
    assert again.to_bytes() == ack.to_bytes(), "the first transaction acknowledges what was its own"
    (acknowledged,) = wire.answer(second, 200)
    assert (acknowledged.get(name), acknowledged.cseq.number) == (second.get(name), 2), "RFC 3261 22.1"
    leg.hang_up(wire.now)
    assert asked == [status]


def test_a_second_challenge_ends_the_call(wire: Wire) -> None:
    wire.agent.invite(
        "sip:9@192.0.2.7", wire.far, from_="<sip:1@a.example>", to="<sip:9@a.example>", body=wire.offer,
        now=wire.now, authorize=lambda _response, _request: ("Authorization", "Digest x=y"),
    )  # fmt: skip
    (first,) = wire.take()
    assert isinstance(first, Request)
    second = wire.answer(first, 401)[-1]
    assert isinstance(second, Request)
    assert wire.names(wire.answer(second, 401)) == ["ACK"]
    assert wire.ends() == [(401, True)]


def test_a_challenge_without_credentials_ends_the_call(wire: Wire) -> None:
    _, invite = wire.calling()
    assert wire.names(wire.answer(invite, 407)) == ["ACK"]
    assert wire.ends() == [(407, True)]


def test_hanging_up_twice_is_hanging_up_once(wire: Wire) -> None:
    leg = wire.talking()
    leg.hang_up(wire.now)
    leg.hang_up(wire.now)
    assert wire.names(wire.take()) == ["BYE"]
    assert wire.ends() == [(0, False)]
