"""A user joins two calls: three or more telephones hear one another, and whoever leaves, the others talk on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch import talk
from tests.server.switch.raw_caller import ROOT
from tests.server.switch.talk import bridged

from ringfence.channels.media.inline_plane import InlinePlane, InlineStream
from ringfence.channels.media.plane import Codec, Tone
from ringfence.channels.media.wideband import IS_AVAILABLE
from ringfence.fixtures.plugin import read_site
from ringfence.licensing.refusal import Refusal
from ringfence.server.site.acts import CreateUser
from ringfence.server.switch.conference import MOST_PARTIES
from ringfence.server.switch.events import CallConferenced, CallEnded, CallStarted

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.switch.call import Call

pytestmark = pytest.mark.virtual_time
TONES = (440, 620, 1000, 1300)


async def consulting(pbx: PbxUnderTest) -> tuple[PhoneCall, PhoneCall, PhoneCall, PhoneCall]:
    """Anna holds Ben and talks to Clara: her two calls, and theirs."""
    call, ben = await bridged(pbx)
    clara = await pbx.phone("102")
    await call.hold()
    consultation = await call._phone.dial("102")
    target = await clara.answer()
    await consultation.answered()
    return call, consultation, ben, target


async def in_conference(pbx: PbxUnderTest) -> tuple[PhoneCall, PhoneCall, PhoneCall]:
    """Anna, Ben and Clara talk with one another."""
    call, consultation, ben, clara = await consulting(pbx)
    assert not isinstance(pbx.conference(call, consultation), Refusal)
    await call.ended()
    await asyncio.sleep(0.5)
    return consultation, ben, clara


async def shares(*calls: PhoneCall) -> list[list[float]]:
    """Let each say a tone of its own for a second, and tell what part each of the tones is of what each hears."""
    for call, tone in zip(calls, TONES, strict=False):
        await call.play(Tone((tone,)))
    await asyncio.sleep(0.3)
    for call in calls:
        await call.heard()
    await asyncio.sleep(1)
    heard = [await call.heard() for call in calls]
    for call in calls:
        await call.play()
    assert all(0.9 < one.duration_s < 1.1 or one.duration_s == 0 for one in heard)
    return [[one.power_at(tone) for tone in TONES[: len(calls)]] for one in heard]


def of_others(count: int) -> list[object]:
    """What each hears of each where it hears all others alike, and not itself."""
    return [
        pytest.approx([0 if at == own else 1 / (count - 1) for at in range(count)], abs=0.03)
        for own in range(count)
    ]


async def all_ended(pbx: PbxUnderTest, *calls: PhoneCall) -> None:
    for call in calls:
        await call.ended()
    await asyncio.sleep(0)
    assert not pbx.server.switch.calls
    assert isinstance(pbx.server.plane, InlinePlane)
    assert not pbx.server.plane._streams


async def test_three_telephones_hear_the_two_others_and_not_themselves(pbx: PbxUnderTest) -> None:
    call, consultation, ben, clara = await consulting(pbx)
    first, second = [
        one.call_id for one in [await pbx.wait_for(CallStarted, called=to) for to in ("101", "102")]
    ]
    conference = pbx.conference(call, consultation)
    assert not isinstance(conference, Refusal)
    assert conference.id == first
    await call.ended()
    await asyncio.sleep(0.5)
    assert await shares(consultation, ben, clara) == of_others(3)
    assert not ben.is_held
    expected = CallConferenced(first, "100", ("100", "101", "102"), second)
    assert await pbx.wait_for(CallConferenced) == expected
    assert (await pbx.wait_for(CallEnded)).call_id == second, "its last device has gone into the other one"
    assert list(pbx.server.switch.calls) == [first]
    assert {(one.device, one.state) for one in conference.connections} == {
        (device, "connected") for device in ("100", "101", "102")
    }
    page = await pbx.server.journal.find(user="anna")
    (entry,) = [one for one in page.entries if one.kind == "conference"]
    assert (entry.call_id, entry.what) == (first, "conference of 100, 101, 102")
    await consultation.hang_up()
    await clara.hang_up()
    await all_ended(pbx, ben)


@pytest.mark.parametrize("leaves", [0, 1, 2], ids=["who joined them", "who was held", "who was asked"])
async def test_whoever_leaves_the_two_others_have_an_ordinary_call(pbx: PbxUnderTest, leaves: int) -> None:
    parties = list(await in_conference(pbx))
    await parties.pop(leaves).hang_up()
    await asyncio.sleep(0.5)
    assert await shares(*parties) == of_others(2)
    one, other = parties
    await one.hold()
    await asyncio.sleep(0.5)
    assert other.is_held
    _, of_holder = (await shares(other, one))[0]
    assert of_holder < 0.01, "there is music in its place"
    await one.resume()
    await other.hang_up()
    await all_ended(pbx, one)


async def test_a_call_that_comes_in_is_joined_with_a_held_one_in_either_order(pbx: PbxUnderTest) -> None:
    call, ben = await bridged(pbx)
    await call.hold()
    clara = await pbx.phone("102")
    asking = await clara.dial("100")
    taken = await call._phone.answer()
    await asking.answered()
    assert not isinstance(pbx.conference(taken, call), Refusal)
    await asyncio.sleep(0.5)
    assert await shares(taken, ben, asking) == of_others(3)
    await asking.hang_up()
    await ben.hang_up()
    await all_ended(pbx, call, taken)


async def test_laws_and_wideband_are_mixed(pbx: PbxUnderTest) -> None:
    """RFC 3551 4.5.2 and 4.5.14."""
    codecs = [Codec.PCMU, Codec.G722 if IS_AVAILABLE else Codec.PCMA, Codec.PCMA]
    call, consultation, ben, clara = await consulting(pbx)
    for one, codec in zip((consultation, ben, clara), codecs, strict=True):
        one._phone.codecs = (codec,)
        await one.reoffer()
    assert not isinstance(pbx.conference(call, consultation), Refusal)
    await asyncio.sleep(0.5)
    assert await shares(consultation, ben, clara) == of_others(3)
    for one, codec in zip((consultation, ben, clara), codecs, strict=True):
        await one.hang_up()
        assert one.verdict.codec is codec
    await all_ended(pbx, call)


async def test_who_holds_is_out_of_the_mix_and_hears_nothing_until_the_resume(pbx: PbxUnderTest) -> None:
    """RFC 3264 8.4: a conference goes on without, and there is no music in it."""
    anna, ben, clara = await in_conference(pbx)
    await ben.hold()
    await asyncio.sleep(0.5)
    assert not anna.is_held
    of_anna, of_ben, of_clara = await shares(anna, ben, clara)
    assert of_anna == pytest.approx([0, 0, 1], abs=0.01)
    assert of_ben == [0, 0, 0]
    assert of_clara == pytest.approx([1, 0, 0], abs=0.01)
    await ben.resume()
    await asyncio.sleep(0.5)
    assert await shares(anna, ben, clara) == of_others(3)
    await ben.hold()
    await anna.hang_up()
    await asyncio.sleep(0.5)
    assert clara.is_held, "of two who are left one holds the other"
    await clara.hang_up()
    await all_ended(pbx, ben)


@pytest.mark.ringfence(site=read_site("small").text + "\n[media]\ndirect = true\n")
async def test_who_sends_to_each_other_comes_back_to_the_plane_for_the_conference(pbx: PbxUnderTest) -> None:
    """RFC 3264 8: the two who talked are told the server's streams; the last two are moved again."""
    anna, ben, clara = await in_conference(pbx)
    legs = list(pbx.server.switch.connections.values())
    assert [one.negotiation.told for one in legs] == [None, None, None]
    assert await shares(anna, ben, clara) == of_others(3)
    await anna.hang_up()
    await asyncio.sleep(0.5)
    assert all(one.negotiation.told for one in legs if not one.is_over)
    assert await shares(ben, clara) == of_others(2)
    await clara.hang_up()
    await all_ended(pbx, ben)


async def test_digits_are_heard_by_all_others_and_in_the_verdict(pbx: PbxUnderTest) -> None:
    """RFC 4733; and by INFO."""
    anna, ben, clara = await in_conference(pbx)
    await ben.send_digits("47")
    await asyncio.sleep(1)
    await clara.send_info_digits("#")
    await asyncio.sleep(1)
    await clara.send_info_digits("9")
    await clara.send_digits("9")
    await asyncio.sleep(2)
    assert [one.digits for one in (anna, ben, clara)] == ["47#9", "#9", "47"], "9 was one key, told twice"
    (verdict,) = [
        await one.measured() for one in pbx.server.switch.connections.values() if one.device == "101"
    ]
    assert verdict is not None
    assert verdict.digits == "47"
    assert (verdict.packets_lost, verdict.packets_refused) == (0, 0)
    for one in (anna, clara):
        await one.hang_up()
    await all_ended(pbx, ben)
    assert ben.verdict.packets_lost == 0
    assert ben.verdict.packets_reordered == 0


async def test_a_conference_grows_by_further_calls_up_to_the_limit(pbx: PbxUnderTest) -> None:
    """One that is held keeps its id, too: whoever follows it by that finds it."""
    for number in range(300, 300 + MOST_PARTIES - 2):
        await pbx.server.administration.apply(CreateUser(f"n{number}", "Haus", str(number), "p" * 12))
    anna, *others = await in_conference(pbx)
    (conference,) = pbx.server.switch.calls.values()
    for number in range(300, 300 + MOST_PARTIES - 3):
        await anna.hold()
        await asyncio.sleep(0.2)
        guest = await pbx.phone(str(number), password="p" * 12)
        consultation = await anna._phone.dial(str(number))
        others.append(await guest.answer())
        await consultation.answered()
        assert pbx.conference(anna, consultation) is conference
        await anna.ended()
        anna = consultation
        assert list(pbx.server.switch.calls) == [conference.id]
    await asyncio.sleep(0.5)
    heard = await shares(anna, *others[:3])
    assert heard == of_others(4)
    assert len(conference.connections) == MOST_PARTIES
    last = await pbx.phone(str(300 + MOST_PARTIES - 3), password="p" * 12)
    await anna.hold()
    consultation = await anna._phone.dial(last.account)
    asked = await last.answer()
    await consultation.answered()
    refusal = pbx.conference(anna, consultation)
    assert refusal == Refusal("conference.full", facts={"limit": MOST_PARTIES})
    assert await talk.hears(asked, consultation, 0.9)
    conference.hang_up()
    await consultation.hang_up()
    await all_ended(pbx, anna, asked, *others)


async def test_what_are_not_a_held_and_an_active_call_of_one_user_is_not_joined(pbx: PbxUnderTest) -> None:
    call, consultation, ben, clara = await consulting(pbx)
    assert pbx.conference(ben, clara) == Refusal("conference.other_user")
    assert pbx.conference(call, ben) == Refusal("conference.other_user"), "the two ends of one call"
    await call.resume()
    assert pbx.conference(call, consultation) == Refusal("conference.not_two_calls")
    await call.hold()
    await consultation.hold()
    assert pbx.conference(call, consultation) == Refusal("conference.not_two_calls")
    await consultation.hang_up()
    alone = await call._phone.dial("9901")
    await alone.answered()
    assert pbx.conference(call, alone) == Refusal("conference.not_two_calls"), "nobody is at the far end"
    await alone.hang_up()
    ringing = await call._phone.dial("102")
    assert ringing.rings
    assert pbx.server.switch.conferences.join_calls(*pbx.server.switch.calls.values()) == Refusal(
        "conference.not_two_calls"
    )
    await ringing.hang_up()
    await call.resume()
    assert await talk.hears(ben, call, 0.9)
    await call.hang_up()
    await all_ended(pbx, ben, clara)


async def test_calls_of_two_workers_are_not_joined_and_go_on(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, consultation, ben, clara = await consulting(pbx)
    worker_of = {one.stream: one.call for one in pbx.server.switch.connections.values()}
    monkeypatch.setattr(InlineStream, "reaches", lambda one, other: worker_of[one] is worker_of[other])
    assert pbx.conference(call, consultation) == Refusal("media.apart")
    assert await talk.hears(clara, consultation, 0.9)
    await call.resume()
    assert await talk.hears(ben, call, 0.9)
    for one in (call, consultation):
        await one.hang_up()
    await all_ended(pbx, ben, clara)


async def test_a_leg_from_outside_keeps_what_it_occupies_until_it_leaves(pbx: PbxUnderTest) -> None:
    """L-71 and L-72: a conference takes no channel and gives none up; L-73."""
    pools = pbx.pools
    outside = await pbx.outside("089123456")
    anna, clara = await pbx.phone("100"), await pbx.phone("102")
    call = await outside.dial(f"{ROOT}100")
    answered = await anna.answer()
    await call.answered()
    trunk_leg = next(one for one in pbx.server.switch.connections.values() if one.device == "amt")
    leases = pools.take(("ip_channel",), trunk_leg, pbx.server.clock.now())
    assert not isinstance(leases, Refusal)
    trunk_leg.leases.occupy(leases)
    await answered.hold()
    consultation = await anna.dial("102")
    target = await clara.answer()
    await consultation.answered()
    assert not isinstance(pbx.conference(answered, consultation), Refusal)
    await asyncio.sleep(0.5)
    assert await shares(call, consultation, target) == of_others(3)
    assert pools.ip_channel.used == 1
    await consultation.hang_up()
    assert pools.ip_channel.used == 1, "the two others talk on"
    await call.hang_up()
    assert pools.ip_channel.used == 0
    await all_ended(pbx, target)


async def test_who_vanishes_from_a_conference_gives_his_channel_back(pbx: PbxUnderTest) -> None:
    """L-74: no RTP for `[media] silent_s`."""
    anna, ben, clara = await in_conference(pbx)
    leg = next(one for one in pbx.server.switch.connections.values() if one.device == "101")
    leases = pbx.pools.take(("ip_channel",), leg, pbx.server.clock.now())
    assert not isinstance(leases, Refusal)
    leg.leases.occupy(leases)
    leg.watch()
    await ben._phone.unplug()
    await asyncio.sleep(pbx.server.switch.media.silent_s + 40)
    assert pbx.pools.ip_channel.used == 0
    assert await shares(anna, clara) == of_others(2)
    await anna.hang_up()
    await clara.ended()


async def test_hanging_up_the_call_ends_it_for_all(pbx: PbxUnderTest) -> None:
    parties = await in_conference(pbx)
    (conference,) = pbx.server.switch.calls.values()
    conference.hang_up()
    await all_ended(pbx, *parties)


async def test_nobody_is_transferred_out_of_a_conference_or_into_it(pbx: PbxUnderTest) -> None:
    """RFC 3515 2.4.2: 603; the conference and the other call go on."""
    anna, ben, clara = await in_conference(pbx)
    assert await ben.transfer("104") == 603
    emil = await pbx.phone("104")
    await anna.hold()
    asking = await anna._phone.dial("104")
    asked = await emil.answer()
    await asking.answered()
    assert await asking.transfer_to(anna) == 603
    await anna.resume()
    await asyncio.sleep(0.5)
    assert await shares(anna, ben, clara) == of_others(3)
    assert await talk.hears(asked, asking, 0.9)
    for one in (asking, ben, clara):
        await one.hang_up()
    await all_ended(pbx, anna, asked)


async def test_a_telephone_that_mixes_by_itself_has_two_ordinary_calls(pbx: PbxUnderTest) -> None:
    """It takes the held call back, and plays to each what it hears of the other one."""
    call, consultation, ben, clara = await consulting(pbx)
    await call.resume()
    await asyncio.sleep(0.5)
    assert not ben.is_held
    assert await shares(call, ben) == of_others(2)
    assert await shares(consultation, clara) == of_others(2)
    assert len(pbx.server.switch.calls) == 2
    await ben.hang_up()
    await call.ended()
    assert await talk.hears(clara, consultation, 0.9)
    await consultation.hang_up()
    await all_ended(pbx, clara)


def call_of(pbx: PbxUnderTest, number: str) -> Call:
    return next(call for call in pbx.server.switch.calls.values() if call.called == number)


async def test_by_their_calls_the_user_of_both_is_found(pbx: PbxUnderTest) -> None:
    call, _, ben, clara = await consulting(pbx)
    switch = pbx.server.switch
    first, second = call_of(pbx, "101"), call_of(pbx, "102")
    assert switch.conferences.join_calls(first, first) == Refusal("conference.other_user")
    assert switch.conferences.join_calls(second, first) is first
    await call.ended()
    for one in (ben, clara):
        await one.hang_up()
