"""How long an answer to an unknown sender may be: no more than three times what he sent, or none at all.

By UDP anybody can send in anybody's name, so whoever is answered without proof may be a victim (RFC 3261 26.3.2.4). The
agent asks for each answer that it gives without a transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .message import Response

MOST_GROWTH: Final = 3
_NEEDED: Final = frozenset({"Via", "From", "To", "Call-ID", "CSeq", "WWW-Authenticate", "Retry-After"})


def bounded(response: Response, request_size: int) -> bytes | None:
    """Write a response to a request of `request_size` octets; short of what it can do without if it has to be.

    Left out are, in this order, headers that only explain, and all challenges but the first. None when that is too
    much still: the sender may ask again, at greater length.
    """
    most = MOST_GROWTH * request_size
    data = response.to_bytes()
    if len(data) > most:
        response.headers = [pair for pair in response.headers if pair[0] in _NEEDED]
        data = response.to_bytes()
    challenges = [pair for pair in response.headers if pair[0] == "WWW-Authenticate"]
    if len(data) > most and len(challenges) > 1:
        response.headers = [pair for pair in response.headers if pair not in challenges[1:]]
        data = response.to_bytes()
    return data if len(data) <= most else None
