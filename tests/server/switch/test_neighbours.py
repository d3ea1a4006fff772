"""Whose streams have to be in one media worker, and what becomes of those that are not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import ROOT

from ringfence.channels.media.inline_plane import InlineStream
from ringfence.channels.media.plane import Tone
from ringfence.server.switch.events import Refused
from ringfence.server.switch.neighbours import neighbours

if TYPE_CHECKING:
    from ringfence.channels.media.plane import MediaStream
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.switch.connection import Connection

pytestmark = pytest.mark.virtual_time


def near(pbx: PbxUnderTest, connection: Connection) -> set[MediaStream | None]:
    """The streams in whose worker that of a connection has to be."""
    return set(neighbours(connection, pbx.server.switch))


async def test_the_legs_of_a_call_and_the_calls_of_a_telephone_belong_together(pbx: PbxUnderTest) -> None:
    """Anna may join Ben and Clara (RFC 5589 7); Emil, who talks to an attendant, has nothing to do with them."""
    anna, ben, clara = [await pbx.phone(number) for number in ("100", "101", "102")]
    call = await anna.dial("101")
    await ben.answer()
    await call.answered()
    consultation = await anna.dial("102")
    await clara.answer()
    await consultation.answered()
    emil = await pbx.phone("104")
    echo = await emil.dial("9901")
    await echo.answered()
    first, to_ben, second, to_clara, alone = pbx.server.switch.connections.values()
    assert near(pbx, to_ben) == {first.stream, to_ben.stream}
    assert near(pbx, second) == {first.stream, second.stream, to_clara.stream}
    assert next(iter(neighbours(to_clara, pbx.server.switch))) in (second.stream, to_clara.stream)
    assert near(pbx, alone) == {alone.stream}


async def test_the_calls_of_a_trunk_are_spread(pbx: PbxUnderTest) -> None:
    """It carries the calls of many, and may not transfer them."""
    for number in ("+49731998", "+49731999"):
        caller = await pbx.outside(number)
        assert (await caller.dial(f"{ROOT}9901")).is_answered
    first, second = pbx.server.switch.connections.values()
    assert first.device == second.device
    assert near(pbx, second) == {second.stream}


async def test_who_is_in_different_workers_is_not_joined_by_a_transfer_and_talks_on(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3515 2.4.5: the NOTIFY tells 488, by `media.apart`."""
    anna, ben, clara = [await pbx.phone(number) for number in ("100", "101", "102")]
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    consultation = await anna.dial("102")
    target = await clara.answer()
    await consultation.answered()
    worker_of = {one.stream: one.call for one in pbx.server.switch.connections.values()}
    monkeypatch.setattr(InlineStream, "reaches", lambda one, other: worker_of[one] is worker_of[other])
    assert await call.transfer_to(consultation) == 488
    assert (await pbx.wait_for(Refused)).reason == "media.apart"
    for listening, speaking in ((answered, call), (target, consultation)):
        await listening.heard()
        await speaking.play(Tone((440,), 0.5))
        assert (await listening.heard()).contains_tone(440, 0.9)
    for one in (call, consultation):
        await one.hang_up()


async def test_a_call_whose_ends_are_in_different_workers_ends_with_the_reason(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3326: BYE with the cause."""
    monkeypatch.setattr(InlineStream, "reaches", lambda *_: False)
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    dialling = asyncio.ensure_future(anna.dial("101"))
    answered = await ben.answer()
    await answered.ended()
    await (await dialling).ended()
    assert (await pbx.wait_for(Refused)).reason == "media.apart"
    assert not pbx.server.switch.connections
