"""Routes of the HTTP door as typed functions: what is read, answered and documented comes from one signature.

A handler takes the PBX, the names in its path, query parameters (`str`), and at most one dataclass, the JSON body; it
returns a dataclass or tuple of them (JSON), None (204), or a response of its own. `openapi` documents the same.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, is_dataclass
from functools import cache
from http import HTTPStatus
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from ...licensing.refusal import Refusal
from .problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ..app import Pbx

    Handler = Callable[..., Awaitable[object]]

STRICT = {"extra": "forbid", "strict": True}
"""The `__pydantic_config__` of a body: no unknown field, no value of another type."""

BODY_TIMEOUT_S = 10.0
JSON = "application/json"
API = "/api/v1"

_T = TypeVar("_T")
_H = TypeVar("_H", bound="Handler")


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """The adapter of a shape, built at its first use."""
    return TypeAdapter(shape)


def shaped(shape: type[_T], value: Mapping[str, object]) -> _T:
    """Give JSON values of another floor the shape that is documented."""
    key: Any = shape
    result: _T = adapter(key).validate_python(value)
    return result


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `query` says for each parameter whether it is required."""

    method: str
    path: str
    handler: Handler
    status: int
    produces: str
    result: Any
    query: Mapping[str, bool]
    body: tuple[str, Any] | None

    @property
    def path_names(self) -> list[str]:
        """The names in the path, in order."""
        return _names(self.path)

    async def answer(self, pbx: Pbx, request: web.Request) -> web.StreamResponse:
        """Read the request, call the handler, and write what it returns; raises `ProblemError`."""
        arguments: dict[str, object] = {**request.match_info, **self._queried(request)}
        if self.body is not None:
            name, shape = self.body
            arguments[name] = _read(shape, await _body(request))
        result = await self.handler(pbx, **arguments)
        if isinstance(result, web.StreamResponse):
            return result
        if result is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        body = adapter(self.result).dump_json(result, by_alias=True)
        return web.Response(body=body, status=self.status, content_type=self.produces)

    def _queried(self, request: web.Request) -> dict[str, str]:
        for name in request.query:
            if name not in self.query:
                raise ProblemError.invalid(f'The query parameter "{name}" is not known here.')
        for name, required in self.query.items():
            if required and name not in request.query:
                raise ProblemError.invalid(f'The query parameter "{name}" is missing.')
        return dict(request.query)


class Routes(list[Operation]):
    """The operations of one resource, filled by its decorators."""

    def get(self, path: str, *, produces: str = JSON) -> Callable[[_H], _H]:
        """Route GET, and with it HEAD."""
        return self._route("GET", path, HTTPStatus.OK, produces)

    def post(self, path: str, *, status: int = HTTPStatus.OK) -> Callable[[_H], _H]:
        """Route POST."""
        return self._route("POST", path, status, JSON)

    def patch(self, path: str) -> Callable[[_H], _H]:
        """Route PATCH."""
        return self._route("PATCH", path, HTTPStatus.OK, JSON)

    def delete(self, path: str) -> Callable[[_H], _H]:
        """Route DELETE."""
        return self._route("DELETE", path, HTTPStatus.NO_CONTENT, JSON)

    def _route(self, method: str, path: str, status: int, produces: str) -> Callable[[_H], _H]:
        def register(handler: _H) -> _H:
            signed = signature(handler)
            asked = [one for one in list(signed.parameters.values())[1:] if one.name not in _names(path)]
            bodies = [(one.name, one.annotation) for one in asked if is_dataclass(one.annotation)]
            query = {
                one.name: one.default is Parameter.empty for one in asked if not is_dataclass(one.annotation)
            }
            self.append(
                Operation(
                    method,
                    path,
                    handler,
                    status,
                    produces,
                    signed.return_annotation,
                    query,
                    bodies[0] if bodies else None,
                )
            )
            return handler

        return register


def _names(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


async def _body(request: web.Request) -> bytes:
    if "Content-Encoding" in request.headers:
        detail = "The body is compressed; send it as it is, without Content-Encoding."
        raise ProblemError(Refusal("request.invalid"), detail=detail, status=415)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        detail = f"The body did not come within {BODY_TIMEOUT_S:.0f} s."
        raise ProblemError(Refusal("request.invalid"), detail=detail, status=408) from None


def _read(shape: Any, body: bytes) -> object:
    try:
        result: object = adapter(shape).validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        where = f'The field "{place}"' if place else "The body"
        raise ProblemError.invalid(f"{where} does not fit: {first['msg']}.") from None
    return result
