"""A client of the HTTP door of the `pbx` fixture's server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ringfence.fixtures.pbx import PbxUnderTest


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `json` is None where there is no JSON."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return (
            json.loads(self.body)
            if self.headers.get("Content-Type", "").partition(";")[0].endswith("json")
            else None
        )


class Client:
    """An administrator, or whoever `headers` say."""

    def __init__(self, session: aiohttp.ClientSession, token: str) -> None:
        self._session = session
        self.headers = {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, **options: Any) -> Reply:
        options.setdefault("headers", self.headers)
        async with self._session.request(method, path, **options) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def get(self, path: str) -> Any:
        """The JSON at a path below /api/v1, which must be there."""
        reply = await self.ask("GET", f"/api/v1/{path}")
        assert reply.status == 200, reply.body
        return reply.json

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str | None, str]:
        """Status, reason and detail of a problem."""
        reply = await self.ask(method, f"/api/v1/{path}", **options)
        assert reply.headers["Content-Type"].startswith("application/problem+json")
        assert set(reply.json) - {"users"} == {"type", "title", "status", "detail", "reason", "decision"}
        assert reply.json["status"] == reply.status
        return reply.status, reply.json["reason"], reply.json["detail"]

    async def holder(self, **rights: Any) -> Client:
        """Whoever comes with a new token of these rights."""
        reply = await self.ask("POST", "/api/v1/tokens", json={"name": "t", **rights})
        assert reply.status == 201, reply.body
        return Client(self._session, reply.json["token"])


@pytest.fixture
async def client(pbx: PbxUnderTest) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(pbx.http) as session:
        yield Client(session, pbx.token)
