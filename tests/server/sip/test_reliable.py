"""Reliable provisional responses and PRACK (RFC 3262), from both sides, with the offers and answers in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.effects import (
    LegAnswered,
    LegConfirmed,
    LegProgressed,
    LegReconfirmed,
    LegReoffered,
    Requested,
)
from ringfence.server.sip.leg_state import LegState
from ringfence.server.sip.message import Request, Response

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

    from ringfence.server.sip.leg import Leg

SUPPORTS, REQUIRES = ("Supported", "100rel"), ("Require", "100rel")


def called(wire: Wire, header: tuple[str, str] = SUPPORTS, *, late_offer: bool = False) -> Leg:
    """Let an INVITE come whose caller knows 100rel."""
    wire.receive(wire.request("INVITE", body=b"" if late_offer else wire.offer, headers=(header,)))
    requested = wire.take_told()[-1]
    assert isinstance(requested, Requested)
    return wire.agent.incoming(wire.agent.accept(requested.request, requested.source), wire.far, wire.now)


def only(messages: list[Request | Response]) -> Response:
    """Return the one response."""
    (response,) = messages
    assert isinstance(response, Response)
    return response


def prack(wire: Wire, leg: Leg, rack: str, *, cseq: int = 2, body: bytes = b"") -> list[Request | Response]:
    """Let a PRACK come."""
    return wire.receive(
        wire.request("PRACK", to_tag=leg.local_tag, cseq=cseq, body=body, headers=(("RAck", rack),))
    )


# -- called ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [SUPPORTS, REQUIRES])
def test_ringing_is_reliable_where_the_caller_knows_it_and_repeated_until_prack(
    wire: Wire, header: tuple[str, str]
) -> None:
    """RFC 3262 3: RSeq from 1 to 2**31 - 1, repeated from T1 on, each time after twice the time."""
    leg = called(wire, header)
    leg.ring(wire.now)
    ringing = only(wire.take())
    assert (ringing.status, ringing.get("require")) == (180, "100rel")
    assert 1 <= int(ringing.get("rseq") or "0") < 2**31
    sent = wire.pass_time(16)
    assert [when for when, _ in sent] == [0.5, 1.5, 3.5, 7.5, 15.5]
    assert {one.to_bytes() for _, one in sent} == {ringing.to_bytes()}
    assert wire.names(prack(wire, leg, f"{ringing.get('rseq')} 1 INVITE")) == [200]
    assert wire.pass_time(40) == []


def test_a_caller_who_does_not_know_it_hears_it_once(wire: Wire) -> None:
    """RFC 3262 3."""
    leg = wire.called()
    leg.ring(wire.now)
    ringing = only(wire.take())
    assert (ringing.get("require"), ringing.get("rseq")) == (None, None)
    assert wire.pass_time(30) == []


@pytest.mark.parametrize("rack", ["{next} 1 INVITE", "{rseq} 2 INVITE", "{rseq} 1 BYE", "{huge} 1 INVITE"])
def test_a_prack_that_matches_nothing_gets_481(wire: Wire, rack: str) -> None:
    """RFC 3262 3."""
    leg = called(wire)
    leg.ring(wire.now)
    rseq = int(only(wire.take()).get("rseq") or "")
    text = rack.format(rseq=rseq, next=rseq + 1, huge=9_999_999_999)
    assert wire.names(prack(wire, leg, text)) == [481]
    assert wire.pass_time(0.6), "the response still waits"
    assert wire.names(prack(wire, leg, f"{rseq} 1 INVITE", cseq=3)) == [200]
    assert wire.names(prack(wire, leg, f"{rseq} 1 INVITE", cseq=4)) == [481], "it was acknowledged"


def test_a_prack_outside_a_reliable_call_gets_481(wire: Wire) -> None:
    """RFC 3262 3."""
    leg = wire.talking()
    assert wire.names(prack(wire, leg, "1 1 INVITE")) == [481]


def test_without_a_prack_the_call_is_refused(wire: Wire) -> None:
    """RFC 3262 3: after 64 x T1 with a 5xx."""
    leg = called(wire)
    leg.ring(wire.now)
    sent = wire.pass_time(32)
    assert (sent[-1][0], wire.names([sent[-1][1]])) == (32, [504])
    assert wire.ends() == [(504, False)]


def test_a_second_response_waits_for_the_prack_of_the_first(wire: Wire) -> None:
    """RFC 3262 3: with the next number."""
    leg = called(wire)
    leg.ring(wire.now)
    first = int(only(wire.take()).get("rseq") or "")
    for status in (180, 182, 182):
        leg.ring(wire.now, status)
    assert wire.take() == []
    ok, second = prack(wire, leg, f"{first} 1 INVITE")
    assert wire.names([ok, second]) == [200, 182]
    assert second.get("rseq") == str(first + 1)
    assert wire.names(prack(wire, leg, f"{first + 1} 1 INVITE", cseq=3)) == [200]


def test_ringing_is_told_again_each_minute_with_a_new_number(wire: Wire) -> None:
    """RFC 3262 3 and RFC 3261 13.3.1.1."""
    leg = called(wire)
    leg.ring(wire.now)
    rseq = int(only(wire.take()).get("rseq") or "")
    prack(wire, leg, f"{rseq} 1 INVITE")
    ((when, again),) = wire.pass_time(60.1)
    assert (when, again.get("rseq")) == (60, str(rseq + 1))


def test_a_200_does_not_wait_for_the_prack_of_bare_ringing(wire: Wire) -> None:
    """RFC 3262 3: and what was not acknowledged is repeated no more."""
    leg = called(wire)
    leg.ring(wire.now)
    rseq = only(wire.take()).get("rseq")
    leg.answer(wire.offer, wire.now)
    assert wire.names(wire.take()) == [200]
    assert {one.status for _, one in wire.pass_time(3) if isinstance(one, Response)} == {200}
    assert wire.names(prack(wire, leg, f"{rseq} 1 INVITE")) == [200], "it may still come"
    wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    assert leg.state is LegState.ESTABLISHED


def test_a_200_waits_for_the_prack_of_a_session_description(wire: Wire) -> None:
    """RFC 3262 3: no 2xx before that."""
    leg = called(wire)
    leg.ring(wire.now, 183, wire.offer)
    progress = only(wire.take())
    assert (progress.status, progress.body) == (183, wire.offer)
    leg.answer(b"", wire.now)
    assert wire.take() == []
    ok, answer = prack(wire, leg, f"{progress.get('rseq')} 1 INVITE")
    assert (wire.names([ok, answer]), ok.cseq.method, answer.cseq.method) == (
        [200, 200],
        "PRACK",
        "INVITE",
    )
    wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    assert [type(one) for one in wire.take_told()] == [LegConfirmed]


@pytest.mark.parametrize("end", ["cancel", "refuse", "hang up"])
def test_a_call_that_ends_repeats_nothing(wire: Wire, end: str) -> None:
    """RFC 3262 3."""
    leg = called(wire)
    leg.ring(wire.now)
    wire.take()
    match end:
        case "cancel":
            wire.receive(wire.request("CANCEL", branch=wire.request("INVITE").via.branch))
        case "refuse":
            leg.refuse(486, wire.now)
        case _:
            leg.hang_up(wire.now)
    wire.receive(wire.request("ACK", branch=wire.request("INVITE").via.branch, to_tag=leg.local_tag))
    wire.take()
    assert wire.pass_time(60) == []
    assert wire.agent.is_idle


def test_the_offer_of_a_late_offer_call_is_answered_in_the_prack(wire: Wire) -> None:
    """RFC 3262 5: the first reliable response holds the offer."""
    leg = called(wire, REQUIRES, late_offer=True)
    leg.ring(wire.now)
    assert wire.take() == [], "without an offer it could not be reliable, and the caller wants nothing else"
    leg.ring(wire.now, 183, wire.offer)
    progress = only(wire.take())
    update = wire.request("UPDATE", to_tag=leg.local_tag, cseq=2, body=wire.offer)
    assert wire.names(wire.receive(update)) == [491], "RFC 3311 5.2: ours waits for its answer"
    assert wire.names(prack(wire, leg, f"{progress.get('rseq')} 1 INVITE", cseq=3, body=wire.offer)) == [200]
    assert wire.take_told() == [LegReconfirmed(leg, wire.offer)]


def test_a_prack_may_offer_once_the_first_offer_is_answered(wire: Wire) -> None:
    """RFC 3262 5: its 2xx holds the answer."""
    leg = called(wire)
    leg.ring(wire.now, 183, wire.offer)
    rseq = only(wire.take()).get("rseq")
    assert prack(wire, leg, f"{rseq} 1 INVITE", body=wire.offer) == []
    (reoffered,) = wire.take_told()
    assert isinstance(reoffered, LegReoffered)
    leg.accept_offer(wire.offer, wire.now)
    ok = only(wire.take())
    assert (ok.status, ok.body, ok.cseq.method) == (200, wire.offer, "PRACK")
    update = wire.request("UPDATE", to_tag=leg.local_tag, cseq=3, body=wire.offer)
    assert wire.receive(update) == []
    assert isinstance(wire.take_told()[0], LegReoffered), "RFC 3311 5.2: an early dialog may be updated now"


def test_a_prack_with_an_offer_before_the_first_one_is_answered_is_refused(wire: Wire) -> None:
    """RFC 3262 5, RFC 3311 5.2."""
    leg = called(wire)
    leg.ring(wire.now)
    rseq = only(wire.take()).get("rseq")
    assert wire.names(prack(wire, leg, f"{rseq} 1 INVITE", body=wire.offer)) == [500]
    assert wire.pass_time(30) == [], "acknowledged it is"


# -- calling ---------------------------------------------------------------------------------------------------


def progress(
    wire: Wire, invite: Request, rseq: int, *, tag: str = "t1", body: bytes = b""
) -> list[Request | Response]:
    """Let a reliable 183 come."""
    response = invite.respond(183, to_tag=tag)
    response.headers += [
        ("Contact", f"<sip:{tag}@192.0.2.7:5070>"), ("Require", "100rel"), ("RSeq", str(rseq)),
    ]  # fmt: skip
    if body:
        response.headers.append(("Content-Type", "application/sdp"))
        response.body = body
    return wire.receive(response)


def test_we_acknowledge_each_reliable_response_once(wire: Wire) -> None:
    """RFC 3262 4: in the early dialog, with RSeq, CSeq number and method; a repetition is not told again."""
    leg, invite = wire.calling()
    assert "100rel" in invite.values("supported")
    (first,) = progress(wire, invite, 7)
    assert isinstance(first, Request)
    assert (first.method, first.get("rack"), first.cseq.number) == ("PRACK", "7 1 INVITE", 2)
    assert (first.uri, first.to.tag, first.call_id) == ("sip:t1@192.0.2.7:5070", "t1", invite.call_id)
    assert progress(wire, invite, 7) == []
    (second,) = progress(wire, invite, 8)
    assert (second.get("rack"), second.cseq.number) == ("8 1 INVITE", 3)
    assert [type(one) for one in wire.take_told()] == [LegProgressed, LegProgressed]
    wire.answer(invite, 200)
    assert leg.dialog is not None
    assert leg.dialog.local_cseq == 3, "the dialog counts on"


def test_what_comes_out_of_order_is_not_acknowledged(wire: Wire) -> None:
    """RFC 3262 4."""
    _, invite = wire.calling()
    progress(wire, invite, 7)
    assert progress(wire, invite, 9) == []
    assert progress(wire, invite, 6) == []
    assert wire.names(progress(wire, invite, 8)) == ["PRACK"]


@pytest.mark.parametrize("rseq", ["", "x", "0", "-1"])
def test_a_reliable_response_without_a_number_is_none(wire: Wire, rseq: str) -> None:
    """RFC 3262 7.1."""
    _, invite = wire.calling()
    response = invite.respond(183, to_tag="t1")
    response.headers += [("Contact", "<sip:t1@192.0.2.7:5070>"), ("Require", "100rel"), ("RSeq", rseq)]
    assert wire.receive(response) == []
    assert wire.names(wire.answer(invite, 200)) == ["ACK"]


def test_each_fork_has_its_own_numbers(wire: Wire) -> None:
    """RFC 3262 4: by early dialog."""
    _, invite = wire.calling()
    for tag, rseq in (("t1", 100), ("t2", 5), ("t1", 101), ("t2", 6)):
        (prack,) = progress(wire, invite, rseq, tag=tag)
        assert (prack.to.tag, prack.get("rack")) == (tag, f"{rseq} 1 INVITE")


def test_an_answer_in_a_reliable_response_is_that_of_the_call(wire: Wire) -> None:
    """RFC 3262 5: the 2xx may come without one then; the fork that takes the call counts."""
    leg, invite = wire.calling()
    progress(wire, invite, 1, tag="t1", body=b"v=1")
    progress(wire, invite, 1, tag="t2", body=wire.offer)
    wire.take_told()
    wire.answer(invite, 200, tag="t2")
    (answered,) = wire.take_told()
    assert isinstance(answered, LegAnswered)
    assert answered.response.body == wire.offer
    assert leg.state is LegState.ESTABLISHED


def test_an_early_session_may_be_updated_by_either_side(wire: Wire) -> None:
    """RFC 3311 5.1: once the INVITE's offer is answered reliably."""
    leg, invite = wire.calling()
    assert not leg.update(wire.offer, wire.now), "there is no dialog yet"
    wire.answer(invite, 180)
    assert not leg.update(wire.offer, wire.now), "our offer is not answered"
    (ours,) = progress(wire, invite, 1, body=wire.offer)
    assert isinstance(ours, Request)
    assert wire.answer(ours, 200) == []
    request = wire.request(
        "UPDATE", call=invite.call_id, from_tag="t1", to_tag=leg.local_tag, body=wire.offer
    )
    assert wire.receive(request) == []
    leg.accept_offer(wire.offer, wire.now)
    assert wire.names(wire.take()) == [200]
    assert leg.update(wire.offer, wire.now)
    (update,) = wire.take()
    assert isinstance(update, Request)
    assert (update.method, update.to.tag) == ("UPDATE", "t1")
    wire.answer(update, 200)
    assert wire.names(wire.answer(invite, 200)) == ["ACK"]


@pytest.mark.parametrize("status", [481, 408, None])
def test_a_prack_that_fails_does_not_end_the_call(wire: Wire, status: int | None) -> None:
    """RFC 3262 4: the INVITE itself tells."""
    leg, invite = wire.calling()
    (prack,) = progress(wire, invite, 1)
    assert isinstance(prack, Request)
    if status is None:
        wire.pass_time(40)
    else:
        assert wire.answer(prack, status) == []
    assert not leg.is_over
    assert wire.names(wire.answer(invite, 200)) == ["ACK"]


def test_a_late_offer_of_ours_asks_for_nothing_reliable(wire: Wire) -> None:
    """RFC 3262 5: our PRACK would have to answer the offer."""
    wire.agent.invite(
        "sip:9@192.0.2.7", wire.far, from_="<sip:1@a.example>", to="<sip:9@a.example>", body=b"", now=wire.now
    )
    (invite,) = wire.take()
    assert "100rel" not in invite.values("supported")
