"""Scripted phones that watch others (RFC 6665 4.1) and write to each other (RFC 3428), at a whole server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.server.phones.instant_message import InstantMessage
from ringfence.server.phones.watch import NotWatchedError

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def test_a_lamp_follows_the_calls_of_a_colleague(pbx: PbxUnderTest) -> None:
    """RFC 4235: each document is kept."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    lamp = await anna.subscribe("dialog", "101")
    assert (lamp.status, len(lamp.documents)) == (200, 1)
    call = await clara.dial("101")
    assert "sip:102@klein.example" in await lamp.shows("early")
    await ben.answer()
    await lamp.shows("confirmed")
    await call.hang_up()
    await lamp.shows("terminated")
    assert len(lamp.documents) == 4
    await lamp.stop()
    assert lamp.is_over
    assert pbx.server.notifier.subscriptions["dialog"] == 0


async def test_the_own_box_and_the_presence_of_others_are_shown(pbx: PbxUnderTest) -> None:
    """RFC 3842 and RFC 3856."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    box = await anna.subscribe("message-summary", "100")
    there = await anna.subscribe("presence", "101")
    await there.shows("<basic>open</basic>")
    call = await ben.dial("*100")
    await call.hear_tone(1000)
    await asyncio.sleep(2)
    await call.hang_up()
    await box.shows("Voice-Message: 1/0")
    await ben.register(expires_s=0)
    await there.shows("<basic>closed</basic>")


async def test_a_subscription_is_refreshed_as_long_as_the_test_takes(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.1.2.2."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    lamp = await anna.subscribe("dialog", "101", expires_s=600)
    await asyncio.sleep(3500)
    call = await clara.dial("101")
    await lamp.shows("early")
    await call.hang_up()
    assert not ben.calls[0].is_answered


async def test_a_refused_subscription_says_why(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.1.2.1: nothing is shown."""
    anna = await pbx.phone("100")
    lamp = await anna.subscribe("dialog", "777")
    assert lamp.is_over
    assert lamp.refused is not None
    assert (lamp.status, lamp.refused.reason) == (404, "number.unknown")
    with pytest.raises(NotWatchedError, match="404"):
        await lamp.shows("early")
    assert (await anna.subscribe("weather", "101")).status == 489


async def test_the_end_of_the_server_ends_what_is_watched(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.1.3: the last NOTIFY says so."""
    anna = await pbx.phone("100")
    lamp = await anna.subscribe("dialog", "101")
    pbx.server.notifier.stop()
    with pytest.raises(NotWatchedError):
        await lamp.shows("early")
    assert lamp.is_over


async def test_a_phone_picks_up_what_its_lamp_shows(pbx: PbxUnderTest) -> None:
    """RFC 3891 3."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    lamp = await anna.subscribe("dialog", "101")
    with pytest.raises(NotWatchedError, match="no call rings"):
        await anna.pick_up(lamp)
    call = await clara.dial("101")
    await lamp.shows("early")
    picked = await anna.pick_up(lamp)
    await picked.answered()
    await call.answered()
    await ben.calls[0].ended()
    await call.hang_up()


async def test_phones_write_to_each_other(pbx: PbxUnderTest) -> None:
    """RFC 3428: the writer's 200 says that a device has it; who has none is told."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    assert (await anna.message("101", "Grüße, Ben")).status == 200
    assert (await anna.message("101", "Mittag?")).status == 200
    assert ben.messages == [InstantMessage("100", "Grüße, Ben"), InstantMessage("100", "Mittag?")]
    refused = await anna.message("104", "Hallo")
    assert (refused.status, refused.get("x-license-reason")) == (480, "user.not_registered")
