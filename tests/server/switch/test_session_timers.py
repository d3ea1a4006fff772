"""Session timers through a whole server (RFC 4028): who vanishes without a word does not keep a call, nor a channel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import RawCaller

from ringfence.channels.network import Address
from ringfence.server.sip.credentials import Challenge
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse
from ringfence.server.switch.events import CallEnded

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.sip.flow import Flow

pytestmark = pytest.mark.virtual_time


async def test_two_phones_that_vanish_do_not_stay_up_for_ever(pbx: PbxUnderTest) -> None:
    """RFC 4028 10: asked after half of half an hour, given up 32 s later."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    await ben.answer()
    await call.answered()
    await anna.unplug()
    await ben.unplug()
    await asyncio.sleep(899)
    assert pbx.server.switch.calls
    await asyncio.sleep(40)
    assert not pbx.server.switch.calls
    ended = await pbx.wait_for(CallEnded)
    assert ended.duration_s == pytest.approx(932, abs=2)


async def test_when_one_vanishes_the_other_is_told(pbx: PbxUnderTest) -> None:
    """RFC 4028 10."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    await ben.answer()
    await call.answered()
    await ben.unplug()
    await call.ended(940)


async def test_a_call_that_stands_goes_on_for_hours(pbx: PbxUnderTest) -> None:
    """RFC 4028 7.4: we ask the far end, here by a re-INVITE with what is in use, every quarter of an hour."""
    async with RawCaller(pbx) as caller:
        assert (await caller.invite("99200")).get("session-expires") == "1800;refresher=uas"
        caller.ack()
        for number in range(1, 13):
            refresh = await caller.request_from_server()
            assert refresh.method == "INVITE"
            assert b"a=inactive" in refresh.body
            assert asyncio.get_running_loop().time() == pytest.approx(900 * number, abs=1)
            caller.respond(refresh, 200, body=caller.sdp("inactive"))
            assert (await caller.request_from_server()).method == "ACK"
        await caller.bye()


async def test_a_silent_holder_of_a_channel_who_vanished_gives_it_back(pbx: PbxUnderTest) -> None:
    """RFC 4028 10 and L-74: on hold no RTP tells, the session timer does."""
    async with RawCaller(pbx) as caller:
        assert (await caller.invite("*100", direction="inactive")).status == 200
        caller.ack()
        await asyncio.sleep(30)
        assert pbx.pools.ip_channel.used == 1
        caller.close()
        await asyncio.sleep(940)
        assert pbx.pools.ip_channel.used == 0


async def test_too_short_an_interval_is_refused_with_the_shortest_one(pbx: PbxUnderTest) -> None:
    """RFC 4028 6 and 9."""
    async with RawCaller(pbx) as caller:
        timer = ("Supported", "timer")
        answer = await caller.invite("101", headers=(timer, ("Session-Expires", "60")))
        assert (answer.status, answer.get("min-se")) == (422, "90")


async def test_the_caller_s_require_of_timers_is_understood(pbx: PbxUnderTest) -> None:
    """RFC 4028 5 and RFC 3261 8.2.2.3: no 420 for an extension that we have."""
    async with RawCaller(pbx) as caller:
        headers = (("Require", "timer"), ("Supported", "timer"), ("Session-Expires", "90;refresher=uac"))
        answer = await caller.invite("9901", headers=headers)
        assert (answer.status, answer.get("session-expires")) == (200, "90;refresher=uac")
        caller.ack()
        bye = await caller.request_from_server()
        assert bye.method == "BYE"
        assert asyncio.get_running_loop().time() == pytest.approx(60, abs=1)
        caller.respond(bye, 200)


# -- telephones that connect anew ------------------------------------------------------------------------------

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"


class Page:
    """A telephone in a page, 101: it has only the connection that it opens, and answers every request."""

    def __init__(self, pbx: PbxUnderTest, port: int) -> None:
        self._stack = pbx.server._stack
        self.sent: list[Request | Response] = []
        self.flow: Flow = self._stack.opened("WS", Address("127.0.0.9", port), self)

    def send(self, data: bytes) -> None:
        """The server sends a message."""
        message = parse(data)
        self.sent.append(message)
        if isinstance(message, Request) and message.method != "ACK":
            response = message.respond(200, to_tag="page")
            response.add("Contact", "<sip:x@page.invalid;transport=ws>")
            if message.method == "INVITE":
                response.add("Content-Type", "application/sdp")
                response.body = SDP
            asyncio.get_running_loop().call_soon(self._stack.received, response.to_bytes(), self.flow)

    def close(self) -> None:
        """The network is gone."""
        self._stack.closed(self.flow)

    def register(self, call_id: str, cseq: int) -> None:
        """Register 101 with one Call-ID, as long as the page is open (RFC 3261 10.2.4)."""
        target = "sip:klein.example"
        credentials: list[tuple[str, str]] = []
        for number in (cseq, cseq + 1):
            headers = [
                ("Via", f"SIP/2.0/WS page.invalid;branch=z9hG4bK{call_id}{number}"),
                ("From", "<sip:101@klein.example>;tag=page"), ("To", "<sip:101@klein.example>"),
                ("Call-ID", call_id), ("CSeq", f"{number} REGISTER"), ("Max-Forwards", "70"),
                ("Contact", "<sip:x@page.invalid;transport=ws>"), *credentials,
            ]  # fmt: skip
            self._stack.received(Request("REGISTER", target, headers).to_bytes(), self.flow)
            answer = self.sent[-1]
            if challenge := Challenge.parse(answer.get("www-authenticate") or ""):
                shown = challenge.answer("101", "Ben-1010-Birne", "REGISTER", target, cnonce="c")
                credentials = [("Authorization", str(shown))]
        assert isinstance(answer, Response)
        assert answer.status == 200


@pytest.mark.parametrize("same", [True, False])
async def test_a_page_that_connects_and_registers_anew_keeps_its_call(
    pbx: PbxUnderTest, *, same: bool
) -> None:
    """RFC 5626 5.3 and RFC 4028 10: the same registration (Call-ID) by another connection is the same telephone."""
    page = Page(pbx, 40001)
    page.register("one", 1)
    async with RawCaller(pbx) as caller:
        refreshes = (("Supported", "timer"), ("Session-Expires", "1800;refresher=uac"))
        assert (await caller.invite("101", headers=refreshes)).status == 200
        caller.ack()
        await asyncio.sleep(600)
        page.close()
        await asyncio.sleep(10)
        again = Page(pbx, 40002)
        again.register("one" if same else "two", 3)
        await asyncio.sleep(400)
        assert len(pbx.server.switch.calls) == 1
        if same:
            assert "INVITE" in [one.method for one in again.sent if isinstance(one, Request)]
            await caller.bye()
            assert isinstance(again.sent[-1], Request)
            assert again.sent[-1].method == "BYE"
        else:
            bye = await caller.request_from_server(20)
            assert bye.method == "BYE"
            caller.respond(bye, 200)
