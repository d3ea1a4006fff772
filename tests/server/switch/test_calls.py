"""Calls between phones and from trunks: who is who, who rings, who is refused and what is said."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.plane import Codec, Tone
from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.offer_answer import NARROWBAND
from ringfence.server.switch.call import Call
from ringfence.server.switch.events import CallEnded, CallStarted, ConnectionChanged, Refused

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
ROOT = "08955550"
SMALL = read_site("small").text


async def test_two_phones_hear_each_other_and_take_no_channel(pbx: PbxUnderTest) -> None:
    """L-73."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    await asyncio.gather(call.play(Tone((440,), 1.0)), answered.play(Tone((660,), 1.0)))
    assert (await answered.heard()).contains_tone(440)
    assert (await call.heard()).contains_tone(660)
    assert pbx.pools.ip_channel.high_water == 0
    await call.hang_up()
    await answered.ended()


@pytest.mark.parametrize("who", ["caller", "called"])
async def test_whoever_hangs_up_ends_both(pbx: PbxUnderTest, who: str) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    await (call if who == "caller" else answered).hang_up()
    await call.ended()
    await answered.ended()
    ended = await pbx.wait_for(CallEnded)
    assert ended.cause == 16


async def test_a_caller_who_gives_up_stops_the_ringing(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    ringing = await ben.ringing()
    await call.hang_up()
    await ringing.ended()
    assert (call.status, ringing.status) == (487, 487)


async def test_a_from_that_claims_another_is_replaced(pbx: PbxUnderTest) -> None:
    """The identity of a call is the authenticated account."""
    ben = await pbx.phone("101")
    liar = await pbx.phone("102", register=False)
    liar.claims = "100"
    call = await liar.dial("101")
    ringing = await ben.ringing()
    assert ringing.caller == "102"
    started = await pbx.wait_for(CallStarted)
    assert started.caller == "102"
    await call.hang_up()


async def test_a_wrong_password_is_challenged_again(pbx: PbxUnderTest) -> None:
    thief = await pbx.phone("100", password="guessed", register=False)
    assert (await thief.register()).status == 401
    assert (await thief.dial("101")).status == 401


async def test_nobody_registers_for_somebody_else(pbx: PbxUnderTest) -> None:
    thief = await pbx.phone("102", register=False)
    thief.claims = "100"
    assert (await thief.register()).status == 403


async def test_a_trunk_call_without_the_root_is_unknown(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial("100")
    assert (call.status, call.reason, call.cause) == (404, "number.unknown", 1)


async def test_a_trunk_call_does_not_reach_names_nor_leave_again(pbx: PbxUnderTest) -> None:
    await pbx.phone("anna")
    caller = await pbx.outside("+49731999")
    for number in ("anna", "0049731123"):
        call = await caller.dial(f"{ROOT}{number}")
        assert (call.status, call.reason) == (404, "number.unknown")


async def test_a_fax_number_is_unknown_until_there_is_fax(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}1100")
    assert (call.status, call.reason) == (404, "number.unknown")


async def test_without_a_way_out_an_outside_number_has_no_trunk(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("0049731123")
    assert (call.status, call.reason, call.cause) == (404, "trunk.none", 3)


WITH_WAY_OUT = SMALL.replace(
    'numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n'
)


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_a_number_with_the_prefix_leaves_by_the_trunk(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    far = await pbx.outside("far", host="127.0.0.31", port=5070)
    call = await ben.dial("90731123")
    answered = await far.answer()
    await call.answered()
    assert answered.called == "0731123"
    await call.play(Tone((440,), 1.0))
    assert (await answered.heard()).contains_tone(440)
    await call.hang_up()


FORWARDS_OUT = WITH_WAY_OUT.replace(
    'forward = { no_answer = "*102" }', 'forward = { not_registered = "90731123" }'
)


@pytest.mark.ringfence(site=FORWARDS_OUT)
async def test_a_trunk_call_leaves_where_the_user_s_own_forwarding_says_so(pbx: PbxUnderTest) -> None:
    caller = await pbx.outside("+49731999")
    far = await pbx.outside("far", host="127.0.0.31", port=5070)
    call = await caller.dial(f"{ROOT}102")
    await far.answer()
    await call.answered()
    await call.hang_up()


async def test_a_busy_phone_forwards_to_the_box(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    anna.busy_with = 486
    call = await ben.dial("100")
    await call.answered()
    assert pbx.pools.ip_channel.used == 1
    await call.hang_up()


async def test_no_answer_forwards_after_the_time_of_the_user(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    began = asyncio.get_running_loop().time()
    call = await ben.dial("100")
    ringing = await anna.ringing()
    await call.answered()
    assert asyncio.get_running_loop().time() - began == pytest.approx(20, abs=0.5)
    await ringing.ended()
    await call.hang_up()


async def test_without_forwarding_the_caller_hears_why(pbx: PbxUnderTest) -> None:
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    nobody = await clara.dial("104")
    ben.busy_with = 486
    busy = await clara.dial("101")
    ben.busy_with = 603
    rejected = await clara.dial("101")
    assert (nobody.status, nobody.reason) == (480, "user.not_registered")
    assert (busy.status, busy.reason) == (486, "user.busy")
    assert (rejected.status, rejected.reason) == (603, "call.rejected")


async def test_a_phone_is_rung_for_at_most_180_seconds(pbx: PbxUnderTest) -> None:
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    began = asyncio.get_running_loop().time()
    call = await clara.dial("101")
    ringing = await ben.ringing()
    await call.ended(200)
    await ringing.ended()
    assert (call.status, call.reason) == (480, "user.no_answer")
    assert asyncio.get_running_loop().time() - began == pytest.approx(180, abs=1)


async def test_a_refused_forwarding_tells_both_causes(pbx: PbxUnderTest) -> None:
    """The caller gets the refusal of the target, with the first cause as a second Reason value (RFC 3326)."""
    caller = await pbx.outside("+49731999")
    held = [await caller.dial(f"{ROOT}*100") for _ in range(4)]
    call = await caller.dial(f"{ROOT}100")
    assert (call.status, call.reason) == (503, "ip_channel.exhausted")
    assert call.response is not None
    assert [header.split(";text")[0] for header in call.response.values("reason")] == [
        "Q.850;cause=34",
        "Q.850;cause=20",
    ]
    for one in held:
        await one.hang_up()


CIRCLE = SMALL.replace('forward = { no_answer = "*102" }', 'forward = { not_registered = "103" }').replace(
    'password = "Dora-1030-Dattel"', 'password = "Dora-1030-Dattel"\nforward = { not_registered = "102" }'
)


@pytest.mark.ringfence(site=CIRCLE)
async def test_a_circle_of_forwardings_ends(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("102")
    assert (call.status, call.reason, call.cause) == (482, "forward.loop", 25)


async def test_every_refusal_tells_reason_cause_and_decision(pbx: PbxUnderTest) -> None:
    """Reason, Warning, X-License-Reason, X-License-Decision, and Retry-After where it helps."""
    caller = await pbx.outside("+49731999")
    held = [await caller.dial(f"{ROOT}*100") for _ in range(4)]
    call = await caller.dial(f"{ROOT}*100")
    assert call.response is not None
    assert call.response.get("reason") == 'Q.850;cause=34;text="no IP channel"'
    assert call.response.get("warning") == '399 ringfence "ip_channel.exhausted used=4 limit=4"'
    assert int(call.response.get("retry-after") or "") > 0
    decision = pbx.server.decisions.get(call.decision or "")
    assert decision is not None
    assert decision.refusal.reason == call.reason == "ip_channel.exhausted"
    for one in held:
        await one.hang_up()


async def test_a_freed_channel_serves_the_next_call_within_a_second(pbx: PbxUnderTest) -> None:
    """L-15, L-74."""
    caller = await pbx.outside("+49731999")
    held = [await caller.dial(f"{ROOT}*100") for _ in range(4)]
    assert (await caller.dial(f"{ROOT}*100")).status == 503
    await held.pop().hang_up()
    await asyncio.sleep(1)
    call = await caller.dial(f"{ROOT}*100")
    assert call.is_answered
    for one in (*held, call):
        await one.hang_up()
    assert (pbx.pools.ip_channel.high_water, pbx.pools.ip_channel.denied) == (4, 1)


async def test_a_lower_limit_cuts_no_call_and_refuses_new_ones(pbx: PbxUnderTest) -> None:
    """L-75."""
    caller = await pbx.outside("+49731999")
    held = [await caller.dial(f"{ROOT}*100") for _ in range(3)]
    pbx.pools.ip_channel.limit = 2
    assert (await caller.dial(f"{ROOT}*100")).reason == "ip_channel.exhausted"
    assert not any(call.is_over for call in held)
    for call in held[:2]:
        await call.hang_up()
    await asyncio.sleep(1)
    again = await caller.dial(f"{ROOT}*100")
    assert again.is_answered
    for call in (again, held[2]):
        await call.hang_up()


async def test_a_placed_call_rings_the_own_phone_first(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    placed = pbx.server.switch.place("anna", "101")
    own = await anna.answer()
    assert not ben.calls
    other = await ben.answer()
    await own.play(Tone((440,), 1.0))
    assert (await other.heard()).contains_tone(440)
    assert isinstance(placed, Call)
    assert placed.id in pbx.server.switch.calls
    await own.hang_up()
    await other.ended()


async def test_a_placed_call_to_a_box_takes_its_channel(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    pbx.server.switch.place("ben", "*100")
    own = await ben.answer()
    await asyncio.sleep(1)
    assert pbx.pools.ip_channel.used == 1
    await own.hang_up()


async def test_codecs_are_translated_between_two_phones(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    anna.codecs, ben.codecs = (Codec.PCMU,), (Codec.PCMA,)
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    await call.play(Tone((440,), 1.0))
    assert (await answered.heard()).contains_tone(440, 0.9)
    await call.hang_up()


@pytest.mark.parametrize("codec", NARROWBAND)
async def test_the_called_phone_is_offered_the_callers_codec_first(pbx: PbxUnderTest, codec: Codec) -> None:
    """So that a phone that takes the first one needs no translation (RFC 3264 6.1)."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    anna.codecs = (codec,)
    call = await anna.dial("101")
    await ben.answer()
    await call.answered()
    connections = pbx.server.switch.connections.values()
    assert [one.agreed.codec for one in connections if one.agreed is not None] == [codec, codec]
    await call.hang_up()


async def test_a_placed_call_that_finds_no_channel_says_so_in_its_bye(pbx: PbxUnderTest) -> None:
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    held = [await caller.dial(f"{ROOT}*100") for _ in range(4)]
    placed = pbx.server.switch.place("ben", "*100")
    assert isinstance(placed, Call)
    own = await ben.answer()
    await own.ended()
    ended = await pbx.wait_for(CallEnded, call_id=placed.id)
    refused = await pbx.wait_for(Refused, call_id=placed.id)
    assert (ended.cause, refused.reason, refused.user) == (34, "ip_channel.exhausted", "ben")
    for one in held:
        await one.hang_up()


async def test_a_device_that_answers_without_media_is_incompatible_for_the_caller(pbx: PbxUnderTest) -> None:
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    call = await clara.dial("101")
    ringing = await ben.ringing()
    assert ringing.leg is not None
    ringing.leg.answer(b"", ben.now())
    ben.flush()
    await call.ended()
    assert (call.status, call.reason) == (488, "media.incompatible")


@pytest.mark.parametrize("number", ["0²", "0٣", "+0²"])
async def test_only_ascii_digits_are_dialled(pbx: PbxUnderTest, number: str) -> None:
    ben = await pbx.phone("101")
    assert (await ben.dial(number)).reason == "number.unknown"


EMERGENCY_OUT = WITH_WAY_OUT.replace("outbound_prefix", "emergency = true\noutbound_prefix")


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_without_emergency_true_112_never_leaves_by_a_trunk(pbx: PbxUnderTest) -> None:
    ben, far = await pbx.phone("101"), await pbx.outside("far", host="127.0.0.31", port=5070)
    for number in ("112", "9112"):
        call = await ben.dial(number)
        await call.answered()
        assert not far.calls
        await call.hang_up()


@pytest.mark.ringfence(site=EMERGENCY_OUT)
async def test_with_emergency_true_112_leaves_but_not_from_a_trunk(pbx: PbxUnderTest) -> None:
    ben, far = await pbx.phone("101"), await pbx.outside("far", host="127.0.0.31", port=5070)
    call = await ben.dial("112")
    assert (await far.answer()).called == "112"
    await call.hang_up()
    caller = await pbx.outside("+49731999")
    assert (await caller.dial(f"{ROOT}112")).reason == "number.unknown"


async def test_a_call_without_hops_left_does_not_ring_a_phone(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.3: Max-Forwards 0 is 483, and each hop counts one down."""
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    call = await clara.dial("101")
    ringing = await ben.ringing()
    assert ringing.leg is not None
    assert ringing.leg.request.max_forwards == 69
    await call.hang_up()


async def test_a_transfer_without_hops_left_rings_nobody(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.3: the attendant answers the last hop, and sends no INVITE with Max-Forwards -1."""
    await pbx.phone("101")
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}200")
    (connection,) = pbx.server.switch.connections.values()
    connection.hops_left = 0
    await call.send_digits("2")
    await asyncio.sleep(5)
    events = [stamped.event for stamped in pbx.server.stream.recent]
    assert [one for one in events if isinstance(one, ConnectionChanged) and one.device == "101"] == []
    assert not call.is_over
    await call.hang_up()


async def test_a_stopping_server_tells_whoever_hears_it_ringing(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("9902")
    await pbx.server.switch.stop()
    await call.ended()
    assert (call.status, call.reason, call.cause) == (503, "server.stopping", 41)


@pytest.mark.ringfence(site=WITH_WAY_OUT)
@pytest.mark.parametrize(
    ("far_status", "status", "reason"),
    [
        (404, 404, "number.unknown"),
        (503, 503, "trunk.failed"),
        (486, 486, "user.busy"),
        (603, 603, "call.rejected"),
    ],
)
async def test_what_a_trunk_answers_is_told_as_what_it_is(
    pbx: PbxUnderTest, far_status: int, status: int, reason: str
) -> None:
    ben, far = await pbx.phone("101"), await pbx.outside("far", host="127.0.0.31", port=5070)
    far.busy_with = far_status
    call = await ben.dial("90731123")
    assert (call.status, call.reason) == (status, reason)
