"""Calls that an application places: the own device first, then the number."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.plane import Tone
from ringfence.server.switch.call import Call
from ringfence.server.switch.events import CallEnded, Refused

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


def place(pbx: PbxUnderTest, user: str, number: str) -> Call:
    call = pbx.server.switch.place(user, number)
    assert isinstance(call, Call)
    return call


async def test_the_own_device_answers_and_the_number_is_reached(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = place(pbx, "anna", "101")
    own = await anna.answer()
    other = await ben.answer()
    await own.hang_up()
    await other.ended()
    await pbx.wait_for(CallEnded, call_id=call.id)


async def test_an_own_device_that_hangs_up_ends_the_search(pbx: PbxUnderTest) -> None:
    """Else the forwarding of the number would take a channel for nobody (L-74)."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = place(pbx, "ben", "100")
    own = await ben.answer()
    ringing = await anna.ringing()
    await own.hang_up()
    await ringing.ended()
    await pbx.wait_for(CallEnded, call_id=call.id)
    await asyncio.sleep(60)
    assert pbx.pools.ip_channel.used == 0


async def test_a_refusing_own_device_leaves_a_decision(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    anna.busy_with = 486
    call = place(pbx, "anna", "101")
    assert (await pbx.wait_for(Refused, call_id=call.id)).reason == "user.busy"
    await pbx.wait_for(CallEnded, call_id=call.id)


async def test_a_placed_call_can_be_hung_up_at_any_time(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    at_once = place(pbx, "anna", "101")
    at_once.hang_up()
    await pbx.wait_for(CallEnded, call_id=at_once.id)
    later = place(pbx, "anna", "101")
    ringing = await anna.ringing()
    later.hang_up()
    await ringing.ended()
    await pbx.wait_for(CallEnded, call_id=later.id)
    last = place(pbx, "anna", "101")
    await anna.answer()
    ringing = await ben.ringing()
    last.hang_up()
    await ringing.ended()
    await pbx.wait_for(CallEnded, call_id=last.id)
    assert pbx.server.switch.calls == {}


async def test_who_placed_a_call_hears_it_ring(pbx: PbxUnderTest) -> None:
    """His telephone has been answered, so that the tone is for us to make (RFC 3960 3.2)."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    place(pbx, "anna", "101")
    own = await anna.answer()
    ringing = await ben.ringing()
    await asyncio.sleep(1)
    assert (await own.heard()).contains_tone(425)
    await ringing.answer()
    await own.heard()
    await ringing.play(Tone((800,), 0.6))
    assert (await own.heard()).contains_tone(800)
    await own.hang_up()
    await ringing.ended()


async def test_who_placed_a_call_hears_early_media(pbx: PbxUnderTest) -> None:
    """RFC 3261 13.2.1: in the session that he has."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    place(pbx, "anna", "101")
    own = await anna.answer()
    ringing = await ben.ringing()
    ringing.progress()
    await asyncio.sleep(0.5)
    await own.heard()
    await ringing.play(Tone((950,), 0.6))
    heard = await own.heard()
    assert heard.contains_tone(950)
    await own.hang_up()
    await ringing.ended()


async def test_who_placed_a_call_is_forwarded_to_a_box(pbx: PbxUnderTest) -> None:
    """Its greeting takes the place of the ringing tone."""
    ben = await pbx.phone("101")
    anna = await pbx.phone("100")
    place(pbx, "ben", "100")
    own = await ben.answer()
    ringing = await anna.ringing()
    ringing.refuse(486)
    await own.hear_tone(1000)
    assert pbx.pools.ip_channel.used == 1
    await own.hang_up()
