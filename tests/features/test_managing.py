"""The menu of a box: another greeting and another PIN by telephone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.plane import Tone
from ringfence.server.site.acts import MoveUser, SetSetting
from ringfence.server.site.events import SettingChanged, UserChanged
from ringfence.server.store.sounds import greeting

from .box_caller import BoxCaller, listening

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def pin_of(pbx: PbxUnderTest, user: str = "anna") -> str | None:
    found = pbx.server.administration.directory.by_name(user)
    return None if found is None else found.voicemail_pin


async def menu(pbx: PbxUnderTest, key: str) -> BoxCaller:
    """Anna has pressed a key in the menu of her empty box."""
    caller = await listening(pbx)
    await caller.hear("to_change_pin")
    await caller.press(key)
    return caller


async def record(caller: BoxCaller, hz: int, times: int = 1) -> None:
    await caller.hear("after_the_tone", times=times)
    await asyncio.sleep(1)
    await caller.call.play(Tone((hz,), 2.0))
    await caller.press("#")


async def test_a_greeting_is_recorded_heard_and_saved_and_the_next_caller_hears_it(pbx: PbxUnderTest) -> None:
    anna = await menu(pbx, "2")
    await record(anna, 900)
    await anna.hear("to_record_again")
    assert (await anna.audio()).power_at(900) > 0.02
    await anna.press("2")
    await anna.hear("greeting_saved")
    await pbx.wait_for(SettingChanged, user="anna", key="greeting")
    await anna.call.hang_up()
    outside = await pbx.outside("+49731999")
    call = await outside.dial("08955550*100")
    await call.answered()
    await asyncio.sleep(4)
    assert (await call.heard()).contains_tone(900, 0.3)
    await call.hang_up()


async def test_a_greeting_that_does_not_please_is_recorded_again(pbx: PbxUnderTest) -> None:
    anna = await menu(pbx, "2")
    await record(anna, 900)
    await anna.hear("to_record_again")
    await anna.press("3")
    await record(anna, 600, times=2)
    await anna.hear("to_record_again", times=2)
    await anna.press("2")
    await anna.hear("greeting_saved")
    await anna.call.hang_up()
    user = pbx.server.administration.directory.by_name("anna")
    kept = None if user is None else greeting(user)
    assert kept is not None
    assert Audio.from_wav(pbx.server.store.sounds.path(kept)).contains_tone(600)


async def test_a_greeting_counts_only_when_it_is_saved_and_leaves_no_file(pbx: PbxUnderTest) -> None:
    anna = await menu(pbx, "2")
    await record(anna, 900)
    await anna.hear("to_record_again")
    await anna.call.hang_up()
    await asyncio.sleep(1)
    user = pbx.server.administration.directory.by_name("anna")
    assert user is not None
    assert greeting(user) is None
    store = pbx.server.store
    assert [*store.messages_dir.parent.rglob("*.wav")] == []


async def test_nothing_said_is_no_greeting(pbx: PbxUnderTest) -> None:
    anna = await menu(pbx, "2")
    await anna.hear("after_the_tone")
    await asyncio.sleep(0.5)
    await anna.press("#")
    await anna.hear("to_record_again")
    await anna.press("2")
    await anna.hear("failed")
    await anna.call.hang_up()


async def test_a_pin_is_changed_by_telephone_and_counts_from_the_next_call_on(pbx: PbxUnderTest) -> None:
    anna = await menu(pbx, "3")
    await anna.hear("enter_new_pin")
    await anna.press("7193#")
    await anna.hear("repeat_pin")
    await anna.press("7193#")
    await anna.hear("pin_changed")
    await pbx.wait_for(UserChanged, user="anna", fields=("voicemail_pin",))
    await anna.call.hang_up()
    assert await pin_of(pbx) == "7193"
    again = await BoxCaller.dial(await pbx.phone("100"))
    await again.identify("7193")
    await again.hear("no_messages")
    await again.call.hang_up()


@pytest.mark.parametrize("pin", ["1234", "4321", "1111", "7", "7193719371"])
async def test_a_pin_with_a_run_is_refused_at_once(pbx: PbxUnderTest, pin: str) -> None:
    anna = await menu(pbx, "3")
    await anna.hear("enter_new_pin")
    await anna.press(f"{pin}#")
    await anna.hear("pin_not_allowed", "enter_new_pin")
    await anna.call.hang_up()
    assert await pin_of(pbx) == "8264"


async def test_two_different_pins_change_nothing(pbx: PbxUnderTest) -> None:
    anna = await menu(pbx, "3")
    await anna.hear("enter_new_pin")
    await anna.press("7193#")
    await anna.hear("repeat_pin")
    await anna.press("7194#")
    await anna.hear("pins_differ")
    await anna.call.hang_up()
    assert await pin_of(pbx) == "8264"


async def test_what_cannot_be_kept_is_said_to_have_failed(pbx: PbxUnderTest) -> None:
    """Voicemail is switched off for her while she records (L-06): the greeting goes nowhere, no file stays."""
    anna = await menu(pbx, "2")
    await record(anna, 900)
    await anna.hear("to_record_again")
    await pbx.server.administration.apply(MoveUser("anna", "Haus", "Lager"))
    await anna.press("2")
    await anna.hear("failed")
    await anna.call.hang_up()
    assert [*pbx.server.store.messages_dir.parent.rglob("*.wav")] == []


async def test_a_greeting_is_recorded_under_a_digit_and_rules_choose_it(pbx: PbxUnderTest) -> None:
    rule = [{"if": {"caller": "+43*"}, "greeting": "7"}]
    await pbx.server.administration.apply(SetSetting("anna", "voicemail", "rules", rule))
    anna = await menu(pbx, "4")
    await anna.hear("enter_greeting")
    await anna.press("7")
    await record(anna, 900)
    await anna.hear("to_record_again")
    await anna.press("2")
    await anna.hear("greeting_saved")
    await anna.call.hang_up()
    assert list(pbx.server.greetings.of("anna")) == ["7"]
    for number, hears in (("+431999", True), ("+49731999", False)):
        call = await (await pbx.outside(number)).dial("08955550*100")
        await call.answered()
        await asyncio.sleep(2)
        assert (await call.heard()).contains_tone(900, 0.3) is hears
        await call.hang_up()


async def test_without_a_digit_no_greeting_is_recorded(pbx: PbxUnderTest) -> None:
    anna = await menu(pbx, "4")
    await anna.hear("enter_greeting")
    await anna.press("#")
    await anna.hear("to_change_other_greeting", times=2)
    await anna.call.hang_up()
    assert pbx.server.greetings.of("anna") == {}
