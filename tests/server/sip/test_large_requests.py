"""Requests that are too large for a datagram (RFC 3261 18.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.effects import FlowLost, LegAnswered, LegEnded, Send
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.large_requests import LARGEST_DATAGRAM, MOST_REMEMBERED, REMEMBERED_S
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

    from ringfence.server.sip.flow import Peer
    from ringfence.server.sip.leg import Leg

FAR = Address("192.0.2.7", 5070)
TCP = Flow("TCP", FAR)


def calling(wire: Wire, padding: int = LARGEST_DATAGRAM, far: Address = FAR) -> Leg:
    return wire.agent.invite(
        f"sip:100@{far}",
        far,
        from_="<sip:1@example.com>",
        to="<sip:100@example.com>",
        body=b"v=0\r\n".ljust(padding),
        now=wire.now,
    )


def sent(wire: Wire) -> list[tuple[Request | Response, Peer]]:
    wire.collect()
    taken, wire.sent = wire.sent, []
    return [(one, peer) for _, one, peer in taken]


def request(wire: Wire) -> tuple[Request, Peer]:
    ((one, peer),) = sent(wire)
    assert isinstance(one, Request)
    return one, peer


def answered(invite: Request, status: int = 200, contact: str = "<sip:100@192.0.2.7:5070>") -> Response:
    response = invite.respond(status, to_tag="t1")
    response.add("Contact", contact)
    return response


def size_without_body(wire: Wire) -> int:
    calling(wire, padding=500)
    (send,) = (one for one in wire.agent.take_effects() if isinstance(one, Send))
    return len(send.data) - 500


def test_a_request_of_more_than_1300_octets_goes_by_tcp_and_via_and_contact_say_so(wire: Wire) -> None:
    fits = LARGEST_DATAGRAM - size_without_body(wire)
    calling(wire, padding=fits)
    invite, peer = request(wire)
    assert peer == FAR
    assert (invite.via.transport, invite.get("contact")) == ("UDP", "<sip:192.0.2.1:5060>")
    calling(wire, padding=fits + 1)
    invite, peer = request(wire)
    assert peer == TCP
    assert (invite.via.transport, invite.via.has_param("rport")) == ("TCP", False)
    assert invite.get("contact") == "<sip:192.0.2.1:5060;transport=tcp>"


def test_what_goes_by_tcp_is_not_repeated(wire: Wire) -> None:
    """RFC 3261 17.1.1.2."""
    calling(wire)
    assert request(wire)[1] == TCP
    assert wire.pass_time(31) == []


def test_a_large_request_to_a_flow_stays_on_it(wire: Wire) -> None:
    flow = Flow("WS", FAR, 3)
    wire.agent.open(flow)
    wire.agent.invite("sip:100@h", flow, from_="<sip:1@h>", to="<sip:100@h>", body=bytes(2000), now=wire.now)
    invite, peer = request(wire)
    assert (peer, invite.via.transport) == (flow, "WS")


def test_a_large_call_is_made_by_tcp(wire: Wire) -> None:
    """Its CANCEL goes the same way (9.1), the ACK of a refusal too; requests in the dialog go to the Contact."""
    wire.agent.open(TCP)
    leg = calling(wire)
    invite, _ = request(wire)
    wire.agent.receive(invite.respond(180, to_tag="t1").to_bytes(), TCP, wire.now)
    leg.hang_up(wire.now)
    cancel, peer = request(wire)
    assert (cancel.method, peer, cancel.get("via")) == ("CANCEL", TCP, invite.get("via"))
    wire.agent.receive(invite.respond(487, to_tag="t1").to_bytes(), TCP, wire.now)
    ack, peer = request(wire)
    assert (ack.method, peer, ack.get("via")) == ("ACK", TCP, invite.get("via"))
    wire.take_told()
    leg = calling(wire)
    invite, _ = request(wire)
    wire.agent.receive(answered(invite).to_bytes(), TCP, wire.now)
    assert isinstance(wire.take_told()[-1], LegAnswered)
    assert request(wire)[1] == FAR
    leg.hang_up(wire.now)
    assert request(wire)[1] == FAR


def test_where_nobody_takes_tcp_a_large_request_goes_by_udp(wire: Wire) -> None:
    """As the same request: a far end that had heard it before the connection broke makes no second call."""
    leg = calling(wire)
    by_tcp, _ = request(wire)
    wire.agent.lose(TCP, wire.now)
    by_udp, peer = request(wire)
    assert peer == FAR
    assert (by_udp.via.transport, by_udp.get("contact")) == ("UDP", "<sip:192.0.2.1:5060>")
    assert by_udp.via.has_param("rport")
    same = ("call-id", "cseq", "from")
    assert [by_udp.get(name) for name in same] == [by_tcp.get(name) for name in same]
    assert by_udp.via.branch == by_tcp.via.branch
    assert by_udp.body == by_tcp.body
    assert [round(when, 1) for when, _ in wire.pass_time(4)] == [0.5, 1.5, 3.5], "timer A runs from now on"
    wire.agent.receive(answered(by_udp).to_bytes(), FAR, wire.now)
    assert [type(one) for one in wire.take_told()] == [FlowLost, LegAnswered]
    assert [one.method for one, _ in sent(wire) if isinstance(one, Request)] == ["ACK"]
    assert leg.dialog is not None


def test_timer_b_counts_from_the_first_attempt(wire: Wire) -> None:
    calling(wire)
    wire.pass_time(5)
    wire.agent.lose(TCP, wire.now)
    wire.pass_time(26.9)
    assert not any(isinstance(one, LegEnded) for one in wire.take_told())
    wire.pass_time(0.2)
    assert wire.ends() == [(408, True)]
    assert wire.agent.is_idle


def test_a_call_that_rings_does_not_go_on_by_udp(wire: Wire) -> None:
    """RFC 3261 8.1.3.1: it is lost with its connection, as every call is."""
    wire.agent.open(TCP)
    calling(wire)
    invite, _ = request(wire)
    wire.agent.receive(invite.respond(180, to_tag="t1").to_bytes(), TCP, wire.now)
    wire.agent.lose(TCP, wire.now)
    assert sent(wire) == []
    assert wire.ends() == [(503, True)]


def test_a_far_end_without_tcp_is_spared_it_for_a_while(wire: Wire) -> None:
    calling(wire)
    wire.agent.lose(TCP, wire.now)
    sent(wire)
    calling(wire)
    assert request(wire)[1] == FAR
    calling(wire, far=Address("192.0.2.8", 5060))
    assert request(wire)[1] == Flow("TCP", Address("192.0.2.8", 5060)), "that is for this far end alone"
    wire.pass_time(REMEMBERED_S)
    wire.collect()
    wire.sent.clear()
    calling(wire)
    assert request(wire)[1] == TCP


def test_what_is_remembered_of_far_ends_is_bounded(wire: Wire) -> None:
    for port in range(MOST_REMEMBERED + 1):
        far = Address("192.0.2.9", 1024 + port)
        calling(wire, far=far)
        wire.agent.lose(Flow("TCP", far), wire.now)
    sent(wire)
    calling(wire, far=Address("192.0.2.9", 1024 + MOST_REMEMBERED))
    assert not isinstance(request(wire)[1], Flow)
    calling(wire, far=Address("192.0.2.9", 1024))
    assert isinstance(request(wire)[1], Flow), "the first ones were forgotten"


@pytest.mark.parametrize("tcp", [True, False])
def test_a_large_request_in_a_dialog_goes_by_tcp_too(wire: Wire, tcp: bool) -> None:
    """RFC 3261 18.1.1 is of every request; the answer is the dialog's in either way."""
    leg = wire.talking()
    wire.take()
    assert leg.reoffer(b"v=0\r\n".ljust(LARGEST_DATAGRAM), wire.now)
    reinvite, peer = request(wire)
    assert (peer, reinvite.via.transport) == (TCP, "TCP")
    assert reinvite.get("contact") == "<sip:192.0.2.1:5060;transport=tcp>"
    if not tcp:
        wire.agent.lose(TCP, wire.now)
        reinvite, peer = request(wire)
        assert (peer, reinvite.get("contact")) == (FAR, "<sip:192.0.2.1:5060>")
    wire.agent.receive(answered(reinvite).to_bytes(), TCP if tcp else FAR, wire.now)
    assert [parse(one.to_bytes()).cseq.method for one, _ in sent(wire)] == ["ACK"]


def test_a_large_request_of_nobody_s_call_goes_by_udp_with_timer_e(wire: Wire) -> None:
    message = wire.request("MESSAGE", body=b"x" * LARGEST_DATAGRAM)
    message.remove("via")
    wire.agent.send(message, FAR, "me", wire.now)
    assert request(wire)[1] == TCP
    wire.agent.lose(TCP, wire.now)
    again, peer = request(wire)
    assert (again.method, peer, again.get("contact")) == ("MESSAGE", FAR, "<sip:100@192.0.2.7:5070>")
    assert [round(when, 1) for when, _ in wire.pass_time(2)] == [0.5, 1.5]
