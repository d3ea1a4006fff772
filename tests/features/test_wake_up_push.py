"""The push that wakes a mobile softphone, from the call to the webhook and back, in virtual time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.features.test_one_number import SITE

from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.server.app import Options
from ringfence.server.hooks.delivery import signature
from ringfence.server.hooks.sender import UndeliveredError
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.site.acts import SetSetting
from ringfence.server.site.site import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ringfence.server.hooks.delivery import Post
    from ringfence.server.phones.phone import Phone

pytestmark = pytest.mark.virtual_time
SECRET = "a-long-secret"
HOOK = f"""
[[webhook]]
name = "push"
url = "http://127.0.0.1:9000/push"
secret = "{SECRET}"
events = ["mobile.woken"]
"""


@dataclass
class PushService:
    """Wakes the app a second after it was told, which registers then; it fails so often first."""

    failures: int = 0
    app: Phone | None = None
    told: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, request: Post) -> None:
        if self.failures:
            self.failures -= 1
            raise UndeliveredError("answered 503")
        timestamp = request.headers["X-Ringfence-Timestamp"]
        signed = signature(SECRET, timestamp, request.body)
        assert request.headers["X-Ringfence-Signature"] == f"sha256={signed}"
        self.told.append(json.loads(request.body))
        assert self.app is not None
        await asyncio.sleep(1)
        assert (await self.app.register()).status == 200

    async def close(self) -> None:
        pass


@pytest.fixture
def push() -> PushService:
    return PushService()


@pytest.fixture
async def house(push: PushService) -> AsyncIterator[PbxUnderTest]:
    options = Options(seed=1, in_process=True, http_port=None, network=MemoryNetwork(), hook_sender=push)
    pbx = await PbxUnderTest.start(Site.parse(SITE + HOOK), options)
    await pbx.server.administration.apply(SetSetting("anna", "softphone_mobile", "wake_s", 12.0))
    push.app = await pbx.phone("anna+mobile", register=False, transport="TCP")
    yield pbx
    await pbx.stop()


@pytest.mark.parametrize("failures", [0, 2])
async def test_a_signed_webhook_wakes_the_app_and_the_call_reaches_it(
    house: PbxUnderTest, push: PushService, failures: int
) -> None:
    """What is not taken comes again after 1, 2, 4 … seconds, while the call waits."""
    push.failures = failures
    ben = await house.phone("101")
    call = await ben.dial("100")
    assert push.app is not None
    taken = await push.app.answer()
    await call.answered()
    (told,) = push.told
    assert told["event"] == "mobile.woken"
    assert told["data"] == {
        "call_id": "c-1",
        "user": "anna",
        "account": "anna+mobile",
        "caller": "101",
        "caller_name": "ben",
    }
    await taken.hang_up()


async def test_a_caller_who_hides_himself_is_not_told_to_the_push_service(
    house: PbxUnderTest, push: PushService
) -> None:
    ben = await house.phone("101")
    call = await ben.dial("100", headers=(("Privacy", "id"),))
    assert push.app is not None
    await push.app.answer()
    assert (push.told[0]["data"]["caller"], push.told[0]["data"]["caller_name"]) == ("anonymous", "")
    await call.hang_up()


async def test_without_the_licence_nobody_is_woken(house: PbxUnderTest, push: PushService) -> None:
    """L-46: the setting stays."""
    await house.server.administration.apply(SetSetting("ben", "softphone_mobile", "wake_s", 12.0))
    call = await (await house.phone("100")).dial("101")
    assert (call.status, call.reason) == (480, "user.not_registered")
    assert not push.told
    assert house.server.administration.directory.users[1].settings
