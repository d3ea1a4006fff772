"""Call-back on busy: asked for by a code, kept within bounds, and carried out when both are free."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.talk import hears
from tests.server.switch.test_telephone_codes import done

from ringfence.features.telephone.call_back import QUIET_S, REMEMBERED_S, RING_S, WANTED_S
from ringfence.server.site.acts import DeleteUser, MoveUser, SetSetting
from ringfence.server.switch.events import CallBackEnded, CallBackWanted

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.phones.phone import Phone

pytestmark = pytest.mark.virtual_time


async def engaged(pbx: PbxUnderTest) -> tuple[Phone, PhoneCall]:
    """Let Ben, who wants no second call, talk to Emil: Ben's telephone, and his call."""
    ben, emil = await pbx.phone("101"), await pbx.phone("104")
    await pbx.server.administration.apply(SetSetting("ben", "telephone", "call_waiting", False))
    call = await ben.dial("104")
    await emil.answer()
    await call.answered()
    return ben, call


async def wanted(pbx: PbxUnderTest, number: str = "102") -> Phone:
    """Let somebody find Ben busy and want to be called back: his telephone."""
    phone = await pbx.phone(number)
    assert (await phone.dial("101")).reason == "user.busy"
    await done(phone, "**31")
    return phone


async def outcome(pbx: PbxUnderTest, user: str = "clara") -> str:
    return (await pbx.wait_for(CallBackEnded, timeout_s=WANTED_S + 60, user=user)).outcome


async def test_when_both_are_free_whoever_asked_is_rung_first_and_then_the_other(pbx: PbxUnderTest) -> None:
    ben, call = await engaged(pbx)
    clara = await wanted(pbx)
    assert await pbx.wait_for(CallBackWanted) == CallBackWanted("clara", "101")
    await asyncio.sleep(60)
    assert clara._incoming.empty()
    await call.hang_up()
    ringing = await clara.ringing(QUIET_S + 1)
    assert ringing.caller == "101"
    assert "call-info" not in {name.lower() for name, _ in ringing._leg().request.headers}
    assert ben._incoming.empty()
    await ringing.answer()
    answered = await ben.answer()
    assert answered.caller == "102"
    await asyncio.sleep(0.5)
    assert await hears(answered, ringing)
    assert await hears(ringing, answered)
    assert await outcome(pbx) == "connected"
    assert pbx.pools.ip_channel.high_water == 0
    await ringing.hang_up()
    await answered.ended()
    await asyncio.sleep(60)
    assert clara._incoming.empty(), "once is enough"


async def test_it_waits_as_long_as_whoever_asked_talks_himself(pbx: PbxUnderTest) -> None:
    _, call = await engaged(pbx)
    clara = await wanted(pbx)
    own = await clara.dial("9900")
    await own.answered()
    await call.hang_up()
    await asyncio.sleep(60)
    assert clara._incoming.empty()
    await own.hang_up()
    (await clara.ringing(QUIET_S + 1)).refuse()
    assert await outcome(pbx) == "user.busy"


async def test_who_asked_is_rung_though_nobody_else_may_disturb_him(pbx: PbxUnderTest) -> None:
    _, call = await engaged(pbx)
    clara = await wanted(pbx)
    await pbx.server.administration.apply(SetSetting("clara", "telephone", "do_not_disturb", True))
    await call.hang_up()
    assert (await clara.ringing(QUIET_S + 1)).caller == "101"


async def test_a_softphone_is_called_back_at_the_softphone(pbx: PbxUnderTest) -> None:
    desk, (_, call) = await pbx.phone("100"), await engaged(pbx)
    softphone = await wanted(pbx, "anna")
    await call.hang_up()
    await softphone.ringing(QUIET_S + 1)
    assert desk._incoming.empty()


async def test_l47_a_softphone_that_is_licensed_no_more_is_not_rung(pbx: PbxUnderTest) -> None:
    _, call = await engaged(pbx)
    softphone = await wanted(pbx, "anna")
    await pbx.server.administration.apply(MoveUser("anna", "Haus", "Lager"))
    await call.hang_up()
    assert await outcome(pbx, "anna") == "function.not_configured"
    assert softphone._incoming.empty()


async def test_nobody_answers_the_call_back_and_it_is_over(pbx: PbxUnderTest) -> None:
    ben, call = await engaged(pbx)
    clara = await wanted(pbx)
    await call.hang_up()
    ringing = await clara.ringing(QUIET_S + 1)
    await ringing.ended(RING_S + 1)
    assert await outcome(pbx) == "user.no_answer"
    assert ben._incoming.empty()
    assert not pbx.server.switch.calls


async def test_who_is_busy_again_is_told_and_may_be_wanted_again(pbx: PbxUnderTest) -> None:
    ben, call = await engaged(pbx)
    clara = await wanted(pbx)
    await call.hang_up()
    ringing = await clara.ringing(QUIET_S + 1)
    again = await ben.dial("9900")
    await again.answered()
    await ringing.answer()
    await ringing.ended()
    assert await outcome(pbx) == "user.busy"
    await done(clara, "**31")
    await again.hang_up()
    await clara.ringing(QUIET_S + 1)


async def test_it_is_cancelled_by_a_code(pbx: PbxUnderTest) -> None:
    _, call = await engaged(pbx)
    clara = await wanted(pbx)
    await done(clara, "**30")
    assert await outcome(pbx) == "cancelled"
    await call.hang_up()
    await asyncio.sleep(60)
    assert clara._incoming.empty()


async def test_it_is_waited_for_three_quarters_of_an_hour_and_no_longer(pbx: PbxUnderTest) -> None:
    _, call = await engaged(pbx)
    clara = await wanted(pbx)
    began = asyncio.get_running_loop().time()
    assert await outcome(pbx) == "expired"
    assert asyncio.get_running_loop().time() - began == pytest.approx(WANTED_S, abs=5)
    await call.hang_up()
    await asyncio.sleep(60)
    assert clara._incoming.empty()


async def test_who_found_nobody_busy_or_long_ago_is_refused(pbx: PbxUnderTest) -> None:
    ben, _ = await engaged(pbx)
    clara = await pbx.phone("102")
    refused = await clara.dial("**31")
    assert (refused.status, refused.cause, refused.reason) == (480, 31, "call_back.nobody")
    assert (await clara.dial("101")).reason == "user.busy"
    await asyncio.sleep(REMEMBERED_S)
    assert (await clara.dial("**31")).reason == "call_back.nobody"
    await pbx.server.administration.apply(SetSetting("ben", "telephone", "do_not_disturb", True))
    assert (await clara.dial("101")).reason == "user.do_not_disturb"
    assert (await clara.dial("**31")).reason == "call_back.nobody"
    assert ben._incoming.empty()


async def test_a_later_wish_takes_the_place_of_the_one_before(pbx: PbxUnderTest) -> None:
    _, call = await engaged(pbx)
    clara = await wanted(pbx)
    await pbx.server.administration.apply(SetSetting("emil", "telephone", "call_waiting", False))
    assert (await clara.dial("104")).reason == "user.busy"
    await done(clara, "**31")
    assert await outcome(pbx) == "replaced"
    await call.hang_up()
    assert (await clara.ringing(QUIET_S + 1)).caller == "104"


async def test_of_two_who_want_the_same_user_the_first_is_rung_first(pbx: PbxUnderTest) -> None:
    ben, call = await engaged(pbx)
    clara, anna = await wanted(pbx), await wanted(pbx, "100")
    await call.hang_up()
    ringing = await clara.ringing(QUIET_S + 1)
    await asyncio.sleep(10)
    assert anna._incoming.empty()
    await ringing.answer()
    answered = await ben.answer()
    await asyncio.sleep(60)
    assert anna._incoming.empty()
    await answered.hang_up()
    await ringing.ended()
    await (await anna.ringing(QUIET_S + 1)).answer()
    await ben.answer()


async def test_a_deleted_user_is_wanted_by_nobody(pbx: PbxUnderTest) -> None:
    _, call = await engaged(pbx)
    clara = await wanted(pbx)
    await pbx.server.administration.apply(DeleteUser("ben"))
    await call.hang_up()
    assert await outcome(pbx) == "cancelled"
    assert clara._incoming.empty()
