from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ringfence.server.api.door import FREE, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Client


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)


async def test_the_document_has_exactly_the_operations_that_are_served(client: Client) -> None:
    document = (await client.ask("GET", "/api/openapi.json")).json
    assert document["openapi"].startswith("3.")
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(operation.method, operation.path) for operation in OPERATIONS}


async def test_every_reference_leads_somewhere_and_every_name_in_a_path_is_a_parameter(
    client: Client,
) -> None:
    document = (await client.ask("GET", "/api/openapi.json")).json
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
    identifiers = []
    for path, methods in document["paths"].items():
        for operation in methods.values():
            identifiers.append(operation["operationId"])
            named = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
            assert named == re.findall(r"{(\w+)}", path)
            assert operation["summary"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert (operation.get("security") == []) == (path in FREE)
    assert len(set(identifiers)) == len(identifiers)


async def test_the_fields_are_documented_as_they_are_written(client: Client) -> None:
    document = (await client.ask("GET", "/api/openapi.json")).json
    call = document["components"]["schemas"]["NewCall"]
    assert set(call["required"]) == {"from", "to"}
    assert call["additionalProperties"] is False
    user = document["components"]["schemas"]["UserDetail"]
    assert list(await client.get("users/anna")) == list(user["properties"])


async def test_parameters_have_their_types_and_a_dry_run_its_own_answer(client: Client) -> None:
    paths = (await client.ask("GET", "/api/openapi.json")).json["paths"]
    audit = {one["name"]: one for one in paths["/api/v1/audit"]["get"]["parameters"]}
    assert (audit["limit"]["schema"]["type"], audit["limit"]["schema"]["maximum"]) == ("integer", 1000)
    assert not audit["limit"]["required"]
    create = paths["/api/v1/users"]["post"]
    answers = {
        status: answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for status, answer in create["responses"].items()
        if status != "default"
    }
    assert answers == {"201": "UserDetail", "200": "Changes"}
    delete = paths["/api/v1/users/{name}"]["delete"]["responses"]
    assert "content" not in delete["204"]
    assert delete["200"]["content"]


async def test_l62_the_document_tells_whose_tokens_are_good_for_a_route(client: Client) -> None:
    paths = (await client.ask("GET", "/api/openapi.json")).json["paths"]
    assert paths["/api/v1/tokens"]["post"]["x-token-kinds"] == ["administrator"]
    assert paths["/api/v1/groups"]["post"]["x-token-kinds"] == ["administrator", "sub_administrator"]
    assert "user" in paths["/api/v1/users/{name}/voicemails"]["get"]["x-token-kinds"]
    assert "x-token-kinds" not in paths["/livez"]["get"]
