"""Re-INVITEs inside a leg (RFC 3261 section 14): one at a time, the far end's or ours.

A `Leg` hands its re-INVITEs here; the owner hears of the far end's by `LegReoffered`, of the answer to ours by
`LegReanswered`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effects import LegReanswered, LegReoffered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .agent import Agent
    from .dialog import Dialog
    from .leg import Leg
    from .message import Message, Response
    from .transaction import ClientTransaction, ServerTransaction

CANCELLED, PENDING, TOO_EARLY = 487, 491, 500


class Reoffers:
    """The re-INVITEs of one leg, whose dialog stands."""

    __slots__ = ("_agent", "_dialog", "_leg", "_ours", "_theirs")

    def __init__(self, agent: Agent, leg: Leg, dialog: Dialog) -> None:
        self._agent = agent
        self._leg = leg
        self._dialog = dialog
        self._theirs: ServerTransaction | None = None
        self._ours: ClientTransaction | None = None

    # -- the far end's -----------------------------------------------------------------------------------------

    def take(self, transaction: ServerTransaction, now: float, *, is_early: bool) -> None:
        """Take a re-INVITE; refuse it while another one, or the INVITE itself (`is_early`), is unfinished (14.2)."""
        request = transaction.request
        if is_early or self._theirs is not None:
            refusal = request.respond(TOO_EARLY)
            refusal.add("Retry-After", "1")
            transaction.respond(refusal, now)
        elif self._ours is not None:
            transaction.respond(request.respond(PENDING), now)
        else:
            self._theirs = transaction
            transaction.leg = self._leg
            self._agent.effects.append(LegReoffered(self._leg, request))

    def accept(self, body: bytes, now: float) -> ServerTransaction | None:
        """Answer the open re-INVITE with a 200; returns its transaction, None when there is none."""
        transaction, self._theirs = self._theirs, None
        if transaction is not None:
            self._refresh(transaction.request)
            response = transaction.request.respond(200)
            response.add("Contact", self._agent.contact_for(self._leg.peer, transaction.request.uri))
            self._agent.describe(response, body)
            transaction.respond(response, now)
        return transaction

    def refuse(self, status: int, now: float, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Refuse the open re-INVITE; the session goes on as it was."""
        transaction, self._theirs = self._theirs, None
        if transaction is not None:
            response = transaction.request.respond(status)
            for name, value in headers:
                response.add(name, value)
            transaction.respond(response, now)

    def cancel(self, transaction: ServerTransaction, now: float) -> None:
        """CANCEL came for a re-INVITE: 487, if it is still open."""
        if transaction is self._theirs:
            self.refuse(CANCELLED, now)

    # -- ours --------------------------------------------------------------------------------------------------

    def send(self, body: bytes, now: float) -> bool:
        """Send a re-INVITE; False while one is under way (14.1)."""
        if self._ours is not None or self._theirs is not None:
            return False
        request = self._dialog.request("INVITE")
        hop = self._agent.next_hop(self._dialog)
        request.add("Contact", self._agent.contact_for(hop, request.uri))
        self._agent.describe(request, body)
        self._ours = self._agent.send(request, hop, self._leg, now)
        return True

    def finish(self, transaction: ClientTransaction, response: Response) -> None:
        """Take the final response to ours; a repeated one changes nothing."""
        if transaction is self._ours:
            self._ours = None
            if response.status < 300:
                self._refresh(response)
            self._agent.effects.append(LegReanswered(self._leg, response))

    def _refresh(self, message: Message) -> None:
        """Talk to the Contact of whoever offered or answered from now on (12.2)."""
        contacts = message.contacts
        if contacts:
            self._dialog.target = str(contacts[0].uri)
