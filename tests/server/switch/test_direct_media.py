"""`[media] direct`: two telephones send their audio to each other, and to the plane where it has to stand between."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.talk import bridged, hears

from ringfence.channels.media.g711 import decode
from ringfence.channels.media.plane import Codec, Tone
from ringfence.channels.media.prompts import music_payload
from ringfence.fixtures.plugin import read_site
from ringfence.server.sip import offer_answer
from ringfence.server.sip.effects import LegReoffered
from ringfence.server.sip.sdp import Direction, Sdp

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.sip.effects import LegEffect
    from ringfence.server.switch.connection import Connection

DIRECT = read_site("small").text + "\n[media]\ndirect = true\n"
pytestmark = [pytest.mark.virtual_time, pytest.mark.ringfence(site=DIRECT)]


def connection_of(pbx: PbxUnderTest, device: str) -> Connection:
    (found,) = [one for one in pbx.server.switch.connections.values() if one.device == device]
    return found


async def carried(pbx: PbxUnderTest, seconds: float = 1.0) -> list[int]:
    """Return how many packets the plane takes and sends for each leg from now on."""
    await asyncio.sleep(0.1)  # what is on its way
    legs = list(pbx.server.switch.connections.values())
    before = [await one.measured() for one in legs]
    await asyncio.sleep(seconds)
    after = [await one.measured() for one in legs]
    counts = []
    for old, new in zip(before, after, strict=True):
        assert old is not None
        assert new is not None
        counts.append(
            new.packets_received + new.packets_sent + new.packets_refused
            - old.packets_received - old.packets_sent - old.packets_refused
        )  # fmt: skip
    return counts


async def is_direct(pbx: PbxUnderTest) -> bool:
    """Whether nothing goes through the plane; the other thing is everything of both, twice 50 a second and leg."""
    counts = await carried(pbx)
    if not any(counts):
        return True
    assert counts == pytest.approx([100, 100], abs=8)
    return False


async def talk_both_ways(one: PhoneCall, other: PhoneCall) -> None:
    assert await hears(one, other, share=0.95)
    assert await hears(other, one, share=0.95)


async def speak_directly(pbx: PbxUnderTest, one: PhoneCall, other: PhoneCall) -> None:
    assert await is_direct(pbx)
    await talk_both_ways(one, other)


def offers_to(call: PhoneCall) -> list[Sdp]:
    """Keep what the server offers to a telephone from now on."""
    offers: list[Sdp] = []
    tell = call.on_leg

    def listen(effect: LegEffect) -> None:
        if isinstance(effect, LegReoffered):
            offers.append(Sdp.parse(effect.request.body))
        tell(effect)

    call.on_leg = listen  # type: ignore[method-assign]
    return offers


async def test_two_telephones_send_to_each_other_and_not_to_the_server(pbx: PbxUnderTest) -> None:
    """RFC 3264 8: each is offered the stream of the other in the session that it has with us."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    answered = await ben.ringing()
    offers = offers_to(call), offers_to(answered)
    await answered.answer()
    await asyncio.sleep(0.5)
    await speak_directly(pbx, call, answered)
    resting = connection_of(pbx, "100").negotiation.remote("127.0.0.1", energy=False)
    assert resting is not None
    assert (resting.sends, resting.receives, resting.rtcp, resting.rtcp_mux) == (False, False, None, False)
    ports = [one._stream.local.port for one in (answered, call)]
    for told, port in zip(offers, ports, strict=True):
        (offer,) = told
        assert (offer.host, offer.media[0].port, offer.media[0].formats) == ("127.0.0.1", port, ("8", "101"))
        assert (offer.origin_host, offer.version) == (pbx.server.switch.media_host, 2)
    await call.hang_up()
    await answered.ended()


async def test_nothing_is_lost_when_the_audio_leaves_the_plane(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    await call.play(Tone((440,), 2.0))
    heard = await answered.heard()
    await asyncio.sleep(1)
    assert await is_direct(pbx)
    assert heard.contains_tone(440, 0.95)
    await call.hang_up()
    await answered.ended()
    for one in (call, answered):
        assert one.verdict.packets_lost == 0
        assert one.verdict.packets_received == pytest.approx(150 + 50, abs=90)


@pytest.mark.ringfence(site="small")
async def test_without_the_setting_the_plane_carries_everything(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    offers = offers_to(call), offers_to(answered)
    await asyncio.sleep(0.5)
    assert not await is_direct(pbx)
    assert offers == ([], [])
    await call.hang_up()


@pytest.mark.ringfence(site=DIRECT + "energy = true\n")
async def test_a_site_that_wants_loudness_measured_has_no_direct_audio(pbx: PbxUnderTest) -> None:
    call, _answered = await bridged(pbx)
    await asyncio.sleep(0.5)
    assert not await is_direct(pbx)
    await call.hang_up()


@pytest.mark.parametrize("direction", [Direction.SENDONLY, Direction.INACTIVE])
@pytest.mark.parametrize("caller_holds", [True, False])
async def test_who_is_held_hears_the_music_of_the_plane_and_then_the_other_one_directly(
    pbx: PbxUnderTest, direction: Direction, *, caller_holds: bool
) -> None:
    """RFC 3264 8.4."""
    call, answered = await bridged(pbx)
    holder, held = (call, answered) if caller_holds else (answered, call)
    await asyncio.sleep(0.5)
    for _ in range(2):
        await holder.reoffer(direction)
        await asyncio.sleep(0.5)
        await held.heard()
        await asyncio.sleep(1)
        music = decode(music_payload(Codec.PCMA), Codec.PCMA).tobytes()
        assert (await held.heard()).samples.tobytes() in music * 2
        await holder.resume()
        await asyncio.sleep(0.5)
        assert await is_direct(pbx)
        await talk_both_ways(call, answered)
    await call.hang_up()


async def test_two_holds_at_once_are_glare_and_both_end_where_they_were(pbx: PbxUnderTest) -> None:
    """RFC 3261 14.1: who gets a 491 goes on after a pause, on each side of the bridge."""
    call, answered = await bridged(pbx)
    await asyncio.gather(call.hold(), answered.hold())  # our own re-INVITEs are on their way, too
    await asyncio.sleep(10)
    assert not any(await carried(pbx))
    await asyncio.gather(call.resume(), answered.resume())
    await asyncio.sleep(10)
    await speak_directly(pbx, call, answered)
    await call.hang_up()


async def test_a_refresh_by_the_telephone_changes_nothing(pbx: PbxUnderTest) -> None:
    """RFC 4028 7.4: the answer has the far telephone's address again, and nobody else is asked."""
    call, answered = await bridged(pbx)
    await asyncio.sleep(0.5)
    offers = offers_to(call), offers_to(answered)
    for one, other in ((call, answered), (answered, call)):
        answer = Sdp.parse((await one.reoffer()).body)
        assert (answer.host, answer.media[0].port) == ("127.0.0.1", other._stream.local.port)
        assert answer.origin_host == pbx.server.switch.media_host
    await asyncio.sleep(0.5)
    assert offers == ([], [])
    assert await is_direct(pbx)
    await call.hang_up()


async def test_the_server_asks_as_ever_whether_a_telephone_is_there(pbx: PbxUnderTest) -> None:
    """RFC 4028 7.4: by a re-INVITE with what is in use; RFC 3261 15: who hangs up ends both."""
    call, answered = await bridged(pbx)
    await asyncio.sleep(0.5)
    offers = offers_to(call)
    connection_of(pbx, "100").renegotiation.refresh()
    await asyncio.sleep(0.5)
    assert [(one.host, one.media[0].port) for one in offers] == [("127.0.0.1", answered._stream.local.port)]
    await speak_directly(pbx, call, answered)
    await answered.hang_up()
    await call.ended()
    assert not pbx.server.switch.connections


async def test_a_telephone_that_offers_another_codec_is_translated_by_the_plane(pbx: PbxUnderTest) -> None:
    """RFC 3264 8.3.2; and back again."""
    call, answered = await bridged(pbx)
    await asyncio.sleep(0.5)
    call._phone.codecs = (Codec.PCMU,)
    await call.reoffer()
    await asyncio.sleep(0.5)
    assert not await is_direct(pbx)
    await talk_both_ways(call, answered)
    call._phone.codecs = (Codec.PCMA,)
    await call.reoffer()
    await asyncio.sleep(0.5)
    assert await is_direct(pbx)
    await call.hang_up()


async def test_a_telephone_without_telephone_events_has_the_plane(pbx: PbxUnderTest) -> None:
    """RFC 4733 2.4.1: one of the two could not hear the other's keys."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    anna.telephone_events = False
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    await asyncio.sleep(0.5)
    assert not await is_direct(pbx)
    await talk_both_ways(call, answered)
    await call.hang_up()


async def test_digits_go_directly_too_and_those_by_info_bring_the_plane_back(pbx: PbxUnderTest) -> None:
    """RFC 4733 between the two; an INFO is heard by the server only, which presses the key in the audio."""
    call, answered = await bridged(pbx)
    await asyncio.sleep(0.5)
    await call.send_digits("12")
    assert answered.digits == "12"
    assert await is_direct(pbx)
    await answered.send_info_digits("5")
    await asyncio.sleep(1)
    assert call.digits == "5"
    assert not await is_direct(pbx)
    await call.send_digits("3")
    assert (call.digits, answered.digits) == ("5", "123")
    await talk_both_ways(call, answered)
    await call.hang_up()


async def test_a_telephone_that_refuses_is_asked_once(pbx: PbxUnderTest) -> None:
    """RFC 3261 14.1: the session goes on as it was, through the plane on both sides."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    answered = await ben.ringing()
    offers = offers_to(call), offers_to(answered)
    answering = asyncio.ensure_future(answered.answer())
    await asyncio.sleep(0)
    ben.codecs = ()
    await answering
    await asyncio.sleep(1)
    assert not await is_direct(pbx)
    assert [len(one) for one in offers] == [2, 1]
    await talk_both_ways(call, answered)
    answered._phone.codecs = (Codec.PCMA,)
    await call.hold()
    await call.resume()
    await asyncio.sleep(1)
    assert not await is_direct(pbx)
    await call.hang_up()


async def test_a_telephone_behind_a_translation_of_addresses_has_the_plane(pbx: PbxUnderTest) -> None:
    """RFC 3261 18.2.1: its description names an address from which it does not speak."""
    ben = await pbx.phone("101")
    ben.host = "10.1.2.3"
    call = await (await pbx.phone("100")).dial("101")
    answered = await ben.answer()
    await call.answered()
    await asyncio.sleep(0.5)
    assert not await is_direct(pbx)
    await talk_both_ways(call, answered)
    await call.hang_up()


async def test_a_telephone_whose_contact_is_elsewhere_has_the_plane(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    anna._stack.agent.reach._contact = "<sip:anna@10.1.2.3>"
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    await asyncio.sleep(0.5)
    assert not await is_direct(pbx)
    await talk_both_ways(call, answered)
    await call.hang_up()


async def test_telephones_with_other_numbers_for_their_events_agree_on_one(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3264 6.1: an answer takes the numbers of its offer; two of them at once would be exchanged for ever."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    monkeypatch.setattr(offer_answer, "DTMF_PAYLOAD", 96)
    call = await anna.dial("101")
    answered = await ben.ringing()
    offers = offers_to(call), offers_to(answered)
    await answered.answer()
    await asyncio.sleep(0.5)
    assert await is_direct(pbx)
    assert [[one.media[0].formats for one in told] for told in offers] == [[("8", "101")], [("8", "101")]]
    await call.send_digits("1")
    await answered.send_digits("2")
    assert (call.digits, answered.digits) == ("2", "1")
    await call.reoffer()  # by which it asks for 96 again
    await asyncio.sleep(0.5)
    assert await is_direct(pbx)
    await call.send_digits("3")
    await answered.send_digits("4")
    assert (call.digits, answered.digits) == ("24", "13")
    await call.hang_up()


async def test_a_caller_from_outside_is_told_no_address_of_the_house(pbx: PbxUnderTest) -> None:
    anna, outside = await pbx.phone("100"), await pbx.outside("089123456")
    call = await outside.dial("08955550100")
    offers = offers_to(call)
    answered = await anna.answer()
    await call.answered()
    await asyncio.sleep(0.5)
    assert not await is_direct(pbx)
    assert offers == []
    await talk_both_ways(call, answered)
    await call.hang_up()


async def test_a_blind_transfer_rings_in_the_plane_and_then_is_direct(pbx: PbxUnderTest) -> None:
    """RFC 5589 6.1."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    await asyncio.sleep(0.5)
    transferring = asyncio.ensure_future(call.transfer("102"))
    ringing = await clara.ringing()
    await asyncio.sleep(0.5)
    await answered.heard()
    await asyncio.sleep(1)
    assert (await answered.heard()).contains_tone(425, 0.9)
    await ringing.answer()
    assert await transferring == 200
    await asyncio.sleep(1)
    await speak_directly(pbx, answered, ringing)
    await ringing.hang_up()
    await answered.ended()


async def test_a_transfer_that_fails_leaves_the_two_speaking_directly(pbx: PbxUnderTest) -> None:
    """RFC 5589 6.3."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    clara.busy_with = 486
    await asyncio.sleep(0.5)
    assert await call.transfer("102") == 486
    await asyncio.sleep(1)
    await speak_directly(pbx, call, answered)
    await call.hang_up()


async def test_an_attended_transfer_joins_the_two_directly(pbx: PbxUnderTest) -> None:
    """RFC 5589 7."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    await asyncio.sleep(0.5)
    await call.hold()
    consultation = await call._phone.dial("102")
    target = await clara.answer()
    await consultation.answered()
    await asyncio.sleep(0.5)
    assert await call.transfer_to(consultation) == 200
    await asyncio.sleep(1)
    await speak_directly(pbx, answered, target)
    await target.hang_up()
    await answered.ended()


async def test_a_transfer_to_a_feature_brings_the_caller_to_the_plane(pbx: PbxUnderTest) -> None:
    """RFC 5589 6.1: the box is heard and records, and its channel is taken as ever."""
    call, answered = await bridged(pbx)
    await asyncio.sleep(0.5)
    assert await call.transfer("9901") == 200
    await asyncio.sleep(0.5)
    await answered.heard()
    await asyncio.sleep(1)
    assert (await answered.heard()).contains_tone(440, 0.95)
    await answered.hang_up()


async def test_an_early_end_leaves_nothing_behind(pbx: PbxUnderTest) -> None:
    """RFC 3261 15: BYE while our re-INVITEs are on their way."""
    for pause_s in (0.0, 0.001, 0.01, 0.03):
        call, answered = await bridged(pbx)
        await asyncio.sleep(pause_s)
        await call.hang_up()
        await answered.ended()
        await asyncio.sleep(40)
        assert not pbx.server.switch.connections


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_two_telephones_do_at_once_they_end_where_they_should(
    pbx: PbxUnderTest, seed: int
) -> None:
    """RFC 3261 14 and RFC 3264 8: holds, resumes, refreshes and other codecs from both sides, with glare or without."""
    random = Random(seed)
    call, answered = await bridged(pbx)
    calls = call, answered
    for _ in range(8):
        acts = []
        for one in random.sample(calls, random.choice((1, 2, 2))):
            one._phone.codecs = random.choice(((Codec.PCMA, Codec.PCMU), (Codec.PCMU, Codec.PCMA)))
            acts.append(one.reoffer(random.choice((*Direction, Direction.SENDRECV))))
        await asyncio.gather(*acts)
        await asyncio.sleep(random.choice((0.0, 0.01, 0.3, 10.0)))
    for one in calls:
        one._phone.codecs = (Codec.PCMA,)
        await one.resume()
    await asyncio.sleep(10)
    await speak_directly(pbx, call, answered)
    await call.hold()
    await asyncio.sleep(10)
    assert await carried(pbx) == pytest.approx([50, 50], abs=2), "what one sends, and the music for the other"
    await call.hang_up()
    await answered.ended()


async def test_two_telephones_that_vanish_are_noticed_by_their_session_timers(pbx: PbxUnderTest) -> None:
    """RFC 4028 10: no audio tells it here."""
    call, answered = await bridged(pbx)
    await asyncio.sleep(0.5)
    await call._phone.unplug()
    await answered._phone.unplug()
    await asyncio.sleep(950)
    assert not pbx.server.switch.calls


@pytest.mark.ringfence(
    site=DIRECT.replace('extension = "200"\n', 'extension = "200"\ntransfer = "hairpin"\n')
)
async def test_channels_are_kept_and_no_silence_ends_a_call_that_speaks_elsewhere(pbx: PbxUnderTest) -> None:
    """L-72: a hairpin transfer of a telephone of the house, beyond the minute of `silent_s`."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("200")
    await call.send_digits("2")
    answered = await ben.answer()
    await asyncio.sleep(0.5)
    assert await is_direct(pbx)
    await asyncio.sleep(90)
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (2, 1)
    await talk_both_ways(call, answered)
    await call.hold()
    await asyncio.sleep(90)
    await call.resume()
    await asyncio.sleep(0.5)
    assert await is_direct(pbx)
    await call.hang_up()
    await answered.ended()
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (0, 0)
