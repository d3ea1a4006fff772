"""How a refusal reads in SIP headers: one explanation for telephones, traces and people (RFC 3326, RFC 6432)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.reasons import reason_for
from ...licensing.refusal import warning_text

if TYPE_CHECKING:
    from ...features.responses.settings import Response
    from ...licensing.refusal import Refusal

INTERWORKING = 127
Headers = list[tuple[str, str]]


def refusal_headers(
    refusal: Refusal,
    decision: str | None,
    first_cause: Refusal | None = None,
    response: Response | None = None,
) -> Headers:
    """Write the headers of a refusal; `first_cause` is why the call was forwarded to where it was refused.

    `response` is how the site answers it where that is not the usual way; the reason stays what it is.
    """
    reason = reason_for(refusal)
    causes = [
        header
        for header in (reason.reason_header, first_cause and reason_for(first_cause).reason_header)
        if header
    ]
    headers: Headers = [("Reason", ", ".join(causes))] if causes else []
    headers.append(("Warning", f'399 ringfence "{warning_text(refusal)}"'))
    headers.append(("X-License-Reason", refusal.reason))
    if decision is not None:
        headers.append(("X-License-Decision", decision))
    retry_after_s = reason.retry_after_s
    if response is not None:
        retry_after_s = response.retry_after_s or retry_after_s if response.passes else None
    if retry_after_s is not None:
        headers.append(("Retry-After", str(retry_after_s)))
    return headers


def cause_of(refusal: Refusal) -> int:
    """Return the Q.850 cause of a refusal."""
    return reason_for(refusal).q850_cause or INTERWORKING
