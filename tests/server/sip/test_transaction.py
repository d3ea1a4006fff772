from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.effects import Requested, Responded, Unanswered
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.transaction import (
    INVITE_CLIENT,
    INVITE_SERVER,
    OTHER_CLIENT,
    OTHER_SERVER,
    ClientTransaction,
    ServerTransaction,
    State,
    Table,
    acknowledge,
)

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

TABLES = [INVITE_SERVER, OTHER_SERVER, INVITE_CLIENT, OTHER_CLIENT]


def server(wire: Wire, method: str = "INVITE", *, via: str = "192.0.2.7:5070;rport") -> ServerTransaction:
    wire.receive(wire.request(method, via=via))
    (requested,) = wire.take_told()
    assert isinstance(requested, Requested)
    return wire.agent.accept(requested.request, requested.source)


def client(wire: Wire, method: str = "INVITE") -> ClientTransaction:
    request = wire.request(method)
    request.remove("via")
    return wire.agent.send(request, wire.far, "the owner", wire.now)


def respond(wire: Wire, transaction: ServerTransaction, status: int) -> list[str | int]:
    transaction.respond(wire.request(str(transaction.key[-1])).respond(status, to_tag="t1"), wire.now)
    return wire.names(wire.take())


def hear(wire: Wire, transaction: ClientTransaction, status: int) -> list[str | int]:
    branch, method = transaction.key
    request = wire.request(str(method), branch=str(branch))
    return wire.names(wire.receive(request.respond(status, to_tag="t1")))


def timed(wire: Wire, seconds: float) -> list[tuple[float, str | int]]:
    return [(when, wire.names([message])[0]) for when, message in wire.pass_time(seconds)]


def told_statuses(wire: Wire) -> list[int]:
    return [one.response.status for one in wire.take_told() if isinstance(one, Responded)]


# -- the tables themselves -------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES, ids=["invite-server", "server", "invite-client", "client"])
def test_every_state_of_a_table_is_reached_and_every_way_ends(table: Table) -> None:
    begins = next(iter(table))[0]
    reached = {begins}
    for _ in table:
        reached |= {after for (before, _), (_, after) in table.items() if before in reached}
    assert reached == {state for state, _ in table} | {State.TERMINATED}
    for state in reached - {State.TERMINATED}:
        ways = {state}
        for _ in table:
            ways |= {after for (before, _), (_, after) in table.items() if before in ways}
        assert State.TERMINATED in ways, state


# -- INVITE, server side: RFC 3261 17.2.1, RFC 6026 7.1 --------------------------------------------------------


def test_a_repeated_invite_gets_the_last_provisional_response_again(wire: Wire) -> None:
    transaction = server(wire)
    assert wire.receive(wire.request("INVITE")) == []
    assert respond(wire, transaction, 180) == [180]
    assert respond(wire, transaction, 183) == [183]
    assert wire.names(wire.receive(wire.request("INVITE"))) == [183]
    assert wire.take_told() == []


def test_a_refusal_is_repeated_by_timer_g_until_timer_h(wire: Wire) -> None:
    transaction = server(wire)
    assert respond(wire, transaction, 486) == [486]
    sent = timed(wire, 31.9)
    assert [when for when, _ in sent] == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert not wire.agent.is_idle
    assert timed(wire, 60) == []
    assert transaction.state is State.TERMINATED
    assert wire.agent.is_idle


def test_the_ack_of_a_refusal_stops_it_and_is_absorbed_until_timer_i(wire: Wire) -> None:
    transaction = server(wire)
    respond(wire, transaction, 486)
    ack = wire.request("ACK", branch=str(transaction.key[0]), to_tag="t1")
    assert wire.receive(ack) == []
    assert transaction.state is State.CONFIRMED
    assert wire.receive(ack) == []
    assert wire.receive(wire.request("INVITE")) == []
    assert timed(wire, 4.9) == []
    assert not wire.agent.is_idle
    wire.pass_time(0.2)
    assert wire.agent.is_idle
    assert wire.take_told() == []


def test_a_repeated_invite_after_a_refusal_gets_it_at_once(wire: Wire) -> None:
    respond(wire, server(wire), 603)
    assert wire.names(wire.receive(wire.request("INVITE"))) == [603]


def test_after_a_2xx_the_transaction_lives_on_until_timer_l(wire: Wire) -> None:
    """RFC 6026 7.1: it absorbs what is repeated; an ACK goes up, nothing is repeated by itself."""
    transaction = server(wire)
    assert respond(wire, transaction, 200) == [200]
    assert transaction.state is State.ACCEPTED
    assert wire.names(wire.receive(wire.request("INVITE"))) == [200]
    assert timed(wire, 31.9) == []
    assert transaction.state is State.ACCEPTED
    wire.pass_time(0.2)
    assert wire.agent.is_idle


def test_a_second_final_response_is_not_sent(wire: Wire) -> None:
    transaction = server(wire)
    respond(wire, transaction, 486)
    assert respond(wire, transaction, 487) == []
    assert respond(wire, transaction, 200) == []
    assert respond(wire, transaction, 180) == []


# -- other requests, server side: RFC 3261 17.2.2 --------------------------------------------------------------


def test_a_repeated_request_gets_its_answer_again_until_timer_j(wire: Wire) -> None:
    transaction = server(wire, "OPTIONS")
    assert wire.receive(wire.request("OPTIONS")) == []
    assert respond(wire, transaction, 100) == [100]
    assert wire.names(wire.receive(wire.request("OPTIONS"))) == [100]
    assert respond(wire, transaction, 200) == [200]
    assert wire.names(wire.receive(wire.request("OPTIONS"))) == [200]
    assert respond(wire, transaction, 404) == []
    assert timed(wire, 31.9) == []
    assert wire.names(wire.receive(wire.request("OPTIONS"))) == [200]
    wire.pass_time(0.2)
    assert wire.agent.is_idle
    assert wire.take_told() == []


@pytest.mark.parametrize("status", [200, 302, 404, 503, 603])
def test_any_final_response_completes(wire: Wire, status: int) -> None:
    transaction = server(wire, "MESSAGE")
    assert respond(wire, transaction, status) == [status]
    assert transaction.state is State.COMPLETED


# -- INVITE, client side: RFC 3261 17.1.1, RFC 6026 7.2 --------------------------------------------------------


def test_an_invite_is_repeated_by_timer_a_until_timer_b(wire: Wire) -> None:
    client(wire)
    assert wire.names(wire.take()) == ["INVITE"]
    assert timed(wire, 31.9) == [(when, "INVITE") for when in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert wire.take_told() == []
    wire.pass_time(0.2)
    assert [type(one) for one in wire.take_told()] == [Unanswered]
    assert wire.agent.is_idle


def test_a_provisional_response_stops_timers_a_and_b(wire: Wire) -> None:
    transaction = client(wire)
    assert hear(wire, transaction, 100) == ["INVITE"]
    assert timed(wire, 600) == []
    assert hear(wire, transaction, 180) == []
    assert transaction.state is State.PROCEEDING
    assert told_statuses(wire) == [100, 180]


@pytest.mark.parametrize("before", [(), (180,)])
def test_a_refusal_is_acknowledged_each_time_until_timer_d(wire: Wire, before: tuple[int, ...]) -> None:
    """RFC 3261 17.1.1.3: the ACK has the INVITE's Via, and the To of the response."""
    transaction = client(wire)
    request = transaction.request
    wire.take()
    for status in before:
        hear(wire, transaction, status)
    (ack,) = wire.receive(request.respond(486, to_tag="t9"))
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri, ack.via) == ("ACK", request.uri, request.via)
    assert (ack.to.tag, ack.cseq.number, ack.cseq.method, ack.call_id) == ("t9", 1, "ACK", "c1")
    assert hear(wire, transaction, 486) == ["ACK"]
    assert told_statuses(wire) == [*before, 486]
    assert timed(wire, 31.9) == []
    assert hear(wire, transaction, 486) == ["ACK"]
    wire.pass_time(0.2)
    assert wire.agent.is_idle


@pytest.mark.parametrize("before", [(), (183,)])
def test_every_2xx_goes_up_until_timer_m(wire: Wire, before: tuple[int, ...]) -> None:
    transaction = client(wire)
    wire.take()
    for status in (*before, 200, 200):
        assert hear(wire, transaction, status) == []
    assert told_statuses(wire) == [*before, 200, 200]
    wire.pass_time(31.9)
    hear(wire, transaction, 200)
    assert told_statuses(wire) == [200]
    wire.pass_time(0.2)
    hear(wire, transaction, 200)
    assert wire.take_told() == []
    assert wire.agent.is_idle


def test_a_refusal_after_a_2xx_is_not_heard(wire: Wire) -> None:
    transaction = client(wire)
    hear(wire, transaction, 200)
    hear(wire, transaction, 486)
    assert told_statuses(wire) == [200]


def test_the_ack_of_a_refusal_keeps_the_route(wire: Wire) -> None:
    request = wire.request("INVITE", headers=(("Route", "<sip:192.0.2.8;lr>"),))
    ack = acknowledge(request, request.respond(404, to_tag="t1"))
    assert ack.values("route") == ["<sip:192.0.2.8;lr>"]


def test_cancel_waits_for_a_provisional_response_goes_once_and_gives_up(wire: Wire) -> None:
    """RFC 3261 9.1."""
    transaction = client(wire)
    wire.take()
    transaction.cancel(wire.now)
    assert wire.take() == []
    hear(wire, transaction, 100)
    transaction.cancel(wire.now)
    transaction.cancel(wire.now)
    (cancel,) = wire.take()
    assert isinstance(cancel, Request)
    assert (cancel.method, cancel.via, cancel.cseq.number) == ("CANCEL", transaction.request.via, 1)
    wire.receive(cancel.respond(200))
    assert timed(wire, 31.9) == []
    assert told_statuses(wire) == [100]
    wire.pass_time(0.2)
    assert [type(one) for one in wire.take_told()] == [Unanswered]
    assert wire.agent.is_idle


# -- other requests, client side: RFC 3261 17.1.2 --------------------------------------------------------------


def test_a_request_is_repeated_by_timer_e_until_timer_f(wire: Wire) -> None:
    client(wire, "OPTIONS")
    assert wire.names(wire.take()) == ["OPTIONS"]
    expected = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert [when for when, _ in timed(wire, 31.9)] == expected
    wire.pass_time(0.2)
    assert [type(one) for one in wire.take_told()] == [Unanswered]
    assert wire.agent.is_idle


def test_a_provisional_response_slows_timer_e_to_t2(wire: Wire) -> None:
    transaction = client(wire, "OPTIONS")
    wire.pass_time(0.1)
    hear(wire, transaction, 100)
    assert [when for when, _ in timed(wire, 12)] == [0.4, 4.4, 8.4]
    wire.pass_time(20)
    assert [type(one) for one in wire.take_told()] == [Responded, Unanswered]


@pytest.mark.parametrize("before", [(), (100,)])
@pytest.mark.parametrize("status", [200, 404])
def test_a_final_response_is_told_once_and_absorbed_until_timer_k(
    wire: Wire, before: tuple[int, ...], status: int
) -> None:
    transaction = client(wire, "OPTIONS")
    for one in (*before, status, status):
        hear(wire, transaction, one)
    assert told_statuses(wire) == [*before, status]
    assert timed(wire, 4.9) == []
    assert not wire.agent.is_idle
    wire.pass_time(0.2)
    assert wire.agent.is_idle


def test_a_response_with_another_method_in_cseq_belongs_to_nobody(wire: Wire) -> None:
    """RFC 3261 17.1.3: branch and method of CSeq."""
    transaction = client(wire, "OPTIONS")
    response = transaction.request.respond(200, to_tag="t1")
    assert isinstance(response, Response)
    response.set("cseq", "1 MESSAGE")
    wire.receive(response)
    assert wire.take_told() == []
