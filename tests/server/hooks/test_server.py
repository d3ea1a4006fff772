"""A whole server tells a real HTTP receiver, which believes only what is signed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.server.app import Options
from ringfence.server.hooks.delivery import signature
from ringfence.server.hooks.events import WebhookFailed
from ringfence.server.site.site import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "a-long-secret"


@dataclass
class Receiver:
    """Answers `status`, and keeps what it believed."""

    status: int = 204
    believed: list[dict[str, Any]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = request.headers["X-Ringfence-Timestamp"]
        signed = f"sha256={signature(SECRET, timestamp, body)}"
        if self.status == 204 and request.headers["X-Ringfence-Signature"] == signed:
            self.believed.append(json.loads(body))
            self.came.set()
        return web.Response(status=self.status)

    def told(self) -> list[str]:
        return [one["event"] for one in self.believed]


@pytest.fixture
async def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def hooked(receiver: Receiver) -> AsyncIterator[PbxUnderTest]:
    app = web.Application()
    app.router.add_post("/events", receiver.take)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    hook = f'[[webhook]]\nname = "ci"\nurl = "{server.make_url("/events")}"\nsecret = "{SECRET}"\n'
    hook += 'events = ["licence.*", "waiting.*", "limit.reached", "call.refused"]\n'
    site = Site.parse(Site.sample("small").text + hook)
    pbx = await PbxUnderTest.start(site, Options(seed=1, in_process=True, http_port=None))
    yield pbx
    await pbx.stop()
    await server.close()


async def test_a_move_that_serves_who_waited_is_told_in_order_with_its_data(
    hooked: PbxUnderTest, receiver: Receiver
) -> None:
    """L-48"""
    await hooked.move("anna", "Haus", "Lager")
    async with asyncio.timeout(10):
        while "waiting.user.served" not in receiver.told():
            receiver.came.clear()
            await receiver.came.wait()
    seqs = [one["seq"] for one in receiver.believed]
    assert seqs == sorted(seqs)
    assert {"licence.released", "licence.assigned"} <= set(receiver.told())
    (served,) = [one for one in receiver.believed if one["event"] == "waiting.user.served"]
    assert served["data"]["user"] == "dora"
    assert "office_plus" in served["data"]["licences"]
    assert "user.moved" not in receiver.told()


async def test_what_happens_just_before_the_end_is_delivered_still(
    hooked: PbxUnderTest, receiver: Receiver
) -> None:
    refused = await (await hooked.phone("100")).dial("777")
    await hooked.stop()
    assert receiver.told() == ["call.refused"]
    assert receiver.believed[0]["data"]["decision"] == refused.decision


async def test_a_receiver_that_refuses_is_told_of_on_the_stream_and_in_the_metrics_and_holds_up_no_call(
    hooked: PbxUnderTest, receiver: Receiver
) -> None:
    receiver.status = 500
    anna = await hooked.phone("100")
    assert (await anna.dial("777")).reason == "number.unknown"
    failed = await hooked.wait_for(WebhookFailed, webhook="ci")
    assert (failed.event, failed.tries, failed.why, failed.again_in_s) == (
        "call.refused",
        1,
        "answered 500",
        1.0,
    )
    metrics = hooked.server.metrics.text().decode()
    assert 'ringfence_webhook_waiting{webhook="ci"} 1.0' in metrics
    assert 'ringfence_webhook_failed_tries_total{webhook="ci"} 1.0' in metrics
    assert (await anna.dial("777")).reason == "number.unknown"
