"""Sub-administrators and users' tokens: everybody sees and changes his own, and nothing else (L-61, L-62)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ringfence.server.site.site import Site

if TYPE_CHECKING:
    from .conftest import Client

TWO_PLACES = Site.sample("small").text.replace(
    "[[trunk]]", '[[location]]\nname = "Hof"\nfunctions = ["cti"]\n\n[[user]]\nname = "frieda"\n'
    'location = "Hof"\nextension = "105"\npassword = "Frieda-1050-Feige"\n\n[[trunk]]', 1,
)  # fmt: skip
pytestmark = pytest.mark.ringfence(site=TWO_PLACES)


async def token(door: Client, **rights: Any) -> dict[str, str]:
    """Make a token; return the header that brings it."""
    reply = await door.ask("POST", "/api/v1/tokens", json={"name": "t", **rights})
    assert reply.status == 201, reply.body
    return {"Authorization": f"Bearer {reply.json['token']}"}


async def test_l62_a_sub_administrator_sees_and_changes_his_locations_only(client: Client) -> None:
    theirs = await token(client, kind="sub_administrator", locations=["Hof"])
    users = await client.ask("GET", "/api/v1/users", headers=theirs)
    assert [user["name"] for user in users.json] == ["frieda"]
    place = {"location": "Haus", "group": None}
    for method, path, body in [
        ("GET", "users/anna", None),
        ("PATCH", "users/anna", place),
        ("PATCH", "users/frieda", place),
        ("DELETE", "users/anna", None),
        ("POST", "licences/packages", {}),
        ("GET", "tokens", None),
    ]:
        reply = await client.ask(method, f"/api/v1/{path}", headers=theirs, json=body)
        assert (reply.status, reply.json["reason"]) == (403, "auth.forbidden"), (method, path)
    overview = await client.ask("GET", "/api/v1/licences/overview", headers=theirs)
    assert list(overview.json["locations"]) == ["Hof"]
    assert [user["user"] for user in overview.json["users"]] == ["frieda"]


async def test_l61_a_user_s_token_is_good_for_himself(client: Client) -> None:
    annas = await token(client, kind="user", user="anna", client="connect")
    own = await client.ask("GET", "/api/v1/users/anna", headers=annas)
    other = await client.ask("GET", "/api/v1/users/ben", headers=annas)
    assert (own.status, own.json["name"], other.status) == (200, "anna", 403)
    assert own.json["voicemail_pin"] is None


async def test_a_revoked_token_is_unknown_from_then_on(client: Client) -> None:
    theirs = await token(client, kind="administrator")
    assert (await client.ask("GET", "/api/v1/users", headers=theirs)).status == 200
    assert (await client.ask("DELETE", "/api/v1/tokens/t")).status == 204
    assert (await client.ask("GET", "/api/v1/users", headers=theirs)).status == 401
