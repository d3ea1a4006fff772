"""How a whole server refuses what breaks RFC 3261, with what helps its sender; and routes through proxies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import ROOT, RawCaller

from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.message import Request, Response

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
ECHO = f"sip:{ROOT}9901@klein.example"
WITH_WAY_OUT = read_site("small").text.replace(
    'numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n'
)


async def refused(caller: RawCaller, request: Request) -> Response:
    """Send a request and return the refusal, acknowledged if it was an INVITE."""
    caller.send(request)
    response = await caller.response()
    if request.method == "INVITE":
        ack = caller.make("ACK", request.uri, cseq=request.cseq.number, branch=request.via.branch)
        ack.set("To", response.get("to") or "")
        caller.send(ack)
    return response


# -- outside a dialog ------------------------------------------------------------------------------------------


async def test_420_names_the_extensions_that_are_not_supported(pbx: PbxUnderTest) -> None:
    """RFC 3261 8.2.2.3 and 21.4.15; those that we have are not among them."""
    async with RawCaller(pbx) as caller:
        headers = (("Require", "nothing, 100rel"), ("Require", "more"))
        response = await refused(caller, caller.make("INVITE", ECHO, headers=headers, body=caller.sdp()))
        assert (response.status, response.values("unsupported")) == (420, ["nothing", "more"])


@pytest.mark.parametrize("method", ["SUBSCRIBE", "MESSAGE", "FOO"])
async def test_405_lists_what_is_allowed(pbx: PbxUnderTest, method: str) -> None:
    """RFC 3261 8.2.1 and 21.4.6: a trunk has these methods and no others."""
    async with RawCaller(pbx) as caller:
        response = await refused(caller, caller.make(method, ECHO))
        assert response.status == 405
        assert {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE", "PRACK", "INFO", "REFER"} <= set(
            response.values("allow")
        )


@pytest.mark.parametrize(
    ("headers", "body_type", "name", "value"),
    [
        ((), "text/plain", "accept", "application/sdp"),
        ((("Content-Encoding", "gzip"),), "application/sdp", "accept-encoding", "identity"),
    ],
)
async def test_415_says_what_is_taken(
    pbx: PbxUnderTest, headers: tuple[tuple[str, str], ...], body_type: str, name: str, value: str
) -> None:
    """RFC 3261 8.2.3 and 21.4.13."""
    async with RawCaller(pbx) as caller:
        request = caller.make("INVITE", ECHO, headers=headers, body=b"x", content_type=body_type)
        response = await refused(caller, request)
        assert (response.status, response.get(name)) == (415, value)


async def test_406_where_no_session_description_is_accepted(pbx: PbxUnderTest) -> None:
    """RFC 3261 21.4.7."""
    async with RawCaller(pbx) as caller:
        request = caller.make("INVITE", ECHO, headers=(("Accept", "text/plain"),), body=caller.sdp())
        assert (await refused(caller, request)).status == 406


async def test_416_for_a_scheme_that_is_none_of_sip(pbx: PbxUnderTest) -> None:
    """RFC 3261 8.2.2.1 and 21.4.14."""
    async with RawCaller(pbx) as caller:
        assert (await refused(caller, caller.make("INVITE", "tel:+49731", body=caller.sdp()))).status == 416


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "PRACK", "INFO", "REFER"])
async def test_481_for_a_dialog_that_is_none(pbx: PbxUnderTest, method: str) -> None:
    """RFC 3261 12.2.2 and 21.4.19: with a To tag or without one."""
    async with RawCaller(pbx) as caller:
        headers = (("RAck", "1 1 INVITE"), ("Refer-To", "<sip:102@klein.example>"))
        assert (await refused(caller, caller.make(method, ECHO, headers=headers))).status == 481
        caller.to = f"<{ECHO}>;tag=nobody"
        assert (await refused(caller, caller.make(method, ECHO, headers=headers))).status == 481


async def test_482_for_a_request_that_came_by_two_ways(pbx: PbxUnderTest) -> None:
    """RFC 3261 8.2.2.2: same From tag, Call-ID and CSeq in another transaction."""
    async with RawCaller(pbx) as caller:
        answer = await caller.invite("9902", least=180)
        assert answer.status == 180
        to, caller.to = caller.to, ""
        merged = caller.make("INVITE", ECHO, cseq=1, body=caller.sdp(), branch="z9hG4bKother")
        assert (await refused(caller, merged)).status == 482
        assert len(pbx.server.switch.calls) == 1
        caller.send(caller.make("CANCEL", ECHO, cseq=1, branch="z9hG4bKINVITE1raw"))
        assert (await caller.response(method="INVITE")).status == 487
        caller.to = to


@pytest.mark.ringfence(site=WITH_WAY_OUT.replace('peers = ["127.0.0.30"]', 'peers = ["127.0.0.31"]'))
@pytest.mark.parametrize("same_uri", [True, False])
async def test_482_for_a_request_of_ours_that_comes_back_unchanged(
    pbx: PbxUnderTest, *, same_uri: bool
) -> None:
    """RFC 3261 16.3 (4): a loop, unless a proxy sent it elsewhere, which is a spiral and another call."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        back = Request(invite.method, invite.uri if same_uri else ECHO, invite.headers, invite.body)
        back.prepend("Via", f"SIP/2.0/UDP {far.local};rport;branch=z9hG4bKback")
        far.send(back)
        response = await far.response(least=180)
        assert response.status == (482 if same_uri else 200)
        far.respond(invite, 486)
        assert (await dialling).status == 486


async def test_483_for_a_request_without_hops_left(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.3 (3): it would have to be sent on."""
    await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        request = caller.make("INVITE", f"sip:{ROOT}101@klein.example", body=caller.sdp())
        request.set("Max-Forwards", "0")
        assert (await refused(caller, request)).status == 483


@pytest.mark.parametrize(
    "spoil", [b"RTP/AVP 8|RTP/AVP 99", b"127.0.0.30|224.0.0.1", b"m=audio 4000|m=audio 0"]
)
async def test_488_warns_of_what_is_wrong(pbx: PbxUnderTest, spoil: bytes) -> None:
    """RFC 3261 13.3.1.3 and 20.43."""
    async with RawCaller(pbx) as caller:
        old, new = spoil.split(b"|")
        response = await refused(caller, caller.make("INVITE", ECHO, body=caller.sdp().replace(old, new)))
        assert response.status == 488
        assert response.get("warning") == '399 ringfence "media.incompatible"'


async def test_505_for_another_version(pbx: PbxUnderTest) -> None:
    """RFC 3261 21.5.6."""
    async with RawCaller(pbx) as caller:
        data = caller.make("OPTIONS", ECHO).to_bytes().replace(b" SIP/2.0\r\n", b" SIP/3.0\r\n", 1)
        caller.send_bytes(data)
        assert (await caller.response()).status == 505


# -- inside a dialog -------------------------------------------------------------------------------------------


async def test_500_and_a_time_for_a_number_that_does_not_rise(pbx: PbxUnderTest) -> None:
    """RFC 3261 12.2.2: out of order."""
    async with RawCaller(pbx) as caller:
        await caller.invite("9901")
        caller.ack()
        caller.cseq = 9
        assert (await caller.ask("OPTIONS")).status == 200
        late = caller.make("BYE", cseq=5)
        caller.send(late)
        response = await caller.response()
        assert response.status == 500
        assert 0 <= int(response.get("retry-after") or "-1") <= 10
        assert pbx.server.switch.calls
        await caller.bye()


async def test_491_while_ours_is_open_and_500_while_theirs_is(pbx: PbxUnderTest) -> None:
    """RFC 3261 14.2."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        inviting = asyncio.ensure_future(caller.invite("101"))
        answering = asyncio.ensure_future(ben.answer())
        await inviting
        caller.ack()
        call = await answering
        holding = asyncio.ensure_future(call.hold())
        ours = await caller.request_from_server()
        assert ours.method == "INVITE"
        glare = caller.make("INVITE", body=caller.sdp())
        assert (await refused(caller, glare)).status == 491
        caller.respond(ours, 491)
        assert (await caller.request_from_server()).method == "ACK"
        await holding
        again = await caller.request_from_server()
        assert again.method == "INVITE", "RFC 3261 14.1: it is tried again"
        caller.respond(again, 200, body=caller.sdp("recvonly"))
        assert (await caller.request_from_server()).method == "ACK"
        caller.send(caller.make("INVITE", body=caller.sdp()))
        assert (await caller.response()).status == 200
        too_early = await refused(caller, caller.make("INVITE", body=caller.sdp()))
        assert (too_early.status, too_early.get("retry-after") is not None) == (500, True)
        caller.ack(caller.cseq - 1)
        await caller.bye()
        await call.ended()


async def test_what_is_refused_outside_a_dialog_is_refused_inside(pbx: PbxUnderTest) -> None:
    """RFC 3261 12.2.2: 405, 420, 415 and 488 leave the dialog as it was."""
    async with RawCaller(pbx) as caller:
        await caller.invite("9901")
        caller.ack()
        foo = await caller.ask("FOO")
        assert (foo.status, "INVITE" in foo.values("allow")) == (405, True)
        unknown = await caller.ask("OPTIONS", headers=(("Require", "nothing"),))
        assert (unknown.status, unknown.get("unsupported")) == (420, "nothing")
        for content_type, status in (("text/plain", 415), ("application/sdp", 488)):
            update = await caller.ask("UPDATE", body=b"hello", content_type=content_type)
            assert update.status == status
        assert (await caller.ask("OPTIONS")).status == 200
        await caller.bye()


# -- Record-Route ----------------------------------------------------------------------------------------------

PROXY = "127.0.0.33"


async def test_a_caller_behind_proxies_is_reached_through_them(pbx: PbxUnderTest) -> None:
    """RFC 3261 12.1.1 and 12.2.1.1: Record-Route is copied, and our requests go by the route set in its order."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller, RawCaller(pbx, PROXY, 5099) as proxy:
        routes = (("Record-Route", f"<sip:{PROXY}:5099;lr>, <sip:second.example;lr>"),)
        answering = asyncio.ensure_future(ben.answer())
        answer = await caller.invite("101", headers=routes)
        assert answer.values("record-route") == [f"<sip:{PROXY}:5099;lr>", "<sip:second.example;lr>"]
        caller.ack()
        call = await answering
        hanging_up = asyncio.ensure_future(call.hang_up())
        bye = await proxy.request_from_server()
        assert (bye.method, bye.uri) == ("BYE", f"sip:raw@{caller.local}")
        assert bye.values("route") == [f"<sip:{PROXY}:5099;lr>", "<sip:second.example;lr>"]
        proxy.respond(bye, 200)
        await hanging_up


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_a_trunk_behind_a_proxy_is_reached_through_it(pbx: PbxUnderTest) -> None:
    """RFC 3261 12.1.2: as the caller we take the routes of the 2xx in reverse order, for the ACK already."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far, RawCaller(pbx, PROXY, 5099) as proxy:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        routes = (("Record-Route", f"<sip:second.example;lr>, <sip:{PROXY}:5099;lr>"),)
        far.respond(invite, 200, routes, far.sdp())
        ack = await proxy.request_from_server()
        assert (ack.method, ack.uri) == ("ACK", f"sip:raw@{far.local}")
        assert ack.values("route") == [f"<sip:{PROXY}:5099;lr>", "<sip:second.example;lr>"]
        call = await dialling
        hanging_up = asyncio.ensure_future(call.hang_up())
        bye = await proxy.request_from_server()
        assert bye.values("route") == ack.values("route")
        proxy.respond(bye, 200)
        await hanging_up


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_a_strict_router_is_named_by_the_request_uri(pbx: PbxUnderTest) -> None:
    """RFC 3261 12.2.1.1: the target comes last in Route then."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far, RawCaller(pbx, PROXY, 5099) as proxy:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        far.respond(invite, 200, (("Record-Route", f"<sip:{PROXY}:5099>"),), far.sdp())
        ack = await proxy.request_from_server()
        assert (ack.uri, ack.values("route")) == (f"sip:{PROXY}:5099", [f"<sip:raw@{far.local}>"])
        call = await dialling
        hanging_up = asyncio.ensure_future(call.hang_up())
        bye = await proxy.request_from_server()
        proxy.respond(bye, 200)
        await hanging_up
