"""How others reach us: the address of our socket and those of our transports of flows, as Via and Contact name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .flow import URI_TRANSPORTS, Flow, Peer, Transport, names_one_of

if TYPE_CHECKING:
    from ...channels.network import Address
    from .uri import SipUri

MAGIC: Final = "z9hG4bK"


class Reach:
    """Names us to whoever a message goes to; `local` is our UDP address, which stands for what `serve` did not name."""

    def __init__(self, local: Address) -> None:
        self.local = local
        self._via = f"SIP/2.0/UDP {local};rport;branch={MAGIC}"
        self._contact = f"<sip:{local}>"
        self._at: dict[Transport, Address] = {}

    def serve(self, transport: Transport, local: Address) -> None:
        """Name `local` where others are told how we are reached by a transport of flows."""
        self._at[transport] = local

    def via(self, peer: Peer) -> str:
        """Write our Via, but for the end of its branch; it names the transport of the flow (RFC 3261 18.1.1)."""
        if not isinstance(peer, Flow):
            return self._via
        return f"SIP/2.0/{peer.transport} {self._at.get(peer.transport, self.local)};branch={MAGIC}"

    def contact(self, peer: Peer, target: str, user: str = "") -> str:
        """Write our Contact as `peer` reaches us: sips: when the Request-URI `target` is (RFC 3261 8.1.1.8, 12.1.1)."""
        if not isinstance(peer, Flow):
            return f"<sip:{user}@{self.local}>" if user else self._contact
        name = f"{user}@" if user else ""
        local, transport = self._at.get(peer.transport, self.local), URI_TRANSPORTS[peer.transport]
        if target[:5].lower() == "sips:":
            return f"<sips:{name}{local}{';transport=ws' if transport == 'ws' else ''}>"
        return f"<sip:{name}{local};transport={transport}>"

    def is_named_by(self, uri: SipUri) -> bool:
        """Whether a URI names an address of ours: what is sent there comes back here."""
        return names_one_of(uri, (self.local, *self._at.values()))
