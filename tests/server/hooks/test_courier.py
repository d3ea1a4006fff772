from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from ringfence.server.clock import Clock
from ringfence.server.hooks.courier import LAST_CHANCE_S, Courier
from ringfence.server.hooks.events import WebhookFailed
from ringfence.server.hooks.sender import UndeliveredError
from ringfence.server.site.events import LicenceAssigned, LimitReached
from ringfence.server.switch.events import CallStarted, DigitPressed
from ringfence.server.switch.stream import EventStream

from .hooked import webhook

if TYPE_CHECKING:
    from ringfence.server.hooks.delivery import Post
    from ringfence.server.site.site import Webhook

pytestmark = pytest.mark.virtual_time


@dataclass
class Receiver:
    """Takes what is sent, but refuses so often first; `hangs` never answers."""

    refusals: int = 0
    hangs: bool = False
    tries: list[tuple[float, Post]] = field(default_factory=list)
    taken: list[dict[str, object]] = field(default_factory=list)
    is_closed: bool = False

    async def send(self, request: Post) -> None:
        self.tries.append((asyncio.get_running_loop().time(), request))
        if self.hangs:
            await asyncio.Event().wait()
        if self.refusals:
            self.refusals -= 1
            raise UndeliveredError("answered 500")
        self.taken.append(json.loads(request.body))

    async def close(self) -> None:
        self.is_closed = True


class House:
    """A stream and a courier of virtual time."""

    def __init__(self, receiver: Receiver, *webhooks: Webhook) -> None:
        clock = Clock(asyncio.get_running_loop().time)
        self.stream = EventStream(clock)
        self.courier = Courier(webhooks or (webhook(),), self.stream, clock, Random(1), receiver)

    def failures(self) -> list[WebhookFailed]:
        return [one.event for one in self.stream.recent if isinstance(one.event, WebhookFailed)]

    async def quiet(self) -> None:
        """Wait until no webhook has anything to send."""
        while tasks := list(self.courier._rounds.values()):
            await asyncio.wait(tasks)


async def test_events_arrive_in_order_and_only_those_that_are_wanted() -> None:
    receiver = Receiver()
    house = House(receiver, webhook("licence.*", "limit.reached"))
    for event in (
        LicenceAssigned("anna", "office"),
        CallStarted("c-1", "100", "101"),
        LimitReached("office", 1),
    ):
        house.stream.publish(event)
    assert receiver.tries == []
    await house.quiet()
    assert [(one["event"], one["seq"]) for one in receiver.taken] == [
        ("licence.assigned", 1),
        ("limit.reached", 3),
    ]


async def test_a_refused_event_comes_again_after_1_2_4_seconds_and_holds_up_those_behind_it() -> None:
    receiver = Receiver(refusals=3)
    house = House(receiver)
    house.stream.publish(LimitReached("fax", 1))
    house.stream.publish(LimitReached("fax", 2))
    await house.quiet()
    assert [round(at, 3) for at, _ in receiver.tries] == [0, 1, 3, 7, 7]
    ids = [request.headers["X-Ringfence-Delivery"] for _, request in receiver.tries]
    assert ids[:4] == ids[:1] * 4
    assert ids[4] != ids[0]
    assert [one["data"] for one in receiver.taken] == [
        {"pool": "fax", "limit": 1},
        {"pool": "fax", "limit": 2},
    ]
    assert [(one.tries, one.again_in_s, one.why) for one in house.failures()] == [
        (1, 1.0, "answered 500"),
        (2, 2.0, "answered 500"),
        (3, 4.0, "answered 500"),
    ]


async def test_sixteen_tries_take_four_hours_and_then_a_gap_is_told() -> None:
    receiver = Receiver(refusals=16)
    house = House(receiver)
    house.stream.publish(LimitReached("fax", 1))
    await house.quiet()
    *_, last, gap = [at for at, _ in receiver.tries]
    assert round(last) == 4095 + 3 * 3600
    assert round(gap - last) == 3600
    assert receiver.taken[0]["event"] == "webhook.gap"
    assert receiver.taken[0]["data"] == {"webhook": "ci", "missing": 1}
    assert (house.failures()[-1].tries, house.failures()[-1].again_in_s) == (16, None)


async def test_failures_are_not_told_to_webhooks_which_would_never_end() -> None:
    receiver = Receiver(refusals=2)
    house = House(receiver, webhook("*"), webhook("*"))
    house.stream.publish(LimitReached("fax", 1))
    await house.quiet()
    assert [one["event"] for one in receiver.taken] == ["limit.reached"] * 2


async def test_pressed_digits_which_may_be_a_pin_are_never_sent() -> None:
    receiver = Receiver()
    house = House(receiver, webhook("*"))
    house.stream.publish(DigitPressed("c-1", "l-1", "8"))
    await house.quiet()
    assert receiver.tries == []


async def test_a_receiver_that_fails_holds_up_no_other() -> None:
    class Half(Receiver):
        async def send(self, request: Post) -> None:
            if request.url.endswith("bad"):
                raise UndeliveredError("answered 500")
            await super().send(request)

    receiver = Half()
    house = House(receiver, webhook(url="http://127.0.0.1/bad"), webhook(url="http://127.0.0.1/good"))
    house.stream.publish(LimitReached("fax", 1))
    await house.stream.until(lambda: bool(house.failures()), 1.0)
    assert len(receiver.taken) == 1
    await house.courier.stop()


async def test_at_the_end_what_is_due_is_delivered_and_nothing_is_tried_again() -> None:
    receiver = Receiver()
    house = House(receiver)
    house.stream.publish(LimitReached("fax", 1))
    await house.courier.stop()
    assert len(receiver.taken) == 1
    assert receiver.is_closed
    house.stream.publish(LimitReached("fax", 2))
    assert len(receiver.tries) == 1


@pytest.mark.parametrize(
    ("receiver", "end_s"), [(Receiver(refusals=9), 0.0), (Receiver(hangs=True), LAST_CHANCE_S)]
)
async def test_what_cannot_be_delivered_at_the_end_is_logged_and_holds_the_server_up_for_2_s_at_most(
    receiver: Receiver, end_s: float
) -> None:
    house = House(receiver)
    for limit in (1, 2):
        house.stream.publish(LimitReached("fax", limit))
    with capture_logs() as logs:
        await house.courier.stop()
    assert asyncio.get_running_loop().time() == pytest.approx(end_s, abs=0.01)
    assert [(one["event"], one["webhook"], one["events"]) for one in logs] == [
        ("webhook.undelivered", "ci", 2)
    ]


async def test_a_stop_wakes_who_waits_for_the_next_try() -> None:
    receiver = Receiver(refusals=1)
    house = House(receiver)
    house.stream.publish(LimitReached("fax", 1))
    await house.stream.until(lambda: bool(house.failures()), 1.0)
    await house.courier.stop()
    assert asyncio.get_running_loop().time() < 0.5
    assert len(receiver.tries) == 1


async def test_deliveries_of_the_same_seed_have_the_same_ids() -> None:
    ids: deque[str] = deque()
    for _ in range(2):
        receiver = Receiver()
        house = House(receiver)
        house.stream.publish(LimitReached("fax", 1))
        await house.quiet()
        ids.append(receiver.tries[0][1].headers["X-Ringfence-Delivery"])
    assert ids[0] == ids[1]
    assert ids[0].startswith("w-")
