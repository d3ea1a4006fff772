"""Re-INVITEs from a telephone: hold and resume with and without an offer (RFC 3261 14, RFC 3264 8)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.talk import bridged, hears

from ringfence.channels.media.plane import Codec, Tone
from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.message import Response
from ringfence.server.sip.parser import parse
from ringfence.server.sip.sdp import Direction

if TYPE_CHECKING:
    from ringfence.channels.network import Address
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.phones.phone import Phone

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.30\r\ns=-\r\nc=IN IP4 127.0.0.30\r\nt=0 0\r\n"
    "m=audio {} RTP/AVP 8\r\na={}\r\n"
)
WITHOUT_MUSIC = read_site("small").text + "\n[media]\nhold_music = false\n"
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


# -- through a bridge ------------------------------------------------------------------------------------------


def states(pbx: PbxUnderTest) -> dict[str, str]:
    """Return the state of each device's connection."""
    return {one.device: str(one.state) for one in pbx.server.switch.connections.values()}


@pytest.mark.ringfence(site=WITHOUT_MUSIC)
@pytest.mark.parametrize("caller_holds", [True, False])
async def test_hold_reaches_the_far_party_and_so_does_resume(
    pbx: PbxUnderTest, *, caller_holds: bool
) -> None:
    """RFC 3264 8.4 and RFC 3261 14: each side of the bridge learns of it by a re-INVITE of its own."""
    call, answered = await bridged(pbx)
    holder, held = (call, answered) if caller_holds else (answered, call)
    held_device, holder_device = ("101", "100") if caller_holds else ("100", "101")
    await holder.hold()
    await asyncio.sleep(0.5)
    assert held.is_held
    assert not holder.is_held
    assert states(pbx) == {holder_device: "hold", held_device: "connected"}
    assert not await hears(holder, held)
    assert await hears(held, holder), "whoever holds by sendonly may play something"
    await holder.resume()
    await asyncio.sleep(0.5)
    assert not held.is_held
    assert set(states(pbx).values()) == {"connected"}
    assert await hears(holder, held)
    assert await hears(held, holder)
    await call.hang_up()


@pytest.mark.ringfence(site=WITHOUT_MUSIC)
async def test_inactive_lets_nobody_hear_anything(pbx: PbxUnderTest) -> None:
    """RFC 3264 6.1."""
    call, answered = await bridged(pbx)
    await call.reoffer(Direction.INACTIVE)
    await asyncio.sleep(0.5)
    assert states(pbx) == {"100": "hold", "101": "connected"}
    assert not await hears(answered, call)
    assert not await hears(call, answered)
    assert (await answered.heard()).rms == 0
    await call.resume()
    await asyncio.sleep(0.5)
    assert await hears(answered, call)
    await call.hang_up()


async def test_when_both_hold_each_resumes_for_itself(pbx: PbxUnderTest) -> None:
    """RFC 3264 8.4: who resumes while the other still holds hears nothing yet."""
    call, answered = await bridged(pbx)
    await call.hold()
    await asyncio.sleep(0.5)
    await answered.hold()
    await asyncio.sleep(0.5)
    assert set(states(pbx).values()) == {"hold"}
    await call.resume()
    await asyncio.sleep(0.5)
    assert states(pbx) == {"100": "connected", "101": "hold"}
    assert call.is_held
    assert not await hears(answered, call)
    await answered.resume()
    await asyncio.sleep(0.5)
    assert not call.is_held
    assert await hears(call, answered)
    assert await hears(answered, call)
    await call.hang_up()


async def test_two_holds_at_once_are_glare_and_both_take_effect(pbx: PbxUnderTest) -> None:
    """RFC 3261 14.1: whoever gets a 491 tries again after its pause."""
    call, answered = await bridged(pbx)
    await asyncio.gather(call.hold(), answered.hold())
    await asyncio.sleep(10)
    assert set(states(pbx).values()) == {"hold"}
    await asyncio.gather(call.resume(), answered.resume())
    await asyncio.sleep(10)
    assert set(states(pbx).values()) == {"connected"}
    assert not any(one.is_held for one in (call, answered))
    assert await hears(call, answered)
    await call.hang_up()


async def test_a_codec_change_stays_on_its_side_of_the_bridge(pbx: PbxUnderTest) -> None:
    """RFC 3264 8.3.2: the plane translates, the far party is not asked."""
    call, answered = await bridged(pbx)
    phone = call._phone
    phone.codecs = (Codec.PCMU,)
    await call.reoffer()
    await asyncio.sleep(0.5)
    codecs = {one.device: one.agreed.codec for one in pbx.server.switch.connections.values() if one.agreed}
    assert codecs == {"100": Codec.PCMU, "101": Codec.PCMA}
    assert await hears(answered, call)
    assert await hears(call, answered)
    await call.hang_up()


async def test_a_hold_by_update_works_as_by_reinvite(pbx: PbxUnderTest) -> None:
    """RFC 3311 5.2."""
    call, answered = await bridged(pbx)
    assert call.leg is not None
    offer = call.offer().replace(b"a=sendrecv", b"a=sendonly")
    assert call.leg.update(offer, call._phone.now())
    call._phone.flush()
    await asyncio.sleep(0.5)
    assert answered.is_held
    assert states(pbx) == {"100": "hold", "101": "connected"}
    await call.hang_up()


async def test_a_far_party_that_refuses_the_reinvite_stays_connected(pbx: PbxUnderTest) -> None:
    """RFC 3261 14.1: the session goes on as it was; the plane sends nothing to whoever holds."""
    call, answered = await bridged(pbx)
    answered._phone.codecs = ()
    await call.hold()
    await asyncio.sleep(0.5)
    assert states(pbx) == {"100": "hold", "101": "connected"}
    assert not await hears(call, answered)
    await call.resume()
    await asyncio.sleep(0.5)
    assert await hears(call, answered)
    await call.hang_up()


async def test_a_caller_who_offers_late_and_holds_at_once_is_followed(pbx: PbxUnderTest) -> None:
    """RFC 3261 14.2 and 13.2.1: the answer in an ACK counts as well as an offer."""
    answers: asyncio.Queue[Response] = asyncio.Queue()

    def receive(data: bytes, _: Address) -> None:
        message = parse(data)
        if isinstance(message, Response) and message.status >= 200:
            answers.put_nowait(message)

    ben = await pbx.phone("101")
    endpoint = await pbx.server.options.network.bind("127.0.0.30", 0, receive)
    to = "<sip:08955550101@klein.example>"

    def send(method: str, cseq: int, body: str = "") -> None:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        endpoint.send(
            (
                f"{method} sip:08955550101@klein.example SIP/2.0\r\nMax-Forwards: 70\r\n"
                f"Via: SIP/2.0/UDP {endpoint.local};rport;branch=z9hG4bK{method}{cseq}\r\n"
                f"From: <sip:1@out.example>;tag=f\r\nTo: {to}\r\nCall-ID: late\r\nCSeq: {cseq} {method}\r\n"
                f"Contact: <sip:1@{endpoint.local}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode(),
            pbx.server.sip,
        )

    send("INVITE", 1)
    answered = await ben.answer()
    to = (await answers.get()).get("to") or ""
    send("ACK", 1, SDP.format(4000, "sendonly"))
    await asyncio.sleep(0.5)
    assert answered.is_held
    send("BYE", 2)
    await answers.get()
    await answered.ended()
    endpoint.close()
