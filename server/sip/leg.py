"""One call leg: the INVITE usage of RFC 3261 sections 13 to 15, as the called and as the calling side.

The switch and the scripted phones hold a `Leg` for each call that they take part in. It tells its story by the `Leg…`
effects, the last of which is always one `LegEnded`. Re-INVITEs live in `reoffer`, the repeated 2xx in `repetition`.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from .dialog import Dialog
from .effects import (
    LegAnswered,
    LegConfirmed,
    LegEnded,
    LegProgressed,
    LegReconfirmed,
    RequestedInside,
    Send,
)
from .message import Request, Response
from .reoffer import Reoffers
from .repetition import Repetition
from .requester import Requester

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .agent import Agent
    from .flow import Peer
    from .timers import Timer
    from .transaction import ClientTransaction, ServerTransaction

    Authorize = Callable[[Response, Request], tuple[str, str] | None]
    Header = tuple[str, str]

NO_ANSWER, GONE, CANCELLED = 408, 481, 487
TRYING_AFTER_S = 0.2  # RFC 3261 17.2.1: 100 unless a response comes within 200 ms
RING_AGAIN_S = 60.0  # RFC 3261 13.3.1.1: proxies forget a call that does not ring for three minutes
_CREDENTIALS = frozenset({"Authorization", "Proxy-Authorization"})


class LegState(Enum):
    """Where a leg is. INCOMING is the called side's, CALLING and CANCELLING the caller's; LEAVING is BYE's."""

    INCOMING = auto()
    CALLING = auto()
    RINGING = auto()
    CANCELLING = auto()
    ANSWERED = auto()
    ESTABLISHED = auto()
    LEAVING = auto()
    ENDED = auto()


_UNANSWERED = frozenset({LegState.INCOMING, LegState.RINGING})
_OVER = frozenset({LegState.LEAVING, LegState.ENDED})


class Leg(Requester):
    """One call leg. `owner` is whatever object its holder wants to find again when an effect names the leg."""

    __slots__ = (
        "_agent", "_authorize", "_bye_headers", "_client", "_expiry", "_provisional", "_reoffers", "_repetition",
        "_server", "dialog", "local_tag", "owner", "peer", "request", "state",
    )  # fmt: skip

    def __init__(self, agent: Agent, request: Request, peer: Peer, state: LegState, local_tag: str) -> None:
        self._agent = agent
        self.request = request
        self.peer = peer
        self.state = state
        self.local_tag = local_tag
        self.owner: object = None
        self.dialog: Dialog | None = None
        self._server: ServerTransaction | None = None
        self._client: ClientTransaction | None = None
        self._authorize: Authorize | None = None
        self._reoffers: Reoffers | None = None
        self._repetition: Repetition | None = None
        self._provisional: Timer | None = None
        self._expiry: Timer | None = None
        self._bye_headers: Sequence[Header] = ()

    @property
    def is_over(self) -> bool:
        """Whether `LegEnded` was told."""
        return self.state in _OVER

    @classmethod
    def incoming(cls, agent: Agent, transaction: ServerTransaction, source: Peer, now: float) -> Leg:
        """Begin the called side of an INVITE."""
        request = transaction.request
        leg = cls(agent, request, source, LegState.INCOMING, agent.new_tag())
        leg._server, transaction.leg, transaction.local_tag = transaction, leg, leg.local_tag
        leg._provisional = agent.timers.set(now + TRYING_AFTER_S, leg._send_trying)
        if request.expires is not None:  # RFC 3261 13.3.1
            leg._expiry = agent.timers.set(now + request.expires, leg._cancel)
        return leg

    @classmethod
    def outgoing(
        cls, agent: Agent, request: Request, peer: Peer, authorize: Authorize | None, now: float
    ) -> Leg:
        """Begin the calling side; `authorize` answers one 401 or 407 with a header, or gives up with None."""
        leg = cls(agent, request, peer, LegState.CALLING, request.from_.tag or "")
        leg._authorize = authorize
        leg._client = agent.send(request, peer, leg, now)
        return leg

    # -- the called side ---------------------------------------------------------------------------------------

    def ring(self, now: float, status: int = 180, body: bytes = b"") -> None:
        """Send a provisional response, again each minute; it opens an early dialog."""
        if self._server is None or self.state not in _UNANSWERED:
            return
        self.state = LegState.RINGING
        self._respond(self._server, self._positive(self._server.request, status, body), now)
        self._provisional = self._agent.timers.set(now + RING_AGAIN_S, self._ring_again)

    def answer(self, body: bytes, now: float) -> None:
        """Take the call with a 200; it is repeated until the ACK comes (RFC 3261 13.3.1.4)."""
        server = self._server
        if server is None or self.state not in _UNANSWERED:
            return
        self.state = LegState.ANSWERED
        self._respond(server, self._positive(server.request, 200, body), now)
        self._repetition = Repetition(self._agent, server, now, self._never_confirmed)

    def refuse(
        self, status: int, now: float, headers: Sequence[Header] = (), reason: str | None = None
    ) -> None:
        """Answer the INVITE with a final refusal."""
        if self._server is None or self.state not in _UNANSWERED:
            return
        response = self._server.request.respond(status, reason, to_tag=self.local_tag)
        for name, value in headers:
            response.add(name, value)
        self._respond(self._server, response, now)
        self._end(status, now, far=False)

    def _positive(self, request: Request, status: int, body: bytes) -> Response:
        """Make a response that belongs to the dialog, and the dialog if need be."""
        if self.dialog is None:
            self._enter(Dialog.of_server(request, self.local_tag, self.peer))
        response = request.respond(status, to_tag=self.local_tag)
        response.add("Contact", self._agent.contact_for(self.peer, request.uri))
        self._agent.describe(response, body)
        return response

    def _respond(self, server: ServerTransaction, response: Response, now: float) -> None:
        if self._provisional is not None:
            self._provisional.cancel()
            self._provisional = None
        if self._expiry is not None and response.status >= 200:
            self._expiry.cancel()
            self._expiry = None
        server.respond(response, now)

    def _send_trying(self, now: float) -> None:
        if self._server is not None:
            self._server.respond(self._server.request.respond(100), now)

    def _ring_again(self, now: float) -> None:
        if self._server is not None:
            self._server.repeat()
            self._provisional = self._agent.timers.set(now + RING_AGAIN_S, self._ring_again)

    def on_cancel(self, transaction: ServerTransaction, now: float) -> None:
        """CANCEL came for an INVITE of this leg: 487 unless it was answered already (RFC 3261 9.2)."""
        if transaction is self._server:
            self._cancel(now)
        elif self._reoffers is not None:
            self._reoffers.cancel(transaction, now)

    def _cancel(self, now: float) -> None:
        if self._server is not None and self.state in _UNANSWERED:
            self._respond(self._server, self._server.request.respond(CANCELLED, to_tag=self.local_tag), now)
            self._end(CANCELLED, now, far=True)

    def on_ack(self, request: Request, now: float) -> None:
        """The ACK of a 2xx came; one for an earlier INVITE says nothing about the last one."""
        repetition = self._repetition
        if repetition is None or repetition.cseq != request.cseq.number:
            return
        self._stop_repeating()
        if self.state is LegState.ANSWERED:
            self.state = LegState.ESTABLISHED
            self._server = None
            self._agent.effects.append(LegConfirmed(self, request.body))
        elif self.state is LegState.ESTABLISHED:
            self._agent.effects.append(LegReconfirmed(self, request.body))
        elif self.state is LegState.LEAVING:
            self._send_bye(now)

    def _never_confirmed(self, now: float) -> None:
        """No ACK in 64 x T1: end the dialog (RFC 3261 13.3.1.4)."""
        self._repetition = None
        status = NO_ANSWER if self.state is LegState.ANSWERED else 0
        was_over = self.is_over
        self._send_bye(now)
        if not was_over:
            self._end(status, now, far=True, leaves=True)

    def _stop_repeating(self) -> None:
        if self._repetition is not None:
            self._repetition.stop()
            self._repetition = None

    # -- the calling side --------------------------------------------------------------------------------------

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A response came to a request of this leg."""
        method, status = transaction.request.method, response.status
        if method == "BYE":
            if status >= 200:
                self._forget()
        elif status >= 200 and transaction is not self._client and self._reoffers is not None:
            self._on_reanswered(transaction, response, now)
        elif status >= 300:
            self._on_refused(transaction, response, now)
        elif status >= 200:
            self._on_accepted(transaction, response, now)
        elif self.state is LegState.CANCELLING:
            transaction.cancel(now)
        elif status > 100 and self.state in (LegState.CALLING, LegState.RINGING):
            self.state = LegState.RINGING
            self._agent.effects.append(LegProgressed(self, response))

    def _on_refused(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if transaction is not self._client or self.is_over:
            return
        if self.state is LegState.CANCELLING:
            self._end(CANCELLED, now, far=True, response=response)
        elif response.status not in (401, 407) or not self._retry(response, now):
            self._end(response.status, now, far=True, response=response)

    def _retry(self, response: Response, now: float) -> bool:
        authorize, self._authorize = self._authorize, None
        header = authorize(response, self.request) if authorize else None
        if header is None:
            return False
        old = self.request
        headers = [pair for pair in old.headers if pair[0] not in {"Via", "CSeq"}]
        request = Request(old.method, old.uri, headers, old.body)
        request.add("CSeq", f"{old.cseq.number + 1} INVITE")
        request.set(*header)
        self.request = request
        self._client = self._agent.send(request, self.peer, self, now)
        return True

    def _on_accepted(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Acknowledge each 2xx; only the first one is the call, every other is ended (RFC 3261 13.2.2.4)."""
        known = transaction.acks.get(response.to.tag or "")
        if known is not None:
            self._agent.effects.append(known)
            return
        dialog = Dialog.of_client(transaction.request, response, self.peer)
        self._acknowledge(transaction, response, dialog)
        if self.state in (LegState.CALLING, LegState.RINGING):
            self.state = LegState.ESTABLISHED
            self._enter(dialog)
            self._agent.effects.append(LegAnswered(self, response))
            return
        self._agent.send(dialog.request("BYE"), self._agent.next_hop(dialog), None, now)
        if self.state is LegState.CANCELLING:
            self._end(CANCELLED, now, far=False)

    def _acknowledge(self, transaction: ClientTransaction, response: Response, dialog: Dialog) -> None:
        request = transaction.request
        ack = dialog.request("ACK", cseq=request.cseq.number)
        ack.headers += [pair for pair in request.headers if pair[0] in _CREDENTIALS]  # RFC 3261 22.1
        hop = self._agent.next_hop(dialog)
        send = Send(self._agent.stamp(ack, hop).to_bytes(), hop)
        transaction.acks[response.to.tag or ""] = send
        self._agent.effects.append(send)

    def on_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Timer B or F of a request of this leg (408), or its flow is gone (503)."""
        if transaction.request.method == "BYE":
            self._forget()
        elif self.is_over:
            return
        elif transaction is self._client:
            self._end(CANCELLED if self.state is LegState.CANCELLING else status, now, far=True)
        else:  # a re-INVITE: the far end is gone (RFC 3261 12.2.1.2)
            self._send_bye(now)
            self._end(0, now, far=True, leaves=True)

    # -- both --------------------------------------------------------------------------------------------------

    def hang_up(self, now: float, headers: Sequence[Header] = ()) -> None:
        """End the leg, however far it got: a refusal (480), CANCEL, or BYE, for which a 2xx first needs its ACK."""
        match self.state:
            case LegState.INCOMING | LegState.RINGING if self._client is None:
                self.refuse(480, now, headers)
            case LegState.CALLING | LegState.RINGING if self._client is not None:
                self.state = LegState.CANCELLING
                self._client.cancel(now)
            case LegState.ANSWERED:  # RFC 3261 15: no BYE before the ACK
                self._bye_headers = headers
                self._end(0, now, far=False, leaves=True)
            case LegState.ESTABLISHED:
                self._stop_repeating()
                self._bye_headers = headers
                self._send_bye(now)
                self._end(0, now, far=False, leaves=True)
            case _:
                pass

    def _send_bye(self, now: float) -> None:
        if self.dialog is not None:
            bye = self.dialog.request("BYE")
            for name, value in self._bye_headers:
                bye.add(name, value)
            self._agent.send(bye, self._agent.next_hop(self.dialog), self, now)

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """A request came inside the dialog; the transaction is answered here or by the owner."""
        request = transaction.request
        if self.dialog is None or not self.dialog.accepts(request):
            transaction.respond(request.respond(500), now)
        elif request.method == "BYE":
            transaction.respond(request.respond(200), now)
            self._on_bye(now)
        elif self.is_over:
            transaction.respond(request.respond(GONE), now)
        elif request.method == "INVITE" and self._reoffers is not None:
            is_early = self.state is not LegState.ESTABLISHED or self._repetition is not None
            self._reoffers.take(transaction, now, is_early=is_early)
        else:
            self._agent.effects.append(RequestedInside(self, transaction))

    def _on_bye(self, now: float) -> None:
        if self.state is LegState.LEAVING:
            if self._repetition is not None:  # ours waits for an ACK that no longer matters
                self._stop_repeating()
                self._forget()
        elif self.state is LegState.RINGING:  # RFC 3261 15: the caller may leave an early dialog so
            self._cancel(now)
        else:
            self._end(0, now, far=True)

    def reoffer(self, body: bytes, now: float) -> bool:
        """Offer other media by a re-INVITE; False while the leg is not established or another one is under way."""
        if self.state is not LegState.ESTABLISHED or self._repetition is not None or self._reoffers is None:
            return False
        return self._reoffers.send(body, now)

    def accept_offer(self, body: bytes, now: float) -> None:
        """Answer the re-INVITE that `LegReoffered` told of."""
        transaction = self._reoffers.accept(body, now) if self._reoffers is not None else None
        if transaction is not None:
            self._repetition = Repetition(self._agent, transaction, now, self._never_confirmed)

    def refuse_offer(self, status: int, now: float, headers: Sequence[Header] = ()) -> None:
        """Refuse the re-INVITE; the session goes on as it was (RFC 3261 14.1)."""
        if self._reoffers is not None:
            self._reoffers.refuse(status, now, headers)

    def _on_reanswered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status < 300 and self.dialog is not None:
            known = transaction.acks.get(response.to.tag or "")
            if known is not None:
                self._agent.effects.append(known)
            else:
                self._acknowledge(transaction, response, self.dialog)
        if self.is_over or self._reoffers is None:
            return
        self._reoffers.finish(transaction, response)
        if response.status in (NO_ANSWER, GONE):  # RFC 3261 12.2.1.2
            self._send_bye(now)
            self._end(0, now, far=True, leaves=True)

    def _enter(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self._reoffers = Reoffers(self._agent, self, dialog)
        self._agent.remember(dialog.id, self)

    def _end(
        self, status: int, now: float, *, far: bool, leaves: bool = False, response: Response | None = None
    ) -> None:
        if self._reoffers is not None:
            self._reoffers.refuse(CANCELLED, now)  # RFC 3261 15.1.2: what is pending
        if leaves:
            self.state = LegState.LEAVING
        else:
            self._stop_repeating()
            self._forget()
        self._agent.effects.append(LegEnded(self, status, far, response))

    def _forget(self) -> None:
        self.state = LegState.ENDED
        self._client = self._server = self._reoffers = None
        if self.dialog is not None:
            self._agent.forget_dialog(self.dialog.id)
