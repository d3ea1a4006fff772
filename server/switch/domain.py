"""Which URIs name this server."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sip.uri import SipUri


def is_ours(uri: SipUri, domain: str) -> bool:
    """Whether a URI names this server: by its domain, or by an address, which it did reach."""
    if uri.host in (domain, "localhost"):
        return True
    try:
        ip_address(uri.host)
    except ValueError:
        return False
    return True
