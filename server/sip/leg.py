"""One call leg: the INVITE usage of RFC 3261 sections 13 to 15, as the called and as the calling side.

The switch and the scripted phones hold a `Leg` for each call that they take part in; its state is a table as in
`transaction`. It tells its story by the `Leg…` effects, the last of which is always one `LegEnded`.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from .dialog import Dialog, DialogId
from .effects import (
    LegAnswered,
    LegConfirmed,
    LegEnded,
    LegProgressed,
    LegReoffered,
    RequestedInside,
    Send,
)
from .message import Request, Response
from .transaction import ClientTransaction, ServerTransaction, cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...channels.media.plane import Address
    from .agent import Agent
    from .timers import Timer

    Authorize = Callable[[Response, Request], tuple[str, str] | None]

NO_ANSWER, CANCELLED = 408, 487
TRYING_AFTER_S = 0.2  # RFC 3261 17.2.1: 100 unless a response comes within 200 ms
Header = tuple[str, str]


class LegState(Enum):
    """Where a leg is. INCOMING and RINGING are the called side's, CALLING and CANCELLING the caller's."""

    INCOMING = auto()
    CALLING = auto()
    RINGING = auto()
    CANCELLING = auto()
    ANSWERED = auto()
    ESTABLISHED = auto()
    LEAVING = auto()
    ENDED = auto()


class Leg:
    """One call leg. `owner` is whatever object its holder wants to find again when an effect names the leg."""

    __slots__ = (
        "_ack",
        "_agent",
        "_authorize",
        "_client",
        "_offer_transaction",
        "_repeat_2xx",
        "_server",
        "_trying",
        "dialog",
        "local_tag",
        "owner",
        "peer",
        "request",
        "state",
    )

    def __init__(self, agent: Agent, request: Request, peer: Address, state: LegState, local_tag: str) -> None:
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
        self._offer_transaction: ServerTransaction | None = None
        self._repeat_2xx: _Repeat2xx | None = None
        self._trying: Timer | None = None
        self._ack: dict[str, bytes] = {}

    @property
    def is_over(self) -> bool:
        """Whether `LegEnded` was told."""
        return self.state in (LegState.ENDED, LegState.LEAVING)

    @classmethod
    def incoming(cls, agent: Agent, transaction: ServerTransaction, source: Address, now: float) -> Leg:
        """Begin the called side of an INVITE."""
        leg = cls(agent, transaction.request, source, LegState.INCOMING, agent.new_tag())
        leg._server, transaction.leg = transaction, leg
        leg._trying = agent.timers.set(now + TRYING_AFTER_S, leg._send_trying)
        return leg

    @classmethod
    def outgoing(
        cls, agent: Agent, request: Request, peer: Address, authorize: Authorize | None, now: float
    ) -> Leg:
        """Begin the calling side; `authorize` answers one 401 or 407 with a header, or gives up with None."""
        leg = cls(agent, request, peer, LegState.CALLING, request.from_.tag or "")
        leg._authorize = authorize
        leg._client = agent.send(request, peer, leg, now)
        return leg

    # -- the called side ---------------------------------------------------------------------------------------

    def ring(self, now: float, status: int = 180, body: bytes = b"") -> None:
        """Send a provisional response; it opens an early dialog."""
        if self.state not in (LegState.INCOMING, LegState.RINGING):
            return
        self.state = LegState.RINGING
        self._respond(self._response(status, body), now)

    def answer(self, body: bytes, now: float) -> None:
        """Take the call with a 200; it is repeated until the ACK comes (RFC 3261 13.3.1.4)."""
        if self.state not in (LegState.INCOMING, LegState.RINGING) or self._server is None:
            return
        self.state = LegState.ANSWERED
        response = self._response(200, body)
        self._respond(response, now)
        self._repeat_2xx = _Repeat2xx(self._agent, self._server, now, self._never_confirmed)

    def refuse(self, status: int, now: float, headers: Sequence[Header] = (), reason: str | None = None) -> None:
        """Answer the INVITE with a final refusal."""
        if self.state not in (LegState.INCOMING, LegState.RINGING) or self._server is None:
            return
        response = self._server.request.respond(status, reason, to_tag=self.local_tag)
        for name, value in headers:
            response.add(name, value)
        self._respond(response, now)
        self._end(status, far=False)

    def _response(self, status: int, body: bytes) -> Response:
        if self._server is None:
            raise RuntimeError("only the called side of a leg answers its INVITE")
        request = self._server.request
        if self.dialog is None:
            self.dialog = Dialog.of_server(request, self.local_tag, self.peer)
            self._agent.remember(self.dialog.id, self)
        response = request.respond(status, to_tag=self.local_tag)
        response.add("Contact", self._agent.contact)
        self._agent.describe(response, body)
        return response

    def _respond(self, response: Response, now: float) -> None:
        if self._trying is not None:
            self._trying.cancel()
            self._trying = None
        if self._server is not None:
            self._server.respond(response, now)

    def _send_trying(self, now: float) -> None:
        if self.state is LegState.INCOMING and self._server is not None:
            self._server.respond(self._server.request.respond(100), now)

    def on_cancel(self, now: float) -> None:
        """CANCEL came: 487 unless the call was answered already (RFC 3261 9.2)."""
        if self.state in (LegState.INCOMING, LegState.RINGING) and self._server is not None:
            self._respond(self._server.request.respond(CANCELLED, to_tag=self.local_tag), now)
            self._end(CANCELLED, far=True)

    def on_ack(self, request: Request) -> None:
        """The ACK of a 2xx came."""
        if self._repeat_2xx is not None:
            self._repeat_2xx.stop()
            self._repeat_2xx = None
            if self.state is LegState.ANSWERED:
                self.state = LegState.ESTABLISHED
                self._agent.effects.append(LegConfirmed(self, request.body))

    def _never_confirmed(self, now: float) -> None:
        """No ACK in 64 x T1: end the dialog (RFC 3261 13.3.1.4)."""
        self._repeat_2xx = None
        if not self.is_over:
            self._send_bye(now)
            self._end(NO_ANSWER, far=True)

    # -- the calling side --------------------------------------------------------------------------------------

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A response came to a request of this leg."""
        method = transaction.request.method
        if method == "INVITE" and self.state is not LegState.ESTABLISHED:
            self._on_invite_response(transaction, response, now)
        elif method == "INVITE" and response.status // 100 == 2:
            self._confirm(transaction, response, now)
        elif method == "BYE" and response.status >= 200:
            self._forget()

    def _on_invite_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        status = response.status
        if status < 200:
            if self.state is LegState.CANCELLING:
                self._send_cancel(transaction, now)
            elif status > 100:
                self.state = LegState.RINGING
                self._agent.effects.append(LegProgressed(self, response))
        elif status < 300:
            self._confirm(transaction, response, now)
        elif status in (401, 407) and self.state is not LegState.CANCELLING and self._retry(response, now):
            return
        elif not self.is_over:
            self._end(CANCELLED if self.state is LegState.CANCELLING else status, far=True, response=response)

    def _retry(self, response: Response, now: float) -> bool:
        authorize, self._authorize = self._authorize, None
        header = authorize(response, self.request) if authorize else None
        if header is None:
            return False
        request = self.request
        request.remove("via")
        request.set("CSeq", f"{request.cseq.number + 1} INVITE")
        request.set(*header)
        self._client = self._agent.send(request, self.peer, self, now)
        return True

    def _confirm(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Acknowledge each 2xx; only the first one is the call (RFC 3261 13.2.2.4)."""
        tag = response.to.tag or ""
        known = self._ack.get(tag)
        dialog = Dialog.of_client(transaction.request, response, self.peer)
        destination = self._agent.next_hop(dialog)
        if known is not None:
            self._agent.effects.append(Send(known, destination))
            return
        ack = self._agent.stamp(dialog.request("ACK", cseq=transaction.request.cseq.number)).to_bytes()
        self._ack[tag] = ack
        self._agent.effects.append(Send(ack, destination))
        if self.state in (LegState.CALLING, LegState.RINGING):
            self.state = LegState.ESTABLISHED
            self.dialog = dialog
            self._agent.remember(dialog.id, self)
            self._agent.effects.append(LegAnswered(self, response))
            return
        bye = dialog.request("BYE")
        self._agent.send(bye, destination, None, now)
        if self.state is LegState.CANCELLING:
            self._end(CANCELLED, far=False)

    def on_unanswered(self, transaction: ClientTransaction) -> None:
        """Timer B or F of a request of this leg."""
        if transaction.request.method == "INVITE" and not self.is_over:
            self._end(CANCELLED if self.state is LegState.CANCELLING else NO_ANSWER, far=True)
        elif transaction.request.method == "BYE":
            self._forget()

    def _send_cancel(self, transaction: ClientTransaction, now: float) -> None:
        self._agent.send_as_is(cancel(transaction.request), transaction.destination, now)
        transaction.give_up(now)

    # -- both --------------------------------------------------------------------------------------------------

    def hang_up(self, now: float, headers: Sequence[Header] = ()) -> None:
        """End the leg, however far it got: CANCEL, 486-free refusal (480), or BYE."""
        match self.state:
            case LegState.INCOMING:
                self.refuse(480, now, headers)
            case LegState.RINGING if self._server is not None:
                self.refuse(480, now, headers)
            case LegState.CALLING:
                self.state = LegState.CANCELLING
            case LegState.RINGING if self._client is not None:
                self.state = LegState.CANCELLING
                self._send_cancel(self._client, now)
            case LegState.ANSWERED | LegState.ESTABLISHED:
                self._send_bye(now, headers)
                self._end(0, far=False)
            case _:
                pass

    def _send_bye(self, now: float, headers: Sequence[Header] = ()) -> None:
        if self.dialog is None:
            return
        if self._repeat_2xx is not None:
            self._repeat_2xx.stop()
            self._repeat_2xx = None
        bye = self.dialog.request("BYE")
        for name, value in headers:
            bye.add(name, value)
        self._agent.send(bye, self._agent.next_hop(self.dialog), self, now)

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """A request came inside the dialog; the transaction is answered here or by the owner."""
        request = transaction.request
        if self.dialog is None or not self.dialog.accepts(request):
            transaction.respond(request.respond(500), now)
        elif request.method == "BYE":
            transaction.respond(request.respond(200), now)
            if self.state is LegState.LEAVING:  # both ends hung up at once
                return
            if self._server is not None and self.state in (LegState.INCOMING, LegState.RINGING):
                self._respond(self._server.request.respond(CANCELLED, to_tag=self.local_tag), now)
            self._end(0, far=True)
        elif self.is_over:
            transaction.respond(request.respond(481), now)
        elif request.method == "INVITE":
            self._on_offer(transaction, now)
        else:
            self._agent.effects.append(RequestedInside(self, transaction))

    def _on_offer(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if self._offer_transaction is not None or self._repeat_2xx is not None:
            refusal = request.respond(500)  # RFC 3261 14.2: the earlier INVITE is not finished
            refusal.add("Retry-After", "1")
            transaction.respond(refusal, now)
        elif self.state is not LegState.ESTABLISHED:
            transaction.respond(request.respond(491), now)
        else:
            self._offer_transaction = transaction
            if request.contacts and self.dialog is not None:
                self.dialog.target = str(request.contacts[0].uri)  # target refresh, RFC 3261 12.2.2
            self._agent.effects.append(LegReoffered(self, request))

    def accept_offer(self, body: bytes, now: float) -> None:
        """Answer the re-INVITE that `LegReoffered` told of."""
        transaction, self._offer_transaction = self._offer_transaction, None
        if transaction is None or self.is_over:
            return
        response = transaction.request.respond(200)
        response.add("Contact", self._agent.contact)
        self._agent.describe(response, body)
        transaction.respond(response, now)
        self._repeat_2xx = _Repeat2xx(self._agent, transaction, now, self._never_confirmed)

    def refuse_offer(self, status: int, now: float, headers: Sequence[Header] = ()) -> None:
        """Refuse the re-INVITE; the session goes on as it was (RFC 3261 14.1)."""
        transaction, self._offer_transaction = self._offer_transaction, None
        if transaction is not None:
            response = transaction.request.respond(status)
            for name, value in headers:
                response.add(name, value)
            transaction.respond(response, now)

    def _end(self, status: int, *, far: bool, response: Response | None = None) -> None:
        if self._repeat_2xx is not None:
            self._repeat_2xx.stop()
            self._repeat_2xx = None
        left_by_us = self.dialog is not None and self.state in (LegState.ANSWERED, LegState.ESTABLISHED) and not far
        self.state = LegState.LEAVING if left_by_us else LegState.ENDED
        if self.state is LegState.ENDED:
            self._forget()
        self._agent.effects.append(LegEnded(self, status, far, response))

    def _forget(self) -> None:
        self.state = LegState.ENDED
        if self.dialog is not None:
            self._agent.forget_dialog(self.dialog.id)


class _Repeat2xx:
    """The called side's own repetition of a 2xx: T1, doubled up to T2, for 64 x T1 (RFC 3261 13.3.1.4)."""

    __slots__ = ("_agent", "_data", "_destination", "_give_up", "_gone", "_interval_s", "_until", "_timer")

    def __init__(
        self, agent: Agent, transaction: ServerTransaction, now: float, gone: Callable[[float], None]
    ) -> None:
        self._agent = agent
        self._data = transaction.bytes_sent
        self._destination = transaction.destination
        self._gone = gone
        self._interval_s = agent.values.t1_s
        self._until = now + agent.values.give_up_s
        self._timer = agent.timers.set(now + self._interval_s, self._fire)

    def stop(self) -> None:
        """The ACK is there."""
        self._timer.cancel()

    def _fire(self, now: float) -> None:
        if now >= self._until:
            self._gone(now)
            return
        self._agent.effects.append(Send(self._data, self._destination))
        self._interval_s = self._agent.values.next_interval(self._interval_s)
        self._timer = self._agent.timers.set(min(now + self._interval_s, self._until), self._fire)


def dialog_id(request: Request) -> DialogId:
    """The key that a request inside a dialog asks for, as the dialog's owner sees it."""
    return DialogId(request.call_id, request.to.tag or "", request.from_.tag or "")
