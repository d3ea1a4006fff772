"""Who has to say who it is: every method outside a dialog, from a stranger and from a trunk (RFC 3261 22, design 3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.capabilities import ALLOW
from ringfence.server.sip.message import Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from ringfence.channels.network import Address
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time

STRANGER, TRUNK = "127.0.0.1", "127.0.0.30"
METHODS = {
    "RFC 3261": ["INVITE", "BYE", "REGISTER", "OPTIONS"],
    "RFC 3262": ["PRACK"],
    "RFC 3265": ["SUBSCRIBE", "NOTIFY"],
    "RFC 3311": ["UPDATE"],
    "RFC 3428": ["MESSAGE"],
    "RFC 3515": ["REFER"],
    "RFC 3903": ["PUBLISH"],
    "RFC 6086": ["INFO"],
    "no RFC": ["FOO", "invite", "Options", "X-1.2!%*_+`'~"],
}
CASES = [(rfc, method) for rfc, methods in METHODS.items() for method in methods]


async def ask(
    pbx: PbxUnderTest, method: str, host: str, *, target: str = "sip:100@klein.example", to_tag: str = ""
) -> Response | None:
    """Send one request and return the first answer, None when there is none within five seconds."""
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    def receive(data: bytes, _source: Address) -> None:
        answers.put_nowait(data)

    endpoint = await pbx.server.options.network.bind(host, 0, receive)
    request = (
        f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {endpoint.local};rport;branch=z9hG4bK1{method}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:100@klein.example>;tag=f\r\nTo: <{target}>{to_tag}\r\n"
        f"Call-ID: {method}@{host}\r\nCSeq: 1 {method}\r\nContact: <sip:100@{endpoint.local}>\r\n"
        "Event: presence\r\nRefer-To: <sip:101@klein.example>\r\nRAck: 1 1 INVITE\r\nSubscription-State: active\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    endpoint.send(request.encode(), pbx.server.sip)
    try:
        async with asyncio.timeout(5):
            answer = parse(await answers.get())
    except TimeoutError:
        return None
    finally:
        endpoint.close()
    assert isinstance(answer, Response)
    return answer


@pytest.mark.parametrize(("rfc", "method"), CASES)
async def test_a_stranger_is_challenged(pbx: PbxUnderTest, rfc: str, method: str) -> None:
    answer = await ask(pbx, method, STRANGER)
    assert answer is not None, rfc
    assert answer.status == 401
    assert (answer.get("www-authenticate") or "").startswith('Digest realm="klein.example"')
    assert answer.to.tag
    agent = pbx.server._stack.agent
    assert agent.is_idle, "a challenge keeps nothing"
    assert not pbx.server.switch.calls


@pytest.mark.parametrize(("rfc", "method"), CASES)
async def test_inside_a_dialog_that_is_none_a_stranger_learns_only_that(
    pbx: PbxUnderTest, rfc: str, method: str
) -> None:
    answer = await ask(pbx, method, STRANGER, to_tag=";tag=x")
    assert answer is not None, rfc
    assert answer.status == 481


async def test_acks_are_never_answered_and_a_cancel_of_nothing_gets_481(pbx: PbxUnderTest) -> None:
    for host in (STRANGER, TRUNK):
        assert await ask(pbx, "ACK", host) is None
        cancel = await ask(pbx, "CANCEL", host)
        assert cancel is not None
        assert cancel.status == 481


async def test_options_to_the_server_itself_are_answered_to_everybody(pbx: PbxUnderTest) -> None:
    for target in ("sip:klein.example", "sip:127.0.0.1:5060"):
        answer = await ask(pbx, "OPTIONS", STRANGER, target=target)
        assert answer is not None
        assert (answer.status, answer.get("accept")) == (200, "application/sdp")
        assert "INVITE" in answer.values("allow")


@pytest.mark.parametrize(("rfc", "method"), CASES)
async def test_a_trunk_is_never_challenged_but_to_register(pbx: PbxUnderTest, rfc: str, method: str) -> None:
    answer = await ask(pbx, method, TRUNK, target="sip:089555509903@klein.example")
    assert answer is not None, rfc
    match method:
        case "REGISTER":
            assert answer.status == 401
        case "INVITE":
            assert answer.status == 486
        case "OPTIONS":
            assert answer.status == 200
        case _ if method in ALLOW.split(", "):
            assert answer.status == 481, "it belongs in a dialog"
        case _:
            assert answer.status == 405
            assert answer.get("allow") == ALLOW
