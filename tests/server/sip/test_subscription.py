"""Subscriptions as their notifier has them (RFC 6665 section 4.2), on a virtual wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.effects import Requested, Resubscribed, SubscriptionEnded
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.subscription import Event, State, Subscription

if TYPE_CHECKING:
    from .conftest import Wire


def subscribe(wire: Wire, *, cseq: int = 1, to_tag: str = "", event: str = "dialog") -> Request:
    return wire.request("SUBSCRIBE", cseq=cseq, to_tag=to_tag, headers=(("Event", event),))


def subscribed(wire: Wire, expires_s: int = 600, event: str = "dialog") -> tuple[Subscription, Response]:
    """Let a SUBSCRIBE arrive and accept it."""
    wire.receive(subscribe(wire, event=event))
    requested = wire.take_told()[-1]
    assert isinstance(requested, Requested)
    transaction = wire.agent.accept(requested.request, requested.source)
    subscription = Subscription.accept(wire.agent, transaction, wire.far, expires_s, wire.now)
    response = wire.take()[0]
    assert isinstance(response, Response)
    return subscription, response


def state(text: str) -> State:
    return State("text/plain", text, lambda version: f"{text} {version}".encode())


def notified(wire: Wire) -> Request:
    messages = wire.take()
    assert wire.names(messages) == ["NOTIFY"]
    assert isinstance(messages[0], Request)
    return messages[0]


def ended(wire: Wire) -> int:
    return sum(isinstance(one, SubscriptionEnded) for one in wire.take_told())


def test_a_subscribe_gets_200_with_its_time_and_a_notify_in_its_dialog(wire: Wire) -> None:
    """RFC 6665 4.2.1.1 and 4.2.2: Expires in the 200, Event with its id, Subscription-State, CSeq from 1."""
    subscription, response = subscribed(wire, event="dialog;id=x7")
    assert (response.status, response.get("expires")) == (200, "600")
    assert response.contacts
    subscription.notify(state("idle"), wire.now)
    notify = notified(wire)
    assert notify.uri == "sip:100@192.0.2.7:5070"
    assert (notify.get("event"), notify.get("subscription-state")) == ("dialog;id=x7", "active;expires=600")
    assert (notify.from_.tag, notify.to.tag, notify.cseq.number) == (response.to.tag, "f1", 1)
    assert (notify.content_type, notify.body) == ("text/plain", b"idle 0")


def test_the_newest_state_waits_for_the_answer_to_the_notify_before(wire: Wire) -> None:
    """RFC 6665 4.2.2: one NOTIFY after the other, CSeq and version grow by one each."""
    subscription, _ = subscribed(wire)
    subscription.notify(state("one"), wire.now)
    first = notified(wire)
    subscription.notify(state("two"), wire.now)
    subscription.notify(state("three"), wire.now)
    assert wire.take() == []
    second = wire.answer(first, 200)[0]
    assert isinstance(second, Request)
    assert (second.body, second.cseq.number) == (b"three 1", 2)
    assert wire.answer(second, 200) == []


def test_a_state_that_is_the_same_is_told_only_to_who_asks(wire: Wire) -> None:
    """RFC 6665 4.2.2: a NOTIFY when the state changes, and after each SUBSCRIBE (4.2.1.1)."""
    subscription, response = subscribed(wire)
    subscription.notify(state("idle"), wire.now)
    wire.answer(notified(wire), 200)
    subscription.notify(state("idle"), wire.now)
    assert wire.take() == []
    wire.receive(subscribe(wire, cseq=2, to_tag=response.to.tag or ""))
    told = wire.take_told()[-1]
    assert isinstance(told, Resubscribed)
    subscription.refresh(told.transaction, 600, wire.now)
    subscription.notify(state("idle"), wire.now)
    assert wire.names(wire.take()) == [200, "NOTIFY"]


def test_fetching_is_one_notify_that_ends_it(wire: Wire) -> None:
    """RFC 6665 4.4.3: Expires 0 tells the state once."""
    subscription, response = subscribed(wire, expires_s=0)
    assert response.get("expires") == "0"
    subscription.notify(state("idle"), wire.now)
    notify = notified(wire)
    assert (notify.get("subscription-state"), notify.body) == ("terminated;reason=timeout", b"idle 0")
    assert ended(wire) == 1
    wire.answer(notify, 200)
    wire.pass_time(40)
    assert wire.agent.is_idle


def test_a_refresh_is_told_and_starts_the_time_anew(wire: Wire) -> None:
    """RFC 6665 4.2.1: a SUBSCRIBE in the dialog, with a new Contact as its target (RFC 3261 12.2)."""
    subscription, response = subscribed(wire)
    wire.pass_time(400)
    again = subscribe(wire, cseq=2, to_tag=response.to.tag or "")
    again.set("Contact", "<sip:100@192.0.2.7:5099>")
    wire.receive(again)
    told = wire.take_told()[-1]
    assert isinstance(told, Resubscribed)
    subscription.refresh(told.transaction, 600, wire.now)
    refreshed = wire.take()[0]
    assert isinstance(refreshed, Response)
    assert (refreshed.status, refreshed.to.tag) == (200, response.to.tag)
    wire.pass_time(400)
    assert not subscription.is_over
    subscription.notify(state("idle"), wire.now)
    notify = notified(wire)
    assert notify.uri == "sip:100@192.0.2.7:5099"
    assert notify.get("subscription-state") == "active;expires=200"


def test_unsubscribing_ends_it_by_a_notify_with_the_state(wire: Wire) -> None:
    """RFC 6665 4.1.2.3 and 4.2.1.4."""
    subscription, response = subscribed(wire)
    wire.receive(subscribe(wire, cseq=2, to_tag=response.to.tag or ""))
    told = wire.take_told()[-1]
    assert isinstance(told, Resubscribed)
    subscription.refresh(told.transaction, 0, wire.now)
    wire.take()
    subscription.notify(state("idle"), wire.now)
    assert notified(wire).get("subscription-state") == "terminated;reason=timeout"
    assert ended(wire) == 1
    gone = wire.receive(subscribe(wire, cseq=3, to_tag=response.to.tag or ""))
    assert wire.names(gone) == [481]


def test_it_runs_out_without_a_refresh(wire: Wire) -> None:
    """RFC 6665 4.2.2: the last NOTIFY says `timeout`."""
    subscription, _ = subscribed(wire)
    sent = wire.pass_time(601)
    assert next(when for when, _ in sent) == 600
    notify = sent[0][1]
    assert notify.get("subscription-state") == "terminated;reason=timeout"
    assert subscription.is_over
    assert ended(wire) == 1


@pytest.mark.parametrize("status", [481, 404, 489, 500, 603])
def test_a_refused_notify_ends_it(wire: Wire, status: int) -> None:
    """RFC 6665 4.2.2: whoever gets 481 for a NOTIFY removes the subscription."""
    subscription, _ = subscribed(wire)
    subscription.notify(state("idle"), wire.now)
    wire.answer(notified(wire), status)
    assert subscription.is_over
    assert ended(wire) == 1
    wire.pass_time(700)
    assert wire.agent.is_idle


def test_a_notify_that_nobody_answers_ends_it(wire: Wire) -> None:
    """RFC 6665 4.2.2: after timer F (RFC 3261 17.1.2.2)."""
    subscription, _ = subscribed(wire)
    subscription.notify(state("idle"), wire.now)
    assert {message.get("cseq") for _, message in wire.pass_time(33)} == {"1 NOTIFY"}
    assert subscription.is_over
    assert ended(wire) == 1


def test_a_busy_watcher_is_told_the_newest_state_later(wire: Wire) -> None:
    """RFC 6665 4.2.2: a refusal with Retry-After does not end it."""
    subscription, _ = subscribed(wire)
    subscription.notify(state("one"), wire.now)
    wire.answer(notified(wire), 503, Retry_After="5")
    subscription.notify(state("two"), wire.now)
    assert wire.take() == []
    sent = wire.pass_time(6)
    assert next((when, message.body) for when, message in sent) == (5, b"two 1")
    assert not subscription.is_over


def test_an_older_cseq_and_foreign_methods_change_nothing(wire: Wire) -> None:
    """RFC 3261 12.2.2, RFC 5057: what is of no use in this dialog gets 481."""
    subscription, response = subscribed(wire)
    tag = response.to.tag or ""
    older = wire.request("SUBSCRIBE", branch="z9hG4bKo", cseq=1, to_tag=tag, headers=(("Event", "dialog"),))
    assert wire.names(wire.receive(older)) == [500]
    assert wire.names(wire.receive(wire.request("BYE", cseq=2, to_tag=tag))) == [481]
    other = subscribe(wire, cseq=3, to_tag=tag, event="presence")
    assert wire.names(wire.receive(other)) == [481]
    assert not subscription.is_over


def test_an_end_is_told_at_once_and_only_once(wire: Wire) -> None:
    """RFC 6665 4.1.3: `deactivated` invites to subscribe anew."""
    subscription, _ = subscribed(wire)
    subscription.notify(state("idle"), wire.now)
    notified(wire)
    subscription.end("deactivated", wire.now)
    subscription.end("noresource", wire.now)
    notify = notified(wire)
    assert (notify.get("subscription-state"), notify.body) == ("terminated;reason=deactivated", b"")
    assert ended(wire) == 1


def test_notifies_go_over_the_connection_of_the_subscribe(wire: Wire) -> None:
    """RFC 5626 4.3: which is in use as long as the subscription lasts; a refresh may come by another one."""
    first, second = (Flow("TCP", Address("192.0.2.7", 40000 + number), number) for number in (1, 2))
    for flow in (first, second):
        wire.agent.open(flow)
    wire.receive(subscribe(wire), first)
    requested = wire.take_told()[-1]
    assert isinstance(requested, Requested)
    transaction = wire.agent.accept(requested.request, requested.source)
    subscription = Subscription.accept(wire.agent, transaction, first, 600, wire.now)
    (response,) = wire.take()
    subscription.notify(state("idle"), wire.now)
    wire.collect()
    assert [peer for _, _, peer in wire.sent] == [first]
    wire.answer(notified(wire), 200)
    assert wire.agent.flows_in_use() == {first}
    wire.receive(subscribe(wire, cseq=2, to_tag=response.to.tag or ""), second)
    told = wire.take_told()[-1]
    assert isinstance(told, Resubscribed)
    subscription.refresh(told.transaction, 600, wire.now)
    wire.take()
    assert wire.agent.flows_in_use() == {second}


def test_the_event_and_its_id_are_read() -> None:
    """RFC 6665 8.4: other parameters do not tell subscriptions apart."""
    request = Request("SUBSCRIBE", "sip:1@x", [("Event", "Presence ; id=4;foo=bar")])
    assert Event.of(request) == Event("presence", "4")
    assert Event.of(Request("SUBSCRIBE", "sip:1@x")) == Event("")
    twice = Request("SUBSCRIBE", "sip:1@x", [("Event", "presence;id=1;id=2")])
    assert Event.of(twice) == Event("")
