"""A user takes his own call along to another telephone: by a code dialled there, or rung by an application."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.features.test_one_number import ELSEWHERE, SITE, far_end, profile, reasons_sent

from ringfence.channels.media.plane import Tone
from ringfence.licensing.refusal import Refusal
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.site.acts import SetSetting
from ringfence.server.switch.events import CallPulled, MobileWoken

if TYPE_CHECKING:
    from ringfence.channels.network import Address
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.phones.phone import Phone
    from ringfence.server.switch.call import Call

TWO = SITE.replace("office_plus = 1", "office_plus = 2")
pytestmark = [pytest.mark.virtual_time, pytest.mark.ringfence(site=TWO)]


async def talking(pbx: PbxUnderTest, number: str = "100") -> tuple[Phone, PhoneCall, PhoneCall]:
    """Let Clara call Anna at her desk; return Clara's telephone, and the call at either end."""
    desk, clara = await pbx.phone("100"), await pbx.phone("102")
    call = await clara.dial(number)
    taken = await desk.answer()
    await call.answered()
    return clara, call, taken


def live(pbx: PbxUnderTest) -> Call:
    (call,) = pbx.server.switch.calls.values()
    return call


async def hears(speaker: PhoneCall, listener: PhoneCall, frequency_hz: int) -> bool:
    await speaker.play(Tone((frequency_hz,), 1.0))
    await asyncio.sleep(0.2)
    heard = await listener.heard()
    return heard.between(max(0.0, heard.duration_s - 1.0)).contains_tone(frequency_hz)


async def test_by_the_code_a_call_goes_on_at_the_telephone_where_it_is_dialled(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = reasons_sent(monkeypatch)
    _, call, at_desk = await talking(pbx)
    soft = await pbx.phone("anna")
    pulled = await soft.dial("*6")
    await pulled.answered()
    await at_desk.ended()
    assert sent == [("BYE 127.0.0.1", ELSEWHERE)]
    assert not call.is_over
    assert await hears(call, pulled, 440)
    assert await hears(pulled, call, 700)
    event = await pbx.wait_for(CallPulled)
    assert (event.call_id, event.device, event.left) == ("c-1", "anna", "100")
    assert list(pbx.server.switch.calls) == ["c-1"], "the call that was dialled is none any more"
    await pulled.hang_up()
    await call.ended()


async def test_the_far_end_notices_at_most_a_reinvite(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    clara, call, _ = await talking(pbx)
    soft = await pbx.phone("anna")
    methods: list[bytes] = []
    carry = MemoryNetwork.carry
    port = clara._stack.agent.local.port

    def watch(self: MemoryNetwork, data: bytes, source: Address, destination: Address) -> None:
        if destination.port == port and not data.startswith(b"SIP/2.0"):
            methods.append(data.split(b" ", 1)[0])
        carry(self, data, source, destination)

    monkeypatch.setattr(MemoryNetwork, "carry", watch)
    pulled = await soft.dial("*6")
    await pulled.answered()
    await asyncio.sleep(2)
    assert set(methods) <= {b"INVITE", b"ACK"}
    assert not call.is_held
    await call.hang_up()
    await pulled.ended()


async def test_whom_she_held_at_her_desk_is_held_no_longer(pbx: PbxUnderTest) -> None:
    _, call, at_desk = await talking(pbx)
    await at_desk.hold()
    await asyncio.sleep(1)
    assert await hears(call, call, 440) is False
    soft = await pbx.phone("anna")
    pulled = await soft.dial("*6")
    await pulled.answered()
    await asyncio.sleep(1)
    assert await hears(pulled, call, 700)
    await pulled.hang_up()
    await call.ended()


async def test_her_own_outgoing_call_she_takes_along_as_well(pbx: PbxUnderTest) -> None:
    desk, soft, clara = await pbx.phone("100"), await pbx.phone("anna"), await pbx.phone("102")
    call = await desk.dial("102")
    taken = await clara.answer()
    await call.answered()
    pulled = await soft.dial("*6")
    await pulled.answered()
    await call.ended()
    assert not taken.is_over
    assert await hears(taken, pulled, 440)
    await taken.hang_up()
    await pulled.ended()


async def test_between_two_softphones_of_one_account(pbx: PbxUnderTest) -> None:
    one, other, ben = await pbx.phone("anna"), await pbx.phone("anna"), await pbx.phone("102")
    call = await one.dial("102")
    taken = await ben.answer()
    await call.answered()
    pulled = await other.dial("*6")
    await pulled.answered()
    await call.ended()
    await taken.hang_up()


async def test_an_application_rings_the_other_telephone_and_the_call_goes_on_there(pbx: PbxUnderTest) -> None:
    _, call, at_desk = await talking(pbx)
    soft = await pbx.phone("anna")
    fetching = asyncio.ensure_future(pbx.server.switch.pulls.fetch(live(pbx), "anna"))
    ringing = await soft.ringing()
    assert ringing.leg is not None
    assert (ringing.caller, ringing.leg.request.get("call-info")) == (
        "102",
        "<sip:ringfence>;answer-after=0",
    )
    assert await hears(call, at_desk, 440), "until she answers, nothing changes"
    await ringing.answer()
    assert await fetching is None
    await at_desk.ended()
    assert await hears(call, ringing, 500)
    assert len(pbx.server.switch.calls) == 1
    await call.hang_up()
    await ringing.ended()


async def test_nobody_who_answers_leaves_the_call_where_it_is(pbx: PbxUnderTest) -> None:
    _, call, at_desk = await talking(pbx)
    soft = await pbx.phone("anna")
    fetching = asyncio.ensure_future(pbx.server.switch.pulls.fetch(live(pbx), "anna"))
    await soft.ringing()
    refusal = await fetching
    assert refusal is not None
    assert refusal.reason == "user.no_answer"
    assert await hears(call, at_desk, 440)
    await call.hang_up()


async def test_when_the_call_ends_meanwhile_the_telephone_rings_no_more(pbx: PbxUnderTest) -> None:
    _, call, _ = await talking(pbx)
    soft = await pbx.phone("anna")
    fetching = asyncio.ensure_future(pbx.server.switch.pulls.fetch(live(pbx), "anna"))
    ringing = await soft.ringing()
    await call.hang_up()
    await ringing.ended()
    assert ringing.status == 487
    assert await fetching == Refusal("pull.nothing")
    assert not pbx.server.switch.connections


@pytest.mark.parametrize("account", ["ben", "nobody", "100"])
async def test_a_call_is_fetched_only_to_another_telephone_of_who_talks_in_it(
    pbx: PbxUnderTest, account: str
) -> None:
    _, call, _ = await talking(pbx)
    assert await pbx.server.switch.pulls.fetch(live(pbx), account) == Refusal("pull.nothing")
    await call.hang_up()


async def test_a_telephone_that_is_not_registered_gets_nothing(pbx: PbxUnderTest) -> None:
    _, call, _ = await talking(pbx)
    refusal = await pbx.server.switch.pulls.fetch(live(pbx), "anna")
    assert refusal is not None
    assert refusal.reason == "user.not_registered"
    await call.hang_up()


async def test_without_a_call_elsewhere_the_code_is_refused(pbx: PbxUnderTest) -> None:
    soft, clara = await pbx.phone("anna"), await pbx.phone("102")
    call = await soft.dial("*6")
    assert (call.status, call.reason) == (404, "pull.nothing")
    call = await clara.dial("100")
    await soft.ringing()
    again = await soft.dial("*6")
    assert (again.status, again.reason) == (404, "pull.nothing"), "what only rings is picked up, not pulled"
    await call.hang_up()


@pytest.mark.ringfence(site=SITE)
async def test_an_under_licensed_user_may_not_pull(pbx: PbxUnderTest) -> None:
    """L-47: Ben has two desk phones, which need no licence, and no seat for OneNumber."""
    one, other, clara = await pbx.phone("101"), await pbx.phone("101"), await pbx.phone("102")
    call = await one.dial("102")
    taken = await clara.answer()
    await call.answered()
    refused = await other.dial("*6")
    assert (refused.status, refused.reason) == (403, "license.office_plus.under_licensed")
    refusal = await pbx.server.switch.pulls.fetch(live(pbx), "ben")
    assert refusal is not None
    assert refusal.reason == "license.office_plus.under_licensed"
    await taken.hang_up()


async def test_a_user_without_the_function_may_not_pull(pbx: PbxUnderTest) -> None:
    one, other, anna = await pbx.phone("102"), await pbx.phone("102"), await pbx.phone("100")
    call = await one.dial("100")
    taken = await anna.answer()
    refused = await other.dial("*6")
    assert (refused.status, refused.reason) == (403, "function.not_configured")
    await taken.hang_up()
    await call.ended()


async def test_from_a_number_outside_to_the_desk(pbx: PbxUnderTest) -> None:
    """Who has taken the call on her own mobile telephone comes into the house and goes on there."""
    await profile(pbx, numbers=["01711"])
    outside, clara = await far_end(pbx), await pbx.phone("102")
    call = await clara.dial("100")
    on_the_way = await outside.answer()
    await call.answered()
    desk = await pbx.phone("100")
    pulled = await desk.dial("*6")
    await pulled.answered()
    await on_the_way.ended()
    assert await hears(call, pulled, 440)
    await pulled.hang_up()
    await call.ended()


async def test_whom_a_number_outside_talks_to_may_transfer_it(pbx: PbxUnderTest) -> None:
    """It is a trunk's call to routing and licensing, whoever's telephone it is."""
    await profile(pbx, numbers=["01711"])
    outside, clara, ben = await far_end(pbx), await pbx.phone("102"), await pbx.phone("101")
    call = await clara.dial("100")
    on_the_way = await outside.answer()
    await call.answered()
    transferring = asyncio.ensure_future(call.transfer("101"))
    taken = await ben.answer()
    assert await transferring == 200
    assert not on_the_way.is_over
    await taken.hang_up()
    await on_the_way.ended()


async def test_to_a_number_outside_once_the_digit_is_pressed_there(pbx: PbxUnderTest) -> None:
    """She leaves her desk and takes the call along on her own mobile telephone, no voicemail does."""
    await profile(pbx, numbers=["01711"], confirm="7")
    _, call, at_desk = await talking(pbx)
    outside = await far_end(pbx)
    fetching = asyncio.ensure_future(pbx.server.switch.pulls.fetch(live(pbx), "01711"))
    ringing = await outside.ringing()
    assert (ringing.called, ringing.caller) == ("1711", "08955550102")
    await ringing.answer()
    await asyncio.sleep(2)
    assert await hears(call, at_desk, 440)
    await ringing.send_digits("7")
    assert await fetching is None
    await at_desk.ended()
    assert await hears(call, ringing, 500)
    await call.hang_up()
    await ringing.ended()


async def test_a_voicemail_outside_does_not_pull_a_call_away(pbx: PbxUnderTest) -> None:
    await profile(pbx, numbers=["01711"], confirm="7")
    _, call, at_desk = await talking(pbx)
    outside = await far_end(pbx)
    fetching = asyncio.ensure_future(pbx.server.switch.pulls.fetch(live(pbx), "01711"))
    voicemail = await outside.answer()
    refusal = await fetching
    assert refusal is not None
    assert refusal.reason == "user.no_answer"
    await voicemail.ended()
    assert await hears(call, at_desk, 440)
    await call.hang_up()


async def test_a_mobile_softphone_that_sleeps_is_woken_for_it(pbx: PbxUnderTest) -> None:
    await pbx.server.administration.apply(SetSetting("anna", "softphone_mobile", "wake_s", 10))
    _, call, at_desk = await talking(pbx)
    mobile = await pbx.phone("anna+mobile", register=False, transport="TCP")
    fetching = asyncio.ensure_future(pbx.server.switch.pulls.fetch(live(pbx), "anna+mobile"))
    await pbx.wait_for(MobileWoken, account="anna+mobile")
    assert await hears(call, at_desk, 440), "who talks hears nothing of it"
    await mobile.register()
    taken = await mobile.answer()
    assert await fetching is None
    await at_desk.ended()
    await taken.hang_up()
    await call.ended()
