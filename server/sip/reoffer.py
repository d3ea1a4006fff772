"""Offers inside a dialog, one at a time, the far end's or ours: re-INVITE (RFC 3261 section 14), UPDATE (RFC 3311).

A `Leg` hands them here; the owner hears of the far end's by `LegReoffered`, of the answer to ours by `LegReanswered`,
and by `LegUnblocked` when one that had to wait may be made.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from .capabilities import describe
from .effects import LegReanswered, LegReoffered, LegUnblocked
from .grammar import SipSyntaxError
from .leg_state import STANDING, LegState
from .multipart import SDP, find_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .agent import Agent
    from .dialog import Dialog
    from .leg import Leg
    from .message import Message, Response
    from .transaction import ClientTransaction, ServerTransaction

UNSUPPORTED_MEDIA, CANCELLED, PENDING, TOO_EARLY = 415, 487, 491, 500


class OpenOffer(Enum):
    """Whose offer waits for its answer (RFC 3264 4)."""

    NONE = auto()
    OURS = auto()
    THEIRS = auto()


class Reoffers:
    """The offers of one leg after that of its INVITE; `in_the_2xx` tells whose waits for the ACK of a re-INVITE."""

    __slots__ = ("_agent", "_is_wanted", "_leg", "_ours", "_pauses", "_theirs", "in_the_2xx")

    def __init__(self, agent: Agent, leg: Leg) -> None:
        self._agent = agent
        self._leg = leg
        self._theirs: tuple[ServerTransaction, Dialog] | None = None
        self._ours: tuple[ClientTransaction, Dialog] | None = None
        self._is_wanted = False
        self._pauses = False
        self.in_the_2xx = OpenOffer.NONE

    # -- the far end's -----------------------------------------------------------------------------------------

    def take(self, transaction: ServerTransaction, dialog: Dialog, now: float, open_offer: OpenOffer) -> None:
        """Take an offer; refuse it while another one, or that of the INVITE, is unfinished (14.2; RFC 3311 5.2)."""
        request = transaction.request
        if open_offer is OpenOffer.THEIRS or self._theirs is not None:
            refusal = request.respond(TOO_EARLY)
            refusal.add("Retry-After", str(self._agent.random.randint(0, 10)))
            transaction.respond(refusal, now)
        elif open_offer is OpenOffer.OURS or self._ours is not None:
            transaction.respond(request.respond(PENDING), now)
        elif request.body and not self._read(transaction, now):
            return
        else:
            self._theirs = (transaction, dialog)
            transaction.leg = self._leg
            self._agent.effects.append(LegReoffered(self._leg, request))

    @staticmethod
    def _read(transaction: ServerTransaction, now: float) -> bool:
        """Leave only the session description of a body that has more parts; refuse one that has none."""
        request = transaction.request
        try:
            found = find_part(request.get("content-type") or "", request.body, SDP)
        except SipSyntaxError as error:
            transaction.respond(request.respond(error.status), now)
            return False
        if found is None:
            refusal = request.respond(UNSUPPORTED_MEDIA)
            refusal.add("Accept", SDP)
            transaction.respond(refusal, now)
            return False
        request.body = found
        return True

    def accept(self, body: bytes, now: float) -> ServerTransaction | None:
        """Answer the open offer with a 200; returns its transaction, None when there is none."""
        if self._theirs is None:
            return None
        (transaction, dialog), self._theirs = self._theirs, None
        if self._leg.calling is not None:
            self._leg.calling.early.update(dialog.id.remote_tag)
        self.in_the_2xx = OpenOffer.NONE if transaction.request.body else OpenOffer.OURS
        self.confirm(transaction, dialog, body, now)
        return transaction

    def confirm(self, transaction: ServerTransaction, dialog: Dialog, body: bytes, now: float) -> None:
        """Answer a re-INVITE or UPDATE with a 200."""
        request = transaction.request
        refresh(dialog, request)
        response = request.respond(200)
        response.add("Contact", self._agent.reach.contact(self._leg.peer, request.uri))
        describe(response, body)
        if self._leg.state in STANDING:
            self._leg.session.accept(request, response, now)
        transaction.respond(response, now)

    def refuse(self, status: int, now: float, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Refuse the open offer; the session goes on as it was."""
        if self._theirs is not None:
            (transaction, _), self._theirs = self._theirs, None
            response = transaction.request.respond(status)
            for name, value in headers:
                response.add(name, value)
            transaction.respond(response, now)

    def cancel(self, transaction: ServerTransaction, now: float) -> None:
        """CANCEL came for a re-INVITE: 487, if it is still open."""
        if self._theirs is not None and transaction is self._theirs[0]:
            self.refuse(CANCELLED, now)

    # -- ours --------------------------------------------------------------------------------------------------

    def send(self, method: str, dialog: Dialog, body: bytes, now: float) -> bool:
        """Send an offer; False, and `LegUnblocked` later, while one is under way or 14.1 wants a pause."""
        if self._ours is not None or self._theirs is not None or self._pauses:
            self._is_wanted = True
            return False
        self._is_wanted = False
        request = dialog.request(method)
        hop = self._agent.next_hop(dialog)
        request.add("Contact", self._agent.reach.contact(hop, request.uri))
        describe(request, body)
        if self._leg.state is LegState.ESTABLISHED:
            for header in self._leg.session.headers:
                request.add(*header)
        self._ours = (self._agent.send(request, hop, self._leg, now), dialog)
        return True

    def abandon(self, now: float) -> None:
        """The leg is over: what is pending of theirs is refused (RFC 3261 15.1.2), ours is not waited for for ever."""
        self.refuse(CANCELLED, now)
        if self._ours is not None:
            self._ours[0].cancel(now)

    def want(self) -> None:
        """Note that an offer of ours has to wait for what the leg knows."""
        self._is_wanted = True

    def replace(self, transaction: ClientTransaction, again: ClientTransaction) -> None:
        """Ours was sent again in another transaction."""
        if self._ours is not None and transaction is self._ours[0]:
            self._ours = (again, self._ours[1])

    def finish(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take the final response to ours; a repeated one changes nothing."""
        if self._ours is None or transaction is not self._ours[0]:
            return
        (_, dialog), self._ours = self._ours, None
        if response.status < 300:
            refresh(dialog, response)
        elif response.status == PENDING:
            self._is_wanted = self._pauses = True
            self._agent.timers.set(now + self._pause_s(), self._go_on)
        self._agent.effects.append(LegReanswered(self._leg, response))

    def _pause_s(self) -> float:
        """How long to wait after a 491: whoever made the Call-ID waits longer (14.1)."""
        is_ours = self._leg.request.from_.tag == self._leg.local_tag
        return (
            self._agent.random.randint(210, 400) / 100
            if is_ours
            else self._agent.random.randint(0, 200) / 100
        )

    def _go_on(self, _now: float) -> None:
        self._pauses = False
        self.unblock()

    def unblock(self) -> None:
        """Tell that an offer that had to wait may be made, if nothing hinders it any more."""
        if self._is_wanted and not self._pauses and self._ours is None and self._theirs is None:
            self._is_wanted = False
            if not self._leg.is_over:
                self._agent.effects.append(LegUnblocked(self._leg))


def refresh(dialog: Dialog, message: Message) -> None:
    """Talk to the Contact of whoever offered or answered from now on (RFC 3261 12.2)."""
    contacts = message.contacts
    if contacts:
        dialog.target = str(contacts[0].uri)
