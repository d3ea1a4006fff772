"""Retries are bounded, in order, and survive the end of the server; in virtual time with a scripted carrier."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ringfence.server.outgoing.carrier import NotCarriedError
from ringfence.server.outgoing.dispatcher import FIRST_PAUSE_S, MOST_TRIES, Dispatcher
from ringfence.server.outgoing.events import DeliveryFailed, DeliveryMade, OutboxFilled
from ringfence.server.store.outbox import Parcel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.store.outbox import Sent

pytestmark = pytest.mark.virtual_time
MAIL = Parcel("mail", "anna", "anna@klein.example", "Hello.", "Greetings", waits=True)


class Carrier:
    """Refuses as often as it is told to; `carried` are what it was asked to take, and when."""

    def __init__(self) -> None:
        self.carried: list[tuple[str, float]] = []
        self.refuses = 0
        self.for_good = False

    async def carry(self, sent: Sent) -> None:
        self.carried.append((sent.to, asyncio.get_running_loop().time()))
        if self.refuses:
            self.refuses -= 1
            raise NotCarriedError("the line is cut", for_good=self.for_good)

    async def close(self) -> None:
        pass


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
async def begin(pbx: PbxUnderTest, carrier: Carrier) -> AsyncIterator[Callable[[], Dispatcher]]:
    """Start a dispatcher as the server does."""
    await pbx.outbox.wait_for(user="dora")
    await pbx.outbox.clear()
    started: list[Dispatcher] = []

    def start() -> Dispatcher:
        server = pbx.server
        started.append(Dispatcher(server.store.outbox, {"mail": carrier}, server.stream, server.clock))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        await one.stop()


async def test_what_is_carried_leaves_the_outbox(pbx: PbxUnderTest, begin: Callable[[], Dispatcher]) -> None:
    await begin().put([MAIL])
    filled = await pbx.wait_for(OutboxFilled, user="anna", waits=True)
    await pbx.wait_for(DeliveryMade, id=filled.id, to="anna@klein.example")
    assert await pbx.outbox.list() == ()


async def test_a_failure_is_told_and_tried_again_after_ever_longer_pauses(
    pbx: PbxUnderTest, carrier: Carrier, begin: Callable[[], Dispatcher]
) -> None:
    carrier.refuses = 3
    await begin().put([MAIL])
    failed = await pbx.wait_for(DeliveryFailed, tries=3, timeout_s=100)
    assert (failed.why, failed.again_in_s) == ("the line is cut", 4 * FIRST_PAUSE_S)
    await pbx.wait_for(DeliveryMade, timeout_s=100)
    times = [at for _, at in carrier.carried]
    pauses = [later - before for before, later in pairwise(times)]
    assert pauses == pytest.approx([FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S])


async def test_what_is_never_taken_is_given_up_and_stays_with_the_reason(
    pbx: PbxUnderTest, carrier: Carrier, begin: Callable[[], Dispatcher]
) -> None:
    carrier.refuses = 100
    await begin().put([MAIL])
    await pbx.wait_for(DeliveryFailed, again_in_s=None, timeout_s=10_000)
    (parcel,) = await pbx.outbox.list()
    assert (parcel.state, parcel.tries, parcel.why) == ("failed", MOST_TRIES, "the line is cut")
    await asyncio.sleep(10_000)
    assert len(carrier.carried) == MOST_TRIES


async def test_what_is_refused_for_good_is_tried_once(
    pbx: PbxUnderTest, carrier: Carrier, begin: Callable[[], Dispatcher]
) -> None:
    carrier.refuses, carrier.for_good = 1, True
    await begin().put([MAIL])
    await pbx.wait_for(DeliveryFailed, tries=1, again_in_s=None)
    await asyncio.sleep(1000)
    assert len(carrier.carried) == 1


async def test_one_that_waits_keeps_no_other_waiting(
    pbx: PbxUnderTest, carrier: Carrier, begin: Callable[[], Dispatcher]
) -> None:
    carrier.refuses = 1
    dispatcher = begin()
    await dispatcher.put([MAIL])
    await pbx.wait_for(DeliveryFailed)
    await dispatcher.put([Parcel("mail", "ben", "ben@klein.example", "Hello.", waits=True)])
    await pbx.wait_for(DeliveryMade, to="ben@klein.example", timeout_s=1)
    await pbx.wait_for(DeliveryMade, to="anna@klein.example", timeout_s=FIRST_PAUSE_S + 1)


async def test_what_was_left_is_carried_after_the_next_start(
    pbx: PbxUnderTest, carrier: Carrier, begin: Callable[[], Dispatcher]
) -> None:
    carrier.refuses = 1
    dispatcher = begin()
    await dispatcher.put([MAIL])
    await pbx.wait_for(DeliveryFailed)
    await dispatcher.stop()
    await asyncio.sleep(1000)
    assert len(carrier.carried) == 1
    begin()
    await pbx.wait_for(DeliveryMade, to="anna@klein.example", timeout_s=1)


async def test_what_is_deleted_while_it_waits_is_not_carried(
    pbx: PbxUnderTest, carrier: Carrier, begin: Callable[[], Dispatcher]
) -> None:
    carrier.refuses = 1
    await begin().put([MAIL])
    await pbx.wait_for(DeliveryFailed)
    await pbx.outbox.clear()
    await asyncio.sleep(1000)
    assert len(carrier.carried) == 1


async def test_what_nobody_carries_stays(pbx: PbxUnderTest, begin: Callable[[], Dispatcher]) -> None:
    dispatcher = begin()
    assert (dispatcher.carries("mail"), dispatcher.carries("sms")) == (True, False)
    await dispatcher.put([Parcel("sms", "anna", "+49170", "Hi.")])
    await asyncio.sleep(100)
    (parcel,) = await pbx.outbox.list()
    assert (parcel.kind, parcel.state) == ("sms", "kept")
