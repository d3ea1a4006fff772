"""The sockets of one SIP server: UDP and TCP on one port, TLS on another (RFC 3261 18.2).

The composition root opens them for its stack. What is advertised to others is an address by which they reach it.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ...channels.network import Address
from .memory_streams import streams_on
from .streams import WILDCARDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ...channels.network import Network
    from ..sip.agent import Agent
    from .stack import SipStack
    from .streams import StreamLimits, Streams, Tls

LOOPBACK = "127.0.0.1"
PORT_ATTEMPTS = 20


class SipSockets:
    """Opens and closes; `in_use` says which flows may be silent, `limits` what connections may take."""

    def __init__(
        self,
        stack: SipStack,
        network: Network,
        host: str,
        in_use: Callable[[], Collection[object]],
        limits: StreamLimits,
    ) -> None:
        self._stack = stack
        self._network = network
        self._host = host
        self._in_use = in_use
        self._limits = limits
        self._streams: Streams | None = None

    async def open(self, port: int, make: Callable[[Address], Agent]) -> Address:
        """Open UDP and TCP for the agent that `make` builds for the advertised address.

        Where any free port will do (0), it is free for both. Returns the bound address; raises OSError.
        """
        attempts = 1 if port else PORT_ATTEMPTS
        while True:
            attempts -= 1
            local = await self._stack.start(
                self._network, self._host, port, lambda local: make(advertised(local))
            )
            streams = streams_on(self._network, self._stack, self._in_use, self._limits)
            try:
                streams.listen(local.host, local.port)
            except OSError:
                self._stack.stop()
                await streams.stop()
                if not attempts:
                    raise
            else:
                self._streams, self._stack.dial = streams, streams.dial
                return local

    def open_tls(self, port: int, tls: Tls) -> Address:
        """Open TLS at `port` (0 = any free one); returns the bound address, raises OSError."""
        if self._streams is None:
            raise RuntimeError("SIP must be opened before SIP by TLS")
        local = self._streams.listen(self._host, port, tls)
        self._stack.agent.reach.serve("TLS", advertised(local))
        return local

    async def close(self) -> None:
        """Close them all."""
        if self._streams is not None:
            await self._streams.stop()
        self._stack.stop()


def advertised(local: Address) -> Address:
    """Where others reach what is bound to `local`."""
    return Address(reachable(local.host), local.port)


def own_hosts(host: str) -> frozenset[str]:
    """Return the names by which a page names the machine that a server at `host` runs on."""
    here = frozenset({host, reachable(host)})
    try:
        address = ip_address(LOOPBACK if host == "localhost" else host)
    except ValueError:
        return here
    return here | {"localhost", LOOPBACK, "::1"} if address.is_loopback or address.is_unspecified else here


def reachable(host: str) -> str:
    """Return an address by which others reach a server that is bound to `host`: the wildcard has none of its own."""
    if host not in WILDCARDS:
        return host
    family, elsewhere = (socket.AF_INET6, "2001:db8::1") if host == "::" else (socket.AF_INET, "192.0.2.1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))  # sends nothing: the kernel only chooses the source address
        except OSError:
            return LOOPBACK
        return str(probe.getsockname()[0])
