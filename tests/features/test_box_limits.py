"""The limits of a voicemail box: the length, the number and the age of messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import SILENCE, encode
from ringfence.channels.media.plane import Codec, Prompt, Tone
from ringfence.channels.media.prompts import prompt_payload
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import DeleteUser, SetSetting
from ringfence.server.site.site import Site, SiteError
from ringfence.server.switch.events import MessageExpired, MessageLeft, MessageLost, MessageRead

from .test_voicemail import GREETING_AND_BEEP_S, ROOT, leave

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
DAY_S = 86_400.0


def limited(line: str) -> str:
    return read_site("small").text.replace('direct_prefix = "*"', f'direct_prefix = "*"\n{line}')


@pytest.mark.ringfence(site=limited("most_messages = 1"))
async def test_a_full_box_is_busy_before_it_answers_and_takes_messages_again_after_a_deletion(
    pbx: PbxUnderTest,
) -> None:
    caller = await pbx.outside("+49731999")
    await leave(await caller.dial(f"{ROOT}*100"))
    left = await pbx.wait_for(MessageLeft, user="anna")
    high_water = pbx.pools.ip_channel.high_water
    refused = await caller.dial(f"{ROOT}*100")
    assert (refused.status, refused.cause, refused.reason) == (486, 17, "mailbox.full")
    assert pbx.pools.ip_channel.high_water == high_water
    assert len(await pbx.voicemails("anna")) == 1
    await pbx.server.boxes.delete(left.message_id)
    assert (await caller.dial(f"{ROOT}*100")).status == 200


@pytest.mark.ringfence(site=limited("most_messages = 1"))
async def test_who_is_forwarded_to_a_full_box_learns_both_why_it_is_full_and_why_he_was_sent_there(
    pbx: PbxUnderTest,
) -> None:
    caller = await pbx.outside("+49731999")
    await leave(await caller.dial(f"{ROOT}100"))
    await pbx.wait_for(MessageLeft, user="anna")
    refused = await caller.dial(f"{ROOT}100")
    assert (refused.status, refused.reason) == (486, "mailbox.full")
    assert refused.response is not None
    reasons = refused.response.get("Reason") or ""
    assert "cause=17" in reasons
    assert "cause=20" in reasons


@pytest.mark.ringfence(site=limited("most_messages = 1"))
async def test_the_messages_of_a_deleted_user_fill_no_box(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    await pbx.server.administration.apply(DeleteUser("anna"))
    assert not pbx.server.boxes.is_full("anna")


@pytest.mark.ringfence(site=limited("longest_message_s = 5"))
async def test_a_message_is_cut_at_its_longest_and_kept(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(GREETING_AND_BEEP_S)
    await call.play(Tone((500,), 20.0))
    await call.ended(30)
    (message,) = await pbx.voicemails("anna")
    sound = Audio.from_wav(message.path)
    assert (message.duration_s, sound.duration_s) == (5.0, 5.0)


@pytest.mark.ringfence(site=limited("most_messages = 1"))
async def test_two_who_speak_at_once_into_the_last_place_are_both_kept(pbx: PbxUnderTest) -> None:
    """What was begun is kept: nobody is cut off because somebody else was faster."""
    callers = [await pbx.outside(number) for number in ("+49731999", "+49731888")]
    calls = [await caller.dial(f"{ROOT}*100") for caller in callers]
    await asyncio.gather(*(leave(call) for call in calls))
    await asyncio.sleep(1)
    assert {message.caller for message in await pbx.voicemails("anna")} == {"+49731999", "+49731888"}
    assert (await callers[0].dial(f"{ROOT}*100")).status == 486


@pytest.mark.ringfence(site=limited("most_messages = 1"))
async def test_a_full_box_goes_by_its_rules_where_they_want_no_message(pbx: PbxUnderTest) -> None:
    rules = [
        {"if": {"caller": "+43*"}, "then": "announce"},
        {"if": {"caller": "+41*"}, "then": "transfer", "to": "101"},
    ]
    await pbx.server.administration.apply(SetSetting("anna", "voicemail", "rules", rules))
    ulm = await pbx.outside("+49731999")
    await leave(await ulm.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    refused = await ulm.dial(f"{ROOT}*100")
    assert (refused.status, refused.reason) == (486, "mailbox.full")
    announced = await (await pbx.outside("+431999")).dial(f"{ROOT}*100")
    await announced.answered()
    await announced.ended(15)
    back = await (await pbx.outside("+411999")).dial(f"{ROOT}*100")  # nobody is registered at 101
    await back.answered()
    await back.ended(20)
    full = prompt_payload(Prompt("box_full"), Codec.PCMA).strip(SILENCE[Codec.PCMA])
    assert full in encode((await back.heard()).samples, Codec.PCMA)
    assert len(await pbx.voicemails("anna")) == 1


async def test_a_message_that_cannot_be_kept_is_told_to_the_caller_and_by_an_event(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(GREETING_AND_BEEP_S)
    await call.play(Tone((500,), 3.0))
    folder = pbx.server.store.messages_dir
    folder.rename(folder.with_name("gone"))
    await call.heard()
    await call.send_digits("#")
    lost = await pbx.wait_for(MessageLost, user="anna", caller="+49731999")
    folder.with_name("gone").rename(folder)
    assert "No such file" in lost.why
    await call.ended(10)
    failed = prompt_payload(Prompt("failed"), Codec.PCMA).strip(SILENCE[Codec.PCMA])
    assert failed in encode((await call.heard()).samples, Codec.PCMA)
    assert await pbx.voicemails("anna") == ()
    assert not pbx.server.boxes.is_full("anna")


@pytest.mark.ringfence(site=limited("keep_days = 2"))
async def test_a_message_goes_some_days_after_it_was_heard_and_the_lamp_learns_it(pbx: PbxUnderTest) -> None:
    caller, anna = await pbx.outside("+49731999"), await pbx.phone("100")
    await leave(await caller.dial(f"{ROOT}*100"))
    left = await pbx.wait_for(MessageLeft, user="anna")
    await asyncio.sleep(7 * DAY_S)
    await anna.register()
    call = await anna.dial("199")
    await call.send_digits("8264#")
    await pbx.wait_for(MessageRead, user="anna")
    await call.hang_up()
    await leave(await caller.dial(f"{ROOT}*100"))
    (_, unheard) = await pbx.voicemails("anna")
    await asyncio.sleep(2 * DAY_S - 3600)
    assert len(await pbx.voicemails("anna")) == 2
    await anna.register()
    lamp = await anna.subscribe("message-summary", "100")
    await lamp.shows("Voice-Message: 1/1 (0/0)")
    await asyncio.sleep(2 * 3600)
    await pbx.wait_for(MessageExpired, user="anna", message_id=left.message_id)
    await lamp.shows("Voice-Message: 1/0 (0/0)")
    assert await pbx.voicemails("anna") == (unheard,)


@pytest.mark.ringfence(site=limited("keep_days = 2"))
async def test_what_nobody_has_heard_stays_whatever_its_age(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    await leave(await caller.dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft, user="anna")
    await asyncio.sleep(5 * DAY_S)
    assert len(await pbx.voicemails("anna")) == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "longest_message_s = 0.5",
            "longest_message_s = 0.5 is no limit of a voicemail box; write 1 to 3600",
        ),
        ("most_messages = 0", "most_messages = 0 is no limit of a voicemail box; write 1 to 10000"),
        ("keep_days = 0", "keep_days = 0 is no limit of a voicemail box; write 1 to 3650"),
    ],
)
def test_a_limit_that_is_none_is_told_with_its_line(line: str, sentence: str) -> None:
    text = limited(line)
    number = text.splitlines().index(line) + 1
    with pytest.raises(SiteError) as told:
        Site.parse(text)
    assert str(told.value) == f"site.toml, line {number}: {sentence}"
