"""Tokens over HTTP: made once with their secret, listed without it, and gone when revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client

PHONE = {"name": "annas-phone", "kind": "user", "user": "anna", "client": "mobile"}


async def test_the_secret_is_told_once(client: Client, pbx: PbxUnderTest) -> None:
    reply = await client.ask("POST", "/api/v1/tokens", json=PHONE)
    assert reply.status == 201
    made = reply.json
    secret = made.pop("token")
    (listed,) = await client.get("tokens")
    assert listed == made == PHONE | {"locations": [], "created_at": listed["created_at"]}
    stored = await pbx.server.store.unit.run(
        lambda connection: connection.exec_driver_sql("SELECT * FROM tokens").all()
    )
    assert secret not in str(stored)
    assert (await client.get("audit?kind=token.created"))["entries"][0]["detail"]["token"] == PHONE["name"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "administrator"},
        {"name": "server"},
        {"kind": "root"},
        {"client": "fax"},
        {"client": None},
        {"user": "ana"},
        {"locations": ["Haus"]},
        {"kind": "sub_administrator", "user": None, "client": None, "locations": ["Bonn"]},
        {"kind": "administrator"},
        {"created_at": 0},
    ],
)
async def test_a_token_that_cannot_be_is_refused_even_as_a_dry_run(
    client: Client, change: dict[str, object]
) -> None:
    for query in ("", "?dry_run=true"):
        refused = await client.refused("POST", f"tokens{query}", json=PHONE | change)
        assert refused[:2] == (422, "request.invalid")
    assert await client.get("tokens") == []


async def test_a_dry_run_makes_and_revokes_nothing(client: Client) -> None:
    dry = await client.ask("POST", "/api/v1/tokens?dry_run=true", json=PHONE)
    assert (dry.status, [one["event"] for one in dry.json["events"]]) == (200, ["token.created"])
    assert await client.get("tokens") == []
    await client.ask("POST", "/api/v1/tokens", json=PHONE)
    path = f"/api/v1/tokens/{PHONE['name']}"
    dry = await client.ask("DELETE", f"{path}?dry_run=true")
    assert (dry.status, [one["event"] for one in dry.json["events"]]) == (200, ["token.revoked"])
    assert len(await client.get("tokens")) == 1
    assert (await client.refused("POST", "tokens", json=PHONE))[:2] == (422, "request.invalid")
    assert (await client.ask("DELETE", path)).status == 204
    for query in ("", "?dry_run=true"):
        assert (await client.refused("DELETE", f"tokens/{PHONE['name']}{query}"))[:2] == (404, "not_found")


async def test_tokens_go_with_their_user(client: Client) -> None:
    annas = await client.holder(**PHONE)
    await client.ask("DELETE", "/api/v1/users/anna")
    assert (await annas.refused("GET", "users/anna"))[:2] == (401, "auth.required")
    assert await client.get("tokens") == []
