"""A caller holds a feature, and comes back: nothing that was said meanwhile is lost (RFC 3264 8.4)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import RawCaller

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import decode
from ringfence.channels.media.plane import Codec, Prompt, Tone
from ringfence.channels.media.prompts import prompt_payload
from ringfence.features.attendant.settings import ANNOUNCEMENT
from ringfence.server.sip.sdp import Direction
from ringfence.server.switch.events import DigitPressed, MessageLeft

if TYPE_CHECKING:
    from array import array

    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

pytestmark = pytest.mark.virtual_time
ATTENDANT, BOX = "08955550200", "08955550*100"
LONG_S = 600.0


def without_silence(samples: array[int]) -> array[int]:
    loud = [at for at, sample in enumerate(samples) if abs(sample) > 8]
    return samples[loud[0] : loud[-1] + 1]


def place_of(part: array[int], whole: array[int]) -> tuple[int, int]:
    """Return where in `whole` a part begins and ends."""
    at = whole.tobytes().find(part.tobytes())
    assert at >= 0
    assert at % 2 == 0
    return at // 2, at // 2 + len(part)


@pytest.mark.parametrize("direction", [Direction.SENDONLY, Direction.INACTIVE])
async def test_an_announcement_goes_on_where_it_was(pbx: PbxUnderTest, direction: Direction) -> None:
    call = await (await pbx.outside("089123456")).dial(ATTENDANT)
    await call.answered()
    await call.heard()
    await asyncio.sleep(1.5)
    await call.reoffer(direction)
    before = await call.heard()
    await asyncio.sleep(LONG_S)
    meanwhile = await call.heard()
    await call.resume()
    await asyncio.sleep(1.5)
    after = await call.heard()
    assert meanwhile.rms == 0
    assert isinstance(ANNOUNCEMENT, Prompt)
    language = pbx.server.site.server.language
    whole = decode(prompt_payload(Prompt(ANNOUNCEMENT.name, language), Codec.PCMA), Codec.PCMA)
    begin, stopped = place_of(without_silence(before.samples), whole)
    went_on, end = place_of(without_silence(after.samples), whole)
    assert begin < 8000
    assert end - begin == pytest.approx(3.0 * 8000, abs=0.4 * 8000)
    assert went_on >= stopped
    assert all(abs(sample) <= 8 for sample in whole[stopped:went_on]), "nothing was left out"
    await call.hang_up()


async def message_on_hold(pbx: PbxUnderTest) -> PhoneCall:
    """Say 500 Hz to a box for two seconds, and hold."""
    call = await (await pbx.outside("089123456")).dial(BOX)
    await call.answered()
    await call.hear_tone(1000)
    await asyncio.sleep(0.5)
    await call.play(Tone((500,), 2.0))
    await call.hold()
    return call


async def test_a_message_goes_on_without_what_was_played_to_it_meanwhile(pbx: PbxUnderTest) -> None:
    """Nor does the time count of which a message may have no more than 5 minutes."""
    call = await message_on_hold(pbx)
    await call.play(Tone((700,), LONG_S))  # the holder's own music
    await call.resume()
    await call.play(Tone((900,), 2.0))
    await call.hang_up()
    await pbx.wait_for(MessageLeft, user="anna")
    (message,) = await pbx.voicemails("anna")
    sound = Audio.from_wav(message.path)
    assert 4.0 <= sound.duration_s < 5.0
    assert sound.power_at(700) < 0.01
    end = sound.duration_s
    assert sound.between(end - 1.9, end - 0.1).contains_tone(900, 0.95)
    assert sound.between(end - 3.9, end - 2.2).contains_tone(500, 0.95)


async def test_who_hangs_up_while_he_holds_has_left_what_he_said_before(pbx: PbxUnderTest) -> None:
    call = await message_on_hold(pbx)
    await asyncio.sleep(30)
    await call.hang_up()
    await pbx.wait_for(MessageLeft, user="anna")
    (message,) = await pbx.voicemails("anna")
    sound = Audio.from_wav(message.path)
    assert 2.0 <= sound.duration_s < 3.0
    assert sound.contains_tone(500, 0.9)


async def test_an_attendant_waits_and_its_menu_leads_on_afterwards(pbx: PbxUnderTest) -> None:
    """Nobody is impatient with who holds; his channels he keeps."""
    ben = await pbx.phone("101")
    call = await (await pbx.outside("089123456")).dial(ATTENDANT)
    await call.answered()
    for _ in range(2):
        await asyncio.sleep(50)
        await call.hold()
        await asyncio.sleep(LONG_S)
        assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (1, 1)
        await call.resume()
    await call.heard()
    await asyncio.sleep(12)
    assert (await call.heard()).rms > 100, "the menu is said again"
    await call.send_digits("2")
    answered = await ben.answer()
    await asyncio.sleep(0.5)
    await answered.heard()
    await call.play(Tone((440,), 1.0))
    assert (await answered.heard()).contains_tone(440, 0.9)
    await call.hang_up()


async def test_the_patience_is_whole_again_after_the_hold(pbx: PbxUnderTest) -> None:
    call = await (await pbx.outside("089123456")).dial(ATTENDANT)
    await call.answered()
    await asyncio.sleep(50)
    await call.hold()
    await asyncio.sleep(LONG_S)
    await call.resume()
    resumed_at = asyncio.get_running_loop().time()
    await call.ended(timeout_s=100)
    assert asyncio.get_running_loop().time() - resumed_at == pytest.approx(60, abs=0.5)


async def test_a_number_may_be_finished_after_a_hold(pbx: PbxUnderTest) -> None:
    """The 5 seconds for the next digit stand still; digits pressed meanwhile count."""
    call = await (await pbx.outside("089123456")).dial("08955550199")
    await call.answered()
    await call.send_digits("10")
    await call.hold()
    await asyncio.sleep(30)
    await call.send_info_digits("1")
    await asyncio.sleep(30)
    await call.resume()
    await call.send_digits("#")
    await asyncio.sleep(0.5)
    await call.heard()
    await asyncio.sleep(1.5)
    language = pbx.server.site.server.language
    asked = decode(prompt_payload(Prompt("enter_pin", language), Codec.PCMA), Codec.PCMA)
    assert place_of(without_silence((await call.heard()).samples), asked)[0] > 0
    happened = [stamped.event for stamped in pbx.server.stream.recent]
    assert "".join(event.digit for event in happened if isinstance(event, DigitPressed)) == "101#"
    await call.hang_up()


async def test_silence_of_who_holds_is_no_reason_to_end_and_counts_from_the_resume(pbx: PbxUnderTest) -> None:
    """RFC 3264 8.4: a telephone that holds by sendonly may send nothing."""
    async with RawCaller(pbx) as caller:
        assert (await caller.invite("*100")).status == 200
        caller.ack()
        await asyncio.sleep(30)
        assert (await caller.ask("INVITE", body=caller.sdp("sendonly"))).status == 200
        caller.ack()
        await asyncio.sleep(LONG_S)
        assert pbx.pools.ip_channel.used == 1
        assert (await caller.ask("INVITE", body=caller.sdp())).status == 200
        caller.ack()
        resumed_at = asyncio.get_running_loop().time()
        bye = await caller.request_from_server()
        assert bye.method == "BYE"
        assert asyncio.get_running_loop().time() - resumed_at == pytest.approx(60, abs=0.5)
        caller.respond(bye, 200)


async def test_who_never_listened_does_not_hold(pbx: PbxUnderTest) -> None:
    """RFC 3264 5.1: an INVITE with sendonly leaves a message without hearing the greeting."""
    async with RawCaller(pbx) as caller:
        assert (await caller.invite("*100", direction="sendonly")).status == 200
        caller.ack()
        bye = await caller.request_from_server()
        assert bye.method == "BYE"
        caller.respond(bye, 200)
        assert "cause=41" in (bye.get("reason") or "")
