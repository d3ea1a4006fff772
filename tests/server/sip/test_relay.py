"""A request to several targets at once: which answer counts (RFC 3261 16.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.relay import Relay

if TYPE_CHECKING:
    from .conftest import Wire


def relayed(wire: Wire, targets: int) -> tuple[list[int | None], list[Request]]:
    """Send to so many targets; return the list of answers that is filled, and the requests on the wire."""
    done: list[int | None] = []
    relay = Relay(wire.agent, lambda response: done.append(response.status if response else None))
    for index in range(targets):
        target = Address("192.0.2.7", 5070 + index)
        request = wire.request("MESSAGE", call=f"c{index}")
        request.remove("Via")
        relay.send(wire.agent.stamp(request, target), target, wire.now)
    sent = [message for message in wire.take() if isinstance(message, Request)]
    assert len(sent) == targets
    return done, sent


def answer(wire: Wire, request: Request, status: int) -> None:
    wire.receive(Response(status, headers=request.respond(status, to_tag="t").headers))


def test_the_first_2xx_is_the_answer_and_told_once(wire: Wire) -> None:
    done, (one, other, third) = relayed(wire, 3)
    answer(wire, one, 486)
    answer(wire, other, 100)
    assert done == []
    answer(wire, other, 202)
    answer(wire, third, 200)
    assert done == [202]


@pytest.mark.parametrize(
    ("statuses", "best"),
    [((486, 404), 486), ((503, 404), 404), ((500, 603), 603), ((302, 404), 302), ((480,), 480)],
)
def test_else_the_best_of_the_refusals(wire: Wire, statuses: tuple[int, ...], best: int) -> None:
    """RFC 3261 16.7 step 6: a 6xx, or the lowest class; the first of equals."""
    done, sent = relayed(wire, len(statuses))
    for request, status in zip(sent, statuses, strict=True):
        assert done == []
        answer(wire, request, status)
    assert done == [best]


def test_whoever_is_silent_counts_for_nothing(wire: Wire) -> None:
    """RFC 3261 17.1.2.2: timer F; nobody at all is None."""
    done, (one, _other) = relayed(wire, 2)
    answer(wire, one, 405)
    wire.pass_time(33)
    assert done == [405]
    done, _ = relayed(wire, 2)
    wire.pass_time(33)
    assert done == [None]
    assert wire.agent.is_idle
