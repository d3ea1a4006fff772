"""Our subscription at somebody else's notifier (RFC 6665 section 4.1): SUBSCRIBE, its refreshes, and the NOTIFYs.

Scripted phones hold one for each thing that they watch; the other end of it is in `subscription`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .dialog import Dialog, DialogId
from .headers import read_seconds
from .inside import CREDENTIALS
from .requester import Requester
from .subscription import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .agent import Agent
    from .flow import Peer
    from .inside import Authorize
    from .message import Request, Response
    from .timers import Timer
    from .transaction import ClientTransaction, ServerTransaction

LEAD_S: Final = 32.0  # a refresh has until timer F to get through, RFC 3261 17.1.2.2


class Subscriber(Requester):
    """Watches `target` at `destination`; `is_over` tells that it is refused, or has ended.

    `told` gets the final response to each SUBSCRIBE, each NOTIFY, and None when nobody answers any more.
    """

    __slots__ = (
        "_agent", "_authorize", "_destination", "_event", "_expires_s", "_timer", "_told", "dialog", "is_over",
    )  # fmt: skip

    def __init__(
        self,
        agent: Agent,
        target: str,
        destination: Peer,
        *,
        from_: str,
        event: str,
        authorize: Authorize | None,
        told: Callable[[Request | Response | None], None],
    ) -> None:
        self._agent = agent
        self._destination = destination
        self._event = event
        self._authorize = authorize
        self._told = told
        self._expires_s = 0
        self._timer: Timer | None = None
        self.is_over = False
        tag = agent.new_tag()
        self.dialog = Dialog(
            DialogId(agent.new_call_id(), tag, ""),
            local=f"{from_};tag={tag}",
            remote=f"<{target}>",
            target=target,
            routes=[],
            local_cseq=0,
            remote_cseq=None,
            fallback=destination,
        )
        agent.remember_subscription(self.dialog.id, self)

    def subscribe(self, expires_s: int, now: float) -> None:
        """Watch, and refresh each time before so many seconds are over; 0 ends it by a last NOTIFY (4.1.2.3)."""
        self._expires_s = expires_s
        self._send((), now)

    def _send(self, credentials: Sequence[tuple[str, str]], now: float) -> None:
        request = self.dialog.request("SUBSCRIBE")
        hop = self._agent.next_hop(self.dialog) if self.dialog.id.remote_tag else self._destination
        request.headers += [
            ("Contact", self._agent.reach.contact(hop, request.uri)),
            ("Event", self._event),
            ("Expires", str(self._expires_s)),
            *credentials,
        ]
        self._agent.send(request, hop, self, now)

    # -- what the agent tells ----------------------------------------------------------------------------------

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """The notifier answered a SUBSCRIBE."""
        if response.status < 200 or self.is_over:
            return
        request = transaction.request
        if response.status in (401, 407) and (credentials := self._credentials(request, response)):
            self._send([credentials], now)
            return
        if response.status < 300:
            if not self.dialog.id.remote_tag:
                self._enter(Dialog.of_client(request, response, self._destination))
            granted_s = read_seconds(response.get("expires"))
            self._wait(self._expires_s if granted_s is None else granted_s, now)
        else:
            self._finish()
        self._told(response)

    def on_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """The notifier did not (4.1.2.2)."""
        self._give_up(now)

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """A NOTIFY came in the dialog, which it makes where it overtakes the 200 (4.1.2.4)."""
        request = transaction.request
        state = request.get("subscription-state")
        if request.method != "NOTIFY":
            transaction.respond(request.respond(405), now)
        elif Event.of(request).package != self._event:
            transaction.respond(request.respond(489), now)
        elif state is None:
            transaction.respond(request.respond(400), now)
        else:
            if not self.dialog.id.remote_tag:
                dialog = Dialog.of_server(request, self.dialog.id.local_tag, self._destination)
                dialog.local_cseq, dialog.remote_cseq = self.dialog.local_cseq, None
                self._enter(dialog)
            is_next = self.dialog.accepts(request)
            transaction.respond(request.respond(200 if is_next else 500), now)
            if is_next:
                if state.partition(";")[0].strip().lower() == "terminated":
                    self._finish()
                self._told(request)

    # -- inside ------------------------------------------------------------------------------------------------

    def _credentials(self, request: Request, response: Response) -> tuple[str, str] | None:
        """Answer the first challenge of each SUBSCRIBE (RFC 3261 22.2)."""
        if self._authorize is None or any(name in CREDENTIALS for name, _ in request.headers):
            return None
        return self._authorize(response, request)

    def _enter(self, dialog: Dialog) -> None:
        self._agent.forget_subscription(self.dialog.id)
        self.dialog = dialog
        self._agent.remember_subscription(dialog.id, self)

    def _wait(self, granted_s: int, now: float) -> None:
        """Refresh in time, or after the last SUBSCRIBE wait for its NOTIFY as long as timer N says (4.1.2)."""
        if self._timer is not None:
            self._timer.cancel()
        if self._expires_s and granted_s:
            at = now + max(granted_s - LEAD_S, granted_s / 2)
            self._timer = self._agent.timers.set(at, lambda then: self._send((), then))
        else:
            self._timer = self._agent.timers.set(now + self._agent.values.give_up_s, self._give_up)

    def _give_up(self, _now: float) -> None:
        self._finish()
        self._told(None)

    def _finish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.is_over = True
        self._agent.forget_subscription(self.dialog.id)
