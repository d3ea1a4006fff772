"""How header names are written: the canonical form of each, and the compact ones (RFC 3261 section 7.3.3)."""

from __future__ import annotations

from typing import Final

_LONG: Final = (
    "Accept", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow", "Allow-Events",
    "Answer-Mode", "Authentication-Info", "Authorization", "CSeq", "Call-ID", "Call-Info",
    "Contact", "Content-Disposition", "Content-Encoding", "Content-ID", "Content-Language",
    "Content-Length", "Content-Transfer-Encoding", "Content-Type", "Date", "Diversion",
    "Error-Info", "Event", "Expires", "From", "History-Info", "In-Reply-To", "Join", "MIME-Version",
    "Max-Forwards", "Min-Expires", "Min-SE", "Organization", "P-Asserted-Identity", "P-Early-Media",
    "P-Preferred-Identity", "Path", "Priority", "Privacy", "Proxy-Authenticate",
    "Proxy-Authorization", "Proxy-Require", "RAck", "RSeq", "Reason", "Record-Route", "Refer-Sub",
    "Refer-To", "Referred-By", "Remote-Party-ID", "Replaces", "Reply-To", "Request-Disposition",
    "Require", "Retry-After", "Route", "SIP-ETag", "SIP-If-Match", "Server", "Service-Route",
    "Session-Expires", "Subject", "Subscription-State", "Supported", "Timestamp", "To",
    "Unsupported", "User-Agent", "Via", "WWW-Authenticate", "Warning",
)  # fmt: skip
_COMPACT: Final = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To",
    "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires",
    "y": "Identity",
}  # fmt: skip
_CANONICAL: Final[dict[str, str]] = {name.lower(): name for name in (*_LONG, *_COMPACT.values())} | _COMPACT
WRITTEN: Final[dict[str, str]] = {
    form: canonical
    for lower, canonical in _CANONICAL.items()
    for form in (lower, lower.upper(), lower.title(), canonical)
}
"""Every usual way to write a known header name -> its canonical form; looked up first, by the parser too."""


def canonical_name(name: str) -> str:
    """Give the canonical form of a header name in any case, compact or not; unknown ones become Like-This."""
    known = WRITTEN.get(name) or _CANONICAL.get(name.lower())
    return known or "-".join(part.capitalize() for part in name.split("-"))
