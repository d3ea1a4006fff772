"""Sub-administrators and users' tokens: everybody sees and changes his own, and nothing else (L-61, L-62)."""

from __future__ import annotations

import wave
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ringfence.server.api.door import FREE, OPERATIONS
from ringfence.server.site.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client

TWO_PLACES = Site.sample("small").text.replace(
    "[[trunk]]",
    """
[[location]]
name = "Hof"
functions = ["cti", "voicemail"]
contingent = { voicemail = 1 }
[[location.group]]
name = "Stall"

[[user]]
name = "frieda"
location = "Hof"
extension = "105"
password = "Frieda-1050-Feige"

[[trunk]]""",
    1,
)
pytestmark = pytest.mark.ringfence(site=TWO_PLACES)

GERD = {"name": "gerd", "location": "Hof", "extension": "106", "password": "Gerd-1060-Gurke"}


@pytest.fixture
async def local(client: Client) -> Client:
    """A sub-administrator of Hof."""
    return await client.holder(kind="sub_administrator", locations=["Hof"])


async def test_a_token_of_another_kind_is_refused_at_every_route_that_does_not_name_it(
    client: Client, local: Client
) -> None:
    annas = await client.holder(name="a", kind="user", user="anna", client="web")
    for one in OPERATIONS:
        path = one.path.replace("{", "").replace("}", "")
        for kind, theirs in (("sub_administrator", local), ("user", annas)):
            if one.path not in FREE and kind not in one.may:
                reply = await theirs.ask(one.method, path)
                assert (reply.status, reply.json["reason"]) == (403, "auth.forbidden"), (kind, path)


async def test_a_revoked_token_is_unknown_from_then_on(client: Client) -> None:
    theirs = await client.holder(kind="administrator")
    assert await theirs.get("users") == await client.get("users")
    assert (await client.ask("DELETE", "/api/v1/tokens/t")).status == 204
    assert (await theirs.refused("GET", "users"))[:2] == (401, "auth.required")


async def test_l62_a_sub_administrator_sees_his_locations_only(local: Client) -> None:
    assert [user["name"] for user in await local.get("users")] == ["frieda"]
    assert [one["name"] for one in await local.get("locations")] == ["Hof"]
    assert [one["name"] for one in await local.get("groups")] == ["Stall"]
    assert (await local.refused("GET", "users?location=Haus"))[:2] == (403, "auth.forbidden")
    known, unknown = [await local.refused("GET", f"users/{name}") for name in ("anna", "nobody")]
    assert known[:2] == unknown[:2] == (403, "auth.forbidden")
    assert known[2].replace("anna", "") == unknown[2].replace("nobody", "")
    assert (await local.refused("GET", "licences/explain?user=anna&function=cti"))[0] == 403
    assert (await local.get("licences/explain?user=frieda&function=cti"))["user"] == "frieda"


async def test_l62_his_overview_counts_his_locations(client: Client, local: Client) -> None:
    whole, part = await client.get("licences/overview"), await local.get("licences/overview")
    assert list(part["locations"]) == ["Hof"]
    assert [user["user"] for user in part["users"]] == ["frieda"]
    assert part["contingents"] == {"Hof": {"voicemail": 1}}
    assert part["pools"]["voicemail"] == {"bought": 3, "required": 1, "assigned": 1, "missing": 0}
    assert whole["pools"]["voicemail"]["required"] > 1
    assert set(part) == set(whole)
    assert [one["text"].partition(" users")[0] for one in part["warnings"]] == ["1 of 1"]


async def test_l62_he_changes_what_is_in_his_locations_and_the_log_has_his_name(
    client: Client, local: Client
) -> None:
    assert (await local.ask("POST", "/api/v1/users", json=GERD)).status == 201
    moved = await local.ask("PATCH", "/api/v1/users/gerd", json={"location": "Hof", "group": "Stall"})
    assert (moved.status, moved.json["group"]) == (200, "Stall")
    assert (await local.ask("PATCH", "/api/v1/locations/Hof", json={"functions": ["cti"]})).status == 200
    assert (await local.ask("DELETE", "/api/v1/users/gerd")).status == 204
    log = await client.get("audit?actor=t")
    kinds = [one["kind"] for one in log["entries"] if one["kind"].startswith("user.")]
    assert kinds == ["user.deleted", "user.moved", "user.created"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "users/anna", {"location": "Hof"}),
        ("PATCH", "users/anna", {"display_name": "A"}),
        ("PATCH", "users/frieda", {"location": "Haus"}),
        ("DELETE", "users/anna", None),
        ("DELETE", "users/nobody", None),
        ("POST", "users", GERD | {"location": "Haus"}),
        ("PATCH", "locations/Haus", {"functions": []}),
        ("POST", "groups", {"location": "Haus", "name": "Neu"}),
        ("PATCH", "groups/Haus/Lager", {"functions": []}),
        ("DELETE", "groups/Haus/Lager", None),
        ("POST", "locations", {"name": "Neu"}),
        ("POST", "locations", {"name": "Neu", "like": "Hof"}),
        ("DELETE", "locations/Hof", None),
        ("POST", "licences/packages", {}),
    ],
)
async def test_l62_l63_whatever_leaves_his_locations_is_forbidden_even_as_a_dry_run(
    client: Client, local: Client, method: str, path: str, body: object
) -> None:
    before = await client.get("users"), await client.get("locations")
    for query in ("", "?dry_run=true"):
        assert (await local.refused(method, path + query, json=body))[:2] == (403, "auth.forbidden")
    assert (await client.get("users"), await client.get("locations")) == before


async def test_l62_his_dry_run_tells_of_his_own_users(client: Client) -> None:
    """Who elsewhere would be served is for those to know who administer him."""
    local = await client.holder(kind="sub_administrator", locations=["Haus"])
    dry = "/api/v1/groups/Haus/Vertrieb?dry_run=true"
    whole = await client.ask("PATCH", dry, json={"functions": []})
    part = await local.ask("PATCH", dry, json={"functions": []})
    served = {one["user"]: one["licences_gained"] for one in whole.json["users"]}
    assert served.pop("frieda") == ["office"]
    assert {one["user"] for one in part.json["users"]} == set(served)
    assert b"frieda" not in part.body
    assert part.json["events"][0]["event"] == "functions.switched"


async def test_l62_he_sees_the_calls_of_his_users_and_ends_them(
    client: Client, local: Client, pbx: PbxUnderTest
) -> None:
    await pbx.phone("100")
    await pbx.phone("105")
    assert (await local.refused("POST", "calls", json={"from": "anna", "to": "105"}))[0] == 422
    foreign = (await client.ask("POST", "/api/v1/calls", json={"from": "anna", "to": "9902"})).json["id"]
    own = (await local.ask("POST", "/api/v1/calls", json={"from": "frieda", "to": "9902"})).json["id"]
    assert [one["id"] for one in await local.get("calls")] == [own]
    assert len(await client.get("calls")) == 2
    for method in ("GET", "DELETE"):
        assert (await local.refused(method, f"calls/{foreign}"))[:2] == (404, "not_found")
    assert (await local.ask("DELETE", f"/api/v1/calls/{own}")).status == 204


async def test_l61_a_users_token_is_good_for_himself(client: Client) -> None:
    annas = await client.holder(kind="user", user="anna", client="connect")
    own = await annas.get("users/anna")
    assert (own["name"], own["voicemail_pin"]) == ("anna", None)
    assert [user["name"] for user in await annas.get("users")] == ["anna"]
    for path in (
        "users/ben",
        "users/nobody",
        "users/ben/voicemails",
        "licences/explain?user=ben&function=cti",
    ):
        assert (await annas.refused("GET", path))[:2] == (403, "auth.forbidden")
    assert (await annas.get("licences/explain?user=anna&function=cti"))["granted"]
    assert (await annas.refused("PATCH", "users/anna", json={"email": None}))[0] == 403


async def message(pbx: PbxUnderTest, user: str, folder: Path) -> str:
    recording = folder / "recording.wav"
    with wave.open(str(recording), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    received = datetime(2026, 3, 1, tzinfo=UTC)
    return (await pbx.server.store.mailbox.add(user, "1", "2", received, 1.0, recording)).id


@pytest.mark.parametrize("kind", ["web", "connect", "groupware"])
async def test_l34_a_box_is_read_by_a_client_that_its_user_is_licensed_for(
    client: Client, pbx: PbxUnderTest, tmp_path: Path, kind: str
) -> None:
    annas = await client.holder(kind="user", user="anna", client=kind)
    own = await message(pbx, "anna", tmp_path)
    assert [one["id"] for one in await annas.get("users/anna/voicemails")] == [own]
    assert (await annas.ask("GET", f"/api/v1/voicemails/{own}/audio")).status == 200
    assert (await annas.ask("DELETE", f"/api/v1/voicemails/{own}")).status == 204


async def test_l35_the_mobile_app_needs_a_function_of_its_own_at_every_door_of_the_box(
    client: Client, pbx: PbxUnderTest, tmp_path: Path
) -> None:
    annas = await client.holder(kind="user", user="anna", client="mobile")
    own = await message(pbx, "anna", tmp_path)
    for method, path in (
        ("GET", "users/anna/voicemails"),
        ("GET", f"voicemails/{own}/audio"),
        ("DELETE", f"voicemails/{own}"),
    ):
        reply = await annas.ask(method, f"/api/v1/{path}")
        assert (reply.status, reply.json["reason"]) == (404, "function.not_configured")
        decision = await annas.get(f"decisions/{reply.json['decision']}")
        assert (decision["user"], decision["facts"]["function"]) == ("anna", "voicemail_mobile")
    assert len(await client.get("users/anna/voicemails")) == 1


@pytest.mark.ringfence(site=TWO_PLACES.replace("office = 2\noffice_plus = 2\n", ""))
async def test_l34_without_office_a_box_is_read_by_web_and_not_in_the_client(client: Client) -> None:
    web = await client.holder(name="w", kind="user", user="anna", client="web")
    connect = await client.holder(name="c", kind="user", user="anna", client="connect")
    assert await web.get("users/anna/voicemails") == []
    reply = await connect.ask("GET", "/api/v1/users/anna/voicemails")
    assert (reply.status, reply.json["reason"]) == (403, "license.office.under_licensed")
    assert reply.json["decision"]
    assert await client.get("users/anna/voicemails") == []  # an administrator's token is not gated


async def test_messages_and_decisions_of_others_are_not_there(
    client: Client, local: Client, pbx: PbxUnderTest, tmp_path: Path
) -> None:
    bens = await message(pbx, "ben", tmp_path)
    refused = await (await pbx.phone("dora", register=False)).register()
    annas = await client.holder(name="a", kind="user", user="anna", client="web")
    for theirs in (local, annas):
        assert (await theirs.refused("GET", f"voicemails/{bens}/audio"))[:2] == (404, "not_found")
        assert (await theirs.refused("DELETE", f"voicemails/{bens}"))[:2] == (404, "not_found")
        decision = f"decisions/{refused.get('X-License-Decision')}"
        assert (await theirs.refused("GET", decision))[:2] == (404, "not_found")
    assert len(await client.get("users/ben/voicemails")) == 1


async def test_l55_only_administrators_are_told_who_closes_analytics(client: Client) -> None:
    annas = await client.holder(kind="user", user="anna", client="web")
    reply = await annas.ask("GET", "/api/v1/analytics/access")
    assert (reply.status, reply.json["reason"]) == (403, "analytics.no_cti")
    assert "users" not in reply.json
    assert (await annas.get(f"decisions/{reply.json['decision']}"))["facts"] == {}
