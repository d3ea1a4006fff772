"""Several contacts of one account: rung in the order of their q (RFC 3261 16.6), each by its Path (RFC 3327)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"


async def register(phone: SipPeer, q: str = "", *headers: tuple[str, str], status: int | None = None) -> None:
    answer = await phone.ask(
        "REGISTER",
        "sip:klein.example",
        headers,
        to=f"sip:{phone.account}@klein.example",
        contact=phone.contact + (f";q={q}" if q else ""),
    )
    assert answer.status == 200
    phone.status = status


async def methods(phone: SipPeer) -> list[str]:
    return list(dict.fromkeys(one.method for one in phone.received))


async def call(caller: SipPeer, number: str) -> int:
    answer = await caller.ask("INVITE", number, [("Content-Type", "application/sdp")], SDP)
    return answer.status


async def test_a_lower_q_rings_once_the_higher_ones_refused(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.6: same q in parallel, lower q next."""
    async with (
        SipPeer(pbx, "101") as first,
        SipPeer(pbx, "101") as second,
        SipPeer(pbx, "101") as last,
        SipPeer(pbx, "100") as caller,
    ):
        await register(last, "0.2", status=404)
        await register(first, "0.8", status=486)
        await register(second, "0.8")
        calling = asyncio.ensure_future(call(caller, "101"))
        assert (await first.next()).method == (await second.next()).method == "INVITE"
        assert await last.silent(5)
        second.refuse(480)
        assert (await last.next()).method == "INVITE"
        assert await calling == 486, "busy tells more than not being there"


async def test_what_nobody_answers_goes_on_after_its_share_of_the_time(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.6 and 16.8: the higher one is cancelled before the lower one rings; anna is rung for 20 seconds."""
    async with (
        SipPeer(pbx, "100") as first,
        SipPeer(pbx, "100") as last,
        SipPeer(pbx, "101") as caller,
    ):
        await register(first, "1.0", status=180)
        await register(last, "0.5", status=180)
        calling = asyncio.ensure_future(
            caller.ask("INVITE", "100", [("Content-Type", "application/sdp")], SDP)
        )
        await first.next()
        began = pbx.server.clock.now()
        await last.next()
        assert pbx.server.clock.now() - began == pytest.approx(10, abs=0.1)
        assert "CANCEL" in await methods(first)
        assert "CANCEL" not in await methods(last)
        await asyncio.sleep(11)
        assert "CANCEL" in await methods(last)
        calling.cancel()


async def test_who_rejects_speaks_for_all(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.7 step 5: after a 6xx nobody else is asked."""
    async with (
        SipPeer(pbx, "101") as first,
        SipPeer(pbx, "101") as last,
        SipPeer(pbx, "100") as caller,
    ):
        await register(first, "0.9", status=603)
        await register(last, "0.1")
        assert await call(caller, "101") == 603
        assert await last.silent()


async def test_a_call_goes_back_by_the_path_of_the_registration(pbx: PbxUnderTest) -> None:
    """RFC 3327 section 5.4: Route as the Path was, to the first proxy; a proxy elsewhere is not believed."""
    async with (
        SipPeer(pbx, "edge", port=5090) as edge,
        SipPeer(pbx, "101") as phone,
        SipPeer(pbx, "100") as caller,
    ):
        edge.status = 486
        path = "<sip:127.0.0.1:5090;lr>, <sip:192.0.2.77;lr>"
        await register(phone, "", ("Path", path), ("Supported", "path"), status=486)
        assert await call(caller, "101") == 486
        invite = await edge.next()
        assert invite.uri == phone.contact.strip("<>")
        assert invite.values("route") == ["<sip:127.0.0.1:5090;lr>", "<sip:192.0.2.77;lr>"]
        text = await caller.ask("MESSAGE", "101", [("Content-Type", "text/plain")], b"hi")
        assert text.status == 486
        message = next(one for one in edge.received if one.method == "MESSAGE")
        assert message.values("route") == invite.values("route")
        await register(phone, "", ("Path", "<sip:192.0.2.66;lr>"), ("Supported", "path"), status=486)
        assert await call(caller, "101") == 486
        assert (await phone.next()).values("route") == ["<sip:192.0.2.66;lr>"]


async def test_a_path_may_be_required(pbx: PbxUnderTest) -> None:
    """RFC 3327 5.3: the registrar has the extension; other requests have no path (RFC 3261 8.2.2.3)."""
    async with SipPeer(pbx, "101") as phone:
        require = ("Require", "path")
        await register(phone, "", ("Path", "<sip:127.0.0.1:5099;lr>"), require)
        assert (await phone.ask("OPTIONS", "100", [require])).status == 420
    (binding,) = pbx.server.registrar.bindings("101", pbx.server.clock.now())
    assert binding.path == ("<sip:127.0.0.1:5099;lr>",)
