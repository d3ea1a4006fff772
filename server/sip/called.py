"""The INVITE of one leg on the called side: ringing, answer, refusal and CANCEL (RFC 3261 sections 9.2 and 13.3).

A `Leg` that was called holds one until the ACK of its 2xx, and hands it the verbs of the called side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .capabilities import describe
from .dialog import Dialog
from .leg_state import UNANSWERED, LegState
from .option_tags import supports
from .reliable import TAG, Reliable
from .reoffer import OpenOffer
from .repetition import Repetition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .agent import Agent
    from .leg import Leg
    from .message import Request, Response
    from .timers import Timer
    from .transaction import ServerTransaction

CANCELLED, NO_PRACK = 487, 504
TRYING_AFTER_S = 0.2  # RFC 3261 17.2.1: 100 unless a response comes within 200 ms
RING_AGAIN_S = 60.0  # RFC 3261 13.3.1.1: proxies forget a call that does not ring for three minutes


class Called:
    """See the module."""

    __slots__ = ("_agent", "_expiry", "_leg", "_provisional", "_reliable", "_waiting", "transaction")

    def __init__(self, agent: Agent, leg: Leg, transaction: ServerTransaction, now: float) -> None:
        self._agent = agent
        self._leg = leg
        self.transaction = transaction
        self._provisional: Timer | None = agent.timers.set(now + TRYING_AFTER_S, self._send_trying)
        self._expiry: Timer | None = None
        self._reliable: Reliable | None = None
        self._waiting: bytes | None = None
        if transaction.request.expires is not None:  # RFC 3261 13.3.1
            self._expiry = agent.timers.set(now + transaction.request.expires, self.cancel)

    @property
    def open_offer(self) -> OpenOffer:
        """Whose offer waits for its answer: that of the INVITE, or ours in a 2xx or reliable 1xx (RFC 3262 5)."""
        if self._reliable is not None and self._reliable.is_answered:
            return OpenOffer.NONE
        if self._leg.request.body:
            return OpenOffer.THEIRS if self._leg.state in UNANSWERED else OpenOffer.NONE
        is_made = self._leg.state not in UNANSWERED
        is_made = is_made or (self._reliable is not None and self._reliable.awaits_description)
        return OpenOffer.OURS if is_made else OpenOffer.THEIRS

    @property
    def rings_by_offer(self) -> bool:
        """Whether a provisional response may only be sent with an offer of ours, and none was (RFC 3262 5)."""
        request = self.transaction.request
        return self._reliable is None and not request.body and TAG in request.require

    def ring(self, status: int, body: bytes, now: float) -> None:
        """Send a provisional response, again each minute; it opens an early dialog.

        It is reliable where the caller supports that. To a caller who requires it and left the offer to us it could
        only be sent with an offer (RFC 3262 5): without one nothing is sent.
        """
        request = self.transaction.request
        if not supports(request, TAG):
            self._ring(status, body, now)
        elif self._reliable is None and not (request.body or body):
            if TAG not in request.require:
                self._ring(status, body, now)
        else:
            if self._reliable is None:
                self._reliable = Reliable(self._agent, self.transaction, self._never_acknowledged)
            self._leg.state = LegState.RINGING
            self._quieten()
            self._reliable.send(self._positive(status, body), now)
            self._provisional = self._agent.timers.set(now + RING_AGAIN_S, self.ring, 180, b"")

    def _ring(self, status: int, body: bytes, now: float) -> None:
        self._leg.state = LegState.RINGING
        self._respond(self._positive(status, body), now)
        self._provisional = self._agent.timers.set(now + RING_AGAIN_S, self._ring_again)

    def _never_acknowledged(self, now: float) -> None:
        """No PRACK in 64 x T1 (RFC 3262 3)."""
        if self._leg.state in UNANSWERED:
            self.refuse(NO_PRACK, now)

    def acknowledges(self, request: Request) -> bool:
        """Whether a PRACK is that of the response which waits for it."""
        return self._reliable is not None and self._reliable.acknowledges(request)

    def on_prack(self, now: float) -> bytes | None:
        """Go on after a PRACK with what waits: another provisional response, or an answer, which is returned."""
        if self._reliable is None:
            return None
        self._reliable.go_on(now)
        body, self._waiting = self._waiting, None
        return body

    def confirm(self) -> bool:
        """Repeat the acknowledged response no more; returns whether it held an offer, which the PRACK answers."""
        return self._reliable is not None and self._reliable.confirm() and not self._leg.request.body

    def answer(self, body: bytes, now: float) -> Repetition | None:
        """Take the call with a 200; returns its repetition until the ACK comes (RFC 3261 13.3.1.4).

        A session description that waits for its PRACK comes first (RFC 3262 3): then None, and it is tried again.
        """
        if self._reliable is not None:
            if self._reliable.awaits_description:
                self._waiting = body
                return None
            self._reliable.stop()
        self._leg.state = LegState.ANSWERED
        response = self._positive(200, body)
        self._leg.session.accept(self.transaction.request, response, now)
        self._respond(response, now)
        return Repetition(self._agent, self.transaction, now, self._leg.never_confirmed)

    def refuse(
        self, status: int, now: float, headers: Sequence[tuple[str, str]] = (), reason: str | None = None
    ) -> None:
        """Answer the INVITE with a final refusal."""
        response = self.transaction.request.respond(status, reason, to_tag=self._leg.local_tag)
        for name, value in headers:
            response.add(name, value)
        self._respond(response, now)
        self._leg.end(status, now, far=False)

    def cancel(self, now: float) -> None:
        """CANCEL came, or the invitation has expired: 487 unless it was answered already (RFC 3261 9.2)."""
        if self._leg.state in UNANSWERED:
            request = self.transaction.request
            self._respond(request.respond(CANCELLED, to_tag=self._leg.local_tag), now)
            self._leg.end(CANCELLED, now, far=True)

    def _positive(self, status: int, body: bytes) -> Response:
        """Make a response that belongs to the dialog, and the dialog if need be."""
        leg, request = self._leg, self.transaction.request
        if leg.dialog is None:
            leg.enter(Dialog.of_server(request, leg.local_tag, leg.peer))
        response = request.respond(status, to_tag=leg.local_tag)
        response.add("Contact", self._agent.reach.contact(leg.peer, request.uri))
        describe(response, body)
        return response

    def _quieten(self) -> None:
        if self._provisional is not None:
            self._provisional.cancel()
            self._provisional = None

    def _respond(self, response: Response, now: float) -> None:
        self._quieten()
        if self._reliable is not None and response.status >= 200:
            self._reliable.stop()
        if self._expiry is not None and response.status >= 200:
            self._expiry.cancel()
            self._expiry = None
        self.transaction.respond(response, now)

    def _send_trying(self, now: float) -> None:
        self.transaction.respond(self.transaction.request.respond(100), now)

    def _ring_again(self, now: float) -> None:
        self.transaction.repeat()
        self._provisional = self._agent.timers.set(now + RING_AGAIN_S, self._ring_again)
