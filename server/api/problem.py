"""Errors of the HTTP door as `application/problem+json` (RFC 9457), with `reason` and `decision`.

Handlers raise `ProblemError`; status, Retry-After and words come from `licensing.reasons`, never from here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from ...licensing.reasons import reason_for
from ...licensing.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..switch.decisions import Decision

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """The body of an error. `reason` is a reason code, `decision` the id of a refusal that was decided by rule."""

    type: str
    title: str
    status: int
    detail: str
    reason: str | None
    decision: str | None


class ProblemError(Exception):
    """A request that cannot be answered; `status` overrides that of the reason's row, which is 409 by default."""

    def __init__(
        self,
        refusal: Refusal,
        decision: str | None = None,
        *,
        detail: str | None = None,
        status: int | None = None,
    ) -> None:
        row = reason_for(refusal)
        self.problem = Problem(
            type=f"urn:ringfence:reason:{refusal.reason}",
            title=row.sentence().removesuffix(row.remedy).rstrip(" ."),
            status=status or row.http_status or HTTPStatus.CONFLICT,
            detail=detail or row.sentence(refusal.facts),
            reason=refusal.reason,
            decision=decision,
        )
        self.retry_after_s = row.retry_after_s
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

    def response(self) -> web.Response:
        """Write the error."""
        retry = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        return _written(self.problem, retry)


def of_http(error: web.HTTPException) -> web.Response:
    """Translate what aiohttp itself refuses: no such route, no such method, too large a body."""
    if error.status == HTTPStatus.NOT_FOUND:
        return ProblemError.not_found("There is no such path; /api/openapi.json lists all.").response()
    problem = ProblemError(Refusal("request.invalid"), detail=f"{error.reason}.", status=error.status).problem
    allow = error.headers.get("Allow")
    return _written(problem, {} if allow is None else {"Allow": allow})


def failure() -> web.Response:
    """Tell that the server itself failed; the log tells why."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    detail = "The server failed at this request; its log tells why."
    return _written(Problem("about:blank", status.phrase, status, detail, None, None), {})


def _written(problem: Problem, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        text=json.dumps(asdict(problem), ensure_ascii=False),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=headers,
    )
