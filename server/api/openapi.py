"""The OpenAPI 3.1 document, made from the operations that are served: it cannot tell of anything else."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from inspect import Parameter, getdoc
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import TypeAdapter

from .changes import Changes
from .operation import JSON, adapter
from .problem import CONTENT_TYPE, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .operation import Operation

BYTES = "application/octet-stream"
DRY_RUN = "dry_run"
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


def _shapes(operations: Sequence[Operation]) -> list[tuple[Any, Any, TypeAdapter[Any]]]:
    found = dict.fromkeys(shape for one in operations for shape in one.results)
    results = [Changes, *(shape for shape in found if shape is not web.StreamResponse)]
    bodies = dict.fromkeys(shape for one in operations for shape in one.bodies if shape is not bytes)
    return [
        *((shape, "serialization", adapter(shape)) for shape in results),
        *((shape, "validation", adapter(shape)) for shape in bodies),
    ]


def _described(operation: Operation, schemas: Any, free: bool) -> dict[str, Any]:
    summary, _, description = (getdoc(operation.handler) or "").partition("\n")
    problem = {"schema": schemas[Problem, "serialization"]}
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": summary.rstrip("."),
        "parameters": [
            *(_parameter(name, "path", str, Parameter.empty) for name in operation.path_names),
            *(
                _parameter(name, "query", one.annotation, one.default)
                for name, one in operation.query.items()
            ),
        ],
        "responses": {
            **_answers(operation, schemas),
            "default": {"description": "An error", "content": {CONTENT_TYPE: problem}},
        },
    }
    if description.strip():
        described["description"] = description.strip()
    if operation.body is not None:
        content = {
            BYTES if shape is bytes else JSON: {}
            if shape is bytes
            else {"schema": schemas[shape, "validation"]}
            for shape in operation.bodies
        }
        described["requestBody"] = {"required": True, "content": content}
    if free:
        described["security"] = []
    else:
        described["x-token-kinds"] = sorted(operation.may)
    return described


def _parameter(name: str, place: str, shape: Any, default: Any) -> dict[str, Any]:
    schema = adapter(shape).json_schema()
    if default is not Parameter.empty:
        schema["default"] = default
    return {"name": name, "in": place, "required": default is Parameter.empty, "schema": schema}


def _answers(operation: Operation, schemas: Any) -> dict[str, Any]:
    """The answers by status; a dry run's is 200, whatever the change itself would answer."""
    contents = [
        {} if shape is web.StreamResponse else {"schema": schemas[shape, "serialization"]}
        for shape in operation.results
    ]
    found = {str(int(operation.status)): contents}
    if DRY_RUN in operation.query:
        found.setdefault("200", []).append({"schema": schemas[Changes, "serialization"]})
    return {status: _answer(status, contents, operation.produces) for status, contents in found.items()}


def _answer(status: str, contents: list[dict[str, Any]], produces: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(int(status)).phrase}
    if len(contents) > 1:
        contents = [{"schema": {"anyOf": [one["schema"] for one in contents]}}]
    if contents:
        answer["content"] = dict.fromkeys(produces.split(", "), contents[0])
    return answer
