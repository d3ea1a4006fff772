"""The OpenAPI 3.1 document, made from the operations that are served: it cannot tell of anything else."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from inspect import Parameter, getdoc
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import TypeAdapter

from .operation import JSON, adapter
from .problem import CONTENT_TYPE, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .operation import Operation

BYTES = "application/octet-stream"
_REF = "#/components/schemas/{model}"


def document(operations: Sequence[Operation], free: frozenset[str]) -> dict[str, Any]:
    """Describe `operations`; the paths in `free` need no token."""
    schemas, components = TypeAdapter.json_schemas(
        [(Problem, "serialization", adapter(Problem)), *_shapes(operations)], ref_template=_REF
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _described(one, schemas, one.path in free)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ringfence", "version": version("ringfence")},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components.get("$defs", {}),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _is_json(operation: Operation) -> bool:
    return operation.result not in (None, web.StreamResponse)


def _shapes(operations: Sequence[Operation]) -> list[tuple[Any, Any, TypeAdapter[Any]]]:
    results = {one.result: None for one in operations if _is_json(one)}
    given = [one.body.annotation for one in operations if one.body is not None]
    bodies = dict.fromkeys(shape for shape in given if shape is not bytes)
    return [
        *((shape, "serialization", adapter(shape)) for shape in results),
        *((shape, "validation", adapter(shape)) for shape in bodies),
    ]


def _described(operation: Operation, schemas: Any, free: bool) -> dict[str, Any]:
    summary, _, description = (getdoc(operation.handler) or "").partition("\n")
    answer: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if _is_json(operation):
        schema = schemas[operation.result, "serialization"]
        answer["content"] = {operation.produces: {"schema": schema}}
    elif operation.result is not None:
        answer["content"] = {operation.produces: {}}
    problem = {"schema": schemas[Problem, "serialization"]}
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": summary.rstrip("."),
        "parameters": [
            *({"name": name, "in": "path", "required": True} for name in operation.path_names),
            *(
                {"name": name, "in": "query", "required": one.default is Parameter.empty}
                for name, one in operation.query.items()
            ),
        ],
        "responses": {
            str(int(operation.status)): answer,
            "default": {"description": "An error", "content": {CONTENT_TYPE: problem}},
        },
    }
    for parameter in described["parameters"]:
        parameter["schema"] = {"type": "string"}
    if description.strip():
        described["description"] = description.strip()
    if operation.body is not None:
        shape = operation.body.annotation
        content = {JSON: {"schema": schemas[shape, "validation"]}} if shape is not bytes else {BYTES: {}}
        described["requestBody"] = {"required": True, "content": content}
    if free:
        described["security"] = []
    return described
