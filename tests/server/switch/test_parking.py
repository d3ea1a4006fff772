"""A call waits in a slot with music, is taken from any telephone, and comes back to whoever parked it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.talk import bridged, hears
from tests.server.switch.test_hold_music import is_music

from ringfence.fixtures.plugin import read_site
from ringfence.licensing.refusal import Refusal
from ringfence.server.switch.events import CallEnded, CallParked, CallStarted, CallUnparked

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

pytestmark = pytest.mark.virtual_time
TWO = read_site("small").text + "\n[parking]\nslots = 2\nafter_s = 30\n"
QUIET = read_site("small").text + "\n[media]\nhold_music = false\n"
HAIRPIN = read_site("small").text.replace('extension = "200"\n', 'extension = "200"\ntransfer = "hairpin"\n')
DIRECT = read_site("small").text + "\n[media]\ndirect = true\n"


async def parked(pbx: PbxUnderTest, code: str = "*7") -> PhoneCall:
    """Anna has called Ben, who parks her by a blind transfer: her call."""
    call, answered = await bridged(pbx)
    assert await answered.transfer(code) == 200
    await answered.ended()
    await asyncio.sleep(0.5)
    return call


async def test_a_blind_transfer_to_the_code_parks_in_the_first_free_slot_with_music(
    pbx: PbxUnderTest,
) -> None:
    call = await parked(pbx)
    assert await is_music(call, 2.0)
    assert await is_music(call, 2.0)
    assert not call.is_held
    started = await pbx.wait_for(CallStarted)
    assert await pbx.wait_for(CallParked) == CallParked(started.call_id, "101", "100", "1")
    assert pbx.pools.ip_channel.used == 0
    await call.hang_up()


async def test_any_telephone_takes_the_call_by_dialling_the_slot(pbx: PbxUnderTest) -> None:
    """Both talk in the call that waited; its id stays, and the slot is free."""
    call, clara = await parked(pbx), await pbx.phone("102")
    taken = await clara.dial("**71")
    await taken.answered()
    assert await hears(call, taken, 0.95)
    assert await hears(taken, call, 0.95)
    started = await pbx.wait_for(CallStarted)
    assert await pbx.wait_for(CallUnparked) == CallUnparked(started.call_id, "102", "1")
    assert list(pbx.server.switch.calls) == [started.call_id]
    assert (await (await pbx.phone("104")).dial("**71")).reason == "park.no_call"
    await taken.hang_up()
    await call.ended()
    await asyncio.sleep(0)
    assert not pbx.server.switch.calls


async def test_a_transfer_to_a_slot_parks_in_that_one_unless_somebody_waits_there(pbx: PbxUnderTest) -> None:
    call = await parked(pbx, "**73")
    clara, emil = await pbx.phone("102"), await pbx.phone("104")
    other = await clara.dial("104")
    talking = await emil.answer()
    assert await talking.transfer("**73") == 486
    assert await hears(other, talking)
    assert await talking.transfer("**710") == 404, "there are nine"
    assert await hears(talking, other)
    await other.hang_up()
    await call.hang_up()
    assert (await pbx.wait_for(CallUnparked)).by is None


@pytest.mark.ringfence(site=TWO)
async def test_when_every_slot_is_taken_nobody_is_parked(pbx: PbxUnderTest) -> None:
    ben, outside = await pbx.phone("101"), await pbx.outside("0731999")
    calls = []
    for status in (200, 200, 486):
        call = await outside.dial("08955550101")
        talking = await ben.answer()
        await call.answered()
        assert await talking.transfer("*7") == status
        calls.append(call)
    assert sorted(pbx.server.switch.parkings.waiting) == ["1", "2"]
    assert await hears(talking, calls[2])
    for call in calls:
        await call.hang_up()
    assert not pbx.server.switch.parkings.waiting


async def test_who_holds_a_call_and_dials_the_code_parks_it_and_is_told_the_slot(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    ben = answered._phone
    await answered.hold()
    telling = await ben.dial("*7")
    await telling.answered()
    await answered.ended()
    assert await is_music(call)
    await asyncio.sleep(1)
    heard = await telling.heard()
    assert heard.rms > 100, "the slot is said"
    await telling.ended()
    taken = await ben.dial("**71")
    await taken.answered()
    assert await hears(taken, call, 0.95)
    await taken.hang_up()
    await call.ended()


async def test_who_holds_a_call_and_dials_a_free_slot_parks_it_there(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    await answered.hold()
    telling = await answered._phone.dial("**75")
    await telling.answered()
    await answered.ended()
    assert list(pbx.server.switch.parkings.waiting) == ["5"]
    await call.hang_up()
    await telling.hang_up()


async def test_without_a_held_call_the_codes_are_refused(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    for code in ("*7", "**71"):
        refused = await answered._phone.dial(code)
        assert (refused.status, refused.cause, refused.reason) == (480, 31, "park.no_call")
    assert await hears(answered, call)
    assert (await answered._phone.dial("**7")).reason == "number.unknown"
    await call.hang_up()


@pytest.mark.ringfence(site=TWO)
async def test_after_its_time_whoever_parked_the_call_is_rung_back(pbx: PbxUnderTest) -> None:
    """He sees who waits, who hears it ringing; once he answers they talk, and the slot is free."""
    call = await parked(pbx)
    ben = pbx._phones[1]
    ringing = await ben.ringing(timeout_s=40)
    assert ringing.caller == "100"
    assert not await is_music(call)
    await ringing.answer()
    await asyncio.sleep(0.2)
    assert await hears(ringing, call, 0.95)
    assert await hears(call, ringing, 0.95)
    assert (await pbx.wait_for(CallUnparked)).by == "101"
    await call.hang_up()


@pytest.mark.ringfence(site=TWO)
async def test_who_is_not_there_for_the_call_back_leaves_it_parked_and_after_three_it_ends(
    pbx: PbxUnderTest,
) -> None:
    call = await parked(pbx)
    ben = pbx._phones[1]
    for _ in range(2):
        (await ben.ringing(timeout_s=40)).refuse()
        await asyncio.sleep(0.5)
        assert await is_music(call)
    (await ben.ringing(timeout_s=40)).refuse()
    await call.ended()
    assert not pbx.server.switch.parkings.waiting
    assert (await pbx.wait_for(CallEnded)).cause == 17


@pytest.mark.ringfence(site=TWO)
async def test_who_is_rung_back_has_his_forwardings(pbx: PbxUnderTest) -> None:
    """The call of who waits goes to the box of who parked him, for a channel (L-71)."""
    anna, outside = await pbx.phone("100"), await pbx.outside("0731999")
    call = await outside.dial("08955550100")
    talking = await anna.answer()
    await call.answered()
    assert await talking.transfer("*7") == 200
    (await anna.ringing(timeout_s=40)).refuse()
    await asyncio.sleep(0.5)
    assert pbx.pools.ip_channel.used == 1
    assert not pbx.server.switch.parkings.waiting
    await call.hang_up()


@pytest.mark.ringfence(site=TWO)
async def test_a_call_that_rings_back_is_still_taken_by_its_slot(pbx: PbxUnderTest) -> None:
    call, clara = await parked(pbx), await pbx.phone("102")
    ringing = await pbx._phones[1].ringing(timeout_s=40)
    taken = await clara.dial("**71")
    await taken.answered()
    await ringing.ended()
    assert await hears(taken, call, 0.95)
    assert await hears(call, taken, 0.95)
    await call.hang_up()
    await taken.ended()


async def test_of_two_who_want_the_call_at_the_same_moment_one_gets_it(pbx: PbxUnderTest) -> None:
    call, clara, emil = await parked(pbx), await pbx.phone("102"), await pbx.phone("104")
    first, second = await asyncio.gather(clara.dial("**71"), emil.dial("**71"))
    await asyncio.sleep(0.5)
    winner, loser = (first, second) if first.is_answered else (second, first)
    assert (loser.status, loser.reason) == (480, "park.no_call")
    assert await hears(winner, call)
    await call.hang_up()
    await winner.ended()


async def test_who_gives_up_while_somebody_takes_him_leaves_nothing_behind(pbx: PbxUnderTest) -> None:
    call, clara = await parked(pbx), await pbx.phone("102")
    taking = asyncio.ensure_future(clara.dial("**71"))
    await call.hang_up()
    await (await taking).ended()
    await asyncio.sleep(0.5)
    assert not pbx.server.switch.connections
    assert not pbx.server.switch.parkings.waiting


async def test_a_lamp_shows_who_waits_in_a_slot(pbx: PbxUnderTest) -> None:
    """RFC 4235: as if the slot talked to him."""
    clara = await pbx.phone("102")
    lamp = await clara.subscribe("dialog", "**71")
    assert "<dialog " not in lamp.documents[-1]
    call = await parked(pbx)
    shown = await lamp.shows("confirmed")
    assert "sip:100@klein.example" in shown
    assert 'display="Anna Huber"' in shown
    await call.hang_up()
    await asyncio.sleep(0.5)
    assert "<dialog " not in lamp.documents[-1]
    assert (await clara.subscribe("dialog", "**710")).status == 404


@pytest.mark.ringfence(site=QUIET)
async def test_without_hold_music_who_waits_hears_nothing(pbx: PbxUnderTest) -> None:
    call = await parked(pbx)
    await call.heard()
    await asyncio.sleep(1)
    assert (await call.heard()).rms < 10
    await call.hang_up()


@pytest.mark.ringfence(site=DIRECT)
async def test_who_spoke_directly_comes_back_to_the_server_for_the_music(pbx: PbxUnderTest) -> None:
    call = await parked(pbx)
    await asyncio.sleep(1)
    assert await is_music(call)
    taken = await (await pbx.phone("102")).dial("**71")
    await taken.answered()
    await asyncio.sleep(1)
    assert await hears(taken, call, 0.95)
    await call.hang_up()


async def test_who_waits_may_hold_himself_and_is_taken_as_he_is(pbx: PbxUnderTest) -> None:
    call = await parked(pbx)
    await call.hold()
    taken = await (await pbx.phone("102")).dial("**71")
    await taken.answered()
    await asyncio.sleep(0.5)
    assert await is_music(taken), "whom a held call holds"
    await call.resume()
    await asyncio.sleep(0.5)
    assert await hears(taken, call, 0.95)
    await call.hang_up()


async def test_nobody_outside_parks_or_takes_a_call(pbx: PbxUnderTest) -> None:
    """A trunk's call proves no account."""
    call = await parked(pbx)
    outside = await pbx.outside("0731999")
    assert (await outside.dial("08955550**71")).reason == "number.unknown"
    ben = pbx._phones[1]
    other = await outside.dial("08955550101")
    await ben.answer()
    await other.answered()
    assert await other.transfer("*7") == 403
    await other.hang_up()
    await call.hang_up()


async def test_an_application_lets_a_telephone_take_the_call(pbx: PbxUnderTest) -> None:
    """A placed call to a slot: the telephone rings first."""
    call, clara = await parked(pbx), await pbx.phone("102")
    assert not isinstance(pbx.server.switch.place("clara", "**71"), Refusal)
    taken = await clara.answer()
    await asyncio.sleep(0.5)
    assert await hears(taken, call, 0.95)
    assert len(pbx.server.switch.calls) == 1
    await taken.hang_up()
    await call.ended()
    await asyncio.sleep(0)
    assert not pbx.server.switch.calls


async def test_a_softphone_without_its_licence_takes_nothing(pbx: PbxUnderTest) -> None:
    """L-47: as at every INVITE."""
    call = await parked(pbx)
    refused = await (await pbx.phone("dora")).dial("**71")
    assert (refused.status, refused.reason) == (403, "license.office_plus.under_licensed")
    await call.hang_up()


async def test_the_server_stops_while_a_call_waits(pbx: PbxUnderTest) -> None:
    call = await parked(pbx)
    await pbx.server.stop()
    await call.ended()


async def test_a_lamp_of_a_slot_needs_no_licence_of_a_desk_phone_and_one_of_a_softphone(
    pbx: PbxUnderTest,
) -> None:
    """As a lamp of an extension: from `sip:NAME` presence or chat is asked for."""
    async with SipPeer(pbx, "emil") as emil:
        refused = await emil.ask("SUBSCRIBE", "**71", [("Event", "dialog")])
        assert refused.get("x-license-reason") == "function.not_configured"


@pytest.mark.ringfence(site=HAIRPIN)
async def test_a_leg_that_occupies_channels_keeps_them_while_it_waits_and_gives_them_up_when_it_vanishes(
    pbx: PbxUnderTest,
) -> None:
    """L-71, L-72: the caller's leg at the attendant; that of who parked him is closed at once."""
    ben, outside = await pbx.phone("101"), await pbx.outside("0731999")
    call = await outside.dial("08955550200")
    await call.answered()
    await call.send_digits("2")
    talking = await ben.answer()
    await asyncio.sleep(0.5)
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (2, 1)
    assert await talking.transfer("*7") == 200
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (1, 1)
    await asyncio.sleep(70)
    assert list(pbx.server.switch.parkings.waiting) == ["1"]
    await outside.unplug()
    await asyncio.sleep(70)
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (0, 0)
    assert not pbx.server.switch.parkings.waiting
