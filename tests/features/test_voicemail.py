"""Voicemail on the wire: leaving a message, and listening to it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
from tests.tone_file import write_tone

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import SILENCE, encode
from ringfence.channels.media.plane import Codec, Prompt, Tone
from ringfence.channels.media.prompts import prompt_payload
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import SetSetting
from ringfence.server.switch.events import MessageLeft

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

pytestmark = pytest.mark.virtual_time
ROOT = "08955550"
GREETING_AND_BEEP_S = 11.0


async def leave(call: PhoneCall, frequency_hz: int = 500, seconds: float = 3.0) -> None:
    """Wait for the tone, speak, and hang up."""
    await call.answered()
    await asyncio.sleep(GREETING_AND_BEEP_S)
    await call.play(Tone((frequency_hz,), seconds))
    await call.hang_up()


async def test_a_message_is_kept_with_its_sound_and_the_numbers_as_signalled(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    (message,) = await pbx.voicemails("anna")
    assert (message.caller, message.called, message.read) == ("+49731999", f"{ROOT}*100", False)
    sound = Audio.from_wav(message.path)
    assert sound.between(sound.duration_s - 2.5).contains_tone(500)


async def test_the_greeting_begins_within_a_second_and_ends_with_a_tone(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(GREETING_AND_BEEP_S)
    heard = await call.heard()
    assert heard.between(0, 1).rms > 100
    assert heard.duration_s == pytest.approx(GREETING_AND_BEEP_S, abs=0.3)
    await call.hang_up()


async def test_the_next_caller_hears_the_greeting_that_the_box_was_given(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    write_tone(tmp_path / "greeting.wav", 900, 3)
    sound = await pbx.server.store.sounds.keep(tmp_path / "greeting.wav", 3.0)
    await pbx.server.administration.apply(SetSetting("anna", "voicemail", "greeting", asdict(sound)))
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(3.3)
    heard = await call.heard()
    assert heard.between(0.2, 2.8).contains_tone(900, 0.95)
    assert heard.between(3.05, 3.3).contains_tone(1000)
    await call.hang_up()


async def test_what_is_shorter_than_a_second_is_no_message(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(1)
    await call.hang_up()
    assert await pbx.voicemails("anna") == ()


async def test_hash_ends_a_message_and_the_leg(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(GREETING_AND_BEEP_S + 2)
    await call.send_digits("#")
    await call.ended()
    await pbx.wait_for(MessageLeft, user="anna")


@pytest.mark.parametrize(
    ("extension", "reason", "status"),
    [("103", "license.voicemail.under_licensed", 403), ("104", "function.not_configured", 404)],
)
async def test_a_box_without_a_licence_takes_no_message(
    pbx: PbxUnderTest, extension: str, reason: str, status: int
) -> None:
    """L-47 and the table of reasons: a mailbox that is switched off is 404, one without a seat 403."""
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*{extension}")
    assert (call.status, call.reason) == (status, reason)
    assert pbx.pools.ip_channel.high_water == 0


ONE_CHANNEL = """
[server]
domain = "eins.example"
[entitlements]
server = 1
ip_channel = 1
voicemail = 2
auto_attendant = 1
[[location]]
name = "Haus"
functions = ["voicemail"]
[[user]]
name = "anna"
location = "Haus"
extension = "100"
password = "Anna-1000-Apfel"
[[trunk]]
name = "amt"
peers = ["127.0.0.30"]
numbers = "08955550"
[[auto_attendant]]
name = "zentrale"
extension = "200"
menu = { "1" = "100" }
"""


@pytest.mark.ringfence(site=ONE_CHANNEL)
async def test_below_two_ip_channels_no_box_and_no_attendant_answers(pbx: PbxUnderTest) -> None:
    """L-30, L-32, V5."""
    caller = await pbx.outside("+49731999")
    box, attendant = await caller.dial(f"{ROOT}*100"), await caller.dial(f"{ROOT}200")
    assert (box.status, box.reason) == (403, "license.voicemail.blocked")
    assert (attendant.status, attendant.reason) == (403, "license.auto_attendant.blocked")


GERMAN = ONE_CHANNEL.replace('domain = "eins', 'language = "de"\ndomain = "eins').replace(
    "ip_channel = 1", "ip_channel = 2"
)


@pytest.mark.ringfence(site=GERMAN)
async def test_a_site_speaks_its_language(pbx: PbxUnderTest) -> None:
    """`[server] language`: what is heard is the German greeting, and nothing of it is missing."""
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(GREETING_AND_BEEP_S)
    heard = encode((await call.heard()).samples, Codec.PCMA)
    assert prompt_payload(Prompt("greeting", "de"), Codec.PCMA).strip(SILENCE[Codec.PCMA]) in heard
    await call.hang_up()


async def test_after_the_move_to_a_group_without_it_the_box_takes_no_call(pbx: PbxUnderTest) -> None:
    """L-07; what is stored stays (A-04)."""
    caller = await pbx.outside("+49731999")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    await pbx.move("anna", "Haus", "Lager")
    call = await caller.dial(f"{ROOT}*100")
    assert (call.status, call.reason) == (404, "function.not_configured")
    assert len(await pbx.voicemails("anna")) == 1


async def test_the_owner_listens_with_the_pin_and_hears_the_message(pbx: PbxUnderTest) -> None:
    caller, anna = await pbx.outside("+49731999"), await pbx.phone("100")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    call = await anna.dial("199")
    await call.send_digits("8264#")
    await call.ended(120)
    assert (await call.heard()).power_at(500) > 0.05
    assert [message.read for message in await pbx.voicemails("anna")] == [True]


async def test_three_deletes_a_message(pbx: PbxUnderTest) -> None:
    caller, anna = await pbx.outside("+49731999"), await pbx.phone("100")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    call = await anna.dial("199")
    await call.send_digits("8264#")
    await asyncio.sleep(4)
    await call.send_digits("3")
    await call.ended(120)
    assert await pbx.voicemails("anna") == ()


async def test_three_wrong_pins_end_the_call(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    call = await anna.dial("199")
    await call.answered()
    for _ in range(3):
        await call.send_digits("0000#")
        await asyncio.sleep(5)
    await call.ended(60)


async def test_a_stranger_needs_box_number_and_pin(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    call = await caller.dial(f"{ROOT}199")
    await call.send_digits("100#8264#")
    await call.ended(120)
    assert [message.read for message in await pbx.voicemails("anna")] == [True]


NO_PIN = read_site("small").text.replace(
    'direct_prefix = "*"', 'direct_prefix = "*"\npin_from_own_phone = false'
)


@pytest.mark.ringfence(site=NO_PIN)
async def test_without_pin_from_own_phone_the_owner_just_listens(pbx: PbxUnderTest) -> None:
    caller, anna = await pbx.outside("+49731999"), await pbx.phone("100")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    await (await anna.dial("199")).ended(120)
    assert [message.read for message in await pbx.voicemails("anna")] == [True]


async def test_a_caller_who_vanishes_frees_his_channel_after_a_minute(pbx: PbxUnderTest) -> None:
    """Without RTP a leg ends after 60 s."""
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await caller.unplug()
    await asyncio.sleep(75)
    assert pbx.pools.ip_channel.used == 0


async def test_a_forwarded_message_tells_the_number_that_was_dialled(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    await leave(await caller.dial(f"{ROOT}100"))
    await pbx.wait_for(MessageLeft, user="anna")
    assert [message.called for message in await pbx.voicemails("anna")] == [f"{ROOT}100"]


async def test_a_long_message_is_heard_to_its_end(pbx: PbxUnderTest) -> None:
    caller, anna = await pbx.outside("+49731999"), await pbx.phone("100")
    await leave(await caller.dial(f"{ROOT}*100"), seconds=90)
    await pbx.wait_for(MessageLeft, user="anna")
    call = await anna.dial("199")
    await call.send_digits("8264#")
    await call.ended(200)
    assert (await call.heard()).power_at(500) > 0.5


async def test_a_digit_before_a_message_does_not_delete_it(pbx: PbxUnderTest) -> None:
    caller, anna = await pbx.outside("+49731999"), await pbx.phone("100")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    call = await anna.dial("199")
    await call.send_digits("8264#3")
    await call.ended(120)
    assert len(await pbx.voicemails("anna")) == 1
