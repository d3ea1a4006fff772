"""Errors of the HTTP door as `application/problem+json` (RFC 9457), with `reason` and `decision`.

Handlers raise `ProblemError`, and what the rooms below raise is translated here; status, Retry-After and words come
from `licensing.reasons`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from sqlalchemy.exc import DatabaseError

from ...licensing.package import PackageError
from ...licensing.reasons import reason_for
from ...licensing.refusal import Refusal
from ..site.require import AdministrationError
from ..store.failure import FULL, StoreError, sentence
from ..store.tokens import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..switch.decisions import Decision

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """The body of an error. `reason` is a reason code, `decision` the id of a refusal that was decided by rule.

    `users` are those whom the reason is about; the field is there only where there are any.
    """

    type: str
    title: str
    status: int
    detail: str
    reason: str
    decision: str | None
    users: tuple[str, ...] = ()


class ProblemError(Exception):
    """A request that cannot be answered; `status` overrides that of the reason's row, which is 409 by default."""

    def __init__(
        self,
        refusal: Refusal,
        decision: str | None = None,
        *,
        detail: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        row = reason_for(refusal)
        users = refusal.facts.get("users")
        self.problem = Problem(
            type=f"urn:ringfence:reason:{refusal.reason}",
            title=row.sentence().removesuffix(row.remedy).rstrip(" ."),
            status=status or row.http_status or HTTPStatus.CONFLICT,
            detail=detail or row.sentence(refusal.facts),
            reason=refusal.reason,
            decision=decision,
            users=tuple(map(str, users)) if isinstance(users, tuple) else (),
        )
        retry = {} if row.retry_after_s is None else {"Retry-After": str(row.retry_after_s)}
        self._headers = {**(headers or {}), **retry}
        super().__init__(self.problem.detail)

    @classmethod
    def of(cls, decision: Decision) -> ProblemError:
        """Tell of a refusal that was minted."""
        return cls(decision.refusal, decision.id)

    @classmethod
    def not_found(cls, detail: str) -> ProblemError:
        """What the path names does not exist."""
        return cls(Refusal("not_found"), detail=detail)

    @classmethod
    def invalid(cls, detail: str) -> ProblemError:
        """A field of the request is missing, unknown or wrong; `detail` names it."""
        return cls(Refusal("request.invalid"), detail=detail)

    @classmethod
    def forbidden(cls, detail: str) -> ProblemError:
        """The token is good, but not for that."""
        return cls(Refusal("auth.forbidden"), detail=detail)

    def response(self) -> web.Response:
        """Write the error."""
        body = {key: value for key, value in asdict(self.problem).items() if key != "users" or value}
        text = json.dumps(body)  # in ASCII: whatever came from the network stays one line of print
        return web.Response(
            text=text, status=self.problem.status, content_type=CONTENT_TYPE, headers=self._headers
        )


def translated(error: Exception) -> ProblemError | None:  # noqa: PLR0911 - one for each kind
    """Tell what another room raised; None if it is no answer to a request but a failure of the server."""
    match error:
        case ProblemError():
            return error
        case AdministrationError() | PackageError():
            return ProblemError(Refusal(error.reason), detail=_sentence(error.sentence))
        case TokenError():
            return ProblemError.invalid(_sentence(str(error)))
        case StoreError():
            return _of_store(error.what, error.remedy)
        case DatabaseError():
            return _of_store(*sentence(error.orig))
        case web.HTTPException():
            return _of_http(error)
        case _:
            return None


def failure() -> ProblemError:
    """Tell that the server itself failed; the log tells why."""
    return ProblemError(Refusal("server.failed"))


def malformed(status: int) -> ProblemError:
    """Tell whoever sends what is no HTTP."""
    return ProblemError(
        Refusal("request.invalid"), detail="That is no HTTP request; send HTTP/1.1.", status=status
    )


def _of_http(error: web.HTTPException) -> ProblemError:
    """What aiohttp refuses by itself: no such route, no such method, too large a body."""
    if error.status == HTTPStatus.NOT_FOUND:
        return ProblemError.not_found("There is no such path; /api/openapi.json lists all.")
    detail = f"{error.reason}."
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        detail = "The body is larger than 1 MB; send a smaller one."
    headers = {key: value for key, value in error.headers.items() if key == "Allow"}
    return ProblemError(Refusal("request.invalid"), detail=detail, status=error.status, headers=headers)


def _of_store(what: str, remedy: str) -> ProblemError:
    refusal = Refusal("store.full" if what == FULL[0] else "store.failed")
    return ProblemError(refusal, detail=_sentence(f"{what}; {remedy}"))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('?', '.')) else '.'}"
