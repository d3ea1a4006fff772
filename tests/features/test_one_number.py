"""OneNumber: desk phone, softphones and numbers outside ring for one number, in the order of a profile."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.sip.parser import parse
from ringfence.server.site.acts import SetSetting
from ringfence.server.site.require import AdministrationError
from ringfence.server.switch.call import Call
from ringfence.server.switch.events import MobileWoken, Refused

if TYPE_CHECKING:
    from ringfence.channels.network import Address
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.phone import Phone

SITE = """
[server]
domain = "eins.example"
[entitlements]
server = 1
office_plus = 1
[[location]]
name = "Haus"
functions = ["softphone", "softphone_mobile", "one_number"]
[[location.group]]
name = "Lager"
functions = []
[[user]]
name = "anna"
display_name = "Anna Huber"
location = "Haus"
extension = "100"
password = "Anna-1000-Apfel"
forward = { no_answer = "102", not_registered = "102" }
[[user]]
name = "ben"
location = "Haus"
extension = "101"
password = "Ben-1010-Birne"
[[user]]
name = "clara"
location = "Haus"
group = "Lager"
extension = "102"
password = "Clara-1020-Kirsche"
[[trunk]]
name = "amt"
peers = ["127.0.0.31"]
numbers = "08955550"
uri = "sip:127.0.0.31:5070"
outbound_prefix = "0"
[security]
trusted_sources = ["127.0.0.1", "127.0.0.31"]
"""
pytestmark = [pytest.mark.virtual_time, pytest.mark.ringfence(site=SITE)]
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


async def profile(pbx: PbxUnderTest, user: str = "anna", **values: object) -> None:
    """Give a user a profile."""
    await pbx.server.administration.apply(SetSetting(user, "one_number", "profile", values))


async def far_end(pbx: PbxUnderTest) -> Phone:
    """The network behind the trunk, with Anna's own mobile telephone in it."""
    return await pbx.outside("01711", host="127.0.0.31", port=5070)


def reasons_sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Collect the Reason of each CANCEL and BYE, with whom it goes to."""
    sent: list[tuple[str, str | None]] = []
    carry = MemoryNetwork.carry

    def watch(self: MemoryNetwork, data: bytes, source: Address, destination: Address) -> None:
        if data.startswith((b"CANCEL sip:", b"BYE sip:")):
            request = parse(data)
            sent.append((f"{request.method} {destination.host}", request.get("reason")))  # type: ignore[union-attr]
        carry(self, data, source, destination)

    monkeypatch.setattr(MemoryNetwork, "carry", watch)
    return sent


# -- profiles --------------------------------------------------------------------------------------------------


async def test_all_telephones_ring_at_once_and_the_first_to_answer_wins(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3326: the others learn that they missed nothing."""
    sent = reasons_sent(monkeypatch)
    await profile(pbx, numbers=["01711"])
    desk, soft, mobile = (
        await pbx.phone("100"),
        await pbx.phone("anna"),
        await pbx.phone("anna+mobile", transport="TCP"),
    )
    outside, ben = await far_end(pbx), await pbx.phone("101")
    call = await ben.dial("100")
    ringing = [await phone.ringing() for phone in (desk, soft, mobile, outside)]
    assert ringing[3].called == "1711"
    await ringing[1].answer()
    await call.answered()
    for one in (ringing[0], ringing[2], ringing[3]):
        await one.ended()
        assert one.status == 487
    assert [reason for _, reason in sent] == [ELSEWHERE] * 2  # the third CANCEL went by TCP
    await call.hang_up()


async def test_a_number_outside_that_answers_has_the_call(pbx: PbxUnderTest) -> None:
    """Whoever calls from outside may be carried out again: it is the user's own setting."""
    await profile(pbx, numbers=["01711"])
    desk, outside = await pbx.phone("100"), await far_end(pbx)
    call = await outside.dial("08955550100")
    at_desk = await desk.ringing()
    taken = await outside.answer()
    await call.answered()
    await at_desk.ended()
    assert at_desk.status == 487
    await call.hang_up()
    await taken.ended()


async def test_who_calls_is_shown_outside_by_the_one_number_and_the_way_it_came(pbx: PbxUnderTest) -> None:
    """A caller of the house by his direct-dial number, and whose telephone follows her (RFC 5806)."""
    await profile(pbx, numbers=["01711"])
    outside, clara = await far_end(pbx), await pbx.phone("102")
    call = await clara.dial("100")
    ringing = await outside.ringing()
    assert ringing.leg is not None
    assert ringing.caller == "08955550102"
    assert ringing.leg.request.get("diversion") == "<sip:08955550100@eins.example>;reason=follow-me"
    await call.hang_up()


@pytest.mark.parametrize("account", ["100", "anna", "anna+mobile"])
async def test_from_each_of_her_telephones_she_is_shown_outside_by_one_number(
    pbx: PbxUnderTest, account: str
) -> None:
    outside = await far_end(pbx)
    transport = "TCP" if account.endswith("mobile") else None
    phone = await pbx.phone(account, transport=transport)  # type: ignore[arg-type]
    call = await phone.dial("0089777")
    assert (await outside.ringing()).caller == "08955550100"
    await call.hang_up()


async def test_softphones_first_and_the_rest_after_some_seconds(pbx: PbxUnderTest) -> None:
    await profile(pbx, order="softphone_first", after_s=8.0, numbers=["01711"])
    desk, soft, outside = await pbx.phone("100"), await pbx.phone("anna"), await far_end(pbx)
    ben = await pbx.phone("101")
    call = await ben.dial("100")
    assert len(soft.calls) == 1
    await asyncio.sleep(7.5)
    assert (len(desk.calls), len(outside.calls)) == (0, 0)
    await asyncio.sleep(1)
    assert (len(desk.calls), len(outside.calls)) == (1, 1)
    await desk.answer()
    await call.answered()
    await call.hang_up()


async def test_what_comes_later_rings_at_once_when_nobody_rings_any_more(pbx: PbxUnderTest) -> None:
    await profile(pbx, order="softphone_first", after_s=30.0)
    desk, soft, ben = await pbx.phone("100"), await pbx.phone("anna"), await pbx.phone("101")
    call = await ben.dial("100")
    (await soft.ringing()).refuse(486)
    await asyncio.sleep(0.5)
    await desk.answer()
    await call.answered()
    await call.hang_up()


async def test_the_mobile_ones_ring_after_some_seconds(pbx: PbxUnderTest) -> None:
    await profile(pbx, order="mobile_after", after_s=5.0, numbers=["01711"])
    mobile, outside = await pbx.phone("anna+mobile", transport="TCP"), await far_end(pbx)
    desk, soft, ben = await pbx.phone("100"), await pbx.phone("anna"), await pbx.phone("101")
    call = await ben.dial("100")
    await asyncio.sleep(4.5)
    assert [len(phone.calls) for phone in (desk, soft, mobile, outside)] == [1, 1, 0, 0]
    await asyncio.sleep(1)
    assert [len(phone.calls) for phone in (desk, soft, mobile, outside)] == [1, 1, 1, 1]
    await call.hang_up()
    await asyncio.sleep(1)
    assert not pbx.server.switch.connections


async def test_a_caller_who_gives_up_ends_what_rings_and_what_would_have(pbx: PbxUnderTest) -> None:
    await profile(pbx, order="mobile_after", after_s=5.0, numbers=["01711"])
    desk, outside, ben = await pbx.phone("100"), await far_end(pbx), await pbx.phone("101")
    call = await ben.dial("100")
    ringing = await desk.ringing()
    await call.hang_up()
    await ringing.ended()
    await asyncio.sleep(30)
    assert not outside.calls
    assert not pbx.server.switch.calls


async def test_when_nobody_answers_the_forwarding_has_its_turn(pbx: PbxUnderTest) -> None:
    await profile(pbx, numbers=["01711"])
    desk, outside, clara = await pbx.phone("100"), await far_end(pbx), await pbx.phone("102")
    call = await (await pbx.phone("101")).dial("100")
    ringing = [await desk.ringing(), await outside.ringing()]
    await clara.answer()
    await call.answered()
    assert all(one.is_over for one in ringing)
    await call.hang_up()


async def test_all_who_refuse_leave_the_better_refusal(pbx: PbxUnderTest) -> None:
    await profile(pbx, numbers=["01711"])
    desk, outside = await pbx.phone("100"), await far_end(pbx)
    call = await (await pbx.phone("101")).dial("100")
    (await outside.ringing()).refuse(404)
    (await desk.ringing()).refuse(486)
    await call.ended()
    assert (call.status, call.reason) == (486, "user.busy")


async def test_a_network_outside_that_declines_speaks_for_itself_alone(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.7: 6xx speaks for all devices of a user, which a mobile network does not know."""
    await profile(pbx, numbers=["01711"])
    desk, outside = await pbx.phone("100"), await far_end(pbx)
    call = await (await pbx.phone("101")).dial("100")
    (await outside.ringing()).refuse(603)
    await asyncio.sleep(1)
    await desk.answer()
    await call.answered()
    await call.hang_up()


async def test_several_numbers_and_devices_of_one_account_ring_together(pbx: PbxUnderTest) -> None:
    await profile(pbx, numbers=["01711", "01722"])
    outside = await far_end(pbx)
    softphones = [await pbx.phone("anna"), await pbx.phone("anna")]
    call = await (await pbx.phone("101")).dial("100")
    numbers = {(await outside.ringing()).called for _ in range(2)}
    assert numbers == {"1711", "1722"}
    assert [len(one.calls) for one in softphones] == [1, 1]
    await softphones[1].answer()
    await call.answered()
    await call.hang_up()


# -- a voicemail that answers ----------------------------------------------------------------------------------


async def test_a_voicemail_outside_does_not_win_when_a_digit_is_asked_for(pbx: PbxUnderTest) -> None:
    await profile(pbx, numbers=["01711"], confirm="1")
    desk, outside, ben = await pbx.phone("100"), await far_end(pbx), await pbx.phone("101")
    call = await ben.dial("100")
    at_desk = await desk.ringing()
    voicemail = await outside.answer()
    await asyncio.sleep(8)
    assert not call.is_answered
    assert (await voicemail.heard()).between(0, 0.3).contains_tone(1000)
    await at_desk.answer()
    await call.answered()
    await voicemail.ended()
    await call.hang_up()


async def test_a_voicemail_that_talks_on_alone_is_hung_up_and_the_call_forwarded(pbx: PbxUnderTest) -> None:
    await profile(pbx, numbers=["01711"], confirm="1")
    outside, clara, ben = await far_end(pbx), await pbx.phone("102"), await pbx.phone("101")
    dialled = await ben.dial("100")
    voicemail = await outside.answer()
    await voicemail.ended()
    await clara.answer()
    await dialled.answered()
    await dialled.hang_up()


async def test_who_presses_the_digit_has_the_call(pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = reasons_sent(monkeypatch)
    await profile(pbx, numbers=["01711"], confirm="1")
    desk, outside, ben = await pbx.phone("100"), await far_end(pbx), await pbx.phone("101")
    call = await ben.dial("100")
    at_desk = await desk.ringing()
    taken = await outside.answer()
    await asyncio.sleep(2)
    await taken.send_digits("5")
    await asyncio.sleep(2)
    assert not call.is_answered
    await taken.send_digits("1")
    await call.answered()
    await at_desk.ended()
    assert sent == [("CANCEL 127.0.0.1", ELSEWHERE)]
    await taken.hang_up()
    await call.ended()


# -- waking ----------------------------------------------------------------------------------------------------


async def wakes(pbx: PbxUnderTest, seconds: float = 10.0) -> None:
    await pbx.server.administration.apply(SetSetting("anna", "softphone_mobile", "wake_s", seconds))


async def test_a_mobile_softphone_that_sleeps_is_woken_and_rings_when_it_has_registered(
    pbx: PbxUnderTest,
) -> None:
    await wakes(pbx)
    mobile = await pbx.phone("anna+mobile", register=False, transport="TCP")
    ben = await pbx.phone("101")
    call = await ben.dial("100")
    assert call.rings
    woken = await pbx.wait_for(MobileWoken, account="anna+mobile")
    assert (woken.user, woken.caller, woken.call_id) == ("anna", "101", "c-1")
    await asyncio.sleep(4)
    await mobile.register()
    await mobile.answer()
    await call.answered()
    await call.hang_up()


async def test_one_that_does_not_come_is_not_waited_for_longer(pbx: PbxUnderTest) -> None:
    await wakes(pbx, 6.0)
    clara, ben = await pbx.phone("102"), await pbx.phone("101")
    call = await ben.dial("100")
    await asyncio.sleep(5.5)
    assert not clara.calls
    await clara.answer()
    await call.answered()
    await call.hang_up()


async def test_one_that_is_awake_is_not_woken(pbx: PbxUnderTest) -> None:
    await wakes(pbx)
    mobile = await pbx.phone("anna+mobile", transport="TCP")
    call = await (await pbx.phone("101")).dial("anna+mobile")
    await mobile.answer()
    await call.answered()
    await call.hang_up()
    assert not [one for one in pbx.server.stream.recent if isinstance(one.event, MobileWoken)]


async def test_while_it_is_woken_the_desk_phone_may_take_the_call(pbx: PbxUnderTest) -> None:
    await wakes(pbx)
    desk, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await ben.dial("100")
    await pbx.wait_for(MobileWoken)
    await desk.answer()
    await call.answered()
    await call.hang_up()


# -- the setting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (
            {"order": "none"},
            "does not fit at order: input should be 'all', 'softphone_first' or 'mobile_after'",
        ),
        ({"after_s": 0}, "after_s is 1 to 60 seconds"),
        ({"numbers": ["0171"] * 6}, "there are more than 5 numbers"),
        ({"numbers": ["0171x"]}, 'the target "0171x" of the profile of "anna" is no number'),
        ({"confirm": "12"}, "confirm is one digit"),
        ({"confirm": ""}, "confirm is one digit"),
        ({"mobile": "0171"}, "does not fit at mobile"),
    ],
)
async def test_a_profile_that_cannot_be_is_one_sentence_and_changes_nothing(
    pbx: PbxUnderTest, values: dict[str, object], what: str
) -> None:
    await profile(pbx, order="softphone_first")
    with pytest.raises(AdministrationError, match=re.escape(what)):
        await profile(pbx, "anna", **values)
    (kept,) = pbx.server.administration.directory.users[0].settings
    assert kept.value == {"order": "softphone_first"}


@pytest.mark.parametrize("seconds", [0.5, 31, "10"])
async def test_a_mobile_softphone_is_waited_for_at_most_half_a_minute(
    pbx: PbxUnderTest, seconds: object
) -> None:
    with pytest.raises(AdministrationError, match='the setting "wake_s" of softphone_mobile does not fit'):
        await pbx.server.administration.apply(SetSetting("anna", "softphone_mobile", "wake_s", seconds))


@pytest.mark.ringfence(
    site=SITE.replace(
        '[[user]]\nname = "ben"',
        '[user.settings.one_number]\nprofile = { numbers = ["01711"], confirm = "3" }\n'
        '[user.settings.softphone_mobile]\nwake_s = 10\n[[user]]\nname = "ben"',
    )
)
async def test_a_site_file_has_the_same_settings(pbx: PbxUnderTest) -> None:
    outside, ben = await far_end(pbx), await pbx.phone("101")
    call = await ben.dial("100")
    await pbx.wait_for(MobileWoken, account="anna+mobile")
    taken = await outside.answer()
    await asyncio.sleep(1)
    await taken.send_digits("3")
    await call.answered()
    await call.hang_up()


# -- licences --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "reason"), [(None, "license.office_plus.under_licensed"), ("Lager", "function.not_configured")]
)
async def test_without_licence_or_function_only_the_desk_phone_rings_and_an_event_says_why(
    pbx: PbxUnderTest, group: str | None, reason: str
) -> None:
    """L-47; Ben has no seat."""
    await profile(pbx, "ben", numbers=["01711"])
    if group is not None:
        await pbx.move("ben", "Haus", group)
    desk, outside, clara = await pbx.phone("101"), await far_end(pbx), await pbx.phone("102")
    call = await clara.dial("101")
    await desk.answer()
    await call.answered()
    await call.hang_up()
    assert not outside.calls
    if group is None:
        event = await pbx.wait_for(Refused, what="ringing OneNumber of ben")
        assert event.reason == reason


async def test_under_licensing_keeps_the_profile_and_moving_away_deletes_it(pbx: PbxUnderTest) -> None:
    """L-46, L-06, L-08."""
    await profile(pbx, "ben", numbers=["01711"])
    await pbx.move("anna", "Haus", "Lager")
    outside, clara = await far_end(pbx), await pbx.phone("102")
    call = await clara.dial("101")
    assert (await outside.ringing()).called == "1711"
    await call.hang_up()
    await pbx.move("ben", "Haus", "Lager")
    await pbx.move("ben", "Haus")
    call = await clara.dial("101")
    assert (call.status, call.reason) == (480, "user.not_registered")
    assert len(outside.calls) == 1


@pytest.mark.parametrize(
    ("number", "reason"), [("+491711", "trunk.none"), ("102", "number.unknown"), ("0112", "number.unknown")]
)
async def test_a_number_that_no_trunk_may_carry_is_passed_over(
    pbx: PbxUnderTest, number: str, reason: str
) -> None:
    """An emergency is called by nobody who calls Anna."""
    await profile(pbx, numbers=[number])
    desk = await pbx.phone("100")
    call = await (await pbx.phone("101")).dial("100")
    await desk.answer()
    await call.answered()
    assert (await pbx.wait_for(Refused, what=f"ringing {number} of anna")).reason == reason
    await call.hang_up()


async def test_an_application_that_calls_for_her_rings_each_registered_telephone_at_once(
    pbx: PbxUnderTest,
) -> None:
    """Her own telephones are rung for a call that she places; no profile keeps the desk phone waiting."""
    await profile(pbx, order="softphone_first", numbers=["01711"])
    desk, outside, ben = await pbx.phone("100"), await far_end(pbx), await pbx.phone("101")
    call = pbx.server.switch.place("anna", "101")
    assert isinstance(call, Call)
    own = await desk.answer()
    await ben.answer()
    assert not outside.calls
    await own.hang_up()


@pytest.mark.needs("pylibsrtp")
@pytest.mark.ringfence(site=f'{SITE}[media]\nsrtp = "always"\n')
async def test_a_telephone_that_wants_its_audio_encrypted_is_offered_that_in_a_profile_as_well(
    pbx: PbxUnderTest,
) -> None:
    """RFC 4568: who refuses RTP/AVP by 488 is offered RTP/SAVP, as without a profile."""
    await profile(pbx, order="softphone_first")
    soft, ben = await pbx.phone("anna"), await pbx.phone("101")
    soft.encrypts = "always"
    call = await ben.dial("100")
    await soft.answer()
    await call.answered()
    await call.hang_up()


@pytest.mark.parametrize("setting", [("do_not_disturb", True), ("call_waiting", False)])
async def test_who_is_not_to_be_rung_is_not_rung_outside_either(
    pbx: PbxUnderTest, setting: tuple[str, bool]
) -> None:
    """A second call, for who wants none: he talks at a number outside, which rang for him."""
    await profile(pbx, numbers=["01711"])
    outside, ben, clara = await far_end(pbx), await pbx.phone("101"), await pbx.phone("102")
    first = await ben.dial("100")
    taken = await outside.answer()
    await pbx.server.administration.apply(SetSetting("anna", "telephone", *setting))
    call = await clara.dial("100")
    assert call.status == 486
    assert len(outside.calls) == 1
    await taken.hang_up()
    await first.ended()


async def test_a_number_outside_that_is_forwarded_back_rings_nothing_outside_again(pbx: PbxUnderTest) -> None:
    """Her mobile network sends what it does not reach to her office, with the Diversion that it got."""
    await profile(pbx, numbers=["01711"])
    desk, outside, ben = await pbx.phone("100"), await far_end(pbx), await pbx.phone("101")
    call = await ben.dial("100")
    ringing = await outside.ringing()
    assert ringing.leg is not None
    diversion = ringing.leg.request.get("diversion") or ""
    back = await outside.dial("08955550100", headers=(("Diversion", diversion),))
    await asyncio.sleep(5)
    assert len(desk.calls) == 2
    assert len(outside.calls) == 2, "the one that rang, and the one that came back"
    await back.hang_up()
    await call.hang_up()
