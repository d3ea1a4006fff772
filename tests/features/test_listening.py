"""Listening to a box by telephone: which messages, in which order, and what the keys do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.switch.events import MessageRead, Refused

from .box_caller import BoxCaller, listening, payload, put

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def read(pbx: PbxUnderTest) -> list[bool]:
    return [message.read for message in await pbx.voicemails("anna")]


async def test_new_messages_are_heard_before_saved_ones(pbx: PbxUnderTest, tmp_path: Path) -> None:
    old = await put(pbx, tmp_path, hz=400)
    await pbx.server.boxes.mark_read(old.id)
    await put(pbx, tmp_path, hz=700)
    call = await listening(pbx)
    await call.hear("to_repeat")
    first = await call.audio()
    assert first.power_at(700) > 0.02 > first.power_at(400)
    await call.call.ended(180)
    assert (await call.audio()).power_at(400) > 0.02
    heard = await call.sound()
    counts = [heard.index(payload(block)) for block in ("one_new_message", "one_saved_message")]
    assert counts == sorted(counts)
    assert await read(pbx) == [True, True]


async def test_who_knows_the_box_goes_on_to_the_sound_by_keys_pressed_ahead(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await put(pbx, tmp_path, hz=700)
    call = await BoxCaller.dial(await pbx.phone("100"))
    await call.press("8264###")
    await call.hear("to_repeat")
    heard = await call.sound()
    assert not any(heard.count(payload(block)) for block in ("one_new_message", "message_received"))
    assert (await call.audio()).power_at(700) > 0.02
    await call.call.hang_up()


async def test_an_empty_box_says_so(pbx: PbxUnderTest) -> None:
    call = await listening(pbx)
    await call.hear("no_messages")
    await call.hear("to_listen")
    await call.call.hang_up()


async def test_time_and_caller_are_told_before_the_message(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await put(pbx, tmp_path, caller="+49731999")
    call = await listening(pbx)
    await call.hear("to_repeat")
    heard = await call.sound()
    places = [heard.index(payload(block)) for block in ("message_received", "today", "message_from", "plus")]
    assert places == sorted(places)
    await call.call.hang_up()


async def test_a_caller_who_hid_his_number_is_unknown_and_cannot_be_called_back(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await put(pbx, tmp_path, caller="anonymous")
    call = await listening(pbx)
    await call.hear("unknown_caller")
    await call.hear("for_menu")
    assert payload("to_call_back") not in await call.sound()
    await call.press("5")
    await call.hear("choice_invalid")
    await call.call.hang_up()


async def test_one_repeats_the_message(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await put(pbx, tmp_path)
    call = await listening(pbx)
    await call.hear("for_menu")
    await call.press("1")
    await call.hear("message_received", times=2)
    await call.call.hang_up()


async def test_two_saves_and_three_deletes(pbx: PbxUnderTest, tmp_path: Path) -> None:
    kept = await put(pbx, tmp_path, hz=400)
    await put(pbx, tmp_path, hz=700)
    call = await listening(pbx)
    await call.hear("message_from")
    await call.press("2")
    await call.hear("message_saved")
    await call.hear("message_from", times=2)
    await call.press("3")
    await call.hear("message_deleted")
    await call.hear("end_of_messages")
    await call.call.hang_up()
    (message,) = await pbx.voicemails("anna")
    assert (message.id, message.read) == (kept.id, True)


async def test_four_skips_a_message_that_stays_new(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await put(pbx, tmp_path, hz=400)
    await put(pbx, tmp_path, hz=700)
    call = await listening(pbx)
    await call.hear("message_from")
    await asyncio.sleep(1.5)
    await call.press("4")
    await call.hear("message_from", times=2)
    await call.press("4")
    await call.hear("end_of_messages")
    await call.call.hang_up()
    assert await read(pbx) == [False, False]


async def test_who_hangs_up_in_the_middle_of_a_message_has_not_heard_it(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await put(pbx, tmp_path)
    call = await listening(pbx)
    await call.hear("message_from")
    await call.call.hang_up()
    assert await read(pbx) == [False]


async def test_a_message_is_told_to_be_read_once_however_often_it_is_heard(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    told: list[object] = []
    pbx.server.stream.listen(lambda stamped: told.append(stamped.event))
    await put(pbx, tmp_path)
    call = await listening(pbx)
    await call.hear("for_menu")
    await call.press("1")
    await call.hear("for_menu", times=2)
    await call.call.hang_up()
    assert sum(isinstance(event, MessageRead) for event in told) == 1


async def test_nine_leads_to_the_menu_of_the_box_and_one_back_to_the_messages(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await put(pbx, tmp_path)
    call = await listening(pbx)
    await call.hear("message_from")
    await call.press("9")
    await call.hear("to_change_pin")
    await call.press("0")
    await call.hear("choice_invalid")
    await call.press("1")
    await call.hear("message_received", times=2)
    await call.call.hang_up()


async def test_who_presses_nothing_is_said_goodbye(pbx: PbxUnderTest) -> None:
    call = await listening(pbx)
    await call.call.ended(90)
    assert payload("goodbye") in await call.sound()
    assert pbx.pools.ip_channel.used == 0


# -- calling back ----------------------------------------------------------------------------------------------


async def test_five_calls_back_as_the_user_and_gives_the_channel_up(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    """From outside, in the name of anna: ben sees her, and his call takes no IP channel (L-73)."""
    ben, outside = await pbx.phone("101"), await pbx.outside("+49731999")
    await put(pbx, tmp_path, caller="101")
    call = await BoxCaller.dial(outside, "08955550199")
    await call.identify(box="100")
    await call.hear("to_call_back")
    await call.press("5")
    rung = await ben.ringing()
    assert rung.caller == "100"
    await rung.answer()
    await asyncio.sleep(1)
    assert pbx.pools.ip_channel.used == 0
    await call.call.hang_up()
    await rung.ended()


async def test_who_does_not_answer_a_call_back_leads_back_to_the_message(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await put(pbx, tmp_path, caller="101")
    call = await listening(pbx)
    await call.hear("for_menu")
    await call.press("5")
    await call.hear("not_available")
    await call.hear("to_repeat", times=2)
    await call.call.hang_up()


OUT = """
[[trunk]]
name = "amt"
peers = ["127.0.0.30:5070"]
uri = "sip:127.0.0.30:5070"
"""
SMALL = read_site("small").text
PREFIXED = SMALL.replace(
    '\n[[trunk]]\nname = "amt"\npeers = ["127.0.0.30"]\n', OUT + 'outbound_prefix = "0"\n'
)
PLANNED = SMALL.replace('\n[[trunk]]\nname = "amt"\npeers = ["127.0.0.30"]\n', OUT) + (
    '\n[[dialling]]\ncountry = "49"\narea = "89"\nexit_code = "0"\n'
)


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        pytest.param("0731999", "0731999", marks=pytest.mark.ringfence(site=PREFIXED)),
        pytest.param("+49731999", "0049731999", marks=pytest.mark.ringfence(site=PREFIXED)),
        pytest.param("0731999", "0731999", marks=pytest.mark.ringfence(site=PLANNED)),
        pytest.param("+49731999", "+49731999", marks=pytest.mark.ringfence(site=PLANNED)),
    ],
    ids=["prefix", "prefix-e164", "plan", "plan-e164"],
)
async def test_a_call_back_leaves_the_house_as_the_user_would_dial(
    pbx: PbxUnderTest, tmp_path: Path, number: str, dialled: str
) -> None:
    """The number of the message is as signalled; prefix or exit code come before it, and go at the trunk."""
    far = await pbx.outside(dialled)
    await put(pbx, tmp_path, caller=number)
    call = await listening(pbx)
    await call.hear("to_call_back")
    await call.press("5")
    rung = await far.ringing()
    assert rung.called == dialled
    await rung.answer()
    await asyncio.sleep(1)
    assert pbx.pools.ip_channel.used == 0
    await call.call.hang_up()
    await rung.ended()


async def test_hash_goes_on_to_the_sound(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await put(pbx, tmp_path)
    call = await listening(pbx)
    await call.hear("message_received")
    await call.press("#")
    await call.hear("to_repeat")
    assert not await call.has_heard("message_from")
    assert (await call.audio()).power_at(500) > 0.02
    assert await read(pbx) == [True]
    await call.call.hang_up()


@pytest.mark.ringfence(site=SMALL.replace("[voicemail]", '[voicemail]\ntransfer = "hairpin"'))
async def test_by_hairpin_a_call_back_takes_a_second_channel_to_its_end(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    """L-72."""
    ben = await pbx.phone("101")
    await put(pbx, tmp_path, caller="101")
    call = await listening(pbx)
    await call.hear("to_call_back")
    await call.press("5")
    rung = await ben.ringing()
    await rung.answer()
    await asyncio.sleep(1)
    assert pbx.pools.ip_channel.used == 2
    await call.call.hang_up()
    await rung.ended()
    await asyncio.sleep(1)
    assert pbx.pools.ip_channel.used == 0


async def test_without_a_trunk_nobody_outside_is_called_back(pbx: PbxUnderTest, tmp_path: Path) -> None:
    """The rights are the user's: his refusal is a decision as if he had dialled, and he is back at his message."""
    await put(pbx, tmp_path, caller="0731999")
    call = await listening(pbx)
    await call.hear("to_call_back")
    await call.press("5")
    await pbx.wait_for(Refused, reason="trunk.none")
    await call.hear("not_available")
    await call.hear("to_repeat", times=2)
    await call.call.hang_up()
