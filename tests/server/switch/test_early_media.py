"""Early media through a whole server (RFC 3261 13.2.1, RFC 3960): who is heard before the answer, and what follows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import RawCaller

from ringfence.channels.media.plane import NoStreamError, PlaneFailedError, PortsExhaustedError, Tone
from ringfence.fixtures.plugin import read_site

if TYPE_CHECKING:
    from ringfence.channels.media.plane import MediaStream
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.phones.phone import Phone
    from ringfence.server.sip.message import Request, Response

pytestmark = pytest.mark.virtual_time
SMALL = read_site("small").text
WITH_WAY_OUT = SMALL.replace(
    'numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n'
)
OUTSIDE_ON_BUSY = WITH_WAY_OUT.replace('forward = { no_answer = "*102" }', 'forward = { busy = "90731123" }')
FORWARDS_BUSY = SMALL.replace('forward = { no_answer = "*102" }', 'forward = { busy = "101" }')
RELIABLY = ("Supported", "100rel")


async def hears(listener: PhoneCall, speaker: PhoneCall, frequency_hz: int) -> bool:
    await listener.heard()
    await speaker.play(Tone((frequency_hz,), 0.6))
    return (await listener.heard()).contains_tone(frequency_hz)


async def heard_early(caller: Phone, number: str, called: Phone) -> tuple[PhoneCall, PhoneCall]:
    """Dial a telephone that lets itself be heard before it answers; return the caller's call and the one that rings."""
    call = await caller.dial(number)
    ringing = await called.ringing()
    ringing.progress()
    await call.progressed()
    return call, ringing


def prack(response: Response) -> tuple[str, str]:
    return ("RAck", f"{response.get('rseq')} {response.cseq.number} INVITE")


# -- one telephone ---------------------------------------------------------------------------------------------


async def test_a_caller_hears_a_telephone_before_it_answers_and_goes_on_hearing_it(pbx: PbxUnderTest) -> None:
    """RFC 3261 13.2.1 and RFC 3262 5, with 100rel on both sides: one session from the 183 on, no channel."""
    clara, ben = await pbx.phone("102"), await pbx.phone("101")
    call, ringing = await heard_early(clara, "101", ben)
    assert await hears(call, ringing, 440)
    assert await hears(ringing, call, 600)
    assert (call.is_answered, pbx.pools.ip_channel.used) == (False, 0)
    await ringing.answer()
    await call.answered()
    assert await hears(call, ringing, 700)
    assert await hears(ringing, call, 800)
    await call.hang_up()
    await ringing.ended()


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_an_announcement_of_the_trunk_is_heard_and_its_refusal_told(pbx: PbxUnderTest) -> None:
    """RFC 3960 3.1: the final response of the far end is the caller's."""
    ben, far = await pbx.phone("101"), await pbx.outside("110022", host="127.0.0.31", port=5070)
    call, ringing = await heard_early(ben, "90731123", far)
    assert await hears(call, ringing, 950)
    ringing.refuse(486)
    await call.ended()
    assert (call.status, call.reason, call.cause) == (486, "user.busy", 17)


async def test_without_100rel_the_200_repeats_what_the_183_showed(pbx: PbxUnderTest) -> None:
    """RFC 3261 13.2.1: what an unreliable response shows is the answer that the 2xx then gives."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        assert (await caller.invite("101", least=180)).status == 180
        ringing = await ben.ringing()
        ringing.progress()
        shown = await caller.response(least=180)
        assert (shown.status, shown.content_type, shown.get("require")) == (183, "application/sdp", None)
        answering = asyncio.ensure_future(ringing.answer())
        ok = await caller.response()
        assert (ok.status, ok.body) == (200, shown.body)
        caller.ack()
        await answering
        await caller.bye()


async def test_with_100rel_the_200_waits_for_the_prack_of_the_183(pbx: PbxUnderTest) -> None:
    """RFC 3262 3: no 2xx before the session description is acknowledged."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        rings = await caller.invite("101", headers=(RELIABLY,), least=180)
        assert (await caller.ask("PRACK", headers=(prack(rings),))).status == 200
        ringing = await ben.ringing()
        ringing.progress()
        while not (shown := await caller.response(least=180)).body:
            pass
        assert (shown.status, shown.get("require")) == (183, "100rel")
        answering = asyncio.ensure_future(ringing.answer())
        await asyncio.sleep(0.2)
        acknowledged = await caller.ask("PRACK", headers=(prack(shown),))
        assert acknowledged.status == 200
        ok = await caller.response(method="INVITE")
        assert (ok.status, ok.body) == (200, shown.body)
        caller.ack(cseq=1)
        await answering
        await caller.bye()


@pytest.mark.parametrize("sdp", [b"v=0\r\nnonsense", b""])
async def test_a_183_without_anything_to_hear_says_that_it_rings(pbx: PbxUnderTest, sdp: bytes) -> None:
    """RFC 3960 3.2: without early media the caller's telephone makes the tone itself."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        await caller.invite("101", least=180)
        ringing = await ben.ringing()
        assert ringing.leg is not None
        ringing.leg.ring(ben.now(), 183, sdp)
        ben.flush()
        told = await caller.response(least=180)
        assert (told.status, told.body) == (180, b"")
        ringing.refuse()
        assert (await caller.response()).status == 486
        caller.ack()


async def test_a_caller_who_leaves_the_offer_to_us_is_told_that_it_rings(pbx: PbxUnderTest) -> None:
    """RFC 3261 13.2.1: our offer goes out in the 200."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        caller.send(caller.make("INVITE", "sip:08955550101@klein.example"))
        ringing = await ben.ringing()
        assert (await caller.response(least=180)).body == b""
        ringing.progress()
        assert (await caller.response(least=180)).body == b""
        answering = asyncio.ensure_future(ringing.answer())
        ok = await caller.response()
        caller.to = ok.get("to") or ""
        assert ok.body
        caller.ack(body=caller.sdp())
        await answering
        await caller.bye()


# -- a far end that forks --------------------------------------------------------------------------------------


@pytest.mark.ringfence(site=WITH_WAY_OUT)
@pytest.mark.parametrize(
    ("tag", "port", "heard_at"), [("one", 4002, 4002), ("two", 4004, 4004), ("one", None, 4000)]
)
async def test_the_200_has_the_last_word_on_the_media(
    pbx: PbxUnderTest, tag: str, port: int | None, heard_at: int
) -> None:
    """RFC 3261 13.2.2.4: the same SDP, another one, that of another fork; none means what the 183 showed."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        respond(far, invite, 183, "one", 4000)
        call = await dialling
        await call.progressed()
        assert far_port(pbx) == 4000
        respond(far, invite, 200, tag, port)
        assert (await far.request_from_server()).method == "ACK"
        await call.answered()
        assert far_port(pbx) == heard_at
        await leave(far, call)


@pytest.mark.ringfence(site=OUTSIDE_ON_BUSY)
async def test_of_several_early_dialogs_the_latest_media_are_heard(pbx: PbxUnderTest) -> None:
    """RFC 3960 3.1: a far end that goes on to another telephone is heard there, in the session of the first 183."""
    clara = await pbx.phone("102")
    clara.busy_with = 486
    async with RawCaller(pbx, "127.0.0.31", 5070) as far, RawCaller(pbx, call_id="in") as caller:
        assert (await caller.invite("102", least=180)).status == 181
        invite = await far.request_from_server()
        respond(far, invite, 183, "one", 4000)
        assert (await caller.response(least=180)).status == 183
        assert far_port(pbx) == 4000
        respond(far, invite, 183, "two", 4002)
        await asyncio.sleep(0.1)
        assert far_port(pbx) == 4002
        respond(far, invite, 180, "two")
        told = await caller.response(least=180)
        assert (told.status, told.body) == (180, b""), "nothing else was told meanwhile"
        far.respond(invite, 503)
        assert (await caller.response()).status == 503
        caller.ack()


def respond(far: RawCaller, invite: Request, status: int, tag: str, port: int | None = None) -> None:
    """Answer as one of the telephones to which the far end forks."""
    response = invite.respond(status, to_tag=tag)
    response.add("Contact", f"<sip:{tag}@{far.local}>")
    if port is not None:
        response.add("Content-Type", "application/sdp")
        response.body = far.sdp(port=port)
    far.send(response)


def far_port(pbx: PbxUnderTest) -> int:
    """The RTP port at which the trunk's far end is heard by what is agreed now."""
    (connection,) = [one for one in pbx.server.switch.connections.values() if not one.incoming]
    assert connection.agreed is not None
    return connection.agreed.address.port


async def leave(far: RawCaller, call: PhoneCall) -> None:
    hanging_up = asyncio.ensure_future(call.hang_up())
    bye = await far.request_from_server()
    assert bye.method == "BYE"
    far.respond(bye, 200)
    await hanging_up


@pytest.mark.ringfence(site=WITH_WAY_OUT)
async def test_early_media_in_a_multipart_body_are_found(pbx: PbxUnderTest) -> None:
    """RFC 5621 3: networks put their own signalling beside the session description."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        response = invite.respond(183, to_tag="one")
        response.headers += [
            ("Contact", f"<sip:one@{far.local}>"),
            ("Content-Type", "multipart/mixed;boundary=b"),
        ]
        isup = b"--b\r\nContent-Type: application/ISUP\r\n\r\n\x06\r\n"
        response.body = isup + b"--b\r\nContent-Type: application/sdp\r\n\r\n" + far.sdp() + b"\r\n--b--\r\n"
        far.send(response)
        call = await dialling
        await call.progressed()
        far.respond(invite, 404)
        await call.ended()
        assert call.status == 404


# -- several telephones, and what comes afterwards -------------------------------------------------------------


async def test_of_two_that_ring_nobody_is_heard_until_one_rings_alone(pbx: PbxUnderTest) -> None:
    """RFC 3960 3.1: the caller hears his own ringing tone while several ring."""
    clara = await pbx.phone("102")
    phones = [await pbx.phone("101"), await pbx.phone("101")]
    call = await clara.dial("101")
    first, second = [await phone.ringing() for phone in phones]
    first.progress()
    await asyncio.sleep(1)
    assert not call.has_early_media
    second.refuse(486)
    await call.progressed()
    assert await hears(call, first, 440)
    await first.answer()
    await call.answered()
    await call.hang_up()
    await first.ended()


async def test_a_box_after_early_media_goes_on_in_their_session_with_its_channel(pbx: PbxUnderTest) -> None:
    """L-72: the channel is taken when the box is reached, not before."""
    clara, anna = await pbx.phone("102"), await pbx.phone("100")
    call, ringing = await heard_early(clara, "100", anna)
    assert await hears(call, ringing, 440)
    assert pbx.pools.ip_channel.used == 0
    await call.answered()
    assert ringing.is_over
    assert pbx.pools.ip_channel.used == 1
    await call.hear_tone(1000)
    await call.hang_up()


@pytest.mark.ringfence(site=FORWARDS_BUSY)
async def test_who_is_forwarded_after_early_media_hears_it_ring_in_them(pbx: PbxUnderTest) -> None:
    """RFC 3960 3.2: his telephone may leave the tone to us by now; 181 and 180 are told as well."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call, first = await heard_early(anna, "102", clara)
    await call.heard()
    first.refuse(486)
    second = await ben.ringing()
    await asyncio.sleep(1)
    assert (await call.heard()).contains_tone(425)
    await second.answer()
    await call.answered()
    assert await hears(call, second, 600)
    assert await hears(second, call, 700)
    await call.hang_up()
    await second.ended()


async def test_a_caller_who_leaves_during_early_media_leaves_nothing_behind(pbx: PbxUnderTest) -> None:
    """RFC 3261 9.1: CANCEL."""
    clara, ben = await pbx.phone("102"), await pbx.phone("101")
    call, ringing = await heard_early(clara, "101", ben)
    await call.hang_up()
    await ringing.ended()
    assert not pbx.server.switch.connections


async def test_without_ports_a_caller_is_told_that_it_rings(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The media of his call may find one by the time it is answered; ringing needs none."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        await caller.invite("101", least=180)
        ringing = await ben.ringing()

        async def nothing_left(*_: object) -> MediaStream:
            raise PortsExhaustedError

        monkeypatch.setattr(pbx.server.switch.plane, "open", nothing_left)
        ringing.progress()
        told = await caller.response(least=180)
        assert (told.status, told.body) == (180, b"")
        ringing.refuse()
        assert (await caller.response()).status == 486
        caller.ack()


@pytest.mark.parametrize("number", ["9901", "101"])
@pytest.mark.parametrize(
    ("error", "status", "cause"), [(PortsExhaustedError, 503, 47), (PlaneFailedError, 500, 41)]
)
async def test_a_call_that_gets_no_stream_is_refused_by_what_the_plane_says(
    pbx: PbxUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    error: type[NoStreamError],
    status: int,
    cause: int,
    number: str,
) -> None:
    """RFC 3326: the cause comes with the reason's code."""

    async def nothing_left(*_: object) -> MediaStream:
        raise error

    monkeypatch.setattr(pbx.server.switch.plane, "open", nothing_left)
    async with RawCaller(pbx) as caller:
        await pbx.phone("101")
        refusal = await caller.invite(number)
        assert (refusal.status, refusal.get("x-license-reason")) == (status, error.reason)
        assert f"cause={cause}" in (refusal.get("reason") or "")
        caller.ack()


async def test_who_is_transferred_hears_early_media_and_talks_again_when_nobody_takes_him(
    pbx: PbxUnderTest,
) -> None:
    """RFC 5589 6: what the target has to say is for him."""
    anna, ben, clara = [await pbx.phone(one) for one in ("100", "101", "102")]
    call = await anna.dial("101")
    talking = await ben.answer()
    await call.answered()
    transferring = asyncio.ensure_future(talking.transfer("102"))
    ringing = await clara.ringing()
    await asyncio.sleep(1)
    assert (await call.heard()).contains_tone(425)
    ringing.progress()
    await asyncio.sleep(0.5)
    assert await hears(call, ringing, 950)
    ringing.refuse(603)
    assert await transferring == 603
    assert await hears(call, talking, 600)
    await call.hang_up()


async def test_a_caller_who_never_acknowledges_the_183_is_given_up_though_it_was_answered(
    pbx: PbxUnderTest,
) -> None:
    """RFC 3262 3: the 200 waits for the PRACK, and after 64 x T1 there is a 504; the telephone is told by BYE."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        rings = await caller.invite("101", headers=(RELIABLY,), least=180)
        assert (await caller.ask("PRACK", headers=(prack(rings),))).status == 200
        ringing = await ben.ringing()
        ringing.progress()
        await asyncio.sleep(0.1)
        await ringing.answer()
        assert (await caller.response(method="INVITE", least=300)).status == 504
        caller.ack(cseq=1)
        await ringing.ended()
    assert not pbx.server.switch.connections


# -- UPDATE before the answer ----------------------------------------------------------------------------------


@pytest.mark.ringfence(site=WITH_WAY_OUT)
@pytest.mark.parametrize("repeats", [True, False])
async def test_a_far_end_moves_its_early_media_by_update(pbx: PbxUnderTest, *, repeats: bool) -> None:
    """RFC 3311 5.2: where it is settled reliably; what the 200 says is no news then (RFC 3261 13.2.1)."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx, "127.0.0.31", 5070) as far:
        dialling = asyncio.ensure_future(ben.dial("90731123"))
        invite = await far.request_from_server()
        far.respond(invite, 183, (("Require", "100rel"), ("RSeq", "1")), far.sdp(port=4000))
        far.respond(await far.request_from_server(), 200)
        call = await dialling
        await call.progressed()
        far.call_id, far.from_tag, far.to = invite.call_id, "raw", invite.get("from") or ""
        far.send(far.make("UPDATE", str(invite.contacts[0].uri), body=far.sdp(port=4006)))
        assert (await far.response(method="UPDATE")).status == 200
        assert far_port(pbx) == 4006
        far.send(far.make("UPDATE", str(invite.contacts[0].uri), body=b"v=0\r\nnonsense"))
        assert (await far.response(method="UPDATE")).status == 488
        far.respond(invite, 200, body=far.sdp(port=4000) if repeats else b"")
        assert (await far.request_from_server()).method == "ACK"
        await call.answered()
        assert far_port(pbx) == 4006
        await leave(far, call)


async def test_a_caller_moves_his_early_media_by_update(pbx: PbxUnderTest) -> None:
    """RFC 3311 5.2: the 200 repeats the newest answer."""
    ben = await pbx.phone("101")
    async with RawCaller(pbx) as caller:
        rings = await caller.invite("101", headers=(RELIABLY,), least=180)
        await caller.ask("PRACK", headers=(prack(rings),))
        ringing = await ben.ringing()
        ringing.progress()
        while not (shown := await caller.response(least=180)).body:
            pass
        await caller.ask("PRACK", headers=(prack(shown),))
        moved = await caller.ask("UPDATE", body=caller.sdp(port=4010))
        assert moved.status == 200
        assert moved.body not in (b"", shown.body)
        answering = asyncio.ensure_future(ringing.answer())
        ok = await caller.response(method="INVITE")
        assert ok.body == moved.body
        caller.ack(cseq=1)
        await answering
        (incoming,) = [one for one in pbx.server.switch.connections.values() if one.incoming]
        assert incoming.agreed is not None
        assert incoming.agreed.address.port == 4010
        await caller.bye()
