"""Bodies of an INVITE at the SIP door: what is taken, and how the rest is refused (RFC 3261 8.2.3, RFC 3264)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.stranger import Stranger

from ringfence.channels.network import Address
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.30\r\ns=-\r\nc=IN IP4 127.0.0.30\r\nt=0 0\r\nm=audio 4000 RTP/AVP {}\r\n"
INACTIVE = "sip:0895555099200@klein.example"


async def invite(pbx: PbxUnderTest, body: str, kind: str = "application/sdp") -> tuple[Response, int]:
    """Send an INVITE from the trunk; return the first final response, and how often it came in a second."""
    answers: list[Response] = []

    def receive(data: bytes, _source: Address) -> None:
        answer = parse(data)
        assert isinstance(answer, Response)
        answers.append(answer)

    endpoint = await pbx.server.options.network.bind("127.0.0.30", 0, receive)
    request = (
        f"INVITE {INACTIVE} SIP/2.0\r\nVia: SIP/2.0/UDP {endpoint.local};rport;branch=z9hG4bKdoor\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:1@out.example>;tag=f\r\nTo: <{INACTIVE}>\r\nCall-ID: door\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:1@{endpoint.local}>\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    endpoint.send(request.encode(), pbx.server.sip)
    await asyncio.sleep(1)
    endpoint.close()
    finals = [answer for answer in answers if answer.status >= 200]
    return finals[0], len(finals)


async def test_an_offer_inside_a_multipart_body_is_found(pbx: PbxUnderTest) -> None:
    body = f"--b\r\nContent-Type: application/sdp\r\n\r\n{SDP.format(8)}\r\n--b--\r\n"
    answer, _ = await invite(pbx, body, "multipart/mixed;boundary=b")
    assert answer.status == 200


async def test_a_body_of_another_kind_is_415_and_repeated_until_its_ack(pbx: PbxUnderTest) -> None:
    answer, times = await invite(pbx, "hello", "text/plain")
    assert (answer.status, answer.get("accept")) == (415, "application/sdp")
    assert times > 1


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "OPTIONS", "MESSAGE", "FOO"])
@pytest.mark.parametrize("host", ["127.0.0.30", "192.0.2.66"], ids=["trunk", "stranger"])
async def test_a_sips_uri_is_not_for_udp(pbx: PbxUnderTest, host: str, method: str) -> None:
    """RFC 3261 26.2.2; TCP and TLS are in tests/server/test_flows.py."""
    caller = await Stranger.at(pbx, host)
    answer = await caller.ask(caller.request(method, target="sips:klein.example"))
    assert answer is not None
    assert (answer.status, "TLS" in (answer.get("warning") or "")) == (403, True)


async def test_an_emergency_call_is_taken_however_it_comes(pbx: PbxUnderTest) -> None:
    caller = await Stranger.at(pbx, "192.0.2.66")
    target = "sips:112@klein.example"
    told = await caller.prove(
        "Anna-1000-Apfel", ("Contact", f"<sip:100@{caller.endpoint.local}>"), method="INVITE", target=target
    )
    assert told is not None
    assert told[1].status < 300


@pytest.mark.parametrize(
    "body",
    [
        SDP.format("96\r\na=rtpmap:96 opus/48000/2"),
        SDP.format(8).replace("c=IN IP4 127.0.0.30", "c=IN IP4 224.2.1.1"),
        SDP.format(8).replace("c=IN IP4 127.0.0.30", "c=IN IP4 255.255.255.255"),
        "v=0",
    ],
    ids=["codec", "multicast", "broadcast", "cut short"],
)
async def test_an_offer_that_cannot_be_taken_is_488_with_its_reason(pbx: PbxUnderTest, body: str) -> None:
    answer, _ = await invite(pbx, body)
    assert (answer.status, answer.get("x-license-reason")) == (488, "media.incompatible")


@pytest.mark.parametrize(
    ("contact", "rung"), [("127.0.0.1:7002", 7002), ("10.0.0.9:7002", 7001)], ids=["itself", "behind a NAT"]
)
async def test_a_contact_is_rung_at_its_address_and_behind_a_nat_where_it_came_from(
    pbx: PbxUnderTest, contact: str, rung: int
) -> None:
    """RFC 3261 16.6: the contact is the target; one that names another host than it comes from stands behind a NAT."""
    heard: list[int] = []
    network, now = pbx.server.options.network, pbx.server.clock.now()
    for port in (7001, 7002):
        await network.bind("127.0.0.1", port, lambda _data, _source, port=port: heard.append(port))  # type: ignore[misc]
    request = parse(
        f"REGISTER sip:klein.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKr\r\nMax-Forwards: 70\r\n"
        f"From: <sip:101@klein.example>;tag=f\r\nTo: <sip:101@klein.example>\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\n"
        f"Contact: <sip:101@{contact}>\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(request, Request)
    pbx.server.registrar.register("101", request, Address("127.0.0.1", 7001), "t", now)
    caller = await pbx.phone("100")
    dialling = asyncio.create_task(caller.dial("101"))
    await asyncio.sleep(1)
    dialling.cancel()
    assert set(heard) == {rung}
