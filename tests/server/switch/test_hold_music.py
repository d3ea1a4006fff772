"""Who is held in a bridged call hears music, and the other one again after the resume (RFC 3264 8.4, RFC 6337 5.3)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.server.switch import talk
from tests.server.switch.talk import bridged

from ringfence.channels.media.g711 import SAMPLE_RATE_HZ, decode
from ringfence.channels.media.plane import Codec, Tone
from ringfence.channels.media.prompts import music_payload
from ringfence.server.sip.sdp import Direction

if TYPE_CHECKING:
    from ringfence.channels.media.audio import Audio
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

PIECE = decode(music_payload(Codec.PCMA), Codec.PCMA)
TALK = Tone((440,))
pytestmark = pytest.mark.virtual_time
hears = partial(talk.hears, share=0.95)  # and nothing else


async def heard_in(call: PhoneCall, seconds: float) -> Audio:
    """Return what is heard from now on for so long."""
    await call.heard()
    await asyncio.sleep(seconds)
    return await call.heard()


def place_in_piece(heard: Audio) -> int:
    """Return at which sample of the music all that was heard begins, -1 if it is anything else."""
    endless = PIECE * (2 + len(heard.samples) // len(PIECE))
    at = endless.tobytes().find(heard.samples.tobytes())
    return at // 2 if at % 2 == 0 else -1


async def is_music(call: PhoneCall, seconds: float = 1.0) -> bool:
    """Tell whether for so long nothing but the music is heard."""
    heard = await heard_in(call, seconds)
    return heard.duration_s == pytest.approx(seconds, abs=0.1) and place_in_piece(heard) >= 0


@pytest.mark.parametrize("direction", [Direction.SENDONLY, Direction.INACTIVE])
@pytest.mark.parametrize("caller_holds", [True, False])
async def test_who_is_held_hears_music_and_then_the_other_one_again(
    pbx: PbxUnderTest, direction: Direction, *, caller_holds: bool
) -> None:
    """RFC 3264 8.4: sendonly, or inactive; what is said meanwhile beside the telephone stays there."""
    call, answered = await bridged(pbx)
    holder, held = (call, answered) if caller_holds else (answered, call)
    await holder.play(TALK)
    assert (await heard_in(held, 0.5)).contains_tone(440, 0.95)
    await held.heard()
    await holder.reoffer(direction)
    await asyncio.sleep(0.5)
    assert held.is_held
    assert await is_music(held, 2.0)
    assert (await heard_in(holder, 0.5)).rms < 10, "who holds hears nothing"
    await holder.resume()
    await asyncio.sleep(0.5)
    assert not held.is_held
    assert (await heard_in(held, 0.5)).contains_tone(440, 0.95)
    assert await hears(holder, held)
    await call.hang_up()


async def test_the_music_is_one_stream_with_the_talk_and_both_verdicts_are_right(pbx: PbxUnderTest) -> None:
    """RFC 3550 5.1: to the held telephone nothing is lost, late or of another source."""
    call, answered = await bridged(pbx)
    await asyncio.sleep(1)
    await call.hold()
    await asyncio.sleep(5)
    await call.resume()
    await asyncio.sleep(1)
    holder, held = [await one.measured() for one in pbx.server.switch.connections.values()]
    assert holder is not None
    assert held is not None
    assert held.packets_sent == pytest.approx(350, abs=10), "music counts as sent"
    assert holder.packets_sent == pytest.approx(100, abs=10)
    assert holder.packets_received == pytest.approx(350, abs=10)
    assert (holder.packets_refused, held.packets_refused) == (0, 0)
    await call.hang_up()
    await answered.ended()
    verdict = answered.verdict
    assert verdict.packets_received == pytest.approx(350, abs=10)
    assert (verdict.packets_lost, verdict.packets_duplicate, verdict.packets_reordered) == (0, 0, 0)
    assert verdict.mos is not None
    assert verdict.mos > 4.3


async def test_the_piece_begins_with_the_hold_and_again_when_it_is_over(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    await call.reoffer(Direction.INACTIVE)
    seconds = len(PIECE) / SAMPLE_RATE_HZ + 3
    heard = await heard_in(answered, seconds)
    assert heard.duration_s == pytest.approx(seconds, abs=0.1)
    assert place_in_piece(heard) < SAMPLE_RATE_HZ / 2
    await call.resume()
    await call.hold()
    assert place_in_piece(await heard_in(answered, 1.0)) < SAMPLE_RATE_HZ / 2
    await call.hang_up()


async def test_an_offer_that_repeats_the_hold_does_not_begin_the_music_anew(pbx: PbxUnderTest) -> None:
    """RFC 4028 7.4: a refresh changes nothing."""
    call, answered = await bridged(pbx)
    await call.hold()
    await answered.heard()
    await asyncio.sleep(1)
    await call.hold()
    await answered.reoffer()
    await asyncio.sleep(1)
    heard = await answered.heard()
    assert heard.duration_s > 1.9
    assert place_in_piece(heard) >= 0
    await call.hang_up()


async def test_a_hold_by_update_has_music_too(pbx: PbxUnderTest) -> None:
    """RFC 3311 5.2; and by the address of RFC 2543, which RFC 3264 8.4 still knows."""
    call, answered = await bridged(pbx)
    for offer in (
        call.offer().replace(b"a=sendrecv", b"a=sendonly"),
        call.offer().replace(b"IN IP4 127.0.0.1", b"IN IP4 0.0.0.0"),
    ):
        assert call.leg is not None
        assert call.leg.update(offer, call._phone.now())
        call._phone.flush()
        await asyncio.sleep(0.5)
        assert await is_music(answered)
        await call.resume()
        await asyncio.sleep(0.5)
        assert await hears(answered, call)
    await call.hang_up()


async def test_when_both_hold_only_who_resumes_hears_music(pbx: PbxUnderTest) -> None:
    """RFC 3264 8.4: nothing is sent to who does not want to receive."""
    call, answered = await bridged(pbx)
    await call.hold()
    await asyncio.sleep(0.5)
    await answered.hold()
    await asyncio.sleep(0.5)
    assert [(await heard_in(one, 1.0)).duration_s for one in (call, answered)] == [0, 0]
    await call.resume()
    await asyncio.sleep(0.5)
    assert await is_music(call)
    await answered.resume()
    await asyncio.sleep(0.5)
    assert await hears(call, answered)
    assert await hears(answered, call)
    await call.hang_up()


async def test_the_music_has_the_codec_of_who_hears_it(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    answered._phone.codecs = (Codec.PCMU,)
    await answered.reoffer()
    await call.hold()
    await asyncio.sleep(0.5)
    heard = await heard_in(answered, 1.0)
    expected = decode(music_payload(Codec.PCMU), Codec.PCMU).tobytes()
    assert heard.duration_s == pytest.approx(1.0, abs=0.1)
    assert heard.samples.tobytes() in expected
    await call.hang_up()


async def test_a_caller_from_outside_is_entertained_as_well(pbx: PbxUnderTest) -> None:
    anna, outside = await pbx.phone("100"), await pbx.outside("089123456")
    call = await outside.dial("08955550100")
    answered = await anna.answer()
    await answered.hold()
    await asyncio.sleep(0.5)
    assert await is_music(call)
    await answered.hang_up()
    await call.ended()


async def test_who_is_transferred_hears_it_ringing_and_music_again_when_nobody_answers(
    pbx: PbxUnderTest,
) -> None:
    """RFC 5589 6.1 and 6.3."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    await call.hold()
    await asyncio.sleep(0.5)
    assert await is_music(answered)
    transferring = asyncio.ensure_future(call.transfer("102"))
    ringing = await clara.ringing()
    await asyncio.sleep(0.5)
    await call.hold()  # a refresh of who transfers
    assert (await heard_in(answered, 1.0)).contains_tone(425, 0.9)
    ringing.refuse()
    assert await transferring == 486
    await asyncio.sleep(0.5)
    assert await is_music(answered)
    await call.resume()
    await asyncio.sleep(0.5)
    assert await hears(answered, call)
    await call.hang_up()


async def test_the_music_ends_when_an_attended_transfer_joins_the_two(pbx: PbxUnderTest) -> None:
    """RFC 5589 7."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    await call.hold()
    consultation = await call._phone.dial("102")
    target = await clara.answer()
    await consultation.answered()
    await consultation.hold()
    await asyncio.sleep(0.5)
    assert await is_music(answered)
    assert await is_music(target)
    assert await call.transfer_to(consultation) == 200
    await asyncio.sleep(0.5)
    assert await hears(target, answered)
    assert await hears(answered, target)
    await target.hang_up()
    await answered.ended()
