"""Who a call is shown to come from (RFC 3325, RFC 3323, RFC 5806): inside, out to a trunk and in from one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.sip.message import Request

pytestmark = pytest.mark.virtual_time
SITE = (
    read_site("small")
    .text.replace('numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\n')
    .replace('forward = { no_answer = "*102" }', 'forward = { busy = "0731123", not_registered = "101" }')
)
OUTSIDE = pytest.mark.ringfence(site=SITE)
SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
KIND = ("Content-Type", "application/sdp")
PAI = "P-Asserted-Identity"


def far_end(pbx: PbxUnderTest) -> SipPeer:
    """The trunk's far end where calls go out; it is busy."""
    peer = SipPeer(pbx, "far", host="127.0.0.31", port=5070)
    peer.status = 486
    return peer


async def registered(pbx: PbxUnderTest, account: str) -> SipPeer:
    peer = await SipPeer(pbx, account).__aenter__()
    answer = await peer.ask("REGISTER", "sip:klein.example", to=f"sip:{account}@klein.example")
    assert answer.status == 200
    peer.status = 486
    return peer


async def invite(peer: SipPeer, number: str, *headers: tuple[str, str], from_: str = "") -> None:
    await peer.ask("INVITE", number, [KIND, *headers], SDP, from_=from_)


async def shown_at(peer: SipPeer) -> Request:
    request = await peer.next()
    assert request.method == "INVITE"
    request.set("From", str(request.from_.uri))
    return request


@OUTSIDE
@pytest.mark.parametrize("account", ["101", "ben"])
async def test_a_caller_of_the_house_has_the_direct_dial_number_outside(
    pbx: PbxUnderTest, account: str
) -> None:
    """RFC 3325 9.1: the trunk gets the asserted identity; desk phone and softphone are the same person."""
    async with far_end(pbx) as far, SipPeer(pbx, account) as ben:
        await invite(ben, "0731123")
        request = await far.next()
        identity = '"Ben Krause" <sip:08955550101@klein.example>'
        assert (request.get("from") or "").startswith(identity + ";tag=")
        assert request.all(PAI) == [identity]
        assert request.get("privacy") is request.get("diversion") is None


@OUTSIDE
async def test_privacy_hides_the_caller_and_tells_the_trunk_alone(pbx: PbxUnderTest) -> None:
    """RFC 3325 9.3, RFC 3323 4.1.1.3; inside nobody is told."""
    anna = await registered(pbx, "100")
    async with far_end(pbx) as far, SipPeer(pbx, "101") as ben:
        await invite(ben, "0731123", ("Privacy", "header; ID"))
        request = await far.next()
        assert (request.get("from") or "").startswith('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=')
        assert request.all(PAI) == ['"Ben Krause" <sip:08955550101@klein.example>']
        assert request.get("privacy") == "id"
        await invite(ben, "100", ("Privacy", "id"))
        request = await anna.next()
        assert (request.get("from") or "").startswith('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=')
        assert request.get(PAI) is request.get("privacy") is None


async def test_a_hidden_caller_is_not_told_by_lamps_either(pbx: PbxUnderTest) -> None:
    """RFC 3323 section 5: what hides the caller at the telephone must not be told beside it."""
    anna = await registered(pbx, "100")
    anna.status = 180
    async with SipPeer(pbx, "102") as watcher, SipPeer(pbx, "101") as ben:
        await watcher.ask("SUBSCRIBE", "100", [("Event", "dialog")])
        await watcher.next()
        calling = asyncio.ensure_future(invite(ben, "100", ("Privacy", "id")))
        body = (await watcher.next()).body.decode()
        assert "sip:anonymous@klein.example" in body
        assert "101" not in body
        assert "Ben" not in body
        await anna.next()
        anna.refuse(486)
        await calling


async def test_what_a_telephone_asserts_is_not_believed(pbx: PbxUnderTest) -> None:
    """RFC 3325 section 5: it is not of the trust domain; nor does an identity go to one."""
    anna = await registered(pbx, "100")
    async with SipPeer(pbx, "101") as ben:
        boss = "<sip:boss@klein.example>"
        await invite(ben, "100", (PAI, boss), ("P-Preferred-Identity", boss), ("Diversion", boss))
        request = await shown_at(anna)
        assert request.get("from") == "sip:101@klein.example"
        assert request.get(PAI) is request.get("diversion") is request.get("p-preferred-identity") is None


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ([(PAI, '"Firma" <sip:+4989123@carrier.example>')], "sip:+4989123@klein.example"),
        ([(PAI, "<tel:+4989124;ext=1>")], "sip:+4989124@klein.example"),
        ([(PAI, "<tel:+4989124>, <sip:+4989123@carrier.example>")], "sip:+4989123@klein.example"),
        ([(PAI, "<sip:carrier.example>")], "sip:anonymous@klein.example"),
        ([(PAI, "<sip:+4989123@carrier.example>"), ("Privacy", "id")], "sip:anonymous@anonymous.invalid"),
        ([], "sip:anonymous@klein.example"),
    ],
)
async def test_what_a_trunk_asserts_counts_unless_it_is_private(
    pbx: PbxUnderTest, headers: list[tuple[str, str]], shown: str
) -> None:
    """RFC 3325 9.1 and 9.3: the identity is for the house, and a private one is not for its telephones."""
    anna = await registered(pbx, "100")
    async with SipPeer(pbx, "out", host="127.0.0.30") as trunk:
        await invite(trunk, "08955550100", *headers, from_="<sip:anonymous@anonymous.invalid>")
        request = await shown_at(anna)
        assert request.get("from") == shown
        assert request.get(PAI) is None


@OUTSIDE
async def test_a_forwarding_that_leaves_the_house_names_who_forwarded(pbx: PbxUnderTest) -> None:
    """RFC 5806: the direct-dial number and the reason; From stays the caller, whom we do not assert."""
    clara = await registered(pbx, "102")
    before = "<sip:0800@carrier.example>;reason=unconditional"
    async with far_end(pbx) as far, SipPeer(pbx, "4912", host="127.0.0.30") as trunk:
        await invite(trunk, "08955550102", ("Diversion", before))
        first = await shown_at(clara)
        assert first.all("diversion") == [before]
        request = await shown_at(far)
        assert request.get("from") == "sip:4912@klein.example"
        assert request.all("diversion") == ["<sip:08955550102@klein.example>;reason=user-busy", before]
        assert request.all("history-info") == [
            "<sip:08955550102@klein.example>;index=1",
            "<sip:0731123@127.0.0.31:5070;cause=486>;index=1.1;mp=1",
        ]
        assert request.get(PAI) is None


@OUTSIDE
async def test_a_forwarding_inside_is_told_to_the_next_telephone(pbx: PbxUnderTest) -> None:
    """RFC 5806: by the extension."""
    ben = await registered(pbx, "101")
    async with SipPeer(pbx, "100") as anna:
        await invite(anna, "102")
        request = await shown_at(ben)
        assert request.all("diversion") == ["<sip:102@klein.example>;reason=unavailable"]
        assert request.all("history-info") == [
            "<sip:102@klein.example>;index=1",
            "<sip:101@klein.example;cause=404>;index=1.1;mp=1",
        ]


async def test_a_call_that_nobody_forwarded_tells_no_history(pbx: PbxUnderTest) -> None:
    """RFC 7044 5: nor is a telephone's believed."""
    anna = await registered(pbx, "100")
    async with SipPeer(pbx, "101") as ben:
        await invite(ben, "100", ("History-Info", "<sip:110@klein.example>;index=1"))
        assert (await shown_at(anna)).get("history-info") is None


async def test_a_malformed_diversion_is_dropped(pbx: PbxUnderTest) -> None:
    anna = await registered(pbx, "100")
    async with SipPeer(pbx, "4912", host="127.0.0.30") as trunk:
        await invite(trunk, "08955550100", ("Diversion", "<sip:0800@carrier.example"))
        assert (await shown_at(anna)).get("diversion") is None


@pytest.mark.ringfence(
    site=SITE.replace(
        'uri = "sip:127.0.0.31:5070"',
        'uri = "sip:127.0.0.31:5070"\nusername = "firma"\npassword = "Amt-3100-Tor"\nregister = true',
    )
)
@pytest.mark.parametrize("to", ["sip:08955550100@carrier.example", "tel:08955550100;phone-context=+49"])
async def test_a_trunk_that_registers_is_called_at_its_contact_and_the_number_is_in_to(
    pbx: PbxUnderTest, to: str
) -> None:
    """RFC 3261 10.2.1 and 8.1.1.2."""
    anna = await registered(pbx, "100")
    async with SipPeer(pbx, "4912", host="127.0.0.30") as trunk:
        await trunk.ask("INVITE", "sip:firma@klein.example", [KIND], SDP, to=to)
        assert (await shown_at(anna)).get("from") == "sip:4912@klein.example"
