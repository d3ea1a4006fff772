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
