"""Behaviours in which SIP stacks in Python are known to fail, one test each, through a whole server.

The one of them that belongs to TCP, `Content-Length : 5`, is tested with the streams.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import ROOT, RawCaller

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
TONE, BUSY, BEN = (f"sip:{ROOT}{number}@klein.example" for number in ("9901", "9903", "101"))


async def test_a_retransmitted_invite_while_ringing_makes_no_second_call(pbx: PbxUnderTest) -> None:
    """RFC 3261 17.2.1: it gets the last provisional response again."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        invite = caller.make("INVITE", BEN, body=caller.sdp())
        caller.send(invite)
        ringing = await caller.response(least=180)
        for _ in range(3):
            caller.send(invite)
            assert (await caller.response(least=180)).to_bytes() == ringing.to_bytes()
        assert len(pbx.server.switch.calls) == 1
        assert len(ben.calls) == 1
        await (await ben.ringing()).hang_up()
        assert (await caller.response()).status == 480


async def test_a_retransmitted_invite_after_the_200_gets_the_same_200(pbx: PbxUnderTest) -> None:
    """RFC 3261 13.3.1.4 and RFC 6026 7.1."""
    async with RawCaller(pbx) as caller:
        invite = caller.make("INVITE", TONE, body=caller.sdp())
        caller.send(invite)
        ok = await caller.response()
        caller.send(invite)
        assert (await caller.response()).to_bytes() == ok.to_bytes()
        caller.to = ok.get("to") or ""
        caller.ack()
        caller.send(invite)
        assert (await caller.response()).to_bytes() == ok.to_bytes()
        assert len(pbx.server.switch.calls) == 1
        await caller.bye()


async def test_a_486_is_repeated_until_its_ack(pbx: PbxUnderTest) -> None:
    """RFC 3261 17.2.1, timer G: after 0.5, 1, 2 and then every 4 seconds."""
    async with RawCaller(pbx) as caller:
        invite = caller.make("INVITE", BUSY, body=caller.sdp())
        caller.send(invite)
        first = await caller.response()
        assert first.status == 486
        began, times = asyncio.get_running_loop().time(), []
        for _ in range(5):
            assert (await caller.response()).to_bytes() == first.to_bytes()
            times.append(asyncio.get_running_loop().time() - began)
        assert times == pytest.approx([0.5, 1.5, 3.5, 7.5, 11.5])
        caller.to = first.get("to") or ""
        caller.send(caller.make("ACK", BUSY, cseq=1, branch=invite.via.branch))
        with pytest.raises(TimeoutError):
            await caller.response(timeout_s=60)


async def test_a_retransmitted_bye_gets_its_200_again(pbx: PbxUnderTest) -> None:
    """RFC 3261 17.2.2: from its transaction, though the call is over; a second BYE gets 481."""
    async with RawCaller(pbx) as caller:
        await caller.invite("9901")
        caller.ack()
        bye = caller.make("BYE")
        caller.send(bye)
        ok = await caller.response()
        assert ok.status == 200
        await asyncio.sleep(5)
        caller.send(bye)
        assert (await caller.response()).to_bytes() == ok.to_bytes()
        assert (await caller.ask("BYE")).status == 481


async def test_cancel_after_the_200_leaves_the_call_alone(pbx: PbxUnderTest) -> None:
    """RFC 3261 9.2."""
    async with RawCaller(pbx) as caller:
        invite = caller.make("INVITE", TONE, body=caller.sdp())
        caller.send(invite)
        ok = await caller.response()
        cancel = caller.make("CANCEL", TONE, cseq=1, branch=invite.via.branch)
        caller.send(cancel)
        assert (await caller.response(method="CANCEL")).status == 200
        caller.to = ok.get("to") or ""
        caller.ack()
        await asyncio.sleep(40)
        (call,) = pbx.server.switch.calls.values()
        assert call.is_answered
        await caller.bye()


async def test_the_same_call_id_with_another_from_tag_is_another_dialog(pbx: PbxUnderTest) -> None:
    """RFC 3261 12: the dialog is named by Call-ID and both tags."""
    async with RawCaller(pbx) as one, RawCaller(pbx) as other:
        other.from_tag = "another"
        for caller in (one, other):
            assert (await caller.invite("9901")).status == 200
            caller.ack()
        assert one.to != other.to
        assert len(pbx.server.switch.calls) == 2
        await one.bye()
        await asyncio.sleep(1)
        assert len(pbx.server.switch.calls) == 1
        assert (await one.ask("OPTIONS")).status == 481
        assert (await other.ask("OPTIONS")).status == 200
        await other.bye()


async def test_ringing_longer_than_32_seconds_does_not_end_the_call(pbx: PbxUnderTest) -> None:
    """RFC 3261 17.1.1.2: timer B is over with the first provisional response; nor does the called side give up."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        caller.send(caller.make("INVITE", BEN, body=caller.sdp()))
        ringing = await ben.ringing()
        await asyncio.sleep(100)
        assert not ringing.is_over
        answering = asyncio.ensure_future(ringing.answer())
        ok = await caller.response()
        assert ok.status == 200
        caller.to = ok.get("to") or ""
        caller.ack()
        await answering
        await caller.bye()
