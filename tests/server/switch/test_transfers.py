"""Transfers by telephones: REFER with its NOTIFYs (RFC 3515), Replaces (RFC 3891), as RFC 5589 puts them together."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.server.switch import talk
from tests.server.switch.raw_caller import RawCaller
from tests.server.switch.talk import bridged

from ringfence.channels.media.plane import Tone
from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.refer import Replaces
from ringfence.server.switch.events import CallEnded, CallStarted, CallTransferred, Refused

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.sip.message import Request

pytestmark = pytest.mark.virtual_time
hears = partial(talk.hears, share=0.9)
SMALL = read_site("small").text
ROOT = "08955550"
WITH_WAY_OUT = SMALL.replace(
    'numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n'
)


# -- blind -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["caller", "called"])
async def test_a_blind_transfer_connects_the_other_one_and_frees_who_transferred(
    pbx: PbxUnderTest, by: str
) -> None:
    """RFC 5589 6: whoever is transferred keeps his leg and talks to the target in the end."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    transferor, transferee = (call, answered) if by == "caller" else (answered, call)
    transferring = asyncio.ensure_future(transferor.transfer("102"))
    target = await clara.answer()
    assert await transferring == 200
    await transferor.ended()
    assert target.caller == ("101" if by == "caller" else "100"), (
        "the caller of the new call is who is transferred"
    )
    assert await hears(target, transferee)
    assert await hears(transferee, target)
    assert len(pbx.server.switch.calls) == 1
    transferred = await pbx.wait_for(CallTransferred)
    assert (transferred.by, transferred.number, transferred.joined_call_id) == (
        "100" if by == "caller" else "101",
        "102",
        None,
    )
    await transferee.hang_up()
    await target.ended()


async def test_who_was_held_for_the_transfer_talks_again(pbx: PbxUnderTest) -> None:
    """RFC 5589 6.1: the transferor holds first; the transferee hears it ringing and is not held any more."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    await call.hold()
    await asyncio.sleep(0.5)
    assert answered.is_held
    transferring = asyncio.ensure_future(call.transfer("102"))
    ringing = await clara.ringing()
    await answered.heard()
    await asyncio.sleep(1)
    assert not answered.is_held
    assert (await answered.heard()).contains_tone(425, 0.5)
    await ringing.answer()
    assert await transferring == 200
    await asyncio.sleep(0.5)
    assert await hears(ringing, answered)
    assert await hears(answered, ringing)
    await answered.hang_up()


async def test_a_caller_who_has_not_confirmed_yet_is_transferred_to_what_only_rings(
    pbx: PbxUnderTest,
) -> None:
    """RFC 3261 13.3.1.4: the 2xx is out, and no provisional response can be sent any more."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        calling = asyncio.ensure_future(caller.invite("101"))
        ringing = await ben.ringing()
        answering = asyncio.ensure_future(ringing.answer())
        assert (await calling).status == 200
        await answering
        assert await ringing.transfer("9902") == 200
        caller.ack()
        await asyncio.sleep(5)
        assert len(pbx.server.switch.connections) == 1
        await caller.bye()


async def test_who_is_rung_learns_who_transferred(pbx: PbxUnderTest) -> None:
    """RFC 3892: Referred-By names the authenticated account, not what the REFER claims."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    call._phone.claims = "104"
    transferring = asyncio.ensure_future(call.transfer("102"))
    ringing = await clara.ringing()
    assert ringing.leg is not None
    assert ringing.leg.request.get("referred-by") == "<sip:100@klein.example>"
    await ringing.answer()
    await transferring
    await answered.hang_up()


@pytest.mark.parametrize(
    ("number", "status", "reason"),
    [("777", 404, "number.unknown"), ("104", 480, "user.not_registered"), ("0731123", 404, "trunk.none")],
)
async def test_a_transfer_that_fails_tells_the_status_and_both_talk_on(
    pbx: PbxUnderTest, number: str, status: int, reason: str
) -> None:
    """RFC 3515 2.4.5: the sipfrag holds the final status."""
    call, answered = await bridged(pbx)
    assert await call.transfer(number) == status
    refused = await pbx.wait_for(Refused)
    assert refused.reason == reason
    assert await hears(answered, call)
    assert await hears(call, answered)
    await call.hang_up()


@pytest.mark.parametrize("status", [486, 603])
async def test_a_target_that_refuses_gives_the_call_back(pbx: PbxUnderTest, status: int) -> None:
    """RFC 5589 6.3."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    clara.busy_with = status
    await call.hold()
    assert await call.transfer("102") == status
    await asyncio.sleep(0.5)
    assert answered.is_held, "it is as it was"
    await call.resume()
    await asyncio.sleep(0.5)
    assert await hears(answered, call)
    await call.hang_up()


async def test_who_transfers_may_leave_before_it_is_done(pbx: PbxUnderTest) -> None:
    """RFC 5589 6: the transfer goes on without him."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    transferring = asyncio.ensure_future(call.transfer("102"))
    ringing = await clara.ringing()
    await call.hang_up()
    await ringing.answer()
    assert await hears(ringing, answered)
    transferring.cancel()
    await answered.hang_up()


async def test_without_who_transferred_a_failure_ends_the_call_with_its_reason(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    transferring = asyncio.ensure_future(call.transfer("102"))
    ringing = await clara.ringing()
    await call.hang_up()
    ringing.refuse(486)
    await answered.ended()
    transferring.cancel()
    assert (await pbx.wait_for(CallEnded)).cause == 17


async def test_when_who_is_transferred_hangs_up_nobody_rings_any_more(pbx: PbxUnderTest) -> None:
    """RFC 3515 2.4.5: the transferor is told, and his call is over as well."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    transferring = asyncio.ensure_future(call.transfer("102"))
    ringing = await clara.ringing()
    await answered.hang_up()
    await ringing.ended()
    assert await transferring == 487
    await call.ended()


async def test_a_second_refer_waits_for_the_first(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    transferring = asyncio.ensure_future(call.transfer("102"))
    ringing = await clara.ringing()
    assert await answered.transfer("103") == 491
    await ringing.answer()
    assert await transferring == 200
    await answered.hang_up()


async def test_a_forwarded_target_is_followed(pbx: PbxUnderTest) -> None:
    """The transferred call is routed as any other: Anna's box takes it when she does not."""
    await pbx.phone("102")
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await ben.dial("102")
    clara_call = await pbx._phones[0].answer()
    await call.answered()
    anna.busy_with = 486
    assert await call.transfer("100") == 200
    assert pbx.pools.ip_channel.used == 1
    await call.ended()
    await clara_call.hang_up()
    await asyncio.sleep(1)
    assert pbx.pools.ip_channel.used == 0


# -- licensing -------------------------------------------------------------------------------------------------


async def test_a_transfer_to_a_box_takes_a_channel_or_is_refused_for_want_of_one(pbx: PbxUnderTest) -> None:
    """L-71: the transferred call occupies what any other one would; the sipfrag tells 503 when there is none."""
    outside = await pbx.outside("+49731999")
    held = [await outside.dial(f"{ROOT}*100") for _ in range(4)]
    call, answered = await bridged(pbx)
    assert await call.transfer("*100") == 503
    assert (await pbx.wait_for(Refused, reason="ip_channel.exhausted")).user == "ben"
    await held.pop().hang_up()
    await asyncio.sleep(1)
    assert await call.transfer("*100") == 200
    assert pbx.pools.ip_channel.used == 4
    await call.ended()
    await asyncio.sleep(1)
    for one in (answered, *held):
        await one.hang_up()


async def test_a_message_of_who_was_transferred_names_him(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    assert await call.transfer("*100") == 200
    await answered.hear_tone(1000, 60)
    await answered.play(Tone((440,), 3.0))
    await answered.hang_up()
    await asyncio.sleep(1)
    (message,) = await pbx.voicemails("anna")
    assert message.caller == "101"


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_a_trunk_call_is_not_transferred_out_by_a_trunk(pbx: PbxUnderTest) -> None:
    """Design 3: it never goes out again, but where the called user's own forwarding says so."""
    ben, outside = await pbx.phone("101"), await pbx.outside("+49731999")
    await pbx.outside("far", host="127.0.0.31", port=5070)
    call = await outside.dial(f"{ROOT}101")
    answered = await ben.answer()
    await call.answered()
    assert await answered.transfer("90731123") == 404
    await call.hang_up()


@pytest.mark.ringfence(site=WITH_WAY_OUT)
@pytest.mark.parametrize(
    ("far_status", "status", "reason"),
    [
        (486, 486, "user.busy"),
        (404, 404, "number.unknown"),
        (503, 503, "trunk.failed"),
        (603, 603, "call.rejected"),
    ],
)
async def test_what_a_trunk_s_far_end_refuses_is_a_decision_and_told(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch, far_status: int, status: int, reason: str
) -> None:
    """RFC 3515 2.4.5: by the last NOTIFY, with the id under which the refusal is explained; both talk again."""
    call, answered = await bridged(pbx)
    far = await pbx.outside("0731", host="127.0.0.31", port=5070)
    far.busy_with = far_status
    bodies: list[bytes] = []
    on_notify = call.on_notify

    def note(request: Request) -> None:
        bodies.append(request.body)
        on_notify(request)

    monkeypatch.setattr(call, "on_notify", note)
    assert await call.transfer("90731123") == status
    refused = await pbx.wait_for(Refused, reason=reason)
    assert f"X-License-Decision: {refused.decision}\r\n".encode() in bodies[-1]
    assert pbx.server.decisions.get(refused.decision)
    assert await hears(answered, call)
    await call.hang_up()


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_a_call_of_the_house_is_transferred_out_by_a_trunk(pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    far = await pbx.outside("far", host="127.0.0.31", port=5070)
    transferring = asyncio.ensure_future(call.transfer("90731123"))
    target = await far.answer()
    assert await transferring == 200
    assert await hears(target, answered)
    await answered.hang_up()


async def test_nobody_outside_transfers(pbx: PbxUnderTest) -> None:
    """A call by a trunk proves no account: 403."""
    ben, outside = await pbx.phone("101"), await pbx.outside("+49731999")
    call = await outside.dial(f"{ROOT}101")
    await ben.answer()
    await call.answered()
    assert await call.transfer("102") == 403
    await call.hang_up()


async def test_who_talks_to_ringfence_has_nobody_to_transfer(pbx: PbxUnderTest) -> None:
    """RFC 3515 2.4.2: 603."""
    ben = await pbx.phone("101")
    call = await ben.dial("9901")
    await call.answered()
    assert await call.transfer("102") == 603
    await call.hang_up()


# -- attended --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["caller", "called"])
async def test_an_attended_transfer_joins_the_two_others(pbx: PbxUnderTest, by: str) -> None:
    """RFC 5589 7: the transferor asks the target first, and leaves both calls."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    transferor, transferee = (call, answered) if by == "caller" else (answered, call)
    await transferor.hold()
    consultation = await transferor._phone.dial("102")
    target = await clara.answer()
    await consultation.answered()
    await consultation.hold()
    await asyncio.sleep(0.5)
    assert await transferor.transfer_to(consultation) == 200
    await transferor.ended()
    await consultation.ended()
    await asyncio.sleep(0.5)
    assert not any(one.is_held for one in (target, transferee))
    assert await hears(target, transferee)
    assert await hears(transferee, target)
    (left,) = pbx.server.switch.calls.values()
    assert {one.device for one in left.connections} == ({"101", "102"} if by == "caller" else {"100", "102"})
    transferred = await pbx.wait_for(CallTransferred)
    assert transferred.call_id == left.id
    started = [one.event.call_id for one in pbx.server.stream.recent if isinstance(one.event, CallStarted)]
    assert transferred.joined_call_id == started[1]
    await target.hang_up()
    await transferee.ended()


async def test_a_target_that_still_rings_is_asked_again_for_who_is_transferred(pbx: PbxUnderTest) -> None:
    """RFC 5589 7.2: the transfer is completed before the answer."""
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    consultation = await call._phone.dial("102")
    first = await clara.ringing()
    assert call.leg is not None
    early = consultation.leg
    assert early is not None
    assert early.calling is not None
    dialog = early.calling.early.latest
    assert dialog is not None
    replaces = Replaces.of(dialog.dialog(early))
    escaped = replaces.replace(";", "%3B").replace("=", "%3D")
    transferring = asyncio.ensure_future(call._refer(f"sip:102@klein.example?Replaces={escaped}"))
    await first.ended()
    await consultation.ended()
    second = await clara.answer()
    assert await transferring == 200
    assert await hears(second, answered)
    await answered.hang_up()


async def test_a_dialog_of_somebody_else_is_none(pbx: PbxUnderTest) -> None:
    """RFC 3891 3: 481, so that nobody finds out about or breaks into calls of others."""
    call, answered = await bridged(pbx)
    clara, emil = await pbx.phone("102"), await pbx.phone("104")
    foreign = await clara.dial("104")
    other = await emil.answer()
    await foreign.answered()
    assert await call.transfer_to(foreign) == 481
    assert await hears(answered, call)
    assert await hears(other, foreign)
    for one in (call, foreign):
        await one.hang_up()


@pytest.mark.parametrize(
    ("refer_to", "status"),
    [
        (None, 400),
        ("<tel:102>", 416),
        ("<sip:102@klein.example;method=SUBSCRIBE>", 501),
        ("<sip:102@klein.example?Replaces=x>", 400),
        ("<sip:102@elsewhere.example>", None),
    ],
)
async def test_what_a_refer_may_refer_to(pbx: PbxUnderTest, refer_to: str | None, status: int | None) -> None:
    """RFC 3515 2.4.2: one Refer-To, of a scheme and method that we have; another domain is nobody of ours."""
    call, _ = await bridged(pbx)
    if status is None:
        assert await call._refer("sip:102@elsewhere.example") == 404
        assert (
            await pbx.wait_for(Refused, reason="number.unknown")
        ).what == "transfer to 102@elsewhere.example"
    else:
        headers = [] if refer_to is None else [("Refer-To", refer_to)]
        assert (await call._ask("REFER", headers)).status == status
    await call.hang_up()


async def test_refer_outside_a_call_transfers_nothing(pbx: PbxUnderTest) -> None:
    async with RawCaller(pbx) as caller:
        refer_to = ("Refer-To", "<sip:102@klein.example>")
        caller.send(caller.make("REFER", "sip:089555509901@klein.example", headers=(refer_to,)))
        assert (await caller.response()).status == 481


async def test_the_notifies_of_a_refer(pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 3515 2.4.4 to 2.4.6: 202, at once a NOTIFY with 100, and a last one that ends the subscription."""
    call, _ = await bridged(pbx)
    notified: list[Request] = []
    monkeypatch.setattr(call, "on_notify", notified.append)
    answer = await call._ask("REFER", [("Refer-To", "<sip:777@klein.example>")])
    assert answer.status == 202
    assert answer.contacts
    await asyncio.sleep(1)
    first, last = notified
    assert {one.get("event") for one in notified} == {f"refer;id={answer.cseq.number}"}
    assert {one.content_type for one in notified} == {"message/sipfrag"}
    assert (first.get("subscription-state") or "").startswith("active;expires=")
    assert first.body == b"SIP/2.0 100 Trying\r\n"
    assert last.get("subscription-state") == "terminated;reason=noresource"
    assert last.body.startswith(b"SIP/2.0 404 Not Found\r\nReason: Q.850;cause=1")
    assert b"X-License-Reason: number.unknown\r\n" in last.body
    await call.hang_up()


# -- INVITE with Replaces --------------------------------------------------------------------------------------


def replaces(call: PhoneCall) -> tuple[str, str]:
    """Name a call as its far end, the server, knows it."""
    return ("Replaces", Replaces.of(call.dialog))


async def test_a_user_s_other_phone_takes_the_call_over(pbx: PbxUnderTest) -> None:
    """RFC 3891 3: the new dialog takes the place of the old one, which is ended by BYE."""
    call, answered = await bridged(pbx)
    softphone = await pbx.phone("anna")
    taken = await softphone.dial("101", headers=(replaces(call),))
    await taken.answered()
    await call.ended()
    assert await hears(answered, taken)
    assert await hears(taken, answered)
    assert len(pbx.server.switch.calls) == 1
    await answered.hang_up()
    await taken.ended()


async def test_replaces_of_what_is_not_there_or_not_one_s_own_gets_481(pbx: PbxUnderTest) -> None:
    """RFC 3891 3."""
    call, answered = await bridged(pbx)
    clara, softphone = await pbx.phone("102"), await pbx.phone("anna")
    assert (await clara.dial("101", headers=(replaces(call),))).status == 481
    nothing = ("Replaces", "x;to-tag=1;from-tag=2")
    assert (await softphone.dial("101", headers=(nothing,))).status == 481
    assert (await softphone.dial("101", headers=(("Replaces", "x;to-tag=1"),))).status == 400
    assert await hears(answered, call)
    await call.hang_up()


async def test_early_only_does_not_replace_a_confirmed_dialog(pbx: PbxUnderTest) -> None:
    """RFC 3891 3: 486."""
    call, _ = await bridged(pbx)
    softphone = await pbx.phone("anna")
    name, value = replaces(call)
    assert (await softphone.dial("101", headers=((name, f"{value};early-only"),))).status == 486
    await call.hang_up()


async def test_replaces_is_supported(pbx: PbxUnderTest) -> None:
    """RFC 3891 3 and 6.2: the option tag is told, and understood in Require."""
    call, _ = await bridged(pbx)
    assert call.response is not None
    assert "replaces" in call.response.values("supported")
    softphone = await pbx.phone("anna")
    taken = await softphone.dial("101", headers=(replaces(call), ("Require", "replaces")))
    await taken.answered()
    await call.ended()
    await taken.hang_up()
