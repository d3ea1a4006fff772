"""Re-INVITEs from a telephone: hold and resume with and without an offer (RFC 3261 14, RFC 3264 8)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.plane import Tone
from ringfence.server.sip.message import Response, parse

if TYPE_CHECKING:
    from ringfence.channels.network import Address
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.phones.phone import Phone

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.30\r\ns=-\r\nc=IN IP4 127.0.0.30\r\nt=0 0\r\n"
    "m=audio {} RTP/AVP 8\r\na={}\r\n"
)
pytestmark = pytest.mark.virtual_time


async def reoffer(phone: Phone, call: PhoneCall, body: bytes) -> None:
    """Send a re-INVITE with `body` and let its transaction pass."""
    assert call.leg is not None
    assert call.leg.reoffer(body, phone.now())
    phone.flush()
    await asyncio.sleep(0.5)


def state(pbx: PbxUnderTest) -> str:
    """Return the state of the only connection."""
    (connection,) = pbx.server.switch.connections.values()
    return connection.state


async def test_hold_and_resume_by_sendonly_and_sendrecv(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("9901")
    await call.answered()
    await reoffer(ben, call, call.offer().replace(b"a=sendrecv", b"a=sendonly"))
    assert state(pbx) == "hold"
    await call.heard()
    await asyncio.sleep(1)
    assert (await call.heard()).duration_s == pytest.approx(0, abs=0.1)
    await reoffer(ben, call, call.offer())
    assert state(pbx) == "connected"
    await asyncio.sleep(1)
    assert (await call.heard()).contains_tone(440)
    await call.hang_up()


async def test_a_refused_reinvite_leaves_the_session_as_it_was(pbx: PbxUnderTest) -> None:
    """RFC 3261 14.1."""
    ben = await pbx.phone("101")
    call = await ben.dial("9901")
    await call.answered()
    await reoffer(ben, call, call.offer().replace(b"PCM", b"XCM").replace(b"AVP 8 0", b"AVP 97 98"))
    assert state(pbx) == "connected"
    await call.play(Tone((500,), 0.2))
    await reoffer(ben, call, call.offer())
    assert (await call.heard()).contains_tone(440)
    await call.hang_up()


async def test_an_offerless_reinvite_goes_by_the_answer_in_its_ack(pbx: PbxUnderTest) -> None:
    """RFC 3261 14.2: our 200 is an offer, and the ACK answers it; the stream moves with it."""
    answers: asyncio.Queue[Response] = asyncio.Queue()

    def receive(data: bytes, _: Address) -> None:
        message = parse(data)
        if isinstance(message, Response) and message.status >= 200:
            answers.put_nowait(message)

    endpoint = await pbx.server.options.network.bind("127.0.0.30", 0, receive)
    to = "<sip:089555509901@klein.example>"

    def send(method: str, cseq: int, body: str = "") -> None:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        endpoint.send(
            (
                f"{method} sip:089555509901@klein.example SIP/2.0\r\nMax-Forwards: 70\r\n"
                f"Via: SIP/2.0/UDP {endpoint.local};rport;branch=z9hG4bK{method}{cseq}\r\n"
                f"From: <sip:1@out.example>;tag=f\r\nTo: {to}\r\nCall-ID: ack\r\nCSeq: {cseq} {method}\r\n"
                f"Contact: <sip:1@{endpoint.local}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode(),
            pbx.server.sip,
        )

    send("INVITE", 1, SDP.format(4000, "sendrecv"))
    to = (await answers.get()).get("to") or ""
    send("ACK", 1)
    send("INVITE", 2, SDP.format(4000, "sendonly"))
    assert b"a=recvonly" in (await answers.get()).body
    send("ACK", 2)
    await asyncio.sleep(0.1)
    assert state(pbx) == "hold"
    send("INVITE", 3)
    assert b"a=sendrecv" in (await answers.get()).body
    send("ACK", 3, SDP.format(4002, "sendrecv"))
    await asyncio.sleep(0.1)
    (connection,) = pbx.server.switch.connections.values()
    assert connection.agreed is not None
    assert (connection.state, connection.agreed.address.port) == ("connected", 4002)
    send("BYE", 4)
    await answers.get()
    endpoint.close()
