from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Client


async def test_places_are_listed_with_their_own_functions(client: Client) -> None:
    assert await client.get("locations") == [
        {"name": "Haus", "functions": ["cti", "presence", "voicemail"], "groups": ["Vertrieb", "Lager"]}
    ]
    groups = {one["name"]: one for one in await client.get("groups")}
    assert groups["Lager"] == {"location": "Haus", "name": "Lager", "functions": []}
    assert "softphone" in groups["Vertrieb"]["functions"]


async def test_l04_a_location_is_switched_and_groups_with_a_list_of_their_own_stay(client: Client) -> None:
    reply = await client.ask("PATCH", "/api/v1/locations/Haus", json={"functions": ["chat", "cti"]})
    assert (reply.status, reply.json["functions"]) == (200, ["cti", "chat"])
    assert (await client.get("users/clara"))["functions"] == ["cti", "chat"]
    assert "softphone" in (await client.get("users/anna"))["functions"]


async def test_l04_a_group_is_switched_and_with_null_has_its_locations_list_again(client: Client) -> None:
    reply = await client.ask("PATCH", "/api/v1/groups/Haus/Lager", json={"functions": ["cti"]})
    assert reply.json == {"location": "Haus", "name": "Lager", "functions": ["cti"]}
    assert (await client.get("users/emil"))["functions"] == ["cti"]
    reply = await client.ask("PATCH", "/api/v1/groups/Haus/Lager", json={"functions": None})
    assert (reply.status, reply.json["functions"]) == (200, None)
    assert (await client.get("users/emil"))["functions"] == ["cti", "presence", "voicemail"]


async def test_unknown_places_are_404_and_unknown_functions_422(client: Client) -> None:
    functions = {"functions": ["cti"]}
    assert (await client.refused("PATCH", "locations/Bonn", json=functions))[:2] == (404, "not_found")
    assert (await client.refused("PATCH", "groups/Haus/Keller", json=functions))[:2] == (404, "not_found")
    refused = await client.refused("PATCH", "locations/Haus", json={"functions": ["ctj"]})
    assert refused[:2] == (422, "request.invalid")
    assert '"cti"' in refused[2]
    assert (await client.refused("PATCH", "locations/Haus", json={"functions": None}))[0] == 422


async def test_l63_a_duplicate_has_functions_and_groups_and_no_users(client: Client) -> None:
    before = await client.get("licences/overview")
    reply = await client.ask("POST", "/api/v1/locations", json={"name": "Hof", "like": "Haus"})
    assert reply.status == 201
    assert reply.json == (await client.get("locations"))[0] | {"name": "Hof"}
    assert await client.get("users?location=Hof") == []
    assert (await client.get("licences/overview"))["pools"] == before["pools"]
    assert (await client.ask("DELETE", "/api/v1/locations/Hof")).status == 204
    assert [one["name"] for one in await client.get("locations")] == ["Haus"]


async def test_a_location_is_made_from_nothing_and_named_once(client: Client) -> None:
    reply = await client.ask("POST", "/api/v1/locations", json={"name": "Hof A/B", "functions": ["cti"]})
    assert (reply.status, reply.json) == (201, {"name": "Hof A/B", "functions": ["cti"], "groups": []})
    for body in (
        {"name": "Haus"},
        {"name": ""},
        {"name": "Hof", "like": "Haus", "functions": []},
        {"name": "Hof", "functions": ["ctj"]},
    ):
        assert (await client.refused("POST", "locations", json=body))[:2] == (422, "request.invalid")
    unknown = await client.refused("POST", "locations", json={"name": "Hof", "like": "Bonn"})
    assert unknown[:2] == (404, "not_found")
    assert (await client.ask("DELETE", "/api/v1/locations/Hof%20A%2FB")).status == 204


async def test_a_group_comes_and_goes_and_none_goes_with_somebody_in_it(client: Client) -> None:
    reply = await client.ask("POST", "/api/v1/groups", json={"location": "Haus", "name": "Neu"})
    assert (reply.status, reply.json) == (201, {"location": "Haus", "name": "Neu", "functions": None})
    assert (await client.ask("DELETE", "/api/v1/groups/Haus/Neu")).status == 204
    for path in ("groups/Haus/Lager", "locations/Haus"):
        status, reason, detail = await client.refused("DELETE", path)
        assert (status, reason) == (422, "request.invalid")
        assert "move or delete them first" in detail
    assert (await client.refused("DELETE", "groups/Haus/Neu"))[:2] == (404, "not_found")


async def test_a_dry_run_of_every_change_of_places_changes_nothing(client: Client) -> None:
    before = await client.get("locations"), await client.get("groups"), await client.get("users")
    events = []
    for method, path, body in (
        ("POST", "locations", {"name": "Hof", "like": "Haus"}),
        ("PATCH", "locations/Haus", {"functions": []}),
        ("POST", "groups", {"location": "Haus", "name": "Neu"}),
        ("PATCH", "groups/Haus/Lager", {"functions": None}),
    ):
        reply = await client.ask(method, f"/api/v1/{path}?dry_run=true", json=body)
        assert reply.status == 200
        events.append(reply.json["events"][0]["event"])
    assert events == ["location.created", "functions.switched", "group.created", "functions.switched"]
    assert (await client.get("locations"), await client.get("groups"), await client.get("users")) == before
    await client.ask("POST", "/api/v1/groups", json={"location": "Haus", "name": "Neu"})
    reply = await client.ask("DELETE", "/api/v1/groups/Haus/Neu?dry_run=true")
    assert (reply.status, reply.json["events"][0]["event"]) == (200, "group.deleted")
    assert len(await client.get("groups")) == 3
