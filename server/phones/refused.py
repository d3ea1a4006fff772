"""What a telephone is told when it is refused, read from the response as any telephone could read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sip.message import Response

_CAUSE = re.compile(r"Q\.850\s*;\s*cause=(\d+)")


@dataclass(frozen=True, slots=True)
class Refused:
    """A final response: SIP status, Q.850 cause (RFC 3326), and Ringfence's reason code and decision id."""

    status: int
    cause: int | None
    reason: str | None
    decision: str | None

    @classmethod
    def of(cls, response: Response) -> Refused:
        """Read a response; what it does not say is None."""
        found = _CAUSE.search(response.get("reason") or "")
        return cls(
            response.status,
            int(found[1]) if found else None,
            response.get("x-license-reason"),
            response.get("x-license-decision"),
        )
