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
