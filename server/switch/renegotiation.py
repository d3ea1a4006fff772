"""Offers after the first (RFC 3264 8): holding, resuming and codecs by re-INVITE or UPDATE, from either side.

One for each connection. The switch hands it what the leg tells of such offers; a bridge says by `follow` what the far
end may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..sip.sdp import SdpError
from .explain import refusal_headers

if TYPE_CHECKING:
    from ..sip.message import Request, Response
    from ..sip.offer_answer import Agreed
    from ..sip.sdp import Direction
    from .connection import Connection
    from .switch import Switch

PENDING = 491


class Renegotiation:
    """See the module."""

    def __init__(self, switch: Switch, connection: Connection) -> None:
        self._switch = switch
        self._connection = connection
        self._negotiation = connection.negotiation

    def follow(self, direction: Direction, peer: Agreed | None = None) -> None:
        """Let the far end have this direction, and speak to `peer` instead of our stream.

        It learns that by its next answer, or by a re-INVITE if it was shown something else.
        """
        self._negotiation.allowed, self._negotiation.peer = direction, peer
        self.catch_up()

    def catch_up(self) -> None:
        """Offer the direction that is allowed, if the far end was shown another; a busy leg tells when it may."""
        if self._negotiation.is_stale:
            self.refresh()

    def refresh(self) -> None:
        """Offer by a re-INVITE what is in use."""
        connection, negotiation = self._connection, self._negotiation
        if connection.leg is None or not connection.is_answered or negotiation.awaits_answer:
            return
        negotiation.keying = self._switch.encryption.keying(connection.leg.peer)
        first = negotiation.agreed.codec if negotiation.agreed is not None else None
        offer = negotiation.offer(connection.port, inactive=connection.stream is None, first=first)
        if not connection.leg.reoffer(offer, self._switch.clock.now()):
            negotiation.withdraw()
        self._switch.flush()

    def on_reanswered(self, response: Response) -> None:
        """The final response to our re-INVITE; after a 491 it is `catch_up` that goes on, once it may."""
        if response.status == PENDING:
            self._negotiation.withdraw()
        elif response.status >= 300:
            self._negotiation.give_up()
            self._connection.go_by_what_is_agreed()
        elif self._connection.take_answer(response.body):
            self._connection.go_by_what_is_agreed()
            self.catch_up()

    def on_reoffered(self, request: Request) -> None:
        """A re-INVITE or UPDATE: new media, hold, or no offer, which makes it ours (RFC 3261 14.2)."""
        leg = self._connection.leg
        if leg is None:
            return
        now = self._switch.clock.now()
        self._negotiation.keying = self._switch.encryption.keying(leg.peer)
        try:
            body = self._reanswer(request.body)
        except SdpError as error:
            leg.refuse_offer(488, now, refusal_headers(Refusal(error.reason), None))
        else:
            leg.accept_offer(body, now)
            self._connection.go_by_what_is_agreed()
        self._switch.flush()

    def _reanswer(self, offered: bytes) -> bytes:
        connection = self._connection
        if not connection.is_answered and connection.agreed is None:
            raise SdpError("there is no media yet")
        return self._negotiation.reanswer(offered, connection.port, inactive=connection.stream is None)

    def on_reconfirmed(self, body: bytes) -> None:
        """The ACK of a re-INVITE came, or the PRACK of early media, with its answer when the offer was ours."""
        connection = self._connection
        if self._negotiation.awaits_answer and connection.take_answer(body):
            connection.go_by_what_is_agreed()
