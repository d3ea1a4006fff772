"""Reliable provisional responses through a whole server (RFC 3262), towards callers and from whoever is called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import RawCaller

from ringfence.fixtures.plugin import read_site

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
WITH_WAY_OUT = read_site("small").text.replace(
    'numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n'
)


async def test_a_caller_who_requires_it_hears_it_ringing_reliably(pbx: PbxUnderTest) -> None:
    """RFC 3262 3, and no 420 for an extension that we have (RFC 3261 8.2.2.3)."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        headers = (("Require", "100rel"),)
        ringing = await caller.invite("101", headers=headers, least=180)
        again = await caller.response(least=180)
        assert (ringing.status, ringing.get("require")) == (180, "100rel")
        assert again.to_bytes() == ringing.to_bytes(), "it is repeated until the PRACK"
        rack = ("RAck", f"{ringing.get('rseq')} 1 INVITE")
        assert (await caller.ask("PRACK", headers=(rack,))).status == 200
        ringing_phone = await ben.ringing()
        answering = asyncio.ensure_future(ringing_phone.answer())
        ok = await caller.response(method="INVITE")
        assert ok.status == 200
        caller.ack(cseq=1)
        await answering
        await caller.bye()
        await ringing_phone.ended()


async def test_a_caller_who_requires_it_and_leaves_the_offer_to_us_gets_it_with_the_ringing(
    pbx: PbxUnderTest,
) -> None:
    """RFC 3262 5: the first reliable response has the offer, the PRACK the answer, and the 200 nothing any more."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        required = (("Require", "100rel"),)
        caller.send(caller.make("INVITE", "sip:08955550101@klein.example", headers=required))
        rings = await caller.response(least=180)
        caller.to = rings.get("to") or ""
        assert (rings.status, rings.get("require")) == (180, "100rel")
        assert b"m=audio" in rings.body
        ringing = await ben.ringing()
        rack = ("RAck", f"{rings.get('rseq')} 1 INVITE")
        assert (await caller.ask("PRACK", headers=(rack,), body=caller.sdp())).status == 200
        await asyncio.sleep(60)
        again = await caller.response(least=180)
        assert (again.status, again.get("require"), again.body) == (180, "100rel", b"")
        answering = asyncio.ensure_future(ringing.answer())
        ok = await caller.response(method="INVITE")
        assert (ok.status, ok.body) == (200, b"")
        caller.ack(cseq=1)
        await answering
        (outside,) = [one for one in pbx.server.switch.connections.values() if one.incoming]
        assert outside.agreed is not None
        assert (outside.agreed.address.port, outside.state) == (4000, "connected")
        await caller.bye()
        await ringing.ended()


async def test_a_caller_whose_prack_has_no_answer_to_our_offer_is_refused(pbx: PbxUnderTest) -> None:
    """RFC 3262 5 and RFC 3261 13.2.1."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        required = (("Require", "100rel"),)
        caller.send(caller.make("INVITE", "sip:08955550101@klein.example", headers=required))
        rings = await caller.response(least=180)
        caller.to = rings.get("to") or ""
        rack = ("RAck", f"{rings.get('rseq')} 1 INVITE")
        assert (await caller.ask("PRACK", headers=(rack,))).status == 200
        assert (await caller.response(method="INVITE")).status == 488
        caller.ack(cseq=1)
        await (await ben.ringing(1) if not ben.calls[0].is_over else ben.calls[0]).ended()


async def test_a_test_number_rings_reliably_for_a_late_offer_too(pbx: PbxUnderTest) -> None:
    """RFC 3262 5: 9904 rings and answers after three seconds."""
    async with RawCaller(pbx) as caller:
        required = (("Require", "100rel"),)
        caller.send(caller.make("INVITE", "sip:089555509904@klein.example", headers=required))
        rings = await caller.response(least=180)
        caller.to = rings.get("to") or ""
        assert b"m=audio" in rings.body
        rack = ("RAck", f"{rings.get('rseq')} 1 INVITE")
        assert (await caller.ask("PRACK", headers=(rack,), body=caller.sdp())).status == 200
        assert (await caller.response(method="INVITE")).body == b""
        caller.ack(cseq=1)
        await caller.bye()


async def test_a_caller_whose_pracks_do_not_come_is_given_up(pbx: PbxUnderTest) -> None:
    """RFC 3262 3: the phone that rang for him stops."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        await caller.invite("101", headers=(("Supported", "100rel"),), least=180)
        ringing = await ben.ringing()
        assert (await caller.response()).status == 504
        caller.ack()
        await ringing.ended()


async def test_the_forwarding_of_a_caller_with_prack_and_its_cancel(pbx: PbxUnderTest) -> None:
    """RFC 3262 3 and RFC 3261 9.2: CANCEL ends a call whose ringing waits for a PRACK."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        ringing = await caller.invite("101", headers=(("Supported", "100rel"),), least=180)
        caller.to = ""
        invite = caller.make("INVITE", "sip:08955550101@klein.example", cseq=1)
        caller.send(caller.make("CANCEL", "sip:08955550101@klein.example", cseq=1, branch=invite.via.branch))
        assert (await caller.response(method="CANCEL")).status == 200
        assert (await caller.response(method="INVITE")).status == 487
        caller.to = ringing.get("to") or ""
        await (await ben.ringing(1) if not ben.calls[0].is_over else ben.calls[0]).ended()


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_an_answer_in_a_reliable_183_of_the_trunk_is_taken(pbx: PbxUnderTest) -> None:
    """RFC 3262 4 and 5: we send the PRACK, and the 200 has no session description."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        assert "100rel" in invite.values("supported")
        reliable = (("Require", "100rel"), ("RSeq", "1"))
        far.respond(invite, 183, reliable, far.sdp())
        prack = await far.request_from_server()
        assert (prack.method, prack.get("rack")) == ("PRACK", "1 1 INVITE")
        far.respond(prack, 200)
        call = await dialling
        far.respond(invite, 200)
        assert (await far.request_from_server()).method == "ACK"
        await call.answered()
        connections = {one.device: one for one in pbx.server.switch.connections.values()}
        agreed = connections["amt"].agreed
        assert agreed is not None
        assert agreed.address.port == 4000
        hanging_up = asyncio.ensure_future(call.hang_up())
        bye = await far.request_from_server()
        assert bye.method == "BYE"
        far.respond(bye, 200)
        await hanging_up
