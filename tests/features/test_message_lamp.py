"""The lamp of a box (RFC 3842): lit by a new message, and out when all were heard by telephone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.sip_peer import SipPeer

from .box_caller import BoxCaller, put

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
SUMMARY = re.compile(rb"Messages-Waiting: (yes|no)\r\n(?:.*\r\n)*Voice-Message: (\d+)/(\d+) ")


async def lamp(phone: SipPeer) -> tuple[str, int, int]:
    """What the next NOTIFY tells: whether the lamp is lit, how many messages are new, and how many old."""
    told = SUMMARY.match((await phone.next()).body)
    assert told is not None
    return told[1].decode(), int(told[2]), int(told[3])


async def test_each_new_message_is_counted_and_the_lamp_goes_out_with_the_last_that_is_heard(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    outside = await pbx.outside("+49731999")
    async with SipPeer(pbx, "100") as phone:
        await phone.ask("SUBSCRIBE", "100", [("Event", "message-summary")])
        assert await lamp(phone) == ("no", 0, 0)
        for hz, new in ((400, 1), (500, 2), (600, 3)):
            await put(pbx, tmp_path, hz=hz)
            assert await lamp(phone) == ("yes", new, 0)
        anna = await BoxCaller.dial(outside, "08955550199")
        await anna.identify(box="100")
        await anna.hear("message_from")
        await anna.press("2")
        assert await lamp(phone) == ("yes", 2, 1)
        await anna.hear("message_from", times=2)
        await anna.press("3")
        assert await lamp(phone) == ("yes", 1, 1)
        await anna.hear("message_from", times=3)
        await anna.press("4")
        await anna.hear("end_of_messages")
        await anna.call.hang_up()
        assert await phone.silent(5)
        anna = await BoxCaller.dial(outside, "08955550199")
        await anna.identify(box="100")
        await anna.call.ended(180)
        assert await lamp(phone) == ("no", 0, 2)
        assert await phone.silent(5)
