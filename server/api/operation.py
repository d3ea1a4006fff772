"""Routes of the HTTP door as typed functions: what is read, answered and documented comes from one signature.

A handler takes the PBX, the names in its path, query parameters, `who` asks and the `request` if it wants them, and
at most one body: a dataclass or TypedDict (JSON), bytes, or either by the Content-Type. It returns such values (JSON),
None (204), or a response of its own; with `dry_run` among its parameters also `Changes`. `openapi` documents the same.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, is_dataclass
from functools import cache, partial
from http import HTTPStatus
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from aiohttp import web
from pydantic import TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from ...licensing.refusal import Refusal
from .changes import Changes
from .problem import ProblemError
from .rights import ADMINISTRATORS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ..app import Pbx
    from ..store.tokens import Token
    from .rights import Kinds

    Handler = Callable[..., Awaitable[object]]

STRICT = {"extra": "forbid", "strict": True}
"""The `__pydantic_config__` of a body: no unknown field, no value of another type."""

BODY_TIMEOUT_S = 10.0
JSON = "application/json"
_SEPARATORS = tuple((char.encode(), b"\\u%04x" % ord(char)) for char in "\x7f\x85\u2028\u2029")
"""Characters that JSON lets stand, but at which some readers begin a new line, or a terminal deletes."""
API = "/api/v1"

_GIVEN = ("who", "request")
_H = TypeVar("_H", bound="Handler")


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """The adapter of a shape, built at its first use."""
    return TypeAdapter(shape)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, for tokens of the kinds in `may`. `given` are the parameters that need no reading.

    A body of bytes is read up to just above `most_bytes` (None: as much as any body may have).
    """

    method: str
    path: str
    handler: Handler
    status: int
    produces: str
    may: Kinds
    result: Any
    query: Mapping[str, Parameter]
    body: Parameter | None
    given: frozenset[str]
    most_bytes: int | None = None

    @property
    def path_names(self) -> list[str]:
        """The names in the path, in order."""
        return _names(self.path)

    @property
    def results(self) -> tuple[Any, ...]:
        """The shapes of the result, without None and without what a dry run answers."""
        parts = get_args(self.result) if Changes in get_args(self.result) else (self.result,)
        return tuple(part for part in parts if part not in {None, type(None), Changes})

    async def answer(self, pbx: Pbx, who: Token, request: web.Request) -> web.StreamResponse:
        """Read the request, call the handler, and write what it returns; raises `ProblemError`."""
        arguments: dict[str, object] = {**request.match_info, **self._queried(request)}
        arguments |= {
            name: one for name, one in zip(_GIVEN, (who, request), strict=True) if name in self.given
        }
        if self.body is not None:
            arguments[self.body.name] = await self._read_body(request)
        result = await self.handler(pbx, **arguments)
        if isinstance(result, web.StreamResponse):
            return result
        if result is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        dry = isinstance(result, Changes)
        written = adapter(Changes if dry else self.result).dump_json(result, by_alias=True)
        for separator, escape in _SEPARATORS:
            written = written.replace(separator, escape)
        status = HTTPStatus.OK if dry else self.status
        return web.Response(body=written, status=status, content_type=self.produces)

    @property
    def bodies(self) -> tuple[Any, ...]:
        """The shapes that the body may have."""
        return () if self.body is None else get_args(self.body.annotation) or (self.body.annotation,)

    async def _read_body(self, request: web.Request) -> object:
        *shapes, raw = sorted(self.bodies, key=lambda shape: shape is bytes)
        if raw is bytes and not (shapes and request.content_type == JSON):
            return await _body(request, partial(_beginning, most_bytes=self.most_bytes))
        return _read(shapes[0] if shapes else raw, await _body(request, web.Request.read))

    def _queried(self, request: web.Request) -> dict[str, object]:
        values: dict[str, object] = {}
        for name, text in request.query.items():
            if name not in self.query:
                raise ProblemError.invalid(f'The query parameter "{name}" is not known here.')
            if name in values:
                raise ProblemError.invalid(f'The query parameter "{name}" is there twice.')
            try:
                values[name] = adapter(self.query[name].annotation).validate_python(text)
            except ValidationError as error:
                first = error.errors(include_url=False, include_context=False, include_input=False)[0]
                detail = f'The query parameter "{name}" does not fit: {first["msg"]}.'
                raise ProblemError.invalid(detail) from None
        for name, parameter in self.query.items():
            if parameter.default is Parameter.empty and name not in values:
                raise ProblemError.invalid(f'The query parameter "{name}" is missing.')
        return values


class Routes(list[Operation]):
    """The operations of one resource, filled by its decorators; `may` says whose tokens are good for one."""

    def get(self, path: str, *, may: Kinds = ADMINISTRATORS, produces: str = JSON) -> Callable[[_H], _H]:
        """Route GET, and with it HEAD."""
        return self._route("GET", path, HTTPStatus.OK, produces, may)

    def put(
        self, path: str, *, may: Kinds = ADMINISTRATORS, most_bytes: int | None = None
    ) -> Callable[[_H], _H]:
        """Route PUT."""
        return self._route("PUT", path, HTTPStatus.OK, JSON, may, most_bytes)

    def post(
        self, path: str, *, may: Kinds = ADMINISTRATORS, status: int = HTTPStatus.OK
    ) -> Callable[[_H], _H]:
        """Route POST."""
        return self._route("POST", path, status, JSON, may)

    def patch(self, path: str, *, may: Kinds = ADMINISTRATORS) -> Callable[[_H], _H]:
        """Route PATCH."""
        return self._route("PATCH", path, HTTPStatus.OK, JSON, may)

    def delete(self, path: str, *, may: Kinds = ADMINISTRATORS) -> Callable[[_H], _H]:
        """Route DELETE."""
        return self._route("DELETE", path, HTTPStatus.NO_CONTENT, JSON, may)

    def _route(  # noqa: PLR0917 - what the decorators above give, in the order of `Operation`
        self, method: str, path: str, status: int, produces: str, may: Kinds, most_bytes: int | None = None
    ) -> Callable[[_H], _H]:
        def register(handler: _H) -> _H:
            signed = signature(handler)
            parameters = list(signed.parameters.values())[1:]
            asked = [one for one in parameters if one.name not in {*_names(path), *_GIVEN}]
            bodies = [one for one in asked if _is_body(one.annotation)]
            query = {one.name: one for one in asked if one not in bodies}
            body = bodies[0] if bodies else None
            given = frozenset(one.name for one in parameters).intersection(_GIVEN)
            result = signed.return_annotation
            operation = Operation(
                method, path, handler, status, produces, may, result, query, body, given, most_bytes
            )
            self.append(operation)
            return handler

        return register


def _is_body(annotation: Any) -> bool:
    return (
        is_dataclass(annotation) or is_typeddict(annotation) or bytes in {annotation, *get_args(annotation)}
    )


def _names(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


async def _body(request: web.Request, read: Callable[[web.Request], Awaitable[bytes]]) -> bytes:
    if "Content-Encoding" in request.headers:
        detail = "The body is compressed; send it as it is, without Content-Encoding."
        raise ProblemError(Refusal("request.invalid"), detail=detail, status=415)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await read(request)
    except TimeoutError:
        detail = f"The body did not come within {BODY_TIMEOUT_S:.0f} s."
        raise ProblemError(Refusal("request.invalid"), detail=detail, status=408) from None


async def _beginning(request: web.Request, most_bytes: int | None) -> bytes:
    """The body as it came; of one that is too large anyway, as much as shows that."""
    body = bytearray()
    while len(body) <= (most_bytes or request.client_max_size) and (chunk := await request.content.readany()):
        body += chunk
    return bytes(body)


def _read(shape: Any, body: bytes) -> object:
    try:
        result: object = adapter(shape).validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        where = f'The field "{place}"' if place else "The body"
        raise ProblemError.invalid(f"{where} does not fit: {first['msg']}.") from None
    return result
