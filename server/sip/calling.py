"""The INVITE of one leg on the calling side: challenges, CANCEL, and the one 2xx that is the call (RFC 3261 13.2).

A `Leg` that calls holds one until it is answered; what comes after that to the INVITE is for `acknowledge_late`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dialog import Dialog
from .early import EarlyDialogs
from .effects import LegAnswered, LegProgressed, Send
from .inside import CREDENTIALS
from .leg_state import LegState
from .message import Request
from .multipart import description_in
from .session_timer import TOO_SHORT, min_se, session_expires

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .agent import Agent
    from .flow import Peer
    from .leg import Leg
    from .message import Response
    from .transaction import ClientTransaction

CANCELLED, UNAVAILABLE = 487, 503


class Calling:
    """See the module."""

    __slots__ = ("_agent", "_is_authorized", "_leg", "_others", "_why", "early", "transaction")

    def __init__(self, agent: Agent, leg: Leg, others: Sequence[Peer], now: float) -> None:
        self._agent = agent
        self._leg = leg
        self._is_authorized = False
        self._others = others
        self._why: Sequence[tuple[str, str]] = ()
        self.early = EarlyDialogs(agent, leg)
        self.transaction = agent.send(leg.request, leg.peer, leg, now)

    def cancel(self, now: float, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Give the call up; its end comes with the final response, or without one after 64 x T1 (RFC 3261 9.1)."""
        self._leg.state = LegState.CANCELLING
        self._why = headers
        self.transaction.cancel(now, headers)

    def on_response(self, response: Response, now: float) -> None:
        """A response to the INVITE came."""
        leg, status = self._leg, response.status
        if status >= 300:
            self._on_refused(response, now)
        elif status >= 200:
            self._on_accepted(response, now)
        elif leg.state is LegState.CANCELLING:
            self.transaction.cancel(now, self._why)
        elif status > 100:
            leg.state = LegState.RINGING
            response.body = description_in(response)
            if self.early.take(response, self.transaction.request, now):
                self._agent.effects.append(LegProgressed(leg, response))

    def on_unanswered(self, status: int, now: float) -> None:
        """Nobody answers the call, or nobody tells that it is given up."""
        if self._goes_elsewhere(now):
            return
        self._leg.end(CANCELLED if self._leg.state is LegState.CANCELLING else status, now, far=True)

    def _on_refused(self, response: Response, now: float) -> None:
        leg = self._leg
        if leg.state is LegState.CANCELLING:
            leg.end(CANCELLED, now, far=True, response=response)
            return
        if response.status == UNAVAILABLE and self._goes_elsewhere(now):
            return
        changes = (
            self._authorized(response) if response.status in (401, 407) else _longer(leg.request, response)
        )
        if changes:
            self._invite_again(changes, now)
        else:
            leg.end(response.status, now, far=True, response=response)

    def _goes_elsewhere(self, now: float) -> bool:
        """Try the next place where the far end may be found, if nothing rings at this one (RFC 3263 4.3)."""
        leg = self._leg
        if not self._others or leg.state is not LegState.CALLING:
            return False
        leg.peer, self._others = self._others[0], self._others[1:]
        self._is_authorized = False
        self._invite_again([("Contact", self._agent.reach.contact(leg.peer, leg.request.uri))], now)
        return True

    def _authorized(self, response: Response) -> list[tuple[str, str]]:
        """Answer the first challenge (RFC 3261 22.2)."""
        if self._leg.authorize is None or self._is_authorized:
            return []
        self._is_authorized = True
        header = self._leg.authorize(response, self._leg.request)
        return [] if header is None else [header]

    def _invite_again(self, changes: list[tuple[str, str]], now: float) -> None:
        """Send the INVITE again with the next number and other headers."""
        old = self._leg.request
        headers = [pair for pair in old.headers if pair[0] not in {"Via", "CSeq"}]
        request = Request(old.method, old.uri, headers, old.body)
        request.add("CSeq", f"{old.cseq.number + 1} INVITE")
        for name, value in changes:
            request.set(name, value)
        self._leg.request = request
        self.transaction = self._agent.send(request, self._leg.peer, self._leg, now)

    def _on_accepted(self, response: Response, now: float) -> None:
        leg = self._leg
        if leg.state is LegState.CANCELLING:
            acknowledge_late(self._agent, self.transaction, response, leg, now)
            leg.end(CANCELLED, now, far=False)
            return
        leg.state = LegState.ESTABLISHED
        dialog = Dialog.of_client(self.transaction.request, response, leg.peer)
        early = self.early.get(dialog.id.remote_tag)
        response.body = description_in(response)
        if early is not None:
            response.body = b"" if early.is_updated else response.body or early.answer
            if early.numbers is not None:  # what was sent in it counts on
                dialog.local_cseq, dialog.remote_cseq = early.numbers
        acknowledge(self._agent, self.transaction, response, dialog)
        self.early.forget()
        leg.enter(dialog)
        leg.session.accepted(self.transaction.request, response, now)
        self._agent.effects.append(LegAnswered(leg, response))


def _longer(request: Request, response: Response) -> list[tuple[str, str]]:
    """What to ask for after a 422: the session interval that the far end wants at least (RFC 4028 7.4)."""
    asked_s, least_s = session_expires(request)[0], min_se(response)
    if response.status != TOO_SHORT or asked_s is None or least_s <= asked_s:
        return []
    return [("Session-Expires", f"{least_s};refresher=uac"), ("Min-SE", str(least_s))]


def acknowledge(agent: Agent, transaction: ClientTransaction, response: Response, dialog: Dialog) -> None:
    """Send the ACK of a 2xx, and keep it for the repetitions of that 2xx (RFC 3261 13.2.2.4)."""
    request, tag = transaction.request, response.to.tag or ""
    send = transaction.acks.get(tag)
    if send is None:
        ack = dialog.request("ACK", cseq=request.cseq.number)
        hop = agent.next_hop(dialog)
        if hop.host == transaction.destination.host:  # nobody else is shown the credentials
            ack.headers += [pair for pair in request.headers if pair[0] in CREDENTIALS]  # RFC 3261 22.1
        send = transaction.acks[tag] = Send(agent.stamp(ack, hop).to_bytes(), hop)
    agent.effects.append(send)


def acknowledge_late(
    agent: Agent, transaction: ClientTransaction, response: Response, leg: Leg, now: float
) -> None:
    """Acknowledge a 2xx to an INVITE that has its call already, or is given up; end what is another call by BYE."""
    known = transaction.acks.get(response.to.tag or "")
    if known is not None:
        agent.effects.append(known)
        return
    dialog = Dialog.of_client(transaction.request, response, leg.peer)
    acknowledge(agent, transaction, response, dialog)
    agent.send(dialog.request("BYE"), agent.next_hop(dialog), None, now)
