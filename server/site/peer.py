"""A trunk's peer: an address, an address with a port, or a network, as the site file writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[^:\[\]]+)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Peer:
    """Either one `host` (with a `port`, or None for any), or a `network`."""

    host: str | None = None
    port: int | None = None
    network: IPv4Network | IPv6Network | None = None

    @classmethod
    def parse(cls, text: str) -> Peer:
        """Parse `10.0.0.1`, `10.0.0.1:5070`, `[::1]:5070`, `::1` or `10.0.0.0/24`; raises ValueError."""
        if "/" in text:
            return cls(network=ip_network(text, strict=False))
        if match := _WITH_PORT.fullmatch(text):
            port = int(match["port"])
            if not 0 < port < 65536:
                raise ValueError(f"{port} is not a port")
            return cls(str(ip_address(match["v6"] or match["v4"])), port)
        return cls(str(ip_address(text)))
