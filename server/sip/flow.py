"""Where messages come from and go to: a UDP address, or a flow, which is one connection to somebody (RFC 5626 3.1).

A flow says by which transport, so that Via, Contact and timers fit it; the shell that holds the connection is found by
it. Whatever has a `host` and a `port` here is a `Peer`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ...channels.network import Address
from .grammar import SipSyntaxError
from .uri import SipUri, parse_uri

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from .headers import Via
    from .message import Request

Transport = Literal["TCP", "TLS", "WS", "WSS"]
DEFAULT_PORT: Final = 5060
SECURE_PORT: Final = 5061
URI_TRANSPORTS: Final[dict[Transport, str]] = {"TCP": "tcp", "TLS": "tls", "WS": "ws", "WSS": "ws"}
"""How a URI names the transport of a flow; WSS is `ws` in a sips: URI (RFC 7118 5.2)."""

_OPENED: Final[dict[str, tuple[Transport | Literal[""], int]]] = {
    "udp": ("", DEFAULT_PORT),
    "tcp": ("TCP", DEFAULT_PORT),
    "tls": ("TLS", SECURE_PORT),
}


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection. `number` 0 is the one that we open to `remote` ourselves when something is to be sent to it.

    By TLS it is opened to whoever proves to be `name`, where that is not the address itself (RFC 5922 7.1). Other
    numbers are connections that were accepted; when such a one is closed, its flow never comes back.
    """

    transport: Transport
    remote: Address
    number: int = 0
    name: str = ""

    @property
    def host(self) -> str:
        """The host of the far end."""
        return self.remote.host

    @property
    def port(self) -> int:
        """The port of the far end."""
        return self.remote.port

    @property
    def is_stream(self) -> bool:
        """Whether Content-Length alone tells where a message ends (RFC 3261 18.3); WebSocket has frames."""
        return self.transport in ("TCP", "TLS")

    def __str__(self) -> str:
        return f"{self.remote};transport={URI_TRANSPORTS[self.transport]}"


Peer = Address | Flow
"""Whoever speaks SIP with us, by UDP or by a flow."""


def address_of(uri: str) -> Peer | None:
    """Where requests to a URI go, if its host is an IP address and its transport one that we can open."""
    try:
        parsed = parse_uri(uri)
    except SipSyntaxError:
        return None
    if not isinstance(parsed, SipUri) or not _is_ip(parsed.host):
        return None
    transport = (parsed.param("transport") or "udp").lower()
    if parsed.scheme == "sips" and transport in _OPENED:
        transport = "tls"
    flow, port = _OPENED.get(transport, ("", 0))
    address = Address(parsed.host, parsed.port or port)
    if flow:
        return Flow(flow, address)
    return address if port else None


def is_plain(peer: Peer) -> bool:
    """Whether others may read along: UDP and TCP. A WebSocket may have been TLS as far as to a proxy before us."""
    return not isinstance(peer, Flow) or peer.transport == "TCP"


def is_encrypted(peer: Peer) -> bool:
    """Whether nobody between us and the far end of the connection reads along: TLS, also below a WebSocket."""
    return isinstance(peer, Flow) and peer.transport in ("TLS", "WSS")


def note_source(request: Request, via: Via, source: Peer) -> None:
    """Write down in its topmost Via where the request came from (RFC 3261 18.2.1, RFC 3581 4)."""
    if via.has_param("rport"):
        request.replace_via(via.with_params(received=source.host, rport=str(source.port)))
    elif via.host != source.host:
        request.replace_via(via.with_params(received=source.host))


def way_back(source: Peer, via: Via, flows: Container[Flow]) -> Peer:
    """Where the response to a request from `source` goes: over its connection (RFC 3261 18.2.2), or as RFC 3581 4 says.

    Of a connection that is not among the `flows` any more, a new one to the port that the Via names takes the place.
    """
    if not isinstance(source, Flow):
        return source if via.has_param("rport") else Address(source.host, via.port or DEFAULT_PORT)
    if source in flows or not source.is_stream or not source.number:
        return source
    port = via.port or (SECURE_PORT if source.transport == "TLS" else DEFAULT_PORT)
    return Flow(source.transport, Address(source.host, port))


def names_one_of(uri: SipUri, addresses: Iterable[Address]) -> bool:
    """Whether a URI names one of these addresses, by whatever transport."""
    port = uri.port or (SECURE_PORT if uri.scheme == "sips" else DEFAULT_PORT)
    return any((uri.host, port) == (one.host, one.port) for one in addresses)


def _is_ip(host: str) -> bool:
    return ":" in host or (host.count(".") == 3 and all(part.isdecimal() for part in host.split(".")))
