from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.hooks.events import WebhookGap
from ringfence.server.hooks.outbox import Outbox

from .hooked import event, outbox, webhook

if TYPE_CHECKING:
    from ringfence.server.hooks.delivery import Delivery


def due(box: Outbox, now: float) -> Delivery:
    delivery = box.next(now)
    assert delivery is not None
    return delivery


def test_what_waits_is_told_in_order_and_then_nothing_is_due() -> None:
    box = outbox([event(1), event(2)])
    assert (box.deadline, box.waiting) == (0.0, 2)
    for seq in (1, 2):
        assert due(box, 0.0).stamped == event(seq)
        box.taken()
    assert (box.deadline, box.waiting, box.next(0.0)) == (None, 0, None)
    assert (box.taken_count, box.failed_count, box.missing_count) == (2, 0, 0)


def test_pauses_double_from_one_second_to_an_hour_and_a_success_begins_anew() -> None:
    box = outbox([event(1), event(2)])
    now, pauses = 0.0, []
    for tries in range(1, 15):
        assert box.next(now - 0.001) is None or tries == 1
        assert due(box, now).id == "w-1"
        assert box.failed(now)[0] == tries
        pauses.append((box.deadline or now) - now)
        now = box.deadline or now
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]
    due(box, now)
    box.taken()
    assert due(box, now).id == "w-2"
    assert box.failed(now) == (1, 1.0)


def test_the_same_delivery_has_the_same_id_at_every_try_and_nothing_overtakes_it() -> None:
    box = outbox([event(1)])
    first = due(box, 0.0)
    box.failed(0.0)
    box.put(event(2))
    assert box.next(0.5) is None
    assert due(box, 1.0) is first


def test_after_the_last_try_an_event_is_given_up_and_the_next_told_after_a_gap() -> None:
    box = outbox([event(1), event(2)], most_tries=3)
    now = 0.0
    for expected in ((1, 1.0), (2, 2.0), (3, None)):
        due(box, now)
        assert box.failed(now) == expected
        now = box.deadline or now
    gap = due(box, now).stamped
    assert (gap.seq, gap.event) == (1, WebhookGap("ci", 1))
    box.taken()
    assert due(box, now).stamped == event(2)
    assert box.missing_count == 1


def test_where_there_is_no_room_the_oldest_give_way_and_are_counted_before_what_follows() -> None:
    box = outbox([event(seq) for seq in range(1, 6)], room=3)
    assert (box.waiting, box.missing_count) == (3, 2)
    gap = due(box, 0.0).stamped
    assert (gap.seq, gap.event) == (2, WebhookGap("ci", 2))
    box.put(event(6))
    box.taken()
    assert due(box, 0.0).stamped.event == WebhookGap("ci", 1)
    box.taken()
    assert due(box, 0.0).stamped.seq == 4
    box.taken()
    assert due(box, 0.0).stamped.seq == 5


def test_what_is_on_its_way_does_not_give_way() -> None:
    box = outbox([event(1)], room=1)
    delivery = due(box, 0.0)
    box.put(event(2))
    box.put(event(3))
    box.failed(0.0)
    assert due(box, 1.0) is delivery


def test_a_failure_of_nothing_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(RuntimeError, match="nothing is on its way"):
        outbox().failed(0.0)


@pytest.mark.parametrize(
    ("patterns", "name", "wanted"),
    [
        (("licence.*", "limit.reached"), "licence.displaced", True),
        (("licence.*", "limit.reached"), "limit.reached", True),
        (("licence.*", "limit.reached"), "call.started", False),
        (("*",), "call.started", True),
        (("Licence.*",), "licence.assigned", False),
    ],
)
def test_a_webhook_is_told_what_its_patterns_match(
    patterns: tuple[str, ...], name: str, wanted: bool
) -> None:
    box = Outbox(webhook(*patterns), lambda: "w-1")
    assert (box.wants(name), box.wants(name)) == (wanted, wanted)


@given(st.lists(st.sampled_from(["put", "taken", "failed"]), max_size=80))
def test_every_event_is_taken_in_order_waits_or_is_in_a_gap(steps: list[str]) -> None:
    box, now, put, told, missed = outbox(room=4, most_tries=2), 0.0, 0, [0], 0
    for step in steps:
        if step == "put":
            put += 1
            box.put(event(put))
        elif (delivery := box.next(box.deadline or now)) is not None:
            now = box.deadline or now
            if step == "failed":
                box.failed(now)
                continue
            one = delivery.stamped
            box.taken()
            if isinstance(one.event, WebhookGap):
                missed += one.event.missing
            else:
                told.append(one.seq)
    assert told == sorted(set(told))
    while (delivery := box.next(box.deadline or now)) is not None:
        box.taken()
        gap = delivery.stamped.event
        if isinstance(gap, WebhookGap):
            missed += gap.missing
        else:
            told.append(delivery.stamped.seq)
    assert len(told) - 1 + missed == put
    assert box.missing_count == missed
    assert told == sorted(set(told))
