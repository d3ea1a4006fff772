"""Subscriptions as those have them who watch (RFC 6665 section 4.1), on a virtual wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.subscriber import Subscriber

if TYPE_CHECKING:
    from .conftest import Wire

Told = list[Request | Response | None]


def subscribed(wire: Wire, expires_s: int = 600) -> tuple[Subscriber, Request, Told]:
    """Send a SUBSCRIBE."""
    told: Told = []
    subscriber = Subscriber(
        wire.agent,
        "sip:9900@example.com",
        wire.far,
        from_="<sip:1@example.com>",
        event="dialog",
        authorize=lambda response, _: ("Authorization", "shown") if response.status == 401 else None,
        told=told.append,
    )
    subscriber.subscribe(expires_s, wire.now)
    return subscriber, sent(wire), told


def sent(wire: Wire) -> Request:
    (message,) = wire.take()
    assert isinstance(message, Request)
    return message


def notify(wire: Wire, subscribe: Request, cseq: int = 1, *headers: tuple[str, str]) -> list[int]:
    """Let a NOTIFY come, and return the statuses with which it is answered."""
    request = wire.request("NOTIFY", call=subscribe.call_id, from_tag="t1", cseq=cseq, headers=headers)
    request.set("To", f"<sip:1@example.com>;tag={subscribe.from_.tag}")
    return [one.status for one in wire.receive(request) if isinstance(one, Response)]


EVENT, ACTIVE = ("Event", "dialog"), ("Subscription-State", "active;expires=600")
OVER = ("Subscription-State", "terminated;reason=noresource")


def test_a_subscribe_has_event_expires_and_contact_and_is_refreshed_in_its_dialog(wire: Wire) -> None:
    """RFC 6665 4.1.2.1 and 4.1.2.2."""
    subscriber, first, told = subscribed(wire)
    assert (first.get("event"), first.get("expires"), first.to.tag) == ("dialog", "600", None)
    assert first.contacts
    wire.answer(first, 200, Expires="300")
    assert [one.status for one in told if isinstance(one, Response)] == [200]
    ((after, refresh), *_) = wire.pass_time(290)
    assert isinstance(refresh, Request)
    assert (after, refresh.method, refresh.to.tag, refresh.cseq.number) == (268.0, "SUBSCRIBE", "t1", 2)
    assert refresh.uri == "sip:100@192.0.2.7:5070"
    wire.answer(refresh, 481)
    assert subscriber.is_over
    assert notify(wire, first, 1, EVENT, ACTIVE) == [481]
    wire.pass_time(64)
    assert wire.agent.is_idle


def test_a_notify_is_answered_and_told_in_order(wire: Wire) -> None:
    """RFC 6665 4.1.3 and RFC 3261 12.2.2."""
    _, first, told = subscribed(wire)
    wire.answer(first, 200)
    assert notify(wire, first, 5, EVENT, ACTIVE) == [200]
    assert notify(wire, first, 4, EVENT, ACTIVE) == [500]
    assert notify(wire, first, 6, ("Event", "presence"), ACTIVE) == [489]
    assert notify(wire, first, 7, EVENT) == [400]
    assert len([one for one in told if isinstance(one, Request)]) == 1


def test_a_notify_that_overtakes_the_200_makes_the_dialog(wire: Wire) -> None:
    """RFC 6665 4.1.2.4."""
    subscriber, first, told = subscribed(wire)
    assert notify(wire, first, 1, EVENT, ACTIVE) == [200]
    wire.answer(first, 200)
    assert [type(one) for one in told] == [Request, Response]
    assert notify(wire, first, 2, EVENT, OVER) == [200]
    assert subscriber.is_over


def test_one_challenge_is_answered(wire: Wire) -> None:
    """RFC 3261 22.2."""
    subscriber, first, told = subscribed(wire)
    (again,) = wire.answer(first, 401)
    assert isinstance(again, Request)
    assert (again.call_id, again.cseq.number) == (first.call_id, 2)
    assert (again.get("authorization"), again.get("expires")) == ("shown", "600")
    assert told == []
    assert wire.answer(again, 401) == []
    assert subscriber.is_over
    assert [one.status for one in told if isinstance(one, Response)] == [401]


@pytest.mark.parametrize("status", [403, 404, 489])
def test_a_refusal_is_the_end(wire: Wire, status: int) -> None:
    """RFC 6665 4.1.2.1."""
    subscriber, first, told = subscribed(wire)
    wire.answer(first, status)
    assert subscriber.is_over
    assert [one.status for one in told if isinstance(one, Response)] == [status]


def test_nobody_answers(wire: Wire) -> None:
    """RFC 3261 17.1.4: timer F."""
    subscriber, _, told = subscribed(wire)
    wire.pass_time(33)
    assert told == [None]
    assert subscriber.is_over


def test_the_end_waits_for_its_last_notify_and_not_for_ever(wire: Wire) -> None:
    """RFC 6665 4.1.2.3: timer N."""
    subscriber, first, told = subscribed(wire, 0)
    wire.answer(first, 200)
    assert not subscriber.is_over
    wire.pass_time(33)
    assert subscriber.is_over
    assert told[-1] is None
