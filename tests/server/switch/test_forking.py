"""Several devices of one user, and who wins: forking, CANCEL and its races, 3xx, 181 and 182 through a whole server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import RawCaller

from ringfence.channels.media.plane import Tone
from ringfence.fixtures.plugin import read_site
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.sip.parser import parse
from ringfence.server.switch.events import CallEnded

if TYPE_CHECKING:
    from ringfence.channels.network import Address
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

pytestmark = pytest.mark.virtual_time
SMALL = read_site("small").text
ROOT = "08955550"
WITH_WAY_OUT = SMALL.replace(
    'numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n'
)
FORWARDS_BUSY = SMALL.replace('forward = { no_answer = "*102" }', 'forward = { busy = "101" }')


async def two_ring(pbx: PbxUnderTest) -> tuple[PhoneCall, list[PhoneCall]]:
    """Let Clara call Ben, who has two telephones."""
    clara = await pbx.phone("102")
    phones = [await pbx.phone("101"), await pbx.phone("101")]
    call = await clara.dial("101")
    return call, [await phone.ringing() for phone in phones]


def take(ringing: PhoneCall) -> asyncio.Task[None]:
    """Answer without waiting for the ACK."""
    return asyncio.get_running_loop().create_task(ringing.answer())


# -- several bindings ------------------------------------------------------------------------------------------


async def test_every_binding_rings_and_the_first_to_answer_has_the_call(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.7 (10): all others are cancelled."""
    call, (first, second) = await two_ring(pbx)
    await second.answer()
    await first.ended()
    assert first.status == 487
    await call.answered()
    await call.play(Tone((440,), 0.5))
    assert (await second.heard()).contains_tone(440)
    await call.hang_up()


async def test_two_answers_at_once_leave_one_call(pbx: PbxUnderTest) -> None:
    """RFC 3261 13.2.2.4 and 9.1: the 200 that crosses our CANCEL is acknowledged and ended by BYE."""
    call, (first, second) = await two_ring(pbx)
    answering = [take(first), take(second)]
    await call.answered()
    await asyncio.sleep(1)
    assert first.is_answered
    assert second.is_answered
    assert [first.is_over, second.is_over] == [False, True]
    await asyncio.gather(*answering)
    await call.hang_up()
    await first.ended()
    assert not pbx.server.switch.connections


async def test_one_that_is_busy_leaves_the_other_ringing(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.7 (5) and (6): a final response counts when all are there."""
    call, (first, second) = await two_ring(pbx)
    first.refuse(486)
    await asyncio.sleep(5)
    assert not call.is_over
    await second.answer()
    await call.answered()
    await call.hang_up()


async def test_of_two_refusals_the_caller_hears_the_better_one(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.7 (6)."""
    call, (first, second) = await two_ring(pbx)
    first.refuse(404)
    second.refuse(486)
    await call.ended()
    assert call.status == 486


async def test_a_603_speaks_for_all_devices(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.7 (5): 6xx cancels what still rings."""
    call, (first, second) = await two_ring(pbx)
    first.refuse(603)
    await call.ended()
    await second.ended()
    assert (call.status, second.status) == (603, 487)


async def test_who_did_not_take_the_call_is_told_that_it_was_not_missed(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3326 2: the CANCEL of a call that another device took says so; that of one that nobody took does not."""
    reasons: list[str | None] = []
    carry = MemoryNetwork.carry

    def watch(self: MemoryNetwork, data: bytes, source: Address, destination: Address) -> None:
        if data.startswith(b"CANCEL sip:101@127."):
            reasons.append(parse(data).get("reason"))
        carry(self, data, source, destination)

    monkeypatch.setattr(MemoryNetwork, "carry", watch)
    call, (first, second) = await two_ring(pbx)
    await second.answer()
    await first.ended()
    assert reasons == ['SIP;cause=200;text="Call completed elsewhere"']
    await call.hang_up()
    await second.ended()
    call = await call._phone.dial("101")
    await call.hang_up()
    await asyncio.sleep(1)
    assert reasons[1:] == [None, None]


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_a_trunk_that_forks_has_one_early_dialog_for_each_and_one_call(pbx: PbxUnderTest) -> None:
    """RFC 3261 12.1 and 13.2.2.4: PRACKs go to each, the first 2xx is the call, a second one gets ACK and BYE."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        for tag in ("one", "two"):
            progress = invite.respond(180, to_tag=tag)
            progress.headers += [
                ("Contact", f"<sip:{tag}@{far.local}>"), ("Require", "100rel"), ("RSeq", "1"),
            ]  # fmt: skip
            far.send(progress)
            prack = await far.request_from_server()
            assert (prack.method, prack.uri, prack.to.tag) == ("PRACK", f"sip:{tag}@{far.local}", tag)
            far.respond(prack, 200)
        call = await dialling
        for tag in ("two", "one"):
            answer = invite.respond(200, to_tag=tag)
            answer.headers += [("Contact", f"<sip:{tag}@{far.local}>"), ("Content-Type", "application/sdp")]
            answer.body = far.sdp()
            far.send(answer)
        requests = [await far.request_from_server() for _ in range(3)]
        assert [(one.method, one.to.tag) for one in requests] == [
            ("ACK", "two"),
            ("ACK", "one"),
            ("BYE", "one"),
        ]
        far.respond(requests[-1], 200)
        await call.answered()
        hanging_up = asyncio.ensure_future(call.hang_up())
        bye = await far.request_from_server()
        assert bye.to.tag == "two"
        far.respond(bye, 200)
        await hanging_up


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_who_answers_and_leaves_in_the_same_moment_has_not_taken_the_call(pbx: PbxUnderTest) -> None:
    """RFC 3261 15: the caller is refused, and waits for nobody."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        far.respond(invite, 180)
        call = await dialling
        far.call_id, far.from_tag, far.to = invite.call_id, "raw", invite.get("from") or ""
        far.respond(invite, 200, body=far.sdp())
        far.send(far.make("BYE", str(invite.contacts[0].uri)))
        await call.ended()
        assert (call.status, call.reason) == (480, "user.no_answer")
        assert not pbx.server.switch.connections


# -- CANCEL and its races --------------------------------------------------------------------------------------


async def test_a_cancel_that_crosses_the_answer_of_a_device_ends_both(pbx: PbxUnderTest) -> None:
    """RFC 3261 9.1 and 9.2: the caller gets 487, the device that just answered ACK and BYE."""
    call, (first, second) = await two_ring(pbx)
    answering = take(first)
    hanging_up = asyncio.ensure_future(call.hang_up())
    await hanging_up
    await first.ended()
    await second.ended()
    answering.cancel()
    await asyncio.sleep(40)
    assert not pbx.server.switch.connections
    assert (call.is_over, (await pbx.wait_for(CallEnded)).cause) == (True, 16)


async def test_a_cancel_after_the_200_leaves_the_call_alone(pbx: PbxUnderTest) -> None:
    """RFC 3261 9.2: it gets its 200, and has no effect."""
    async with RawCaller(pbx) as caller:
        await caller.invite("9901")
        to, caller.to = caller.to, ""
        target = f"sip:{ROOT}9901@klein.example"
        caller.send(caller.make("CANCEL", target, cseq=1, branch="z9hG4bKINVITE1raw"))
        assert (await caller.response(method="CANCEL")).status == 200
        caller.to = to
        caller.ack()
        await asyncio.sleep(5)
        assert len(pbx.server.switch.calls) == 1
        await caller.bye()


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_no_cancel_goes_out_before_a_provisional_response(pbx: PbxUnderTest) -> None:
    """RFC 3261 9.1: it waits for one, and then for the final response."""
    clara = await pbx.phone("102")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(clara.dial("90731123"))
        invite = await far.request_from_server()
        await asyncio.sleep(0.1)
        call = clara.calls[0]
        hanging_up = asyncio.ensure_future(call.hang_up())
        again = await far.request_from_server()
        assert again.method == "INVITE", "the INVITE is repeated, there is no CANCEL yet"
        far.respond(invite, 180)
        cancel = await far.request_from_server()
        assert (cancel.method, cancel.via.branch) == ("CANCEL", invite.via.branch)
        far.respond(cancel, 200)
        far.respond(invite, 487)
        assert (await far.request_from_server()).method == "ACK"
        await hanging_up
        await dialling


# -- 3xx, 181, 182 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 301, 302, 305])
async def test_a_device_that_deflects_sends_the_caller_on(pbx: PbxUnderTest, status: int) -> None:
    """RFC 3261 8.1.3.4 and 21.3: the number in its Contact is called; the caller hears 181."""
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    async with RawCaller(pbx) as caller:
        caller.send(caller.make("INVITE", f"sip:{ROOT}101@klein.example", body=caller.sdp()))
        ringing = await ben.ringing()
        assert ringing.leg is not None
        ringing.leg.refuse(status, ben.now(), [("Contact", "<sip:102@klein.example>")])
        ben.flush()
        statuses = [(await caller.response(least=180)).status for _ in range(2)]
        assert statuses == [180, 181]
        target = await clara.ringing()
        answering = take(target)
        ok = await caller.response()
        caller.to = ok.get("to") or ""
        caller.ack()
        await answering
        await caller.bye()
        await target.ended()


@pytest.mark.parametrize(
    ("contact", "status"),
    [
        ("<sip:102@elsewhere.example>", 603),
        ("<sip:777@klein.example>", 404),
        ("<tel:102>", 480),
        ("<sip:101@klein.example>", 482),
    ],
)
async def test_a_deflection_to_nobody_of_ours_is_a_refusal(
    pbx: PbxUnderTest, contact: str, status: int
) -> None:
    """RFC 3261 8.1.3.4: other hosts are not called, and a circle ends."""
    ben, clara = await pbx.phone("101"), await pbx.phone("102")

    async def deflect() -> None:
        while True:
            ringing = await ben.ringing(1000)
            assert ringing.leg is not None
            ringing.leg.refuse(302, ben.now(), [("Contact", contact)])
            ben.flush()

    deflecting = asyncio.ensure_future(deflect())
    call = await clara.dial("101")
    await call.ended()
    deflecting.cancel()
    assert call.status == status


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_a_trunk_does_not_deflect(pbx: PbxUnderTest) -> None:
    """What an outside far end answers places no call of the house."""
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        far.respond(invite, 302, (("Contact", "<sip:102@klein.example>"),))
        call = await dialling
        assert (call.status, call.reason) == (503, "trunk.failed")
        assert not clara.calls


async def test_181_and_182_of_a_device_are_passed_on_as_they_are(pbx: PbxUnderTest) -> None:
    """RFC 3261 21.1.3 and 21.1.4; 183 says that something rings."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        caller.send(caller.make("INVITE", f"sip:{ROOT}101@klein.example", body=caller.sdp()))
        ringing = await ben.ringing()
        assert (await caller.response(least=180)).status == 180
        assert ringing.leg is not None
        for status in (182, 181, 183):
            ringing.leg.ring(ben.now(), status)
            ben.flush()
            passed = await caller.response(least=180)
            assert passed.status == (180 if status == 183 else status)
        ringing.refuse()
        assert (await caller.response()).status == 486
        caller.to = passed.get("to") or ""
        caller.ack()


@pytest.mark.ringfence(site=FORWARDS_BUSY)
async def test_a_forwarded_caller_hears_so(pbx: PbxUnderTest) -> None:
    """RFC 3261 21.1.3."""
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    clara.busy_with = 486
    async with RawCaller(pbx) as caller:
        caller.send(caller.make("INVITE", f"sip:{ROOT}102@klein.example", body=caller.sdp()))
        assert [(await caller.response(least=180)).status for _ in range(2)] == [181, 180]
        ringing = await ben.ringing()
        ringing.refuse(486)
        refusal = await caller.response()
        assert refusal.status == 486
        caller.to = refusal.get("to") or ""
        caller.ack()
