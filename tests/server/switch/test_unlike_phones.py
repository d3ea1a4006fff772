"""Two telephones of different habits in one call: how they tell digits, and how long their packets are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.talk import hears

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

pytestmark = pytest.mark.virtual_time


async def called_by(
    pbx: PbxUnderTest, *, events: bool = True, ptime_ms: int = 20
) -> tuple[PhoneCall, PhoneCall]:
    """Let Anna, whose telephone is as told, call Ben."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    anna.telephone_events, anna.ptime_ms = events, ptime_ms
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    return call, answered


async def test_digits_are_tones_here_and_events_there_each_once(pbx: PbxUnderTest) -> None:
    """RFC 4733 2.1: Anna's telephone knows no events, and hears and sends tones; those of INFO reach both."""
    call, answered = await called_by(pbx, events=False)
    await call.send_digits("147*")
    await asyncio.sleep(1)
    assert answered.digits == "147*"
    await answered.send_digits("2580")
    await asyncio.sleep(2)
    assert call.digits == "2580"
    await answered.send_info_digits("6")
    await call.send_info_digits("9")
    await asyncio.sleep(1)
    assert (call.digits, answered.digits) == ("25806", "147*9")
    assert await hears(answered, call, share=0.95)
    assert await hears(call, answered, share=0.95)
    await call.hang_up()


@pytest.mark.parametrize("ptime_ms", [10, 30, 40, 60])
async def test_each_telephone_gets_packets_of_the_length_it_asked_for(
    pbx: PbxUnderTest, ptime_ms: int
) -> None:
    """RFC 8866 6.4: Ben's 20 ms and Anna's, with one tone in both and nothing lost."""
    call, answered = await called_by(pbx, ptime_ms=ptime_ms)
    assert await hears(answered, call, share=0.95)
    assert await hears(call, answered, share=0.95)
    before = [await one.measured() for one in (call, answered)]
    await asyncio.sleep(2.4)
    after = [await one.measured() for one in (call, answered)]
    received = [new.packets_received - old.packets_received for old, new in zip(before, after, strict=True)]
    assert received == pytest.approx([2400 / ptime_ms, 120], abs=3)
    await call.hang_up()
    await answered.ended()
    for one in (call, answered):
        verdict = one.verdict
        assert (verdict.packets_lost, verdict.packets_duplicate, verdict.packets_reordered) == (0, 0, 0)
