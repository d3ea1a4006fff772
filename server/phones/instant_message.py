"""A text that somebody wrote to a scripted phone by MESSAGE (RFC 3428)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..sip.uri import SipUri

if TYPE_CHECKING:
    from ..sip.message import Request


@dataclass(frozen=True, slots=True)
class InstantMessage:
    """Who wrote, by the user part of the address, and what."""

    writer: str
    text: str

    @classmethod
    def of(cls, request: Request) -> InstantMessage:
        """Read a MESSAGE; what is no UTF-8 in its body is shown as replaced."""
        writer = request.from_.uri
        return cls(
            (writer.user or "") if isinstance(writer, SipUri) else "", request.body.decode(errors="replace")
        )
