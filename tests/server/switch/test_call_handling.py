"""Forwarding by kind and by who calls, do not disturb, call waiting: what a user has set decides before it rings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import MoveUser, SetSetting
from ringfence.server.switch.events import CallForwarded

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
ROOT = "08955550"
SMALL = read_site("small").text


def forwarding(of_anna: str) -> str:
    """The small site in which Anna forwards otherwise."""
    given = 'forward = { busy = "*100", no_answer = "*100", not_registered = "*100", after_s = 20 }'
    assert given in SMALL
    return SMALL.replace(given, of_anna)


async def put(pbx: PbxUnderTest, user: str, key: str, value: object) -> None:
    await pbx.server.administration.apply(SetSetting(user, "telephone", key, value))


APART = forwarding(
    'forward = { internal = { always = "101" }, external = { busy = "102", not_registered = "*100" } }'
)


@pytest.mark.ringfence(site=APART)
async def test_all_calls_from_inside_go_on_at_once_and_the_own_telephone_is_silent(pbx: PbxUnderTest) -> None:
    anna, ben, clara = [await pbx.phone(number) for number in ("100", "101", "102")]
    call = await clara.dial("100")
    ringing = await ben.ringing()
    diverted = ringing._leg().request
    assert diverted.all("diversion") == ["<sip:100@klein.example>;reason=unconditional"]
    assert diverted.all("history-info") == [
        "<sip:100@klein.example>;index=1",
        "<sip:101@klein.example;cause=302>;index=1.1;mp=1",
    ]
    await ringing.answer()
    await call.answered()
    assert anna._incoming.empty()
    forwarded = await pbx.wait_for(CallForwarded)
    assert (forwarded.user, forwarded.number, forwarded.reason) == ("anna", "101", "forward.always")
    await call.hang_up()


@pytest.mark.ringfence(site=APART)
async def test_a_call_from_outside_has_the_forwardings_for_outside(pbx: PbxUnderTest) -> None:
    anna, outside = await pbx.phone("100"), await pbx.outside("0731999")
    anna.busy_with, clara = 486, await pbx.phone("102")
    call = await outside.dial(f"{ROOT}100")
    await clara.answer()
    await call.answered()
    await call.hang_up()
    await anna.stop()
    boxed = await outside.dial(f"{ROOT}100")
    await boxed.answered()
    assert pbx.pools.ip_channel.used == 1
    await boxed.hang_up()


@pytest.mark.ringfence(site=forwarding('forward = { busy = "101", internal = { always = "102" } }'))
async def test_a_kind_that_is_for_everybody_holds_where_none_of_its_own_is_named(pbx: PbxUnderTest) -> None:
    anna, outside = await pbx.phone("100"), await pbx.outside("0731999")
    anna.busy_with, ben = 486, await pbx.phone("101")
    call = await outside.dial(f"{ROOT}100")
    await ben.answer()
    await call.answered()
    await call.hang_up()


async def test_forwardings_are_changed_at_run_time_and_count_from_the_next_call(pbx: PbxUnderTest) -> None:
    anna, ben, clara = [await pbx.phone(number) for number in ("100", "101", "102")]
    await put(pbx, "anna", "forward.always", "101")
    call = await clara.dial("100")
    await ben.answer()
    await call.hang_up()
    await put(pbx, "anna", "forward.always", None)
    call = await clara.dial("100")
    await anna.answer()
    await call.answered()
    await call.hang_up()


async def test_a_circle_of_calls_forwarded_at_once_is_refused_and_rings_nowhere(pbx: PbxUnderTest) -> None:
    anna, ben, clara = [await pbx.phone(number) for number in ("100", "101", "102")]
    await put(pbx, "anna", "forward.always", "101")
    await put(pbx, "ben", "forward.always", "100")
    call = await clara.dial("100")
    assert (call.status, call.reason, call.cause) == (482, "forward.loop", 25)
    assert anna._incoming.empty()
    assert ben._incoming.empty()


async def test_a_chain_of_more_than_five_users_is_refused(pbx: PbxUnderTest) -> None:
    outside = await pbx.outside("0731999")
    chain = ["anna", "ben", "clara", "dora", "emil"]
    for number, user in enumerate(chain, 101):
        await put(pbx, user, "forward.always", str(number) if user != "emil" else "200")
    call = await outside.dial(f"{ROOT}100")
    assert call.reason == "forward.loop"
    await put(pbx, "anna", "forward.always", "102")
    taken = await outside.dial(f"{ROOT}100")
    await taken.answered()
    await taken.hang_up()


async def test_a_telephone_may_send_its_calls_to_another_one_of_the_same_user(pbx: PbxUnderTest) -> None:
    """RFC 3261 8.1.3.4: that is no circle."""
    ben, softphone, clara = [await pbx.phone(account) for account in ("101", "ben", "102")]
    dialling = asyncio.ensure_future(clara.dial("101"))
    ringing = await ben.ringing()
    ringing._leg().refuse(302, ben.now(), [("Contact", "<sip:ben@klein.example>")])
    ben.flush()
    await softphone.answer()
    call = await dialling
    await call.answered()
    await call.hang_up()


async def test_l06_a_forwarding_to_the_own_box_goes_with_voicemail_and_the_others_stay(
    pbx: PbxUnderTest,
) -> None:
    await put(pbx, "anna", "forward.external.always", "*100")
    await put(pbx, "anna", "forward.internal.busy", "101")
    await put(pbx, "anna", "do_not_disturb", True)
    await pbx.server.administration.apply(MoveUser("anna", "Haus", "Lager"))
    anna = pbx.server.administration.directory.by_name("anna")
    assert anna is not None
    assert anna.forward is not None
    assert list(anna.forward.targets()) == [(("internal", "busy"), "101")]
    assert [(one.key, one.value) for one in anna.settings] == [("do_not_disturb", True)]


async def test_who_is_not_to_be_disturbed_is_busy_for_everybody_and_can_call(pbx: PbxUnderTest) -> None:
    ben, clara, outside = await pbx.phone("101"), await pbx.phone("102"), await pbx.outside("0731999")
    softphone = await pbx.phone("ben")
    await put(pbx, "ben", "do_not_disturb", True)
    for caller, number in ((clara, "101"), (outside, f"{ROOT}101"), (softphone, "101")):
        call = await caller.dial(number)
        assert (call.status, call.reason, call.cause) == (486, "user.do_not_disturb", 17)
    assert ben._incoming.empty()
    assert softphone._incoming.empty()
    call = await ben.dial("102")
    await clara.answer()
    await call.answered()
    await call.hang_up()
    await put(pbx, "ben", "do_not_disturb", False)
    call = await clara.dial("101")
    assert call.rings
    await call.hang_up()


async def test_do_not_disturb_forwards_as_busy_does(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    await put(pbx, "anna", "do_not_disturb", True)
    boxed = await ben.dial("100")
    await boxed.answered()
    assert pbx.pools.ip_channel.used == 1
    assert (await pbx.wait_for(CallForwarded)).reason == "user.do_not_disturb"
    await boxed.hang_up()


async def test_a_second_call_rings_while_a_user_talks_unless_he_wants_no_call_waiting(
    pbx: PbxUnderTest,
) -> None:
    ben, clara, emil = [await pbx.phone(number) for number in ("101", "102", "104")]
    call = await clara.dial("101")
    await ben.answer()
    await call.answered()
    second = await emil.dial("101")
    assert (await ben.ringing()).caller == "104"
    await second.hang_up()
    await put(pbx, "ben", "call_waiting", False)
    refused = await emil.dial("101")
    assert (refused.status, refused.reason) == (486, "user.busy")
    await call.hang_up()
    await asyncio.sleep(0.5)
    free = await emil.dial("101")
    assert free.rings
    await free.hang_up()


async def test_without_call_waiting_a_call_on_any_device_is_one_and_a_second_forwards_as_busy(
    pbx: PbxUnderTest,
) -> None:
    """The softphone talks, dials, or rings: the desk phone is not rung."""
    await pbx.phone("100")
    softphone, ben, clara = [await pbx.phone(account) for account in ("anna", "101", "102")]
    await put(pbx, "anna", "call_waiting", False)
    own = await softphone.dial("102")
    boxed = await ben.dial("100")
    await boxed.answered()
    assert pbx.pools.ip_channel.used == 1
    await boxed.hang_up()
    await own.hang_up()
    await asyncio.sleep(0.5)
    first = await clara.dial("100")
    assert first.rings
    boxed = await ben.dial("100")
    await boxed.answered()
    await boxed.hang_up()
    await first.hang_up()
