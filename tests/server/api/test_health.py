from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


async def test_a_server_that_takes_calls_is_ready(client: Client) -> None:
    for path in ("/livez", "/readyz"):
        reply = await client.ask("GET", path, headers={})
        assert (reply.status, reply.json) == (200, {"status": "ok"})


async def test_a_server_without_media_lives_and_says_why_it_is_not_ready(
    client: Client, pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The media worker kept ending, and was given up."""
    monkeypatch.setattr(type(pbx.server.plane), "has_failed", True)
    assert (await client.ask("GET", "/livez")).status == 200
    reply = await client.ask("GET", "/readyz")
    assert (reply.status, reply.json["reason"]) == (503, "media.failed")
    assert "start the server anew" in reply.json["detail"]


async def test_a_server_that_goes_down_lives_but_is_not_ready_and_places_no_call(
    client: Client, pbx: PbxUnderTest
) -> None:
    pbx.server.is_stopping = True
    assert (await client.ask("GET", "/livez")).status == 200
    reply = await client.ask("GET", "/readyz")
    assert (reply.status, reply.json["reason"], reply.headers["Retry-After"]) == (
        503,
        "server.stopping",
        "30",
    )
    refused = await client.refused("POST", "calls", json={"from": "anna", "to": "9900"})
    assert refused[:2] == (503, "server.stopping")
