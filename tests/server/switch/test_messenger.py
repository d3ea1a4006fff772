"""MESSAGE at a whole server (RFC 3428)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.sip.message import Response

pytestmark = pytest.mark.virtual_time


async def register(peer: SipPeer) -> None:
    answer = await peer.ask("REGISTER", "sip:klein.example", to=f"sip:{peer.account}@klein.example")
    assert answer.status == 200


async def write(
    peer: SipPeer, number: str, text: str = "Hallo", kind: str = "text/plain", *headers: tuple[str, str]
) -> Response:
    return await peer.ask("MESSAGE", number, [("Content-Type", kind), *headers], text.encode())


async def test_a_text_reaches_the_desk_phone_from_who_really_wrote_it(pbx: PbxUnderTest) -> None:
    """RFC 3428 sections 4 and 7: the body as it came, a From of the account, no Contact; 200 of the device."""
    async with SipPeer(pbx, "104") as emil, SipPeer(pbx, "100") as anna:
        await register(anna)
        answer = await write(emil, "100", "Grüß Gott", "text/plain;charset=UTF-8", ("Subject", "Gruß"))
        assert answer.status == 200
        text = await anna.next()
        assert (text.method, text.body.decode()) == ("MESSAGE", "Grüß Gott")
        assert text.uri == anna.contact.strip("<>")
        assert text.get("content-type") == "text/plain;charset=UTF-8"
        assert text.get("subject") == "Gruß"
        assert (text.from_.display_name, str(text.from_.uri)) == ("Emil Brandt", "sip:104@klein.example")
        assert text.get("contact") is None
        assert text.get("authorization") is None
        assert text.max_forwards == 69


async def test_bodies_of_any_kind_are_passed(pbx: PbxUnderTest) -> None:
    """RFC 3428 section 4: message/cpim and is-composing (RFC 3994) among them."""
    async with SipPeer(pbx, "101") as ben, SipPeer(pbx, "100") as anna:
        await register(anna)
        for kind in ("message/cpim", "application/im-iscomposing+xml"):
            assert (await write(ben, "100", "<x/>", kind)).status == 200
            assert (await anna.next()).get("content-type") == kind


async def test_every_device_gets_it_and_the_first_200_counts(pbx: PbxUnderTest) -> None:
    """RFC 3428 section 6: forked to all contacts of the account."""
    async with SipPeer(pbx, "101") as ben, SipPeer(pbx, "100") as one, SipPeer(pbx, "100") as other:
        await register(one)
        await register(other)
        one.status = 486
        assert (await write(ben, "100")).status == 200
        assert (await one.next()).method == (await other.next()).method == "MESSAGE"


async def test_what_a_device_refuses_is_handed_back(pbx: PbxUnderTest) -> None:
    """RFC 3428 section 7; a challenge is not for the writer, and silence is not being there."""
    async with SipPeer(pbx, "101") as ben, SipPeer(pbx, "100") as anna:
        await register(anna)
        for status, told in ((415, 415), (405, 405), (603, 603), (407, 480), (401, 480), (None, 480)):
            anna.status = status
            answer = await write(ben, "100")
            assert answer.status == told
            assert answer.get("www-authenticate") is answer.get("proxy-authenticate") is None
        assert answer.get("x-license-reason") == "user.not_registered"


async def test_nobody_there_is_480_and_nobody_at_all_404(pbx: PbxUnderTest) -> None:
    """Nothing is stored for later; the decision says why."""
    async with SipPeer(pbx, "101") as ben:
        answer = await write(ben, "100")
        assert (answer.status, answer.get("x-license-reason")) == (480, "user.not_registered")
        decision = pbx.server.decisions.get(answer.get("x-license-decision") or "")
        assert decision is not None
        assert decision.what == "message from 101 to 100"
        for number in ("777", "nobody", "0731123", "200"):
            answer = await write(ben, number)
            assert (answer.status, answer.get("x-license-reason")) == (404, "number.unknown")


async def test_by_name_the_licence_is_asked_of_both(pbx: PbxUnderTest) -> None:
    """From or to sip:NAME presence or chat is needed; between desk phones it is free."""
    async with (
        SipPeer(pbx, "101") as ben,
        SipPeer(pbx, "104") as emil,
        SipPeer(pbx, "emil") as soft,
        SipPeer(pbx, "anna") as anna,
        SipPeer(pbx, "100") as desk,
    ):
        await register(anna)
        await register(desk)
        assert (await write(ben, "anna")).status == 200
        assert str((await anna.next()).from_.uri) == "sip:101@klein.example"
        assert (await write(anna, "100")).status == 200
        assert str((await desk.next()).from_.uri) == "sip:anna@klein.example"
        assert (await write(emil, "100")).status == 200
        for who, number in ((emil, "anna"), (soft, "100"), (ben, "emil")):
            answer = await write(who, number)
            assert (answer.status, answer.get("x-license-reason")) == (403, "function.not_configured")


async def test_more_than_1300_bytes_do_not_go_by_udp(pbx: PbxUnderTest) -> None:
    """RFC 3428 section 8: 513 Message Too Large (RFC 3261 21.5.7)."""
    async with SipPeer(pbx, "101") as ben, SipPeer(pbx, "100") as anna:
        await register(anna)
        assert (await write(ben, "100", "x" * 700)).status == 200
        answer = await write(ben, "100", "x" * 1300)
        assert (answer.status, answer.reason) == (513, "Message Too Large")
        assert len((await anna.next()).body) == 700
        assert await anna.silent()


async def test_the_last_hop_is_483(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.3."""
    async with SipPeer(pbx, "101") as ben:
        answer = await ben.ask("MESSAGE", "100", [("Content-Type", "text/plain")], b"x", hops=0)
        assert answer.status == 483
