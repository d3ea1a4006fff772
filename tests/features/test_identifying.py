"""Who may hear a box by telephone: PINs, and the lock after wrong ones (decision 46)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from ringfence.features.voicemail.pin_locks import FIRST_LOCK_S
from ringfence.server.site.acts import ChangeUser
from ringfence.server.switch.events import BoxLocked, BoxUnlocked, CallEnded, Refused

from .box_caller import BoxCaller, payload

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.phone import Phone

pytestmark = pytest.mark.virtual_time
FROM_OUTSIDE = "08955550199"
SAID = ("enter_box", "enter_pin", "pin_wrong", "pin_locked", "goodbye")


async def tried(phone: Phone, box: str, pin: str, times: int = 3) -> BoxCaller:
    """A call from outside in which a PIN was given so often, and that has ended."""
    caller = await BoxCaller.dial(phone, FROM_OUTSIDE)
    for number in range(1, times + 1):
        await caller.hear("enter_box", times=number)
        await caller.press(f"{box}#")
        await caller.hear("enter_pin", times=number)
        await caller.press(f"{pin}#")
    await caller.call.ended(60)
    return caller


async def script(caller: BoxCaller) -> list[str]:
    """What was said, in order."""
    sound = await caller.sound()
    found = [(one.start(), block) for block in SAID for one in re.finditer(re.escape(payload(block)), sound)]
    return [block for _, block in sorted(found)]


async def locked(pbx: PbxUnderTest) -> Phone:
    """A telephone outside from which anna's box has just been locked."""
    outside = await pbx.outside("+49731999")
    await tried(outside, "100", "0000")
    await tried(outside, "100", "0000")
    await pbx.wait_for(BoxLocked, user="anna", seconds=FIRST_LOCK_S)
    return outside


async def test_wrong_pins_are_counted_across_calls_and_lock_the_box(pbx: PbxUnderTest) -> None:
    outside = await locked(pbx)
    caller = await tried(outside, "100", "8264", times=1)
    assert payload("pin_locked") in await caller.sound()
    refused = await pbx.wait_for(Refused, reason="pin.locked")
    assert (await pbx.wait_for(CallEnded, call_id=refused.call_id)).cause == 21
    assert pbx.pools.ip_channel.used == 0


async def test_from_the_own_telephone_a_locked_box_is_locked_too(pbx: PbxUnderTest) -> None:
    await locked(pbx)
    caller = await BoxCaller.dial(await pbx.phone("100"))
    await caller.identify()
    await caller.call.ended(60)
    await pbx.wait_for(Refused, reason="pin.locked", user="anna")


async def test_after_a_quarter_of_an_hour_the_right_pin_opens_the_box_again(pbx: PbxUnderTest) -> None:
    outside = await locked(pbx)
    await asyncio.sleep(FIRST_LOCK_S)
    caller = await BoxCaller.dial(outside, FROM_OUTSIDE)
    await caller.identify(box="100")
    await caller.hear("no_messages")
    await caller.call.hang_up()


async def test_an_administrator_opens_the_box_before(pbx: PbxUnderTest) -> None:
    outside = await locked(pbx)
    assert pbx.server.owners.unlock("anna", by="chief")
    await pbx.wait_for(BoxUnlocked, user="anna", by="chief")
    caller = await BoxCaller.dial(outside, FROM_OUTSIDE)
    await caller.identify(box="100")
    await caller.hear("no_messages")
    await caller.call.hang_up()


async def test_a_new_pin_opens_the_box(pbx: PbxUnderTest) -> None:
    outside = await locked(pbx)
    await pbx.server.administration.apply(ChangeUser("anna", {"voicemail_pin": "7193"}))
    caller = await BoxCaller.dial(outside, FROM_OUTSIDE)
    await caller.identify("7193", box="100")
    await caller.hear("no_messages")
    await caller.call.hang_up()


async def test_an_unknown_box_sounds_and_lasts_like_a_wrong_pin(pbx: PbxUnderTest) -> None:
    """In the first call wrong, in the second locked at its end, in the third locked at once."""
    outside = await pbx.outside("+49731999")
    ends: list[CallEnded] = []
    pbx.server.stream.listen(
        lambda stamped: ends.append(stamped.event) if isinstance(stamped.event, CallEnded) else None
    )
    said: list[list[str]] = []
    for box in ("100", "777"):
        for times in (3, 3, 1):
            caller = await tried(outside, box, "0000", times)
            said.append(await script(caller))
    assert said[:3] == said[3:]
    assert [len(one) for one in said[:3]] == [10, 9, 3]
    for known, unknown in zip(ends[:3], ends[3:], strict=True):
        assert unknown.cause == known.cause
        assert unknown.duration_s == pytest.approx(known.duration_s, abs=0.1)
    assert [end.cause for end in ends[:3]] == [16, 21, 21]


async def test_a_box_whose_user_has_no_seat_sounds_like_an_unknown_one(pbx: PbxUnderTest) -> None:
    """L-47: a stranger does not learn by it that somebody is there."""
    pin = pbx.server.administration.directory.by_name("dora")
    assert pin is not None
    assert pin.voicemail_pin is not None
    outside = await pbx.outside("+49731999")
    caller = await tried(outside, "103", pin.voicemail_pin)
    assert (await caller.sound()).count(payload("pin_wrong")) == 3
