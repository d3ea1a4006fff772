"""What a finished transaction keeps: its final answer and what finds it again, for a thousand calls a second wait here.

RFC 3261 17.1.1.2, 17.2.1 and 17.2.2 with RFC 6026: timers D, J and L hold each transaction for 32 s after its end.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.effects import Requested
from ringfence.server.sip.message import Request

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire


def kept_requests() -> int:
    """Count the requests that anything in this process still holds."""
    gc.collect()
    return sum(isinstance(one, Request) for one in gc.get_objects())


def one_call(wire: Wire, name: str) -> None:
    leg = wire.called(call=name)
    leg.ring(wire.now)
    leg.answer(wire.offer, wire.now)
    wire.receive(wire.request("ACK", call=name, to_tag=leg.local_tag))
    assert wire.names(wire.receive(wire.request("BYE", call=name, to_tag=leg.local_tag, cseq=2))) == [200]
    wire.take_told()


def test_an_answered_call_that_is_over_leaves_no_request_but_its_answers(wire: Wire) -> None:
    """RFC 6026 7.1, RFC 3261 17.2.2: what comes again until timers L and J gets the same bytes."""
    before = kept_requests()
    for number in range(20):
        one_call(wire, f"c{number}")
    assert kept_requests() == before
    assert not wire.agent.is_idle
    assert wire.names(wire.receive(wire.request("INVITE", call="c7"))) == [200]
    assert wire.names(wire.receive(wire.request("BYE", call="c7", cseq=2))) == [200]
    wire.pass_time(32.1)
    assert wire.agent.is_idle


@pytest.mark.parametrize("status", [200, 302, 404, 503])
def test_an_answered_request_is_not_kept(wire: Wire, status: int) -> None:
    """RFC 3261 17.2.2: a finished transaction repeats its response, for which it needs no request."""
    wire.receive(wire.request("OPTIONS"))
    (requested,) = wire.take_told()
    assert isinstance(requested, Requested)
    transaction = wire.agent.accept(requested.request, requested.source)
    transaction.respond(requested.request.respond(status), wire.now)
    with pytest.raises(RuntimeError, match="keeps no request"):
        _ = transaction.request
    wire.take()
    assert wire.names(wire.receive(wire.request("OPTIONS"))) == [status]


def test_a_refused_call_out_keeps_only_its_ack(wire: Wire) -> None:
    """RFC 3261 17.1.1.2: in Completed, until timer D, each repeated refusal gets the ACK again."""
    before = kept_requests()
    leg, invite = wire.calling()
    refusal = invite.respond(486, to_tag="t1").to_bytes()
    (ack,) = wire.receive(refusal)
    assert wire.ends() == [(486, True)]
    del leg, invite
    assert kept_requests() == before + 1
    assert wire.receive(refusal)[0].to_bytes() == ack.to_bytes()
    wire.pass_time(32.1)
    assert wire.agent.is_idle


def test_a_cancel_after_the_call_is_over_is_answered_with_the_tag_of_its_invite(wire: Wire) -> None:
    """RFC 3261 9.2: the To tags of both answers should be the same."""
    leg = wire.called()
    leg.answer(wire.offer, wire.now)
    wire.receive(wire.request("ACK", to_tag=leg.local_tag))
    invite = wire.request("INVITE")
    (answer,) = wire.receive(wire.request("CANCEL", branch=invite.via.branch))
    assert answer.to.tag == leg.local_tag
    assert not leg.is_over


def test_a_call_whose_ack_never_came_leaves_no_leg(wire: Wire) -> None:
    """RFC 3261 13.3.1.4: after 64 x T1 the dialog is ended, and with the BYE's timer F nothing is left."""
    before = kept_requests()
    wire.called().answer(wire.offer, wire.now)
    wire.pass_time(64.1)
    assert wire.ends() == [(408, True)]
    assert wire.agent.is_idle
    assert kept_requests() == before
