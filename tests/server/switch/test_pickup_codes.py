"""Picking up by code: `**8` and an extension, or `*8` for whoever rings in the own pickup group."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.talk import hears

from ringfence.fixtures.plugin import read_site
from ringfence.server.switch.events import CallPickedUp, CallStarted

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
GROUPS = (
    read_site("small").text + '\n[[pickup_group]]\nname = "Empfang"\nmembers = ["clara", "ben", "emil"]\n'
)
RENAMED = read_site("small").text + '\n[feature_codes]\npickup = "#7"\ngroup_pickup = ""\n'


async def test_who_dials_the_code_and_an_extension_gets_its_caller(pbx: PbxUnderTest) -> None:
    """The ringing ends, both talk in one call, event and journal tell it; no channel is taken (L-73)."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    ringing = await ben.ringing()
    picked = await clara.dial("**8101")
    await picked.answered()
    await call.answered()
    await ringing.ended()
    assert await hears(call, picked)
    assert await hears(picked, call)
    (live,) = pbx.server.switch.calls.values()
    assert [one.device for one in live.connections] == ["100", "102"]
    started = await pbx.wait_for(CallStarted)
    assert await pbx.wait_for(CallPickedUp) == CallPickedUp(started.call_id, by="102", device="101")
    entry = (await pbx.server.journal.find(user="clara")).entries[0]
    assert (entry.kind, entry.what) == ("pickup", "call at 101 picked up by 102")
    assert pbx.pools.ip_channel.used == 0
    await picked.hang_up()
    await call.ended()
    await asyncio.sleep(0)
    assert not pbx.server.switch.calls


async def test_the_call_that_rings_longest_at_the_desk_phone_or_the_softphone_is_picked_up(
    pbx: PbxUnderTest,
) -> None:
    softphone, clara, emil = [await pbx.phone(one) for one in ("anna", "102", "104")]
    first, second = await pbx.outside("0731999"), await pbx.outside("0731998")
    call = await first.dial("08955550100")
    await softphone.ringing()
    other = await second.dial("08955550100")
    picked = await clara.dial("**8100")
    await picked.answered()
    await call.answered()
    assert not other.is_answered
    again = await emil.dial("**8100")
    await again.answered()
    await other.answered()
    for one in (call, other):
        await one.hang_up()


async def test_where_nothing_rings_the_code_is_refused(pbx: PbxUnderTest) -> None:
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    refused = await clara.dial("**8101")
    assert (refused.status, refused.cause, refused.reason) == (480, 31, "pickup.nothing_rings")
    assert (await clara.dial("**8555")).reason == "number.unknown"
    call = await clara.dial("101")
    assert call.rings
    assert (await clara.dial("**8101")).reason == "pickup.nothing_rings", "nobody takes his own call"
    talking = await ben.answer()
    assert (await (await pbx.phone("104")).dial("**8101")).reason == "pickup.nothing_rings", (
        "it rings no more"
    )
    await talking.hang_up()


async def test_the_code_alone_takes_a_call_of_the_own_configuration_group(pbx: PbxUnderTest) -> None:
    """Anna and Ben are in Vertrieb, Clara in none and Emil in Lager."""
    anna, ben, emil = [await pbx.phone(one) for one in ("100", "101", "104")]
    outside = await pbx.outside("0731999")
    call = await outside.dial("08955550101")
    ringing = await ben.ringing()
    assert (await emil.dial("*8")).reason == "pickup.nothing_rings"
    assert not ringing.is_over
    picked = await anna.dial("*8")
    await picked.answered()
    await call.answered()
    assert await hears(picked, call)
    await call.hang_up()


@pytest.mark.ringfence(site=GROUPS)
async def test_a_pickup_group_of_the_site_file_takes_the_place_of_the_configuration_group(
    pbx: PbxUnderTest,
) -> None:
    anna, ben, emil = [await pbx.phone(one) for one in ("100", "101", "104")]
    outside = await pbx.outside("0731999")
    call = await outside.dial("08955550101")
    await ben.ringing()
    assert (await anna.dial("*8")).reason == "pickup.nothing_rings", (
        "Anna has her configuration group, Ben left it"
    )
    picked = await emil.dial("*8")
    await picked.answered()
    await call.hang_up()


@pytest.mark.ringfence(site=RENAMED)
async def test_codes_are_those_of_the_site_file_and_an_empty_one_is_none(pbx: PbxUnderTest) -> None:
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    await ben.ringing()
    assert (await clara.dial("*8")).reason == "number.unknown", "it is a mailbox's number again, and nobody's"
    assert (await clara.dial("**8101")).reason == "number.unknown"
    picked = await clara.dial("#7101")
    await picked.answered()
    await call.hang_up()


async def test_nobody_outside_and_no_forwarding_picks_up_by_a_code(pbx: PbxUnderTest) -> None:
    """A trunk's call proves no account, and who is transferred or forwarded to a code has not dialled it."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    outside = await pbx.outside("0731999")
    call = await anna.dial("101")
    ringing = await ben.ringing()
    for number in ("08955550**8101", "08955550*8"):
        assert (await outside.dial(number)).reason == "number.unknown"
    emil = await pbx.phone("104")
    talking = await emil.dial("102")
    answered = await clara.answer()
    assert await answered.transfer("**8101") == 404
    assert not ringing.is_over
    await talking.hang_up()
    await call.hang_up()


async def test_a_softphone_needs_its_licence_for_a_code(pbx: PbxUnderTest) -> None:
    """L-47: as at every INVITE."""
    anna, ben, dora = [await pbx.phone(one) for one in ("100", "101", "dora")]
    call = await anna.dial("101")
    ringing = await ben.ringing()
    refused = await dora.dial("**8101")
    assert (refused.status, refused.reason) == (403, "license.office_plus.under_licensed")
    assert not ringing.is_over
    await call.hang_up()


async def test_who_leaves_while_he_is_picked_up_by_code_leaves_nothing_behind(pbx: PbxUnderTest) -> None:
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    await ben.ringing()
    picking = asyncio.ensure_future(clara.dial("**8101"))
    await call.hang_up()
    await (await picking).ended()
    await asyncio.sleep(1)
    assert not pbx.server.switch.connections
    assert not pbx.server.switch.calls


async def test_who_asks_what_a_code_can_do_is_told(pbx: PbxUnderTest) -> None:
    """RFC 3261 11.2: OPTIONS is answered as an INVITE would be."""
    async with SipPeer(pbx, "102") as clara:
        assert (await clara.ask("OPTIONS", "*8")).status == 200
        assert (await clara.ask("OPTIONS", "*7777")).status == 404
