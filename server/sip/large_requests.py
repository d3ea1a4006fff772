"""Requests that are too large for a datagram: they go by TCP, and by UDP after all where nobody takes that.

A client transaction asks for its way when it is begun with such a request, and again when the connection for it fails
before anything was answered. The branch stays the same then, so that a far end that had heard it makes no second call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .flow import Flow
from .headers import Via

if TYPE_CHECKING:
    from ...channels.network import Address
    from .flow import Peer
    from .message import Request
    from .reach import Reach

LARGEST_DATAGRAM: Final = 1300
"""RFC 3261 18.1.1, where nothing is known of the path."""
REMEMBERED_S: Final = 600.0
"""How long a far end is spared another attempt, which may cost seconds where a firewall says nothing."""
MOST_REMEMBERED: Final = 1024


class LargeRequests:
    """The ways of one agent's large requests."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._without_tcp: dict[Address, float] = {}

    def way(self, request: Request, destination: Address, now: float) -> Peer:
        """Give the flow to send a request by that is stamped for UDP, and make it say so; or the address as it is."""
        if self._without_tcp.get(destination, 0.0) > now:
            return destination
        flow = Flow("TCP", destination)
        self._rename(request, destination, flow)
        return flow

    def by_udp(self, request: Request, destination: Address, now: float) -> None:
        """Make a request say again that it goes by UDP, because the far end takes no TCP."""
        if len(self._without_tcp) >= MOST_REMEMBERED:
            self._without_tcp.clear()
        self._without_tcp[destination] = now + REMEMBERED_S
        self._rename(request, Flow("TCP", destination), destination)

    def _rename(self, request: Request, was: Peer, becomes: Peer) -> None:
        """Change our Via, and our Contact where it is not what a registrar is to know us by."""
        reach = self._reach
        branch = request.all("via")[0].removeprefix(reach.via(was))
        request.replace_via(Via.parse(reach.via(becomes) + branch))
        if request.get("contact") == reach.contact(was, request.uri):
            request.set("contact", reach.contact(becomes, request.uri))
