"""One call leg: the INVITE usage of RFC 3261 sections 13 to 15.

The switch and the scripted phones hold a `Leg` for each call that they take part in. It tells its story by the `Leg…`
effects, the last of which is always one `LegEnded`. Until it is answered the INVITE lives in `called` or `calling`;
re-INVITEs live in `reoffer`, the repeated 2xx in `repetition`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .called import Called
from .calling import Calling, acknowledge, acknowledge_late
from .effects import LegConfirmed, LegEnded, LegReconfirmed, LegRefreshDue
from .inside import authorized, send_inside
from .inside_requests import open_offer, take_request
from .leg_state import OVER, UNANSWERED, LegState
from .reoffer import OpenOffer, Reoffers
from .repetition import Repetition
from .requester import Requester
from .session_timer import TAG, SessionTimer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .agent import Agent
    from .dialog import Dialog
    from .flow import Peer
    from .inside import Authorize
    from .message import Request, Response
    from .transaction import ClientTransaction, ServerTransaction

    Header = tuple[str, str]

NO_ANSWER, GONE, UNREACHABLE = 408, 481, 503


class Leg(Requester):
    """One call leg. `owner` is whatever object its holder wants to find again when an effect names the leg."""

    __slots__ = (
        "__weakref__", "_agent", "_bye_headers", "_reoffers", "authorize", "called", "calling", "dialog", "local_tag",
        "owner", "peer", "repetition", "request", "session", "state",
    )  # fmt: skip

    def __init__(self, agent: Agent, request: Request, peer: Peer, state: LegState, local_tag: str) -> None:
        self._agent = agent
        self.request = request
        self.peer = peer
        self.state = state
        self.local_tag = local_tag
        self.owner: object = None
        self.dialog: Dialog | None = None
        self.authorize: Authorize | None = None
        self.session = SessionTimer(agent, self)
        self.called: Called | None = None
        self.calling: Calling | None = None
        self._reoffers: Reoffers | None = None
        self.repetition: Repetition | None = None
        self._bye_headers: Sequence[Header] = ()

    @property
    def is_over(self) -> bool:
        """Whether `LegEnded` was told."""
        return self.state in OVER

    @classmethod
    def incoming(cls, agent: Agent, transaction: ServerTransaction, source: Peer, now: float) -> Leg:
        """Begin the called side of an INVITE."""
        leg = cls(agent, transaction.request, source, LegState.INCOMING, agent.new_tag())
        leg.called = Called(agent, leg, transaction, now)
        transaction.leg, transaction.local_tag = leg, leg.local_tag
        return leg

    @classmethod
    def outgoing(
        cls,
        agent: Agent,
        request: Request,
        peer: Peer,
        authorize: Authorize | None,
        now: float,
        *,
        others: Sequence[Peer] = (),
    ) -> Leg:
        """Begin the calling side, at `others` too; `authorize` answers a 401 or 407 with a header, or gives up."""
        leg = cls(agent, request, peer, LegState.CALLING, request.from_.tag or "")
        leg.authorize = authorize
        leg.calling = Calling(agent, leg, others, now)
        return leg

    # -- the called side ---------------------------------------------------------------------------------------

    @property
    def rings_by_offer(self) -> bool:
        """Whether the caller is told that it rings only by an offer of ours (RFC 3262 5)."""
        return self.called is not None and self.called.rings_by_offer

    def ring(self, now: float, status: int = 180, body: bytes = b"") -> None:
        """Send a provisional response, again each minute; it opens an early dialog."""
        if self.called is not None and self.state in UNANSWERED:
            self.called.ring(status, body, now)

    def answer(self, body: bytes, now: float) -> None:
        """Take the call with a 200; it is repeated until the ACK comes (RFC 3261 13.3.1.4)."""
        if self.called is not None and self.state in UNANSWERED:
            self.repetition = self.called.answer(body, now)

    def refuse(
        self, status: int, now: float, headers: Sequence[Header] = (), reason: str | None = None
    ) -> None:
        """Answer the INVITE with a final refusal."""
        if self.called is not None and self.state in UNANSWERED:
            self.called.refuse(status, now, headers, reason)

    def on_cancel(self, transaction: ServerTransaction, now: float) -> None:
        """CANCEL came for an INVITE of this leg."""
        if self.called is not None and transaction is self.called.transaction:
            self.called.cancel(now)
        elif self._reoffers is not None:
            self._reoffers.cancel(transaction, now)

    def on_ack(self, request: Request, now: float) -> None:
        """The ACK of a 2xx came; one for an earlier INVITE says nothing about the last one."""
        repetition = self.repetition
        if repetition is None or repetition.cseq != request.cseq.number:
            return
        self._stop_repeating()
        if self.state is LegState.LEAVING:
            self._send_bye(now)
            return
        if self.state is LegState.ANSWERED:
            self.state = LegState.ESTABLISHED
            self.called = None
            self._agent.effects.append(LegConfirmed(self, request.body))
        else:
            self._agent.effects.append(LegReconfirmed(self, request.body))
        if self._reoffers is not None:
            self._reoffers.unblock()

    def never_confirmed(self, now: float) -> None:
        """No ACK in 64 x T1: end the dialog (RFC 3261 13.3.1.4)."""
        self.repetition = None
        status = NO_ANSWER if self.state is LegState.ANSWERED else 0
        was_over = self.is_over
        self._send_bye(now)
        if not was_over:
            self.end(status, now, far=True, leaves=True)

    def _stop_repeating(self) -> None:
        if self.repetition is not None:
            self.repetition.stop()
            self.repetition = None

    # -- what comes to our requests ----------------------------------------------------------------------------

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A response came to a request of this leg."""
        request, status = transaction.request, response.status
        if self.calling is not None and transaction is self.calling.transaction:
            self.calling.on_response(response, now)
            if self.state is LegState.ESTABLISHED:
                self.calling = None
        elif status < 200:
            if self.is_over:
                transaction.cancel(now)
        elif status in (401, 407) and self._send_authorized(transaction, response, now):
            return
        elif request.method == "BYE":
            self._forget()
        elif request.method in ("INVITE", "UPDATE") and request.to.tag is not None:
            self._on_answered_inside(transaction, response, now)
        elif transaction.is_invite and status < 300:
            acknowledge_late(self._agent, transaction, response, self, now)

    def _send_authorized(self, transaction: ClientTransaction, response: Response, now: float) -> bool:
        if self.authorize is None or self.dialog is None or transaction.request.to.tag is None:
            return False
        if (
            transaction.destination.host != self.peer.host
        ):  # a Contact elsewhere is not whom we have an account with
            return False
        old = transaction.request
        headers = authorized(self.dialog, old, response, self.authorize)
        if not headers:
            return False
        again = send_inside(
            self._agent, self.dialog, self, now, method=old.method, headers=headers, body=old.body
        )
        if self._reoffers is not None:
            self._reoffers.replace(transaction, again)
        return True

    def on_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Timer B or F of a request of this leg (408), or its flow is gone (503)."""
        if transaction.request.method == "BYE":
            self._forget()
        elif self.is_over:
            return
        elif self.calling is not None and transaction is self.calling.transaction:
            self.calling.on_unanswered(status, now)
        elif self.state is LegState.ESTABLISHED and status == UNREACHABLE:
            if self._reoffers is not None:
                self._reoffers.finish(transaction, transaction.request.respond(status), now)
                self._reoffers.unblock()
            self.session.on_unreachable(now)
        elif self.state is LegState.ESTABLISHED:
            self.expire(now)

    def _on_answered_inside(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """The final response to a re-INVITE or UPDATE."""
        if not self.is_over and self._reoffers is not None:
            self._reoffers.finish(transaction, response, now)
        if transaction.is_invite and response.status < 300 and self.dialog is not None:
            acknowledge(self._agent, transaction, response, self.dialog)
        if self.state is LegState.ESTABLISHED and response.status in (NO_ANSWER, GONE):  # RFC 3261 12.2.1.2
            self.expire(now)
        elif self.state is LegState.ESTABLISHED:
            self.session.on_response(transaction.request, response, now)
        if self._reoffers is not None:
            self._reoffers.unblock()

    # -- inside the dialog -------------------------------------------------------------------------------------

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """A request came inside the dialog; the transaction is answered at once or by the owner."""
        take_request(self._agent, self, transaction, now)

    @property
    def offers(self) -> Reoffers:
        """The offers after that of the INVITE."""
        if self._reoffers is None:
            self._reoffers = Reoffers(self._agent, self)
        return self._reoffers

    @property
    def _dialog_to_send_in(self) -> Dialog | None:
        if self.calling is None:
            return self.dialog
        early = self.calling.early.latest
        return None if early is None else early.dialog(self)

    def reoffer(self, body: bytes, now: float) -> bool:
        """Offer other media by a re-INVITE; False while something hinders it, of whose end `LegUnblocked` tells."""
        if self.state is LegState.ANSWERED or self.repetition is not None:
            self.offers.want()
        elif self.state is LegState.ESTABLISHED and self.dialog is not None:
            return self.offers.send("INVITE", self.dialog, body, now)
        return False

    def update(self, body: bytes, now: float) -> bool:
        """Offer other media by an UPDATE, in an early dialog too (RFC 3311 5.1); False as for `reoffer`."""
        dialog = self._dialog_to_send_in
        if self.is_over or dialog is None:
            return False
        if open_offer(self, dialog) is not OpenOffer.NONE:
            self.offers.want()
            return False
        return self.offers.send("UPDATE", dialog, body, now)

    def accept_offer(self, body: bytes, now: float) -> None:
        """Answer the re-INVITE or UPDATE that `LegReoffered` told of."""
        transaction = self._reoffers.accept(body, now) if self._reoffers is not None else None
        if transaction is not None and transaction.is_invite:
            self.repetition = Repetition(self._agent, transaction, now, self.never_confirmed)
        elif self._reoffers is not None:
            self._reoffers.unblock()

    def send(
        self, method: str, owner: object, now: float, *, headers: Sequence[Header] = (), body: bytes = b""
    ) -> bool:
        """Send another request inside the dialog; `owner` hears of its answer. False while there is none."""
        dialog = self._dialog_to_send_in
        if dialog is None or self.is_over:
            return False
        send_inside(self._agent, dialog, owner, now, method=method, headers=headers, body=body)
        return True

    def move(self, peer: Peer) -> None:
        """Reach the far end by another connection from now on: it has opened one (RFC 5626 5.3)."""
        if self.dialog is not None:
            self.dialog.fallback = peer

    def ask_for_refresh(self) -> None:
        """Tell the owner to ask by a re-INVITE whether the far end is still there (RFC 4028 7.4)."""
        self._agent.effects.append(LegRefreshDue(self))

    def refresh(self, now: float) -> None:
        """Ask by an UPDATE whether the far end is still there (RFC 4028 7.4)."""
        if self.dialog is not None:
            headers: list[Header] = [("Supported", TAG), *self.session.headers]
            send_inside(self._agent, self.dialog, self, now, method="UPDATE", headers=headers)

    def refuse_offer(self, status: int, now: float, headers: Sequence[Header] = ()) -> None:
        """Refuse the re-INVITE or UPDATE; the session goes on as it was (RFC 3261 14.1)."""
        if self._reoffers is not None:
            self._reoffers.refuse(status, now, headers)
            self._reoffers.unblock()

    # -- the end -----------------------------------------------------------------------------------------------

    def hang_up(self, now: float, headers: Sequence[Header] = ()) -> None:
        """End the leg, however far it got: a refusal (480), CANCEL, or BYE, for which a 2xx first needs its ACK."""
        match self.state:
            case LegState.INCOMING | LegState.CALLING | LegState.RINGING:
                if self.calling is not None:
                    self.calling.cancel(now, headers)
                else:
                    self.refuse(480, now, headers)
            case LegState.ANSWERED:  # RFC 3261 15: no BYE before the ACK
                self._bye_headers = headers
                self.end(0, now, far=False, leaves=True)
            case LegState.ESTABLISHED:
                self._stop_repeating()
                self._bye_headers = headers
                self._send_bye(now)
                self.end(0, now, far=False, leaves=True)
            case _:
                pass

    def expire(self, now: float) -> None:
        """The far end is gone: its dialog, its answers, or its session (RFC 3261 12.2.1.2, RFC 4028 10)."""
        if self.state is LegState.ESTABLISHED:
            self._send_bye(now)
            self.end(0, now, far=True, leaves=True)

    def _send_bye(self, now: float) -> None:
        if self.dialog is not None:
            bye = self.dialog.request("BYE")
            for name, value in self._bye_headers:
                bye.add(name, value)
            self._agent.send(bye, self._agent.next_hop(self.dialog), self, now)

    def on_bye(self, now: float) -> None:
        """The far end has left."""
        if self.state is LegState.LEAVING:
            if self.repetition is not None:  # ours waits for an ACK that no longer matters
                self._stop_repeating()
                self._forget()
        elif self.called is not None and self.state is LegState.RINGING:
            self.called.cancel(now)  # RFC 3261 15: the caller may leave an early dialog so
        else:
            self.end(0, now, far=True)

    # -- what its rooms call -----------------------------------------------------------------------------------

    def enter(self, dialog: Dialog) -> None:
        """Be found by a dialog from now on."""
        self.dialog = dialog
        self._agent.remember(dialog.id, self)

    def end(
        self, status: int, now: float, *, far: bool, leaves: bool = False, response: Response | None = None
    ) -> None:
        """Tell the end; with `leaves` the dialog waits for the answer to our BYE."""
        self.session.stop()
        if self._reoffers is not None:
            self._reoffers.abandon(now)
        if leaves:
            self.state = LegState.LEAVING
        else:
            self._stop_repeating()
            self._forget()
        self._agent.effects.append(LegEnded(self, status, far, response))

    def _forget(self) -> None:
        self.state = LegState.ENDED
        if self.calling is not None:
            self.calling.early.forget()
        self.called = self.calling = self._reoffers = None
        if self.dialog is not None:
            self._agent.forget_dialog(self.dialog.id)
