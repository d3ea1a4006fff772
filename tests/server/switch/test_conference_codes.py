"""A conference asked for by a telephone: the code is dialled while calls are held, or a call is referred to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.talk import bridged, hears
from tests.server.switch.test_conference import all_ended, consulting, of_others, shares

from ringfence.licensing.refusal import Refusal
from ringfence.server.switch.events import CallConferenced, CallStarted

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

pytestmark = pytest.mark.virtual_time


async def holding_two(pbx: PbxUnderTest) -> tuple[PhoneCall, PhoneCall, PhoneCall, PhoneCall]:
    """Anna holds Ben and Clara: her two calls, and theirs."""
    call, consultation, ben, clara = await consulting(pbx)
    await consultation.hold()
    await asyncio.sleep(0.5)
    return call, consultation, ben, clara


async def test_who_holds_two_and_dials_the_code_talks_with_both_and_they_with_each_other(
    pbx: PbxUnderTest,
) -> None:
    """Her new leg is the only one she keeps; all are in the older call; no channel is taken (L-73)."""
    call, consultation, ben, clara = await holding_two(pbx)
    first = (await pbx.wait_for(CallStarted, called="101")).call_id
    second = (await pbx.wait_for(CallStarted, called="102")).call_id
    conference = await call._phone.dial("*3")
    await conference.answered()
    await call.ended()
    await consultation.ended()
    await asyncio.sleep(0.5)
    assert await shares(conference, ben, clara) == of_others(3)
    expected = CallConferenced(first, "100", ("100", "101", "102"), second)
    assert await pbx.wait_for(CallConferenced) == expected
    assert list(pbx.server.switch.calls) == [first]
    assert pbx.pools.ip_channel.used == 0
    await conference.hang_up()
    await asyncio.sleep(0.5)
    assert await hears(ben, clara), "the others talk on"
    await ben.hang_up()
    await all_ended(pbx, clara)


async def test_a_call_that_is_referred_to_the_code_is_joined_with_the_one_that_is_held(
    pbx: PbxUnderTest,
) -> None:
    """The leg by which the telephone asks is the one that it keeps."""
    call, consultation, ben, clara = await consulting(pbx)
    assert await consultation.transfer("*3") == 200
    await call.ended()
    await asyncio.sleep(0.5)
    assert await shares(consultation, ben, clara) == of_others(3)
    await consultation.hang_up()
    await asyncio.sleep(0.5)
    assert await hears(clara, ben)
    await ben.hang_up()
    await all_ended(pbx, clara)


async def test_a_telephone_that_holds_both_as_it_refers_is_in_once_it_resumes(pbx: PbxUnderTest) -> None:
    call, consultation, ben, clara = await holding_two(pbx)
    assert await consultation.transfer("*3") == 200
    await call.ended()
    await asyncio.sleep(0.5)
    assert await hears(ben, clara)
    await consultation.resume()
    await asyncio.sleep(0.5)
    assert await shares(consultation, ben, clara) == of_others(3)
    await clara.hang_up()
    await consultation.hang_up()
    await all_ended(pbx, ben)


async def test_a_further_call_that_is_referred_to_the_code_comes_into_the_conference(
    pbx: PbxUnderTest,
) -> None:
    """RFC 4579 5.5: a fourth joins, and the leg by which he was called ends."""
    call, _, ben, clara = await holding_two(pbx)
    anna = call._phone
    conference = await anna.dial("*3")
    await conference.answered()
    await asyncio.sleep(0.5)
    await conference.hold()
    emil = await pbx.phone("104")
    further = await anna.dial("104")
    fourth = await emil.answer()
    await further.answered()
    assert await further.transfer("*3") == 200
    await further.ended()
    await conference.resume()
    await asyncio.sleep(0.5)
    assert await shares(conference, ben, clara, fourth) == of_others(4)
    for one in (ben, clara, fourth):
        await one.hang_up()
    await all_ended(pbx, conference)


async def test_a_conference_that_is_held_comes_into_the_new_one(pbx: PbxUnderTest) -> None:
    call, _, ben, clara = await holding_two(pbx)
    anna = call._phone
    conference = await anna.dial("*3")
    await conference.answered()
    await conference.hold()
    emil = await pbx.phone("104")
    further = await anna.dial("104")
    fourth = await emil.answer()
    await further.answered()
    await further.hold()
    greater = await anna.dial("*3")
    await greater.answered()
    await conference.ended()
    await further.ended()
    await asyncio.sleep(0.5)
    assert await shares(greater, ben, clara, fourth) == of_others(4)
    assert len(pbx.server.switch.calls) == 1
    for one in (ben, clara, fourth):
        await one.hang_up()
    await all_ended(pbx, greater)


async def test_without_two_calls_there_is_no_conference(pbx: PbxUnderTest) -> None:
    call, ben = await bridged(pbx)
    anna = call._phone
    assert await call.transfer("*3") == 480, "there is no other call"
    assert await hears(call, ben)
    refused = await anna.dial("*3")
    assert (refused.status, refused.cause, refused.reason) == (480, 31, "conference.not_two_calls")
    await call.hold()
    assert (await anna.dial("*3")).reason == "conference.not_two_calls", "one held call is not two"
    await call.resume()
    await asyncio.sleep(0.5)
    assert await hears(ben, call)
    await call.hang_up()
    await all_ended(pbx, ben)


async def test_whose_call_rings_is_no_party_of_a_conference(pbx: PbxUnderTest) -> None:
    call, ben = await bridged(pbx)
    await call.hold()
    clara = await pbx.phone("102")
    consultation = await call._phone.dial("102")
    ringing = await clara.ringing()
    assert (await call._phone.dial("*3")).reason == "conference.not_two_calls"
    await consultation.hang_up()
    await ringing.ended()
    await call.hang_up()
    await all_ended(pbx, ben)


async def test_who_hangs_up_while_the_conference_is_made_leaves_the_held_calls_as_they_are(
    pbx: PbxUnderTest,
) -> None:
    call, consultation, ben, clara = await holding_two(pbx)
    dialling = asyncio.ensure_future(call._phone.dial("*3"))
    await asyncio.sleep(0)
    await call._phone.calls[-1].hang_up()
    await dialling
    await asyncio.sleep(1)
    for one in (call, consultation, ben, clara):
        await one.hang_up()
    await all_ended(pbx, call)


async def test_an_application_lets_a_telephone_confer(pbx: PbxUnderTest) -> None:
    """A placed call to the code: the telephone rings once more, and has all in one call then."""
    call, consultation, ben, clara = await holding_two(pbx)
    assert not isinstance(pbx.server.switch.place("anna", "*3"), Refusal)
    conference = await call._phone.answer()
    await call.ended()
    await consultation.ended()
    await asyncio.sleep(0.5)
    assert await shares(conference, ben, clara) == of_others(3)
    await ben.hang_up()
    await clara.hang_up()
    await all_ended(pbx, conference)


async def test_nobody_outside_asks_for_a_conference(pbx: PbxUnderTest) -> None:
    outside, ben = await pbx.outside("0731999"), await pbx.phone("101")
    assert (await outside.dial("08955550*3")).reason == "number.unknown"
    call = await outside.dial("08955550101")
    talking = await ben.answer()
    await call.answered()
    assert await call.transfer("*3") == 403
    await call.hang_up()
    await talking.ended()
