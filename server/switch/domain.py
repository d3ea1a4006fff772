"""Which URIs name this server."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sip.uri import SipUri


def is_ours(uri: SipUri, domain: str) -> bool:
    """Whether a URI names this server: by its domain, or by an address, which it did reach."""
    return uri.host in (domain, "localhost") or _is_address(uri.host)


@lru_cache(maxsize=4096)
def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
