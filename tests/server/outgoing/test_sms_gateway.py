"""Against a real HTTP server on the loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ringfence.server.outgoing.carrier import NotCarriedError
from ringfence.server.outgoing.sms_gateway import GatewayCarrier
from ringfence.server.site.carriers import SmsSettings

from .sent import sms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def asked() -> list[tuple[str, dict[str, str], Any, str | None]]:
    """What the gateway was asked: method, query, JSON and who asked."""
    return []


@pytest.fixture
async def gateway(asked: list[tuple[str, dict[str, str], Any, str | None]]) -> AsyncIterator[TestServer]:
    async def take(request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        asked.append((request.method, dict(request.query), body, request.headers.get("Authorization")))
        return web.Response(status=int(request.match_info["status"]))

    app = web.Application()
    app.router.add_route("*", "/{status}", take)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


async def carry(settings: SmsSettings) -> None:
    carrier = GatewayCarrier(settings)
    try:
        await carrier.carry(sms())
    finally:
        await carrier.close()


async def test_number_and_text_stand_in_the_url(gateway: TestServer, asked: list[Any]) -> None:
    await carry(SmsSettings(f"{gateway.make_url('/200')}?to={{to}}&text={{text}}&from=PBX"))
    query = {"to": "+49170", "text": "Voicemail & more: {to}", "from": "PBX"}
    assert asked == [("GET", query, None, None)]


async def test_or_in_a_json_body_with_the_headers_of_the_site(gateway: TestServer, asked: list[Any]) -> None:
    settings = SmsSettings(
        str(gateway.make_url("/202")),
        json={"recipient": "{to}", "message": "PBX: {text}"},
        headers={"Authorization": "Bearer s3cret"},
    )
    await carry(settings)
    body = {"recipient": "+49170", "message": "PBX: Voicemail & more: {to}"}
    assert asked == [("POST", {}, body, "Bearer s3cret")]
    assert "s3cret" not in repr(settings)


async def test_what_is_not_answered_by_2xx_is_not_carried(gateway: TestServer) -> None:
    with pytest.raises(NotCarriedError, match="answered 503"):
        await carry(SmsSettings(f"{gateway.make_url('/503')}?to={{to}}&text={{text}}"))


async def test_a_gateway_that_is_not_there_is_one_sentence(gateway: TestServer) -> None:
    url = f"{gateway.make_url('/200')}?to={{to}}&text={{text}}"
    await gateway.close()
    with pytest.raises(NotCarriedError, match="no answer"):
        await carry(SmsSettings(url))
