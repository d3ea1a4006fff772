"""A call whose far end may be found at several places (RFC 3263 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.effects import FlowLost, LegAnswered, LegEnded
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.message import Request, Response

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

    from ringfence.server.sip.flow import Peer
    from ringfence.server.sip.leg import Leg

FIRST, SECOND, THIRD = (
    Address("192.0.2.7", 5070),
    Flow("TCP", Address("192.0.2.8", 5060)),
    Address("192.0.2.9", 5060),
)
FLOW = Flow("TCP", Address("192.0.2.7", 5070))


def calling(wire: Wire, destination: Peer = FIRST, *others: Peer) -> Leg:
    return wire.agent.invite(
        "sip:0731@trunk.example",
        destination,
        from_="<sip:1@example.com>",
        to="<sip:0731@trunk.example>",
        body=wire.offer,
        now=wire.now,
        authorize=lambda response, request: ("Authorization", f"Digest {response.status} {request.method}"),
        others=others,
    )


def sent(wire: Wire) -> list[tuple[Request, Peer]]:
    """The requests but ACK since last asked."""
    wire.collect()
    taken, wire.sent = wire.sent, []
    return [(one, peer) for _, one, peer in taken if isinstance(one, Request) and one.method != "ACK"]


def refuse(wire: Wire, invite: Request, peer: Peer, status: int) -> None:
    wire.agent.receive(invite.respond(status, to_tag=f"t{status}").to_bytes(), peer, wire.now)


def test_a_far_end_that_is_not_available_is_sought_at_the_next_place(wire: Wire) -> None:
    """As a new transaction, whose Via and Contact fit the new place."""
    leg = calling(wire, FIRST, SECOND, THIRD)
    ((invite, _),) = sent(wire)
    refuse(wire, invite, FIRST, 503)
    ((second, peer),) = sent(wire)
    assert (peer, leg.peer) == (SECOND, SECOND)
    assert second.via.branch != invite.via.branch
    assert (second.via.transport, second.get("contact")) == ("TCP", "<sip:192.0.2.1:5060;transport=tcp>")
    assert second.get("call-id") == invite.get("call-id")
    assert (second.uri, second.body) == (invite.uri, invite.body)
    wire.agent.lose(SECOND, wire.now)
    ((third, peer),) = sent(wire)
    assert (peer, third.via.transport, third.get("contact")) == (THIRD, "UDP", "<sip:192.0.2.1:5060>")
    assert [type(one) for one in wire.take_told()] == [FlowLost]
    answer = third.respond(200, to_tag="far")
    answer.add("Contact", "<sip:0731@192.0.2.9>")
    wire.agent.receive(answer.to_bytes(), THIRD, wire.now)
    assert [type(one) for one in wire.take_told()] == [LegAnswered]


def test_silence_is_a_failure_after_timer_b(wire: Wire) -> None:
    calling(wire, FIRST, THIRD)
    sent(wire)
    wire.pass_time(31.9)
    assert wire.take_told() == []
    repeated = wire.pass_time(0.2)
    assert [one.method for _, one in repeated if isinstance(one, Request)] == ["INVITE"]
    wire.pass_time(33)
    assert wire.ends() == [(408, True)], "that was the last one"
    assert wire.agent.is_idle


def test_after_the_last_place_the_call_ends_as_that_one_said(wire: Wire) -> None:
    calling(wire, FIRST, THIRD)
    for peer in (FIRST, THIRD):
        ((invite, _),) = sent(wire)
        refuse(wire, invite, peer, 503)
    assert sent(wire) == []
    assert wire.ends() == [(503, True)]


@pytest.mark.parametrize("status", [404, 486, 500, 603])
def test_any_other_refusal_is_the_far_end_s_word(wire: Wire, status: int) -> None:
    calling(wire, FIRST, THIRD)
    ((invite, _),) = sent(wire)
    refuse(wire, invite, FIRST, status)
    assert (sent(wire), wire.ends()) == ([], [(status, True)])


@pytest.mark.parametrize("how", ["refused", "lost"])
def test_what_rings_at_one_place_is_not_rung_at_another(wire: Wire, how: str) -> None:
    wire.agent.open(FLOW)
    calling(wire, FLOW, THIRD)
    ((invite, _),) = sent(wire)
    wire.agent.receive(invite.respond(180, to_tag="t1").to_bytes(), FLOW, wire.now)
    if how == "refused":
        refuse(wire, invite, FLOW, 503)
    else:
        wire.agent.lose(FLOW, wire.now)
    assert sent(wire) == []
    assert [one.status for one in wire.take_told() if isinstance(one, LegEnded)] == [503]


def test_a_call_that_is_given_up_is_sought_nowhere_else(wire: Wire) -> None:
    leg = calling(wire, FIRST, THIRD)
    ((invite, _),) = sent(wire)
    leg.hang_up(wire.now)
    refuse(wire, invite, FIRST, 503)
    assert (sent(wire), wire.ends()) == ([], [(487, True)])


def test_each_place_may_challenge_once(wire: Wire) -> None:
    calling(wire, FIRST, THIRD)
    statuses = {FIRST: [401, 503], THIRD: [401, 401]}
    seen = []
    for _ in range(4):
        ((invite, peer),) = sent(wire)
        seen.append((peer, invite.get("authorization") is not None, invite.cseq.number))
        assert isinstance(peer, Address)
        refuse(wire, invite, peer, statuses[peer].pop(0))
    assert seen == [(FIRST, False, 1), (FIRST, True, 2), (THIRD, True, 3), (THIRD, True, 4)]
    assert wire.ends() == [(401, True)]


def test_a_response_of_the_place_that_failed_changes_nothing(wire: Wire) -> None:
    """A 503 that is repeated gets its ACK again, and no more."""
    calling(wire, FIRST, THIRD)
    ((invite, _),) = sent(wire)
    refuse(wire, invite, FIRST, 503)
    sent(wire)
    refuse(wire, invite, FIRST, 503)
    wire.collect()
    assert [one.method for _, one, _ in wire.sent if not isinstance(one, Response)] == ["ACK"]
    assert wire.take_told() == []
