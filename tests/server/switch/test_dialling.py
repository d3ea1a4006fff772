"""Numbers through the whole server: dialled by location, written for a trunk, shown of who calls, emergency as ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.uri import SipUri

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


def site(number_format: str = "e164", caller_format: str = "as_signalled", *, trunk: str = "") -> str:
    """Munich with exit code 0 and Vienna with 9; one trunk, whose far end is 127.0.0.31."""
    return (
        read_site("small").text.replace(
            'numbers = "08955550"\n',
            f'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\nnumber_format = "{number_format}"\n{trunk}',
        )
        + f"""
[[location]]
name = "Wien"
functions = []
[[user]]
name = "wolf"
location = "Wien"
extension = "110"
password = "Wolf-1100-Wachs"
forward = {{ busy = "90731999" }}
[[dialling]]
country = "49"
area = "89"
exit_code = "0"
caller_format = "{caller_format}"
[[dialling]]
location = "Wien"
country = "43"
area = "1"
exit_code = "9"
"""
    )


@pytest.fixture
async def far_end(pbx: PbxUnderTest) -> AsyncIterator[SipPeer]:
    """Where calls go out; it is busy."""
    async with SipPeer(pbx, "far", host="127.0.0.31", port=5070) as peer:
        peer.status = 486
        yield peer


async def asked_for(far_end: SipPeer) -> str:
    request = await far_end.next()
    assert request.method == "INVITE"
    assert isinstance(request.request_uri, SipUri)
    return request.request_uri.user or ""


@pytest.mark.parametrize(
    ("account", "dialled", "number"),
    [
        ("100", "0073199912", "+4973199912"),
        ("100", "055501234", "+498955501234"),
        ("100", "000431234567", "+431234567"),
        ("100", "+431234567", "+431234567"),
        ("100", "0115", "115"),
        ("110", "9073199912", "+4373199912"),
        ("110", "91234567", "+4311234567"),
        ("110", "9004973199912", "+4973199912"),
    ],
)
@pytest.mark.ringfence(site=site())
async def test_a_number_is_dialled_in_the_way_of_the_location_and_leaves_as_the_trunk_wants_it(
    pbx: PbxUnderTest, far_end: SipPeer, account: str, dialled: str, number: str
) -> None:
    call = await (await pbx.phone(account)).dial(dialled)
    assert await asked_for(far_end) == number
    assert call.reason == "user.busy"


@pytest.mark.parametrize(
    ("form", "number"),
    [
        pytest.param(form, number, marks=pytest.mark.ringfence(site=site(form)), id=form)
        for form, number in [
            ("as_dialled", "073199912"),
            ("national", "073199912"),
            ("international", "004973199912"),
            ("e164", "+4973199912"),
        ]
    ],
)
async def test_the_trunk_gets_number_and_caller_in_its_form(
    pbx: PbxUnderTest, far_end: SipPeer, form: str, number: str
) -> None:
    await (await pbx.phone("101")).dial("0073199912")
    request = await far_end.next()
    assert isinstance(request.request_uri, SipUri)
    assert request.request_uri.user == number
    own = {"e164": "+498955550101", "international": "00498955550101"}.get(form, "08955550101")
    assert f"sip:{own}@" in (request.get("p-asserted-identity") or "")
    assert isinstance(request.from_.uri, SipUri)
    assert request.from_.uri.user == own


@pytest.mark.ringfence(site=site())
async def test_without_the_exit_code_nothing_leaves_the_house(pbx: PbxUnderTest) -> None:
    anna, wolf = await pbx.phone("100"), await pbx.phone("110")
    assert (await anna.dial("73199912")).reason == "number.unknown"
    assert (await wolf.dial("073199912")).reason == "number.unknown", "0 is no exit code in Vienna"


@pytest.mark.ringfence(site=site(trunk='outbound_prefix = "7"\n'))
async def test_the_prefix_of_a_trunk_chooses_it_beside_the_exit_code(
    pbx: PbxUnderTest, far_end: SipPeer
) -> None:
    anna = await pbx.phone("100")
    await anna.dial("7073199912")
    assert await asked_for(far_end) == "+4973199912"
    await anna.dial("+4973199912")
    assert await asked_for(far_end) == "+4973199912", "a number of the world needs none"
    assert (await anna.dial("0073199912")).reason == "trunk.none"


@pytest.mark.ringfence(site=site())
async def test_an_own_number_dialled_as_from_outside_stays_in_the_house(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    for dialled in ("008955550101", "055550101", "0004989 55550101".replace(" ", ""), "+498955550101"):
        call = await anna.dial(dialled)
        ringing = await ben.ringing()
        assert ringing.caller == "100"
        await call.hang_up()
        await ringing.ended()


@pytest.mark.ringfence(site=site())
async def test_a_call_from_outside_is_for_the_root_in_every_form(pbx: PbxUnderTest) -> None:
    ben, outside = await pbx.phone("101"), await pbx.outside("+4973199912")
    for called in ("08955550101", "+498955550101", "00498955550101"):
        call = await outside.dial(called)
        ringing = await ben.ringing()
        assert ringing.caller == "+4973199912"
        await call.hang_up()
        await ringing.ended()
    assert (await outside.dial("+49895556")).reason == "number.unknown"


@pytest.mark.ringfence(site=site(caller_format="dialled"))
async def test_who_calls_is_shown_as_he_is_called_back_and_kept_as_signalled(pbx: PbxUnderTest) -> None:
    """Design: `from` and `to` of what is kept are the numbers as signalled, never shortened."""
    ben, outside = await pbx.phone("101"), await pbx.outside("+4973199912")
    call = await outside.dial("08955550101")
    ringing = await ben.ringing()
    assert ringing.caller == "0073199912"
    (live,) = pbx.server.switch.calls.values()
    assert live.caller.number == "+4973199912"
    await call.hang_up()
    call = await outside.dial("08955550*101")
    await call.answered()
    await asyncio.sleep(12)
    await call.hang_up()
    await asyncio.sleep(1)
    assert [one.caller for one in await pbx.voicemails("ben")] == ["+4973199912"]


@pytest.mark.ringfence(site=site())
async def test_a_forwarding_is_dialled_in_the_way_of_whose_it_is(pbx: PbxUnderTest, far_end: SipPeer) -> None:
    """Vienna's 9, though Munich calls; the far end is told both in its form."""
    anna, wolf = await pbx.phone("100"), await pbx.phone("110")
    wolf.busy_with = 486
    await anna.dial("110")
    request = await far_end.next()
    assert isinstance(request.request_uri, SipUri)
    assert request.request_uri.user == "+43731999"
    assert "sip:+498955550110@" in (request.get("diversion") or "")
    assert "sip:+498955550100@" in (request.get("p-asserted-identity") or "")


@pytest.mark.ringfence(site=site())
async def test_a_transfer_is_dialled_in_the_way_of_who_transfers(pbx: PbxUnderTest, far_end: SipPeer) -> None:
    anna, wolf = await pbx.phone("100"), await pbx.phone("110")
    call = await anna.dial("110")
    talking = await wolf.answer()
    await call.answered()
    assert await talking.transfer("9004973199912") == 486
    assert await asked_for(far_end) == "+4973199912"
    await call.hang_up()


@pytest.mark.parametrize("dialled", ["112", "0112"])
@pytest.mark.ringfence(site=site().replace('extension = "110"', 'extension = "105"'))
async def test_an_emergency_number_is_no_number_to_convert(
    pbx: PbxUnderTest, far_end: SipPeer, dialled: str
) -> None:
    """Design: it ends at the answering point, with and without the exit code, and no trunk is asked."""
    dora = await pbx.phone("dora")
    call = await dora.dial(dialled)
    assert call.status == 200, "an unlicensed softphone, too"
    await call.hang_up()
    assert not far_end.received


@pytest.mark.parametrize("dialled", ["112", "0112"])
@pytest.mark.ringfence(site=site(trunk="emergency = true\n"))
async def test_an_emergency_number_leaves_as_it_is_by_a_trunk_that_is_meant_for_it(
    pbx: PbxUnderTest, far_end: SipPeer, dialled: str
) -> None:
    await (await pbx.phone("100")).dial(dialled)
    assert await asked_for(far_end) == "112"


@pytest.mark.ringfence(
    site=site()
    .replace("functions = []\n[[user]]", 'functions = ["voicemail"]\n[[user]]')
    .replace("voicemail = 3", "voicemail = 9")
)
async def test_who_left_a_message_is_called_back_as_the_trunks_have_his_number(
    pbx: PbxUnderTest, far_end: SipPeer
) -> None:
    """His number is one of Germany, though who calls him back is in Vienna."""
    outside = await pbx.outside("073199912")
    call = await outside.dial("08955550*110")
    await call.answered()
    await asyncio.sleep(12)
    await call.hang_up()
    await asyncio.sleep(1)
    (message,) = await pbx.voicemails("wolf")
    box = pbx.server.boxes.box_of("wolf")
    assert box is not None
    caller = pbx.server.switch.router._owners.caller_of(box, message)
    assert caller is not None
    assert caller.shown == "073199912"
    await (await pbx.phone("110")).dial(caller.number)
    assert await asked_for(far_end) == "+4973199912"
