"""Who a call is from, and who sees a password's proof: the account that showed it, and the trunk that it is for.

RFC 3261 22 and 26.1; design: a From that claims another is replaced, not believed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.sip_peer import SipPeer
from tests.server.switch.stranger import Stranger

from ringfence.server.sip.message import Request

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
STRANGER = "192.0.2.66"
CLAIMS = (
    '"Clara" <sip:102@klein.example>;tag=x',
    '"Boss" <sip:boss@elsewhere.example>;tag=x',
    '"112" <tel:112>;tag=x',
)


def written(phone: SipPeer, method: str, target: str, from_: str, *headers: tuple[str, str]) -> Request:
    """Write a request of a telephone, with whatever From."""
    return Request(
        method,
        target,
        [
            ("Max-Forwards", "70"),
            ("From", from_),
            ("To", f"<sip:{phone.account if method == 'REGISTER' else '102'}@klein.example>"),
            ("Call-ID", f"{method} by {phone.account}".replace(" ", "-")),
            ("CSeq", f"1 {method}"),
            ("Contact", phone.contact),
            *headers,
        ],
    )


async def registered(phone: SipPeer) -> None:
    """Register a telephone for calls."""
    answer = await phone.send(written(phone, "REGISTER", "sip:klein.example", "<sip:x@klein.example>;tag=r"))
    assert answer.status == 200


@pytest.mark.parametrize("claim", CLAIMS)
async def test_a_from_that_claims_another_is_replaced(pbx: PbxUnderTest, claim: str) -> None:
    async with SipPeer(pbx, "102") as clara, SipPeer(pbx, "101") as ben:
        clara.status = 486
        await registered(clara)
        asserted = ("P-Asserted-Identity", "<sip:102@klein.example>")
        request = written(ben, "INVITE", "sip:102@klein.example", claim, asserted)
        assert (await ben.send(request)).status == 486
        told = await clara.next()
        assert (told.from_.display_name, str(told.from_.uri)) == ("Ben Krause", "sip:101@klein.example")
        assert "102" not in (told.get("p-asserted-identity") or "")


async def test_credentials_of_another_realm_prove_nothing(pbx: PbxUnderTest) -> None:
    """RFC 7616 3.3: a proof counts in the realm that asked for it."""
    ben = await Stranger.at(pbx, STRANGER)
    challenge = await ben.challenge()
    foreign = type(challenge)("other.example", challenge.nonce)
    told = await ben.prove("Anna-1000-Apfel", challenge=foreign)
    assert told is not None
    assert told[1].status == 401


async def test_what_a_caller_proves_himself_with_goes_no_further(pbx: PbxUnderTest) -> None:
    """Bug class 12: neither the caller's credentials nor any of ours reach the telephone that is called."""
    async with SipPeer(pbx, "102") as clara:
        clara.status = 407
        clara.answer_headers = [("Proxy-Authenticate", 'Digest realm="klein.example", nonce="n"')]
        await registered(clara)
        ben = await pbx.phone("101")
        assert (await ben.dial("102")).status == 480
        await asyncio.sleep(5)
        assert "INVITE" in {request.method for request in clara.received}
        for request in clara.received:
            assert (request.get("authorization"), request.get("proxy-authorization")) == (None, None)


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "OPTIONS", "invite", "FOO"])
async def test_nobody_gets_out_by_a_trunk_without_proof(pbx: PbxUnderTest, method: str) -> None:
    """A stranger who asks for a number outside, at the trunk's own name or address too, is asked who he is."""
    heard: list[bytes] = []
    trunk = await pbx.server.options.network.bind("127.0.0.30", 5060, lambda data, _: heard.append(data))
    stranger = await Stranger.at(pbx, STRANGER)
    for target in ("sip:0731123@klein.example", "sip:0731123@127.0.0.30", "sip:08955550100@klein.example"):
        answer = await stranger.ask(stranger.request(method, target=target, account="0731999"))
        assert answer is not None
        assert answer.status == 401
    assert not pbx.server.switch.calls
    assert heard == []
    trunk.close()
