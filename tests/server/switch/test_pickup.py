"""Picking up a call that rings at somebody else's telephone: INVITE with Replaces for an early dialog (RFC 3891 3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.plane import MediaStream, PortsExhaustedError, Tone
from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.refer import Replaces
from ringfence.server.sip.xml_body import read_xml
from ringfence.server.switch.events import CallPickedUp, CallStarted

from .raw_caller import RawCaller
from .sip_peer import SipPeer

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

pytestmark = pytest.mark.virtual_time
HAIRPIN = read_site("small").text.replace('extension = "200"\n', 'extension = "200"\ntransfer = "hairpin"\n')
IN = read_site("small").text.replace(
    'menu = { "1" = "100", "2" = "*101" }', 'menu = { "1" = "101", "2" = "*101" }\ntransfer = "hairpin"'
)
IN = "{urn:ietf:params:xml:ns:dialog-info}"
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


def replacing(ringing: PhoneCall, *, early_only: bool = True) -> tuple[tuple[str, str], ...]:
    """Name the early dialog of a telephone that rings, as the server has it."""
    assert ringing.leg is not None
    assert ringing.leg.dialog is not None
    return (("Replaces", Replaces.of(ringing.leg.dialog) + (";early-only" if early_only else "")),)


async def talk(one: PhoneCall, other: PhoneCall) -> bool:
    """Whether both hear each other."""
    for speaker, listener in ((one, other), (other, one)):
        await listener.heard()
        await speaker.play(Tone((440,), 0.6))
        if not (await listener.heard()).contains_tone(440):
            return False
    return True


@pytest.mark.parametrize("early_only", [True, False])
async def test_who_names_the_dialog_of_a_telephone_that_rings_gets_its_caller(
    pbx: PbxUnderTest, *, early_only: bool
) -> None:
    """RFC 3891 3: the ringing ends, the caller talks to who picked up; events and journal tell it; no channel."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    ringing = await ben.ringing()
    picked = await clara.dial("101", headers=replacing(ringing, early_only=early_only))
    await picked.answered()
    await call.answered()
    await ringing.ended()
    assert ringing.status == 487
    assert await talk(call, picked)
    (live,) = pbx.server.switch.calls.values()
    assert [one.device for one in live.connections] == ["100", "102"]
    started = await pbx.wait_for(CallStarted)
    assert await pbx.wait_for(CallPickedUp) == CallPickedUp(started.call_id, by="102", device="101")
    entry = (await pbx.server.journal.find(user="clara")).entries[0]
    assert (entry.kind, entry.what) == ("pickup", "call at 101 picked up by 102")
    assert (entry.caller_user, entry.called_user) == ("anna", "ben")
    assert pbx.pools.ip_channel.used == 0
    await picked.hang_up()
    await call.ended()


async def test_every_telephone_that_rang_is_told_that_the_call_was_not_missed(pbx: PbxUnderTest) -> None:
    """RFC 3326 2: the CANCEL says that it was completed elsewhere."""
    clara = await pbx.phone("102")
    async with SipPeer(pbx, "101") as first, SipPeer(pbx, "101") as second, RawCaller(pbx) as caller:
        for one in (first, second):
            await one.ask("REGISTER", "sip:klein.example", to="sip:101@klein.example")
            one.status = 180
        await caller.invite("101", least=180)
        invite = await first.next()
        assert (await second.next()).method == "INVITE"
        replaces = ("Replaces", f"{invite.call_id};to-tag={invite.from_.tag};from-tag=peer;early-only")
        picked = await clara.dial("101", headers=(replaces,))
        await picked.answered()
        assert (await caller.response()).status == 200
        caller.ack()
        for one in (first, second):
            assert [two.get("reason") for two in one.received if two.method == "CANCEL"] == [ELSEWHERE]
        await caller.bye()
        await picked.ended()


async def test_a_lamp_tells_by_what_name_a_call_is_picked_up(pbx: PbxUnderTest) -> None:
    """RFC 4235 4.1.2: while it rings; the name is not that of a dialog, and once it is answered worth nothing."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    async with SipPeer(pbx, "102") as lamp:
        assert (await lamp.ask("SUBSCRIBE", "101", [("Event", "dialog")])).status == 200
        await lamp.next()
        call = await anna.dial("101")
        ringing = await ben.ringing()
        shown = read_xml((await lamp.next()).body).find(f"{IN}dialog")
        assert shown is not None
        assert shown.findtext(f"{IN}state") == "early"
        name = shown.get("call-id") or ""
        assert ringing.leg is not None
        assert name not in ("", ringing.leg.request.call_id)
        tags = f"to-tag={shown.get('remote-tag')};from-tag={shown.get('local-tag')}"
        assert (await clara.dial("101", headers=(("Replaces", f"x{name};{tags}"),))).status == 481
        picked = await clara.dial("101", headers=(("Replaces", f"{name};{tags}"),))
        await picked.answered()
        await call.answered()
        assert await talk(call, picked)
        ended = read_xml((await lamp.next()).body).find(f"{IN}dialog")
        assert ended is not None
        assert (ended.findtext(f"{IN}state"), ended.get("call-id")) == ("terminated", None)
        await call.hang_up()
        await picked.ended()
        call = await anna.dial("101")
        shown = read_xml((await lamp.next()).body).find(f"{IN}dialog")
        assert shown is not None
        talking = await ben.answer()
        late = (("Replaces", f"{shown.get('call-id')};to-tag=a;from-tag=b"),)
        assert (await clara.dial("101", headers=late)).status == 486
        await call.hang_up()
        await talking.ended()


async def test_a_confirmed_dialog_is_not_picked_up(pbx: PbxUnderTest) -> None:
    """RFC 3891 3: 486 for early-only; without it somebody else's dialog is none, 481."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    talking = await ben.answer()
    await call.answered()
    assert (await clara.dial("101", headers=replacing(talking))).status == 486
    assert (await clara.dial("101", headers=replacing(talking, early_only=False))).status == 481
    assert await talk(call, talking)
    await call.hang_up()


async def test_the_dialog_of_the_caller_is_not_picked_up(pbx: PbxUnderTest) -> None:
    """RFC 3891 3: an early dialog that the recipient did not begin is none (481)."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    ringing = await ben.ringing()
    assert call.leg is not None
    assert call.leg.calling is not None
    early = call.leg.calling.early.latest
    assert early is not None
    replaces = (("Replaces", Replaces.of(early.dialog(call.leg))),)
    assert (await clara.dial("101", headers=replaces)).status == 481
    await ringing.answer()
    await call.answered()
    await call.hang_up()


async def test_nobody_outside_picks_up(pbx: PbxUnderTest) -> None:
    """A trunk's call proves no account."""
    anna, ben, outside = await pbx.phone("100"), await pbx.phone("101"), await pbx.outside("0731999")
    call = await anna.dial("101")
    ringing = await ben.ringing()
    assert (await outside.dial("08955550101", headers=replacing(ringing))).status == 481
    await ringing.answer()
    await call.answered()
    await call.hang_up()


async def test_a_softphone_needs_its_licence_to_pick_up(pbx: PbxUnderTest) -> None:
    """L-47: asked as at every INVITE; it rings on meanwhile."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    licensed, unlicensed = await pbx.phone("anna"), await pbx.phone("dora")
    call = await ben.dial("100")
    ringing = await anna.ringing()
    refused = await unlicensed.dial("100", headers=replacing(ringing))
    assert (refused.status, refused.reason) == (403, "license.office_plus.under_licensed")
    assert not ringing.is_over
    picked = await licensed.dial("100", headers=replacing(ringing))
    await picked.answered()
    await call.answered()
    await call.hang_up()


async def test_who_has_no_media_that_fit_picks_nothing_up(pbx: PbxUnderTest) -> None:
    """RFC 3891 3: the INVITE has to be one that could be accepted; it rings on."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    ringing = await ben.ringing()
    async with SipPeer(pbx, "102") as other:
        headers = [*replacing(ringing), ("Content-Type", "application/sdp")]
        answer = await other.ask("INVITE", "101", headers, b"v=0\r\nnonsense")
        assert answer.status == 488
    await ringing.answer()
    await call.answered()
    await call.hang_up()


async def test_the_own_device_of_a_placed_call_is_not_picked_up(pbx: PbxUnderTest) -> None:
    """It rings for nobody but its user."""
    anna, clara = await pbx.phone("100"), await pbx.phone("102")
    pbx.server.switch.place("anna", "101")
    ringing = await anna.ringing()
    assert (await clara.dial("100", headers=replacing(ringing))).status == 481
    ringing.refuse()
    await ringing.ended()


@pytest.mark.parametrize("first", ["answer", "pick-up"])
async def test_answer_and_pick_up_at_the_same_moment_leave_one_call(pbx: PbxUnderTest, first: str) -> None:
    """RFC 3891 3 and RFC 3261 13.2.2.4: who comes first has the caller; the other is refused, or gets ACK and BYE."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    ringing = await ben.ringing()
    both = {"answer": ringing.answer(), "pick-up": clara.dial("101", headers=replacing(ringing))}
    order = sorted(both, key=lambda name: name != first)
    happening = asyncio.gather(*(both[name] for name in order), return_exceptions=True)
    await call.answered()
    await happening
    await asyncio.sleep(2)
    picked = clara.calls[0]
    assert [picked.is_answered and not picked.is_over, ringing.is_answered and not ringing.is_over].count(
        True
    ) == 1
    winner = ringing if picked.is_over else picked
    assert await talk(call, winner)
    await call.hang_up()
    await winner.ended()
    assert not pbx.server.switch.connections


async def test_who_leaves_while_he_is_picked_up_leaves_nothing_behind(pbx: PbxUnderTest) -> None:
    """RFC 3261 9.1: the caller's CANCEL at the same moment ends the call of both."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    ringing = await ben.ringing()
    picking = asyncio.ensure_future(clara.dial("101", headers=replacing(ringing)))
    await call.hang_up()
    picked = await picking
    await picked.ended()
    await ringing.ended()
    await asyncio.sleep(1)
    assert not pbx.server.switch.connections


async def test_without_ports_nobody_gets_the_call(pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The telephones have stopped ringing by then: the caller is told the reason, too."""
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    async with RawCaller(pbx) as caller:
        await caller.invite("101", least=180)
        ringing = await ben.ringing()
        opened = pbx.server.switch.plane.open

        async def nothing_left(*_: object) -> MediaStream:
            raise PortsExhaustedError

        monkeypatch.setattr(pbx.server.switch.plane, "open", nothing_left)
        picked = await clara.dial("101", headers=replacing(ringing))
        monkeypatch.setattr(pbx.server.switch.plane, "open", opened)
        refusal = await caller.response()
        assert (picked.status, picked.reason) == (503, "media.ports.exhausted")
        assert (refusal.status, refusal.get("x-license-reason")) == (503, "media.ports.exhausted")
        caller.ack()
        await ringing.ended()


@pytest.mark.ringfence(site=HAIRPIN)
async def test_the_channel_of_a_leg_that_is_picked_up_goes_with_it(pbx: PbxUnderTest) -> None:
    """L-72: a hairpin holds two IP channels and the attendant's to the end, whoever takes the call."""
    ben, clara, outside = await pbx.phone("101"), await pbx.phone("102"), await pbx.outside("0731999")
    call = await outside.dial("08955550200")
    await call.answered()
    await call.send_digits("2")
    ringing = await ben.ringing()
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (2, 1)
    picked = await clara.dial("101", headers=replacing(ringing))
    await picked.answered()
    await ringing.ended()
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (2, 1)
    assert await talk(call, picked)
    await picked.hang_up()
    await call.ended()
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (0, 0)


async def test_who_is_transferred_is_picked_up_too(pbx: PbxUnderTest) -> None:
    """RFC 5589 6: to the telephone that rings for him he is a caller like any other."""
    anna, ben, clara, emil = [await pbx.phone(one) for one in ("100", "101", "102", "104")]
    call = await anna.dial("101")
    talking = await ben.answer()
    await call.answered()
    transferring = asyncio.ensure_future(talking.transfer("102"))
    ringing = await clara.ringing()
    picked = await emil.dial("102", headers=replacing(ringing))
    await picked.answered()
    assert await transferring == 200
    await talking.ended()
    assert await talk(call, picked)
    await call.hang_up()
    await picked.ended()


async def test_a_caller_with_early_media_is_picked_up_in_them(pbx: PbxUnderTest) -> None:
    """RFC 3261 13.2.1: his session stays, and is joined with that of who picked up."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    ringing = await ben.ringing()
    ringing.progress()
    await call.progressed()
    picked = await clara.dial("101", headers=replacing(ringing))
    await picked.answered()
    await call.answered()
    assert await talk(call, picked)
    await call.hang_up()
    await picked.ended()
