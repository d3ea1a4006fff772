"""Decisions over HTTP: why something was refused, step by step, and what every interface says of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...licensing.reason import Csta, Tapi
from ...licensing.reasons import reason_for
from ...licensing.refusal import StepTold
from ..store.tokens import Token
from .operation import API, Routes
from .problem import ProblemError
from .rights import EVERYBODY, sees_name

if TYPE_CHECKING:
    from ...licensing.refusal import Refusal
    from ..app import Pbx
    from ..switch.decisions import Decision

routes = Routes()


@dataclass(frozen=True, slots=True)
class SipAnswer:
    """The SIP status, and the Reason header with the Q.850 cause (RFC 6432)."""

    status: int | None
    q850_cause: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class TapiAnswer:
    """What a TAPI request returns, and the mode in which a call is disconnected."""

    error: Tapi | None
    disconnect: Tapi | None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The HTTP status, and the seconds after which to try again."""

    status: int | None
    retry_after_s: int | None


@dataclass(frozen=True, slots=True)
class Why:
    """One refusal: its code, what to tell and to do in both languages, its steps and facts."""

    reason: str
    sentence: str
    sentence_de: str
    chain: tuple[StepTold, ...]
    facts: dict[str, object]


@dataclass(frozen=True, slots=True)
class DecisionDetail(Why):
    """A decision; `first_cause` is why the call had been forwarded to where it was refused."""

    id: str
    at: datetime
    what: str
    call: str | None
    user: str | None
    first_cause: Why | None
    sip: SipAnswer
    tapi: TapiAnswer
    csta: Csta | None
    http: HttpAnswer


@routes.get(f"{API}/decisions/{{id}}", may=EVERYBODY)
async def read_decision(pbx: "Pbx", who: Token, id: str) -> DecisionDetail:  # noqa: A002 - the name in the path
    """Tell of one of the last 10,000 decisions; whoever is no administrator, of those about his users alone."""
    decision = pbx.decisions.get(id)
    if decision is None or not sees_name(who, pbx.administration.directory, decision.user):
        raise ProblemError.not_found(f'There is no decision "{id}"; the last 10,000 are kept.')
    return _detail(decision)


def _detail(decision: "Decision") -> DecisionDetail:
    row = reason_for(decision.refusal)
    first = decision.first_cause
    return DecisionDetail(
        **_why(decision.refusal),
        id=decision.id,
        at=decision.at,
        what=decision.what,
        call=decision.call_id,
        user=decision.user,
        first_cause=None if first is None else Why(**_why(first)),
        sip=SipAnswer(row.sip_status, row.q850_cause, row.reason_header),
        tapi=TapiAnswer(row.tapi, row.tapi_disconnect),
        csta=row.csta,
        http=HttpAnswer(row.http_status, row.retry_after_s),
    )


def _why(refusal: "Refusal") -> dict[str, Any]:
    row = reason_for(refusal)
    return {
        "reason": refusal.reason,
        "sentence": row.sentence(refusal.facts),
        "sentence_de": row.sentence_de(refusal.facts),
        "chain": tuple(step.as_dict() for step in refusal.chain),
        "facts": dict(refusal.facts),
    }
