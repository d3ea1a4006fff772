"""SIP over WebSocket at the HTTP port (RFC 7118)."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from ringfence.server.api import sip_socket
from ringfence.server.app import Options, Pbx
from ringfence.server.net import websocket
from ringfence.server.net.certificate import CERTIFICATE
from ringfence.server.sip.authorize import Authorizer
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse
from ringfence.server.site.site import Security, Site
from ringfence.server.switch.events import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATIENCE_S = 10.0
SMALL = Site.sample("small")
SITE = replace(SMALL, security=Security(websocket_origins=("https://app.firma.example",)))
BEN = Authorizer("101", "Ben-1010-Birne", Random(1))


class Page:
    """What runs in a browser: one socket, and its URIs are of a domain that is none."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._branch = 0

    def request(self, method: str, target: str, cseq: int, *headers: tuple[str, str]) -> Request:
        self._branch += 1
        return Request(
            method,
            target,
            [
                ("Via", f"SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK{method}{self._branch}"),
                ("Max-Forwards", "70"),
                ("From", "<sip:101@klein.example>;tag=f"),
                ("To", "<sip:101@klein.example>"),
                ("Call-ID", "page"),
                ("CSeq", f"{cseq} {method}"),
                ("Contact", "<sip:k2@df7jal23ls0d.invalid;transport=ws>"),
                *headers,
            ],
        )

    async def send(self, message: Request | Response) -> None:
        await self.socket.send_str(message.to_bytes().decode())

    async def hear(self) -> Request | Response:
        return parse((await self.socket.receive_str(timeout=PATIENCE_S)).encode())

    async def register(self) -> Response:
        first = self.request("REGISTER", "sip:klein.example", 1)
        await self.send(first)
        challenge = await self.hear()
        assert isinstance(challenge, Response)
        authorization = BEN(challenge, first)
        assert authorization is not None
        await self.send(self.request("REGISTER", "sip:klein.example", 2, authorization))
        answer = await self.hear()
        assert isinstance(answer, Response)
        return answer


class Server:
    """A server and whoever connects to it."""

    def __init__(self, pbx: Pbx, session: aiohttp.ClientSession) -> None:
        self.pbx = pbx
        self._session = session

    async def open(self, **options: Any) -> Page:
        options.setdefault("protocols", ["sip"])
        url = options.pop("url", self.pbx.http)
        return Page(await self._session.ws_connect(f"{url}/sip", **options))

    async def refusal(self, **options: Any) -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await self.open(**options)
        return caught.value.status


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as one:
        yield one


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Server]:
    pbx = await Pbx.start(SITE, Options(seed=1, in_process=True, **options))
    async with aiohttp.ClientSession() as session:
        yield Server(pbx, session)
    await pbx.stop()


async def test_a_page_registers_and_is_called_over_its_socket(server: Server) -> None:
    """RFC 7118 5, RFC 5626: its Contact is of a domain that is none, so there is no other way to it."""
    page = await server.open()
    assert page.socket.protocol == "sip"
    registered = await page.register()
    assert registered.status == 200
    assert "k2@df7jal23ls0d.invalid;transport=ws" in (registered.get("contact") or "")
    server.pbx.switch.place("ben", "9900")
    invite = await page.hear()
    assert isinstance(invite, Request)
    assert invite.uri == "sip:k2@df7jal23ls0d.invalid;transport=ws"
    assert invite.via.transport == "WS"
    assert f"{invite.via.host}:{invite.via.port}" == (server.pbx.http or "").removeprefix("http://")
    assert invite.get("contact") == f"<sip:{invite.via.host}:{invite.via.port};transport=ws>"
    await page.send(invite.respond(486, to_tag="busy"))
    ack = await page.hear()
    assert isinstance(ack, Request)
    assert ack.method == "ACK"


async def test_binary_frames_and_keep_alives_do_as_well(server: Server) -> None:
    """RFC 7118 5; the CRLFs are RFC 5626 4.4.1, which some clients send here too."""
    page = await server.open()
    await page.socket.send_bytes(page.request("OPTIONS", "sip:klein.example", 1).to_bytes())
    assert (await page.hear()).cseq.method == "OPTIONS"
    await page.socket.send_str("\r\n\r\n")
    assert await page.socket.receive_str(timeout=PATIENCE_S) == "\r\n"


async def test_a_message_needs_no_content_length(server: Server) -> None:
    page = await server.open()
    data = page.request("OPTIONS", "sip:klein.example", 1).to_bytes().replace(b"Content-Length: 0\r\n", b"")
    await page.socket.send_str(data.decode())
    answer = await page.hear()
    assert isinstance(answer, Response)
    assert answer.status == 200


async def test_a_page_that_is_closed_is_not_registered_any_more(server: Server) -> None:
    """What is rung at a socket that is gone fails at once (RFC 3261 8.1.3.1)."""
    page = await server.open()
    await page.register()
    refused: asyncio.Queue[str] = asyncio.Queue()
    server.pbx.stream.listen(
        lambda stamped: (
            refused.put_nowait(stamped.event.reason) if isinstance(stamped.event, Refused) else None
        )
    )
    server.pbx.switch.place("ben", "9900")
    await page.hear()
    await page.socket.close()
    async with asyncio.timeout(PATIENCE_S):
        assert await refused.get() == "user.not_registered"
        server.pbx.switch.place("ben", "9900")
        assert await refused.get() == "user.not_registered"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101),
        ("http://localhost:3000", 101),
        ("http://127.0.0.1:8080", 101),
        ("http://[::1]:8080", 101),
        ("https://klein.example", 101),
        ("https://app.firma.example", 101),
        ("http://app.firma.example", 403),
        ("https://app.firma.example:444", 403),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("http://[", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_only_pages_of_the_own_host_or_of_a_named_origin_may_speak(
    server: Server, origin: str | None, status: int
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    if status == 101:
        page = await server.open(headers=headers)
        await page.send(page.request("OPTIONS", "sip:klein.example", 1))
        assert (await page.hear()).cseq.number == 1
    else:
        assert await server.refusal(headers=headers) == status


async def test_the_subprotocol_is_required(server: Server) -> None:
    """RFC 7118 4.1"""
    assert await server.refusal(protocols=["mqtt"]) == 400
    assert await server.refusal(protocols=[]) == 400
    assert (await server.open(protocols=["mqtt", "sip"])).socket.protocol == "sip"


async def test_what_is_no_websocket_is_a_problem(server: Server) -> None:
    async with aiohttp.request("GET", f"{server.pbx.http}/sip") as answer:
        assert (answer.status, answer.content_type) == (400, "application/problem+json")


async def test_a_message_that_is_too_large_closes_the_socket(server: Server) -> None:
    page = await server.open()
    await page.socket.send_bytes(bytes(400_000))
    frame = await page.socket.receive(timeout=PATIENCE_S)
    assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.MESSAGE_TOO_BIG)


async def test_who_says_nothing_for_too_long_is_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "FIRST_MESSAGE_S", 0.05)
    page = await server.open()
    frame = await page.socket.receive(timeout=PATIENCE_S)
    assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.POLICY_VIOLATION)


async def test_sockets_have_a_limit(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_socket, "MOST_SOCKETS", 1)
    page = await server.open()
    assert await server.refusal() == 503
    await page.socket.close()


async def test_a_server_that_stops_says_goodbye() -> None:
    async with serving() as one:
        page = await one.open()
        await page.send(page.request("OPTIONS", "sip:klein.example", 1))
        await page.hear()
        stopping = asyncio.ensure_future(one.pbx.stop())
        frame = await page.socket.receive(timeout=PATIENCE_S)
        assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
        await stopping


async def test_a_page_registers_and_is_called_over_a_secure_socket(tmp_path: Path) -> None:
    """RFC 7118 5.2 at the same port: Via says WSS, the Contact ws; the page trusts the server's own certificate."""
    async with serving(data_dir=tmp_path, sips_port=0) as one:
        trust = ssl.create_default_context(cafile=str(tmp_path / CERTIFICATE))
        secure = (one.pbx.http or "").replace("http:", "https:")
        page = await one.open(url=secure, ssl=trust)
        registered = await page.register()
        assert registered.status == 200
        one.pbx.switch.place("ben", "9900")
        invite = await page.hear()
        assert isinstance(invite, Request)
        assert invite.via.transport == "WSS"
        assert f"https://{invite.via.host}:{invite.via.port}" == secure
        assert invite.get("contact") == f"<sip:{invite.via.host}:{invite.via.port};transport=ws>"
        await page.send(invite.respond(486, to_tag="busy"))
        await page.hear()
        asked = page.request("OPTIONS", "sips:klein.example", 3)
        await page.send(asked)
        answer = await page.hear()
        assert isinstance(answer, Response)
        assert answer.status == 200, "a sips: URI has TLS here"
        assert await one.refusal(url=secure, ssl=trust, headers={"Origin": "https://evil.example"}) == 403


async def test_the_http_port_takes_https_with_a_certificate_made_for_it() -> None:
    async with serving() as one, aiohttp.ClientSession() as session:
        for url in (one.pbx.http or "", (one.pbx.http or "").replace("http:", "https:")):
            async with session.get(f"{url}/livez", ssl=False) as answer:
                assert answer.status == 200
