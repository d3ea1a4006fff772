"""A central mailbox: the box of a user without a telephone, which others may hear (decision 44)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.plane import Clip
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import MoveUser, SetSetting
from ringfence.server.switch.events import MessageDeleted, MessageLeft, MessageRead

from .test_voicemail import ROOT, leave

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
HOTLINE = """
[[user]]
name = "hotline"
location = "Haus"
extension = "150"
password = "Hotline-1500"
voicemail_pin = "9371"
forward = { not_registered = "*150" }
"""
CENTRAL = read_site("small").text.replace("voicemail = 3", "voicemail = 5") + HOTLINE
FEW = read_site("small").text.replace("[[user]]", HOTLINE + "[[user]]", 1)


async def share(pbx: PbxUnderTest, *members: str) -> None:
    await pbx.server.administration.apply(SetSetting("hotline", "voicemail", "shared_with", [*members]))


async def a_message(pbx: PbxUnderTest) -> str:
    """Leave one for the hotline from outside; returns its id."""
    await leave(await (await pbx.outside("+49731999")).dial(f"{ROOT}150"))
    return (await pbx.wait_for(MessageLeft, user="hotline")).message_id


@pytest.mark.ringfence(site=CENTRAL)
async def test_a_member_hears_the_central_mailbox_by_its_number_and_pin(pbx: PbxUnderTest) -> None:
    await share(pbx, "anna", "clara")
    message = await a_message(pbx)
    clara = await pbx.phone("102")
    call = await clara.dial("*150")
    await call.send_digits("9371#")
    await pbx.wait_for(MessageRead, user="hotline", message_id=message)
    assert (await call.heard()).power_at(500) > 0.05
    await call.hang_up()
    assert pbx.pools.ip_channel.high_water == 1


@pytest.mark.ringfence(site=CENTRAL)
async def test_who_is_no_member_and_who_is_forwarded_leaves_a_message(pbx: PbxUnderTest) -> None:
    await share(pbx, "anna")
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    await leave(await ben.dial("*150"))
    await leave(await anna.dial("150"))
    await leave(await (await pbx.outside("+49731999")).dial(f"{ROOT}*150"))
    callers = [message.caller for message in await pbx.voicemails("hotline")]
    assert callers == ["101", "100", "+49731999"]


@pytest.mark.ringfence(site=CENTRAL)
async def test_its_lamp_is_on_for_each_member_until_one_has_heard_it(pbx: PbxUnderTest) -> None:
    await share(pbx, "anna", "clara")
    anna, ben, clara = [await pbx.phone(number) for number in ("100", "101", "102")]
    lamps = [await phone.subscribe("message-summary", "150") for phone in (anna, clara)]
    stranger = await ben.subscribe("message-summary", "150")
    assert (stranger.status, stranger.refused and stranger.refused.reason) == (403, "auth.forbidden")
    message = await a_message(pbx)
    for lamp in lamps:
        told = await lamp.shows("Voice-Message: 1/0 (0/0)")
        assert "Message-Account: sip:*150@klein.example" in told
    await pbx.server.boxes.mark_read(message)
    for lamp in lamps:
        await lamp.shows("Voice-Message: 0/1 (0/0)")
    own = await anna.subscribe("message-summary", "100")
    await own.shows("Message-Account: sip:199@klein.example")


@pytest.mark.ringfence(site=FEW)
async def test_l47_a_member_without_a_seat_is_refused_and_the_others_go_on(pbx: PbxUnderTest) -> None:
    """The hotline, Anna and Ben hold the three seats; Clara waits (A-01)."""
    await share(pbx, "anna", "clara")
    await a_message(pbx)
    anna, clara = await pbx.phone("100"), await pbx.phone("102")
    refused = await clara.dial("*150")
    assert (refused.status, refused.reason) == (403, "license.voicemail.under_licensed")
    call = await anna.dial("*150")
    assert call.status == 200
    await call.hang_up()


@pytest.mark.ringfence(site=CENTRAL)
async def test_l06_moved_to_a_place_without_voicemail_it_is_shared_no_more_and_keeps_its_messages(
    pbx: PbxUnderTest,
) -> None:
    """L-06, L-08, A-04"""
    await share(pbx, "anna")
    await a_message(pbx)
    for group in ("Lager", "Vertrieb"):
        await pbx.server.administration.apply(MoveUser("hotline", "Haus", group))
    box = pbx.server.boxes.box_of("hotline")
    assert box is not None
    assert box.shared_with == frozenset()
    assert len(await pbx.voicemails("hotline")) == 1


@pytest.mark.ringfence(site=CENTRAL)
async def test_from_elsewhere_it_is_heard_by_number_and_pin(pbx: PbxUnderTest) -> None:
    await share(pbx, "anna")
    message = await a_message(pbx)
    call = await (await pbx.outside("+4915112345")).dial(f"{ROOT}199")
    await call.send_digits("150#9371#")
    await pbx.wait_for(MessageRead, user="hotline", message_id=message)
    await call.hang_up()


@pytest.mark.ringfence(site=CENTRAL)
async def test_what_one_member_deletes_is_gone_for_all(pbx: PbxUnderTest) -> None:
    await share(pbx, "anna", "clara")
    message = await a_message(pbx)
    assert await pbx.server.boxes.delete(message)
    await pbx.wait_for(MessageDeleted, user="hotline")
    assert await pbx.voicemails("hotline") == ()


@pytest.mark.ringfence(site=CENTRAL)
async def test_a_central_mailbox_has_greetings_and_rules_as_any_box(pbx: PbxUnderTest) -> None:
    await pbx.server.administration.apply(
        SetSetting("hotline", "voicemail", "rules", [{"if": {"from": "internal"}, "then": "hang_up"}])
    )
    ben = await pbx.phone("101")
    refused = await ben.dial("*150")
    assert (refused.status, refused.reason) == (603, "call.rejected")
    box = pbx.server.boxes.box_of("hotline")
    assert box is not None
    assert not isinstance(box.greeting, Clip)
