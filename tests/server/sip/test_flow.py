"""Flows: connections instead of datagrams (RFC 3261 17 and 18, RFC 5626, RFC 7118)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.effects import FlowLost, LegEnded, Requested, Responded, Unanswered
from ringfence.server.sip.flow import Flow, Peer, Transport, address_of
from ringfence.server.sip.message import Request

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

    from ringfence.server.sip.leg import Leg
    from ringfence.server.sip.transaction import ServerTransaction

REMOTE = Address("192.0.2.7", 40001)
TCP, OTHER = Flow("TCP", REMOTE, 1), Flow("TCP", Address("192.0.2.7", 40002), 2)


@pytest.fixture(autouse=True)
def _flows(wire: Wire) -> None:
    wire.agent.open(TCP)
    wire.agent.open(OTHER)


def requested(wire: Wire, request: Request, source: Peer = TCP) -> ServerTransaction:
    wire.receive(request, source)
    told = wire.take_told()[-1]
    assert isinstance(told, Requested)
    return wire.agent.accept(told.request, told.source)


def called(wire: Wire) -> Leg:
    """An INVITE that came by `TCP`."""
    return wire.agent.incoming(requested(wire, wire.request("INVITE")), TCP, wire.now)


def calling(wire: Wire, peer: Peer = TCP, target: str = "sip:100@192.0.2.7:5070") -> tuple[Leg, Request]:
    leg = wire.agent.invite(
        target, peer, from_="<sip:1@example.com>", to="<sip:100@example.com>", body=b"", now=wire.now
    )
    invite = wire.take()[0]
    assert isinstance(invite, Request)
    return leg, invite


def sent_to(wire: Wire) -> list[tuple[str | int, Peer]]:
    """Method or status of everything sent since last asked, and where it went."""
    wire.collect()
    sent, wire.sent = wire.sent, []
    return [(one.method if isinstance(one, Request) else one.status, peer) for _, one, peer in sent]


# -- where a URI leads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "peer"),
    [
        ("sip:a@192.0.2.1", Address("192.0.2.1", 5060)),
        ("sip:a@192.0.2.1:5070;lr", Address("192.0.2.1", 5070)),
        ("sip:a@[2001:DB8::1]:5070", Address("2001:db8::1", 5070)),
        ("sip:a@192.0.2.1;transport=TCP", Flow("TCP", Address("192.0.2.1", 5060))),
        ("sip:a@192.0.2.1;transport=tls", Flow("TLS", Address("192.0.2.1", 5061))),
        ("sips:a@192.0.2.1", Flow("TLS", Address("192.0.2.1", 5061))),
        ("sips:a@[2001:DB8::1]:5071;transport=tcp", Flow("TLS", Address("2001:db8::1", 5071))),
        ("sip:a@192.0.2.1;transport=ws", None),
        ("sips:a@192.0.2.1;transport=ws", None),
        ("sip:a@192.0.2.1;transport=sctp", None),
        ("sip:a@host.example", None),
        ("sip:a@123", None),
        ("sip:a@1.2.3.", None),
        ("sip:a@192.0.2.300", None),
        ("tel:+4989", None),
        ("not a uri", None),
    ],
)
def test_an_ip_address_and_a_transport_in_a_uri_are_a_place_to_send_to(uri: str, peer: Peer | None) -> None:
    """RFC 3263 4.1: the transport parameter, or TLS for sips:."""
    assert address_of(uri) == peer


# -- what we say of ourselves: RFC 3261 18.1.1 and 8.1.1.8, RFC 7118 5 -----------------------------------------


@pytest.mark.parametrize(
    ("transport", "contact"),
    [
        ("TCP", "<sip:192.0.2.1:5060;transport=tcp>"),
        ("TLS", "<sip:192.0.2.1:5061;transport=tls>"),
        ("WS", "<sip:192.0.2.1:8080;transport=ws>"),
    ],
)
def test_via_and_contact_name_the_transport_of_the_flow(
    wire: Wire, transport: Transport, contact: str
) -> None:
    wire.agent.reach.serve("TLS", Address("192.0.2.1", 5061))
    wire.agent.reach.serve("WS", Address("192.0.2.1", 8080))
    _, invite = calling(wire, Flow(transport, REMOTE, 3))
    assert invite.get("contact") == contact
    assert invite.via.transport == transport
    assert f"{invite.via.host}:{invite.via.port}" in contact
    assert not invite.via.has_param("rport"), "RFC 3581 is for UDP"


@pytest.mark.parametrize(
    ("transport", "contact"),
    [("TLS", "<sips:192.0.2.1:5060>"), ("WSS", "<sips:192.0.2.1:5060;transport=ws>")],
)
def test_a_sips_request_has_a_sips_contact(wire: Wire, transport: Transport, contact: str) -> None:
    """RFC 3261 8.1.1.8 and 12.1.1."""
    flow = Flow(transport, REMOTE, 3)
    _, invite = calling(wire, flow, "sips:100@192.0.2.7")
    assert invite.get("contact") == contact
    request = wire.request("INVITE")
    request.uri = "sips:9900@192.0.2.1"
    leg = wire.agent.incoming(requested(wire, request, flow), flow, wire.now)
    leg.ring(wire.now)
    (ringing,) = wire.take()
    assert ringing.get("contact") == contact


# -- where messages go -----------------------------------------------------------------------------------------


def test_a_response_goes_over_the_connection_that_the_request_came_by(wire: Wire) -> None:
    """RFC 3261 18.2.2, whatever the Via says; 18.2.1: the Via is told the source."""
    requested(wire, wire.request("OPTIONS", via="192.0.2.99:5999")).respond(
        wire.request("OPTIONS", via="192.0.2.99:5999").respond(200, to_tag="t"), wire.now
    )
    assert sent_to(wire) == [(200, TCP)]
    (refusal,) = wire.receive(wire.request("BYE", to_tag="nobody's", via="192.0.2.99"), TCP)
    assert (refusal.via.param("received"), refusal.via.host) == ("192.0.2.7", "192.0.2.99")


def test_requests_in_a_dialog_go_over_the_flow_that_it_came_by(wire: Wire) -> None:
    """RFC 5626 4.3; the Contact names another port."""
    leg = called(wire)
    leg.answer(b"", wire.now)
    wire.receive(wire.request("ACK", to_tag=leg.local_tag), TCP)
    leg.hang_up(wire.now)
    assert sent_to(wire) == [("BYE", TCP)]


def test_ack_cancel_and_bye_of_our_call_go_over_its_flow(wire: Wire) -> None:
    leg, invite = calling(wire)
    wire.answer(invite, 180)
    leg.hang_up(wire.now)
    assert sent_to(wire) == [("CANCEL", TCP)]
    leg, invite = calling(wire)
    wire.agent.receive(answered(invite), TCP, wire.now)
    leg.hang_up(wire.now)
    assert sent_to(wire) == [("ACK", TCP), ("BYE", TCP)]


def answered(invite: Request) -> bytes:
    response = invite.respond(200, to_tag="t1")
    response.add("Contact", "<sip:100@192.0.2.7:5070;transport=tcp>")
    return response.to_bytes()


def test_a_dialog_whose_flow_is_gone_goes_on_at_its_contact(wire: Wire) -> None:
    """RFC 3261 12.2.1.1 and 18.1.1: a connection to the remote target is opened."""
    leg, invite = calling(wire)
    wire.agent.receive(answered(invite), TCP, wire.now)
    sent_to(wire)
    wire.agent.lose(TCP, wire.now)
    leg.hang_up(wire.now)
    assert sent_to(wire) == [("BYE", Flow("TCP", Address("192.0.2.7", 5070)))]


@pytest.mark.parametrize(
    ("transport", "via", "port"),
    [("TCP", "192.0.2.99:5999", 5999), ("TCP", "192.0.2.99", 5060), ("TLS", "192.0.2.99", 5061)],
)
def test_an_answer_whose_connection_is_gone_goes_to_the_port_of_the_via(
    wire: Wire, transport: Transport, via: str, port: int
) -> None:
    """RFC 3261 18.2.2: by a connection that is opened to the address in `received`."""
    flow = Flow(transport, REMOTE, 3)
    wire.agent.open(flow)
    leg = wire.agent.incoming(requested(wire, wire.request("INVITE", via=via), flow), flow, wire.now)
    leg.ring(wire.now)
    assert sent_to(wire) == [(180, flow)]
    wire.agent.lose(flow, wire.now)
    leg.refuse(486, wire.now)
    assert sent_to(wire) == [(486, Flow(transport, Address("192.0.2.7", port)))]


def test_an_answer_to_a_page_that_is_closed_is_lost(wire: Wire) -> None:
    """RFC 7118 5.1: nobody can be connected to in a browser."""
    page = Flow("WS", REMOTE, 3)
    wire.agent.open(page)
    leg = wire.agent.incoming(requested(wire, wire.request("INVITE"), page), page, wire.now)
    wire.agent.lose(page, wire.now)
    leg.refuse(486, wire.now)
    assert sent_to(wire) == [(486, page)]


def test_a_dialog_moves_to_the_flow_of_the_last_request_in_it(wire: Wire) -> None:
    """A telephone that had to connect anew says so by its next request (RFC 5626 4.4)."""
    leg = called(wire)
    leg.answer(b"", wire.now)
    wire.receive(wire.request("ACK", to_tag=leg.local_tag), TCP)
    wire.receive(wire.request("INFO", to_tag=leg.local_tag, cseq=2), OTHER)
    sent_to(wire)
    leg.hang_up(wire.now)
    assert sent_to(wire) == [("BYE", OTHER)]


# -- timers: RFC 3261 17, table 4 ------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "letter"), [("INVITE", "A and B"), ("OPTIONS", "E and F")])
def test_a_request_is_sent_once_and_given_up_after_64_t1(wire: Wire, method: str, letter: str) -> None:
    """RFC 3261 17.1.1.2, 17.1.2.2."""
    request = wire.request(method)
    request.remove("via")
    wire.agent.send(request, TCP, "owner", wire.now)
    assert wire.pass_time(31.9) == [], letter
    assert wire.take_told() == []
    wire.pass_time(0.2)
    assert [one.status for one in wire.take_told() if isinstance(one, Unanswered)] == [408]


@pytest.mark.parametrize(("method", "status"), [("INVITE", 486), ("OPTIONS", 200), ("OPTIONS", 404)])
def test_an_answered_request_is_forgotten_at_once(wire: Wire, method: str, status: int) -> None:
    """Timers D and K take no time (RFC 3261 17.1.1.2, 17.1.2.2); the ACK goes over the flow."""
    request = wire.request(method)
    request.remove("via")
    transaction = wire.agent.send(request, TCP, "owner", wire.now)
    sent_to(wire)
    wire.agent.receive(transaction.request.respond(status, to_tag="t").to_bytes(), TCP, wire.now)
    assert wire.agent.is_idle
    assert sent_to(wire) == ([("ACK", TCP)] if method == "INVITE" else [])
    assert [type(one) for one in wire.take_told()] == [Responded]


def test_a_refusal_is_not_repeated_and_forgotten_with_its_ack(wire: Wire) -> None:
    """Timer G is not set, I takes no time (RFC 3261 17.2.1)."""
    leg = called(wire)
    leg.refuse(486, wire.now)
    assert wire.names(wire.take()) == [486]
    assert wire.pass_time(20) == []
    assert not wire.agent.is_idle
    ack = wire.request("ACK", to_tag=leg.local_tag, branch="z9hG4bK-INVITE-c1-f1-1")
    assert wire.receive(ack, TCP) == []
    assert wire.agent.is_idle


def test_a_refusal_without_ack_is_forgotten_after_64_t1(wire: Wire) -> None:
    """Timer H stays (RFC 3261 17.2.1)."""
    called(wire).refuse(486, wire.now)
    wire.pass_time(31.9)
    assert not wire.agent.is_idle
    wire.pass_time(0.2)
    assert wire.agent.is_idle


def test_a_server_transaction_is_forgotten_with_its_answer(wire: Wire) -> None:
    """Timer J takes no time (RFC 3261 17.2.2)."""
    transaction = requested(wire, wire.request("OPTIONS"))
    transaction.respond(transaction.request.respond(200, to_tag="t"), wire.now)
    assert wire.agent.is_idle


def test_a_2xx_is_repeated_until_its_ack_over_a_flow_too(wire: Wire) -> None:
    """RFC 3261 13.3.1.4: end to end, since a proxy may go on by UDP."""
    called(wire).answer(b"", wire.now)
    assert wire.names(wire.take()) == [200]
    assert [(when, wire.names([one])) for when, one in wire.pass_time(2)] == [(0.5, [200]), (1.5, [200])]


# -- flows that go away: RFC 3261 8.1.3.1 and 18.4 -------------------------------------------------------------


@pytest.mark.parametrize("rings", [False, True])
def test_a_call_over_a_flow_that_is_lost_ends_with_503(wire: Wire, rings: bool) -> None:
    _, invite = calling(wire)
    if rings:
        wire.answer(invite, 180)
    wire.agent.lose(OTHER, wire.now)
    assert wire.ends() == []
    wire.agent.lose(TCP, wire.now)
    assert wire.ends() == [(503, True)]
    assert wire.agent.is_idle


def test_a_cancelled_call_over_a_flow_that_is_lost_ends_with_487(wire: Wire) -> None:
    leg, _ = calling(wire)
    leg.hang_up(wire.now)
    wire.agent.lose(TCP, wire.now)
    assert wire.ends() == [(487, True)]


def test_a_request_of_no_call_over_a_flow_that_is_lost_is_told_with_503(wire: Wire) -> None:
    request = wire.request("OPTIONS")
    request.remove("via")
    transaction = wire.agent.send(request, TCP, "owner", wire.now)
    wire.agent.lose(TCP, wire.now)
    assert wire.take_told() == [Unanswered(transaction, 503), FlowLost(TCP)]
    assert wire.pass_time(60) == []


def test_a_call_in_progress_outlives_its_flow(wire: Wire) -> None:
    """Only what waits for an answer is given up: the media may well go on."""
    leg, invite = calling(wire)
    wire.agent.receive(answered(invite), TCP, wire.now)
    wire.agent.lose(TCP, wire.now)
    assert not any(isinstance(one, LegEnded) for one in wire.take_told())
    assert not leg.is_over


# -- Content-Length: RFC 3261 18.3 and 20.14 -------------------------------------------------------------------


@pytest.mark.parametrize(("transport", "answers"), [("TCP", [400]), ("TLS", [400]), ("WS", []), ("WSS", [])])
def test_a_stream_needs_content_length_and_a_websocket_does_not(
    wire: Wire, transport: Transport, answers: list[int]
) -> None:
    """RFC 3261 20.14; RFC 7118 5.3: a frame tells its own length."""
    data = wire.request("OPTIONS").to_bytes().replace(b"Content-Length: 0\r\n", b"")
    assert wire.names(wire.receive(data, Flow(transport, REMOTE, 3))) == answers
    assert [type(one) for one in wire.take_told()] == ([] if answers else [Requested])


def test_a_response_without_content_length_is_dropped_from_a_stream(wire: Wire) -> None:
    _, invite = calling(wire)
    data = invite.respond(486, to_tag="t").to_bytes()
    wire.receive(data.replace(b"Content-Length: 0\r\n", b""), TCP)
    assert wire.ends() == []


# -- flows that may be silent ----------------------------------------------------------------------------------


def test_a_flow_is_in_use_while_an_answer_is_awaited_or_a_dialog_goes_over_it(wire: Wire) -> None:
    """Who rings for three minutes, or talks for an hour, says nothing meanwhile."""
    assert wire.agent.flows_in_use() == set()
    leg, invite = calling(wire)
    assert wire.agent.flows_in_use() == {TCP}
    wire.agent.receive(answered(invite), TCP, wire.now)
    assert wire.agent.flows_in_use() == {TCP}
    called_leg = wire.agent.incoming(
        requested(wire, wire.request("INVITE", call="c2"), OTHER), OTHER, wire.now
    )
    called_leg.answer(b"", wire.now)
    assert wire.agent.flows_in_use() == {TCP, OTHER}
    leg.hang_up(wire.now)
    wire.pass_time(64)
    assert wire.agent.flows_in_use() == set()
    assert wire.agent.is_idle


def test_what_was_answered_is_not_told_of_when_its_flow_is_lost(wire: Wire) -> None:
    request = wire.request("OPTIONS")
    request.remove("via")
    transaction = wire.agent.send(request, TCP, "owner", wire.now)
    wire.agent.receive(transaction.request.respond(200, to_tag="t").to_bytes(), TCP, wire.now)
    assert wire.agent.flows_in_use() == set()
    wire.agent.lose(TCP, wire.now)
    assert [type(one) for one in wire.take_told()] == [Responded, FlowLost]
