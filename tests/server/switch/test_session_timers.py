"""Session timers through a whole server (RFC 4028): who vanishes without a word does not keep a call, nor a channel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import RawCaller

from ringfence.server.switch.events import CallEnded

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def test_two_phones_that_vanish_do_not_stay_up_for_ever(pbx: PbxUnderTest) -> None:
    """RFC 4028 10: asked after half of half an hour, given up 32 s later."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    await ben.answer()
    await call.answered()
    await anna.unplug()
    await ben.unplug()
    await asyncio.sleep(899)
    assert pbx.server.switch.calls
    await asyncio.sleep(40)
    assert not pbx.server.switch.calls
    ended = await pbx.wait_for(CallEnded)
    assert ended.duration_s == pytest.approx(932, abs=2)


async def test_when_one_vanishes_the_other_is_told(pbx: PbxUnderTest) -> None:
    """RFC 4028 10."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    await ben.answer()
    await call.answered()
    await ben.unplug()
    await call.ended(940)


async def test_a_call_that_stands_goes_on_for_hours(pbx: PbxUnderTest) -> None:
    """RFC 4028 7.4: we ask the far end, here by a re-INVITE with what is in use, every quarter of an hour."""
    async with RawCaller(pbx) as caller:
        assert (await caller.invite("99200")).get("session-expires") == "1800;refresher=uas"
        caller.ack()
        for number in range(1, 13):
            refresh = await caller.request_from_server()
            assert refresh.method == "INVITE"
            assert b"a=inactive" in refresh.body
            assert asyncio.get_running_loop().time() == pytest.approx(900 * number, abs=1)
            caller.respond(refresh, 200, body=caller.sdp("inactive"))
            assert (await caller.request_from_server()).method == "ACK"
        await caller.bye()


async def test_a_silent_holder_of_a_channel_who_vanished_gives_it_back(pbx: PbxUnderTest) -> None:
    """RFC 4028 10 and L-74: on hold no RTP tells, the session timer does."""
    async with RawCaller(pbx) as caller:
        assert (await caller.invite("*100", direction="inactive")).status == 200
        caller.ack()
        await asyncio.sleep(30)
        assert pbx.pools.ip_channel.used == 1
        caller.close()
        await asyncio.sleep(940)
        assert pbx.pools.ip_channel.used == 0


async def test_too_short_an_interval_is_refused_with_the_shortest_one(pbx: PbxUnderTest) -> None:
    """RFC 4028 6 and 9."""
    async with RawCaller(pbx) as caller:
        timer = ("Supported", "timer")
        answer = await caller.invite("101", headers=(timer, ("Session-Expires", "60")))
        assert (answer.status, answer.get("min-se")) == (422, "90")


async def test_the_caller_s_require_of_timers_is_understood(pbx: PbxUnderTest) -> None:
    """RFC 4028 5 and RFC 3261 8.2.2.3: no 420 for an extension that we have."""
    async with RawCaller(pbx) as caller:
        headers = (("Require", "timer"), ("Supported", "timer"), ("Session-Expires", "90;refresher=uac"))
        answer = await caller.invite("9901", headers=headers)
        assert (answer.status, answer.get("session-expires")) == (200, "90;refresher=uac")
        caller.ack()
        bye = await caller.request_from_server()
        assert bye.method == "BYE"
        assert asyncio.get_running_loop().time() == pytest.approx(60, abs=1)
        caller.respond(bye, 200)
