"""The Auto Attendant on the wire: menu, transfer, and the two channels that a leg occupies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.tone_file import write_tone

from ringfence.channels.media.plane import Tone
from ringfence.fixtures.plugin import read_site

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
ATTENDANT = "08955550200"
SMALL = read_site("small").text
HAIRPIN = SMALL.replace('extension = "200"\n', 'extension = "200"\ntransfer = "hairpin"\n')


def used(pbx: PbxUnderTest) -> tuple[int, int]:
    """Return the IP and the attendant channels in use."""
    return pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used


async def test_an_attendant_leg_occupies_both_channels_until_it_ends(pbx: PbxUnderTest) -> None:
    """L-71."""
    caller = await pbx.outside("+49731999")
    call = await caller.dial(ATTENDANT)
    assert used(pbx) == (1, 1)
    await call.hang_up()
    await asyncio.sleep(1)
    assert used(pbx) == (0, 0)


async def test_a_digit_transfers_and_the_leases_are_given_up_when_the_target_answers(
    pbx: PbxUnderTest,
) -> None:
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("2")
    ringing = await ben.ringing()
    assert used(pbx) == (1, 1)
    await ringing.answer()
    await asyncio.sleep(0.1)
    assert used(pbx) == (0, 0)
    await call.play(Tone((440,), 1.0))
    assert (await ringing.heard()).contains_tone(440)
    await ringing.hang_up()
    await call.ended()


async def test_the_next_caller_hears_the_announcement_that_the_attendant_was_given(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    sounds = pbx.server.store.sounds
    write_tone(tmp_path / "menu.wav", 900, 2)
    await sounds.set_prompt("zentrale", await sounds.keep(tmp_path / "menu.wav", 2.0))
    caller = await pbx.outside("+49731999")
    call = await caller.dial(ATTENDANT)
    await asyncio.sleep(2)
    assert (await call.heard()).between(0.2, 1.8).contains_tone(900, 0.95)
    await call.hang_up()


async def test_a_target_that_is_busy_leads_back_to_the_menu(pbx: PbxUnderTest) -> None:
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    ben.busy_with = 486
    call = await caller.dial(ATTENDANT)
    await call.send_digits("2")
    await asyncio.sleep(8)
    ben.busy_with = None
    await call.send_digits("2")
    await ben.answer()
    await call.hang_up()


async def test_a_digit_can_lead_to_a_box_which_keeps_the_ip_channel_only(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("3")
    await asyncio.sleep(1)
    assert used(pbx) == (1, 0)
    await asyncio.sleep(11)
    await call.play(Tone((500,), 2.0))
    await call.hang_up()
    await asyncio.sleep(1)
    assert len(await pbx.voicemails("clara")) == 1


async def test_the_target_s_own_forwarding_is_followed(pbx: PbxUnderTest) -> None:
    """Nobody is registered at 100, whose calls then go to her box."""
    caller = await pbx.outside("+49731999")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("1")
    await asyncio.sleep(13)
    await call.play(Tone((500,), 2.0))
    await call.hang_up()
    await asyncio.sleep(1)
    assert len(await pbx.voicemails("anna")) == 1


@pytest.mark.ringfence(site=HAIRPIN)
async def test_a_hairpin_transfer_holds_a_second_ip_channel_to_the_end(pbx: PbxUnderTest) -> None:
    """L-72."""
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("2")
    ringing = await ben.ringing()
    assert used(pbx) == (2, 1)
    await ringing.answer()
    await asyncio.sleep(1)
    assert used(pbx) == (2, 1)
    await call.hang_up()
    await ringing.ended()
    assert used(pbx) == (0, 0)


@pytest.mark.ringfence(site=HAIRPIN)
async def test_without_a_second_channel_a_hairpin_transfer_leads_back_to_the_menu(pbx: PbxUnderTest) -> None:
    """L-72: none is free, so the target does not even ring."""
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    others = [await caller.dial("08955550*100") for _ in range(3)]
    call = await caller.dial(ATTENDANT)
    await call.send_digits("2")
    await asyncio.sleep(3)
    assert not ben.calls
    assert not call.is_over
    assert pbx.pools.ip_channel.denied == 1
    for one in (*others, call):
        await one.hang_up()


async def test_the_menu_repeats_and_the_leg_ends_after_a_minute_without_a_digit(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    began = asyncio.get_running_loop().time()
    call = await caller.dial(ATTENDANT)
    await call.ended(120)
    assert asyncio.get_running_loop().time() - began == pytest.approx(60, abs=1)
    heard = await call.heard()
    assert heard.between(45, 58).rms > 100


@pytest.mark.ringfence(site=SMALL.replace("ip_channel = 4", "ip_channel = 2"))
async def test_v7_the_third_attendant_call_on_two_ip_channels_misses_an_ip_channel(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    calls = [await caller.dial(ATTENDANT) for _ in range(3)]
    assert [(c.status, c.reason) for c in calls] == [(200, None), (200, None), (503, "ip_channel.exhausted")]
    assert used(pbx) == (2, 2)
    for call in calls[:2]:
        await call.hang_up()


@pytest.mark.ringfence(site=SMALL.replace("ip_channel = 4", "ip_channel = 25"))
async def test_v7b_the_twenty_first_attendant_call_misses_an_attendant_channel(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    calls = [await caller.dial(ATTENDANT) for _ in range(21)]
    assert [c.status for c in calls[:20]] == [200] * 20
    assert (calls[20].status, calls[20].reason, calls[20].cause) == (503, "auto_attendant.exhausted", 34)
    for call in calls[:20]:
        await call.hang_up()


@pytest.mark.ringfence(site=SMALL.replace("auto_attendant = 1\n", ""))
async def test_without_an_attendant_licence_it_does_not_answer(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial(ATTENDANT)
    assert (call.status, call.reason) == (403, "license.auto_attendant.under_licensed")


@pytest.mark.ringfence(site=SMALL.replace("server = 1\n", ""))
async def test_without_server_nothing_answers(pbx: PbxUnderTest) -> None:
    """L-21."""
    caller = await pbx.outside("+49731999")
    attendant, box = await caller.dial(ATTENDANT), await caller.dial("08955550*100")
    assert (attendant.status, attendant.reason) == (403, "server.unlicensed")
    assert (box.status, box.reason) == (403, "license.voicemail.blocked")


@pytest.mark.ringfence(site=SMALL.replace('"1" = "100"', '"#" = "101"'))
async def test_hash_is_a_key_of_the_menu_like_any_other(pbx: PbxUnderTest) -> None:
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("#")
    await ben.answer()
    await call.hang_up()


@pytest.mark.ringfence(site=HAIRPIN)
async def test_a_hairpin_whose_caller_vanishes_gives_its_channels_back(pbx: PbxUnderTest) -> None:
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("2")
    answered = await ben.answer()
    await asyncio.sleep(1)
    await caller.unplug()
    await answered.ended(70)
    assert used(pbx) == (0, 0)


async def test_keys_pressed_while_a_target_rings_are_no_choice_from_the_menu(pbx: PbxUnderTest) -> None:
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("2")
    ringing = await ben.ringing()
    await call.send_digits("22")
    ringing.refuse(486)
    await asyncio.sleep(5)
    assert len(ben.calls) == 1
    await call.hang_up()
