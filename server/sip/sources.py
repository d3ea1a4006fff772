"""Whoever sends, as one to be counted: what one host or one subscriber's network does is held against it alone.

A subscriber of IPv6 has a /64 and as many addresses as he likes, so that counts for one. Rates and guesses count by it.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUBSCRIBER_BITS: Final = 64


@lru_cache(maxsize=4096)
def counted_as(host: str) -> str:
    """The name under which an IP address is counted."""
    return str(ip_network((host, _SUBSCRIBER_BITS), strict=False)) if ":" in host else host


class TrustedSources:
    """The addresses and networks of `[security] trusted_sources`: for them delay, ban and rate are lifted."""

    def __init__(self, sources: Iterable[str]) -> None:
        networks: list[IPv4Network | IPv6Network] = [ip_network(one, strict=False) for one in sources]

        @lru_cache(maxsize=4096)
        def trusts(host: str) -> bool:
            address = ip_address(host)
            return any(address in network for network in networks)

        self._trusts = trusts if networks else None

    def __contains__(self, host: str) -> bool:
        return self._trusts is not None and self._trusts(host)
