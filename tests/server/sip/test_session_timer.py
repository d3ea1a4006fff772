"""Session timers (RFC 4028), from both sides of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.effects import LegRefreshDue, Requested
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.session_timer import is_too_short

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

    from ringfence.server.sip.leg import Leg

KNOWS, UPDATES = ("Supported", "timer"), ("Allow", "INVITE, ACK, BYE, UPDATE")


def called(wire: Wire, *headers: tuple[str, str]) -> tuple[Leg, Response]:
    """Let an INVITE with these headers come, answer it, and return the leg and its 200."""
    wire.receive(wire.request("INVITE", body=wire.offer, headers=headers))
    requested = wire.take_told()[-1]
    assert isinstance(requested, Requested)
    leg = wire.agent.incoming(wire.agent.accept(requested.request, requested.source), wire.far, wire.now)
    leg.answer(wire.offer, wire.now)
    (ok,) = wire.take()
    assert isinstance(ok, Response)
    wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    wire.take_told()
    return leg, ok


def calling(wire: Wire, **headers: str) -> tuple[Leg, Request]:
    """Call, be answered with these headers, and return the leg and the INVITE."""
    leg, invite = wire.calling()
    wire.answer(invite, 200, **headers)
    wire.take_told()
    return leg, invite


def sent_after(wire: Wire, seconds: float) -> list[str | int]:
    """Let time pass and return what was sent."""
    return wire.names([one for _, one in wire.pass_time(seconds)])


# -- called: what the 200 settles (sections 8 and 9) -----------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "settled", "required"),
    [
        ((), "1800;refresher=uas", None),
        ((KNOWS,), "1800;refresher=uas", None),
        ((KNOWS, ("Session-Expires", "600")), "600;refresher=uas", None),
        ((KNOWS, ("Session-Expires", "600;refresher=uac")), "600;refresher=uac", "timer"),
        ((KNOWS, ("Session-Expires", "600;refresher=uas")), "600;refresher=uas", None),
        ((KNOWS, ("x", "7200")), "1800;refresher=uas", None),
        ((KNOWS, ("x", "7200"), ("Min-SE", "3600")), "3600;refresher=uas", None),
        ((("Session-Expires", "30"),), "90;refresher=uas", None),
    ],
)
def test_the_200_settles_who_refreshes_and_how_often(
    wire: Wire, headers: tuple[tuple[str, str], ...], settled: str, required: str | None
) -> None:
    """RFC 4028 9 and table 2: we ask for it also where the caller does not know it, and refresh then."""
    _, ok = called(wire, *headers)
    assert ok.get("session-expires") == settled
    assert ok.get("require") == required
    assert "timer" in ok.values("supported")


@pytest.mark.parametrize(
    ("headers", "short"),
    [
        ((KNOWS, ("Session-Expires", "89")), True),
        ((KNOWS, ("Session-Expires", "90")), False),
        ((("Session-Expires", "89"),), False),
        ((KNOWS,), False),
    ],
)
def test_too_short_a_session_is_told_only_to_whoever_understands_that(
    wire: Wire, headers: tuple[tuple[str, str], ...], *, short: bool
) -> None:
    """RFC 4028 9: 422 only where Supported lists timer."""
    assert is_too_short(wire.request("INVITE", headers=headers)) is short


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_too_short_a_refresh_gets_422_with_min_se(wire: Wire, method: str) -> None:
    """RFC 4028 6."""
    leg, _ = called(wire)
    request = wire.request(
        method, cseq=2, to_tag=leg.local_tag, body=wire.offer, headers=(KNOWS, ("Session-Expires", "10"))
    )
    (refusal,) = wire.receive(request)
    assert (wire.names([refusal]), refusal.get("min-se")) == ([422], "90")


# -- who vanishes ----------------------------------------------------------------------------------------------


def test_without_a_refresh_of_the_far_end_the_call_ends_a_little_earlier(wire: Wire) -> None:
    """RFC 4028 10: the BYE goes out min(32, interval / 3) seconds before the expiration."""
    called(wire, KNOWS, ("Session-Expires", "300;refresher=uac"))
    assert sent_after(wire, 267.9) == []
    assert sent_after(wire, 0.2)[0] == "BYE"
    assert wire.ends() == [(0, True)]
    wire.pass_time(40)
    assert wire.agent.is_idle


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_each_refresh_of_the_far_end_begins_the_interval_anew(wire: Wire, method: str) -> None:
    """RFC 4028 9 and 10."""
    leg, _ = called(wire, KNOWS, ("Session-Expires", "300;refresher=uac"))
    for cseq in range(2, 8):
        assert sent_after(wire, 200) == []
        headers = (KNOWS, ("Session-Expires", "300;refresher=uac"))
        body = wire.offer if method == "INVITE" else b""
        wire.receive(wire.request(method, cseq=cseq, to_tag=leg.local_tag, body=body, headers=headers))
        leg.accept_offer(wire.offer, wire.now)
        if method == "INVITE":
            wire.receive(wire.request("ACK", cseq=cseq, to_tag=leg.local_tag))
    assert wire.ends() == []
    assert "BYE" in sent_after(wire, 301)


def test_our_refresh_is_an_update_at_half_the_interval(wire: Wire) -> None:
    """RFC 4028 7.4 and 10: UPDATE where the far end allows it, without an offer."""
    _, ok = called(wire, KNOWS, UPDATES, ("Session-Expires", "300"))
    assert ok.get("session-expires") == "300;refresher=uas"
    for _ in range(5):
        ((when, refresh),) = wire.pass_time(150.1)
        assert isinstance(refresh, Request)
        assert (round(when), refresh.method, refresh.body) == (150, "UPDATE", b"")
        assert refresh.get("session-expires") == "300;refresher=uac"
        assert "timer" in refresh.values("supported")
        wire.answer(refresh, 200, tag="f1", Session_Expires="300;refresher=uac", Supported="timer")
    assert wire.ends() == []


def test_where_no_update_is_allowed_the_owner_refreshes_by_a_reinvite(wire: Wire) -> None:
    """RFC 4028 7.4."""
    leg, _ = called(wire, KNOWS, ("Session-Expires", "300"))
    assert sent_after(wire, 150.1) == []
    assert wire.take_told() == [LegRefreshDue(leg)]
    assert leg.reoffer(wire.offer, wire.now)
    (refresh,) = wire.take()
    assert isinstance(refresh, Request)
    assert refresh.get("session-expires") == "300;refresher=uac"
    wire.answer(refresh, 200, tag="f1", Session_Expires="300;refresher=uac")
    wire.take_told()
    assert sent_after(wire, 149) == []
    assert sent_after(wire, 2) == []
    assert wire.take_told() == [LegRefreshDue(leg)]


def test_a_refresh_that_nobody_answers_ends_the_call(wire: Wire) -> None:
    """RFC 4028 10: both vanished, and the call does not stay up for ever."""
    called(wire, UPDATES)
    assert sent_after(wire, 899) == []
    assert set(sent_after(wire, 34)) == {"UPDATE", "BYE"}
    assert wire.ends() == [(0, True)]
    wire.pass_time(40)
    assert wire.agent.is_idle


def test_a_far_end_that_knows_no_timers_only_has_to_answer(wire: Wire) -> None:
    """A 405 or 488 to our refresh shows as well that somebody is there."""
    called(wire, UPDATES)
    for status in (405, 488, 500):
        ((_, refresh),) = wire.pass_time(900.1)
        assert isinstance(refresh, Request)
        wire.answer(refresh, status, tag="f1")
    assert wire.ends() == []


def test_a_refresh_that_is_refused_by_whoever_knows_timers_is_tried_by_reinvite_and_then_the_session_ends(
    wire: Wire,
) -> None:
    """RFC 4028 10."""
    leg, _ = called(wire, KNOWS, UPDATES, ("Session-Expires", "300"))
    ((_, refresh),) = wire.pass_time(150.1)
    assert isinstance(refresh, Request)
    wire.answer(refresh, 501, tag="f1")
    assert wire.take_told() == [LegRefreshDue(leg)]
    assert "BYE" in sent_after(wire, 150)
    assert wire.ends() == [(0, True)]


def test_a_refresh_asks_for_longer_after_a_422(wire: Wire) -> None:
    """RFC 4028 7.4 and 6."""
    called(wire, KNOWS, UPDATES, ("Session-Expires", "300"))
    ((_, refresh),) = wire.pass_time(150.1)
    assert isinstance(refresh, Request)
    (again,) = wire.answer(refresh, 422, tag="f1", Min_SE="2400")
    assert isinstance(again, Request)
    assert (again.method, again.get("session-expires"), again.get("min-se")) == (
        "UPDATE",
        "2400;refresher=uac",
        "2400",
    )
    wire.answer(again, 200, tag="f1", Session_Expires="2400;refresher=uac")
    assert sent_after(wire, 1199) == []


def test_an_ended_call_has_no_timer_left(wire: Wire) -> None:
    leg, _ = called(wire, UPDATES)
    leg.hang_up(wire.now)
    (bye,) = wire.take()
    assert isinstance(bye, Request)
    wire.answer(bye, 200)
    wire.pass_time(40)
    assert wire.agent.is_idle
    assert wire.agent.timers.next_deadline() is None


# -- calling (section 7) ---------------------------------------------------------------------------------------


def test_our_invite_asks_for_half_an_hour(wire: Wire) -> None:
    """RFC 4028 7.1."""
    _, invite = wire.calling()
    assert invite.get("session-expires") == "1800;refresher=uac"
    assert "timer" in invite.values("supported")


def test_after_a_422_the_invite_goes_out_again_with_the_longer_interval(wire: Wire) -> None:
    """RFC 4028 7.3: same Call-ID, next number, Min-SE remembered."""
    leg, invite = wire.calling()
    ack, again = wire.answer(invite, 422, Min_SE="3600")
    assert isinstance(again, Request)
    assert wire.names([ack, again]) == ["ACK", "INVITE"]
    assert (again.get("session-expires"), again.get("min-se")) == ("3600;refresher=uac", "3600")
    assert (again.call_id, again.cseq.number, again.body) == (invite.call_id, 2, invite.body)
    wire.answer(again, 200)
    assert leg.dialog is not None
    assert wire.names(wire.answer(invite, 422, Min_SE="9999")) == ["ACK"]


@pytest.mark.parametrize("least", ["1800", "5", None])
def test_a_422_that_helps_nothing_ends_the_call(wire: Wire, least: str | None) -> None:
    _, invite = wire.calling()
    wire.answer(invite, 422, **({} if least is None else {"Min_SE": least}))
    assert wire.ends() == [(422, True)]


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"Session_Expires": "600;refresher=uac"}, 300),
        ({"Session_Expires": "600"}, 300),
        ({}, 900),
        ({"Session_Expires": "1;refresher=uac"}, 45),
    ],
)
def test_we_refresh_what_the_200_leaves_to_us(wire: Wire, headers: dict[str, str], after: int) -> None:
    """RFC 4028 7.2: without Session-Expires in the 2xx by ourselves; never more often than the shortest allowed."""
    calling(wire, Allow="UPDATE", **headers)
    ((when, refresh),) = wire.pass_time(after + 0.1)
    assert isinstance(refresh, Request)
    assert (round(when), refresh.method) == (after, "UPDATE")


def test_a_far_end_that_undertook_to_refresh_and_does_not_is_gone(wire: Wire) -> None:
    """RFC 4028 10."""
    calling(wire, Session_Expires="90;refresher=uas", Require="timer")
    assert sent_after(wire, 59.9) == []
    assert sent_after(wire, 0.2) == ["BYE"]


# -- credentials inside a dialog -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["UPDATE", "INVITE", "BYE"])
def test_a_trunk_that_challenges_inside_the_dialog_is_answered_once(wire: Wire, method: str) -> None:
    """RFC 3261 22.2."""
    leg = wire.agent.invite(
        "sip:9@192.0.2.7", wire.far, from_="<sip:1@a.example>", to="<sip:9@a.example>", body=wire.offer,
        now=wire.now, authorize=lambda _, request: ("Proxy-Authorization", f'Digest uri="{request.uri}"'),
    )  # fmt: skip
    (invite,) = wire.take()
    assert isinstance(invite, Request)
    wire.answer(invite, 200, Allow="UPDATE")
    if method == "UPDATE":
        ((_, request),) = wire.pass_time(900.1)
    else:
        if method == "INVITE":
            leg.reoffer(wire.offer, wire.now)
        else:
            leg.hang_up(wire.now)
        (request,) = wire.take()
    assert isinstance(request, Request)
    *_, again = wire.answer(request, 407)
    assert isinstance(again, Request)
    assert (again.method, again.cseq.number) == (method, request.cseq.number + 1)
    assert again.get("proxy-authorization") == 'Digest uri="sip:100@192.0.2.7:5070"'
    assert (again.body, again.get("session-expires")) == (request.body, request.get("session-expires"))
    assert method not in wire.names(wire.answer(again, 407))


# -- a far end that connects anew ------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Allow": "UPDATE"}])
def test_a_call_whose_connection_is_gone_waits_for_another_one(wire: Wire, headers: dict[str, str]) -> None:
    """RFC 4028 10 and RFC 5626 4.5: a refresh that cannot be sent is tried again, by the connection of then."""
    old, new = (Flow("WS", Address("192.0.2.7", port), port) for port in (40001, 40002))
    wire.agent.open(old)
    leg = wire.agent.invite(
        "sip:x@y.invalid;transport=ws", old, from_="<sip:1@example.com>", to="<sip:2@example.com>",
        body=wire.offer, now=wire.now,
    )  # fmt: skip
    (invite,) = wire.take()
    assert isinstance(invite, Request)
    wire.answer(invite, 200, contact="<sip:x@y.invalid;transport=ws>", **headers)
    wire.take_told()
    wire.agent.lose(old, wire.now)
    for seconds in (900, 30):
        wire.pass_time(seconds)
        for one in wire.take_told():
            if isinstance(one, LegRefreshDue):
                assert leg.reoffer(wire.offer, wire.now)
        wire.agent.lose(old, wire.now)  # as the shell says of what it cannot send
        assert not leg.is_over
    wire.agent.open(new)
    leg.move(new)
    wire.take_told()
    wire.pass_time(29)
    sent = wire.pass_time(1)
    for one in wire.take_told():
        if isinstance(one, LegRefreshDue):
            assert leg.reoffer(wire.offer, wire.now)
            wire.collect()
            sent = [(0.0, message) for _, message, _ in wire.sent]
    (_, refresh), *_ = sent
    assert isinstance(refresh, Request)
    assert refresh.via.transport == "WS"
    wire.answer(refresh, 200, contact="<sip:x@y.invalid;transport=ws>")
    wire.pass_time(800)
    assert not leg.is_over


def test_a_call_whose_connection_does_not_come_back_ends(wire: Wire) -> None:
    """RFC 4028 10: after two minutes."""
    flow = Flow("WS", Address("192.0.2.7", 40001), 1)
    wire.agent.open(flow)
    leg = wire.agent.invite(
        "sip:x@y.invalid;transport=ws", flow, from_="<sip:1@example.com>", to="<sip:2@example.com>",
        body=wire.offer, now=wire.now,
    )  # fmt: skip
    (invite,) = wire.take()
    assert isinstance(invite, Request)
    wire.answer(invite, 200, contact="<sip:x@y.invalid;transport=ws>", Allow="UPDATE")
    wire.agent.lose(flow, wire.now)
    wire.pass_time(899)
    for seconds in (1, 30, 30, 30):
        wire.pass_time(seconds)
        wire.agent.lose(flow, wire.now)
        assert not leg.is_over
    wire.pass_time(30)
    assert leg.is_over
