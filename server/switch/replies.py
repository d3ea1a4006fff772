"""Final answers to requests outside dialogs, each in its transaction: repetitions get the same response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.reasons import reason_for
from .explain import refusal_headers

if TYPE_CHECKING:
    from ...channels.session import Party
    from ...licensing.refusal import Refusal
    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.flow import Peer
    from ..sip.message import Request
    from ..sip.transaction import ServerTransaction
    from .decisions import Decisions


class Replies:
    """Answers for one server."""

    def __init__(self, stack: SipStack, decisions: Decisions, clock: Clock) -> None:
        self._stack = stack
        self._decisions = decisions
        self._clock = clock

    def answer(self, request: Request, source: Peer, status: int, *headers: tuple[str, str]) -> None:
        """Answer a request that has no transaction yet."""
        self.respond(self._stack.agent.accept(request, source), status, *headers)

    def refuse(self, request: Request, source: Peer, refusal: Refusal, what: str, party: Party) -> None:
        """Refuse a request of `party` by a rule: the decision is about `what`."""
        self.respond_refused(self._stack.agent.accept(request, source), refusal, what, party)

    def respond(self, transaction: ServerTransaction, status: int, *headers: tuple[str, str]) -> None:
        """Answer in a transaction."""
        response = transaction.request.respond(status, to_tag=self._stack.agent.new_tag())
        for name, value in headers:
            response.add(name, value)
        transaction.respond(response, self._clock.now())

    def respond_refused(
        self, transaction: ServerTransaction, refusal: Refusal, what: str, party: Party
    ) -> None:
        """Refuse in a transaction, with the reason in every header that a telephone might show."""
        decision = self._decisions.mint(refusal, what, user=party.user)
        status = reason_for(refusal).sip_status or 403
        self.respond(transaction, status, *refusal_headers(refusal, decision.id))
