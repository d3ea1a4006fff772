"""One subscription as its notifier has it (RFC 6665 section 4.2): the dialog, its end, and NOTIFYs one after the other.

The owner accepts a SUBSCRIBE by `Subscription.accept`, gives states by `notify`, and hears of refreshes by
`Resubscribed` and of the end, whoever brought it about, by one `SubscriptionEnded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .dialog import Dialog
from .effects import Resubscribed, SubscriptionEnded
from .grammar import SipSyntaxError
from .headers import parse_params, read_seconds
from .requester import Requester

if TYPE_CHECKING:
    from collections.abc import Callable

    from .agent import Agent
    from .flow import Peer
    from .message import Request, Response
    from .timers import Timer
    from .transaction import ClientTransaction, ServerTransaction

GONE: Final = 481
LONGEST_PAUSE_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Event:
    """The Event of a SUBSCRIBE: the package, and the `id` that tells two subscriptions of a dialog apart."""

    package: str
    id: str | None = None

    @classmethod
    def of(cls, request: Request) -> Event:
        """Read a request's Event; without one, or with a malformed one, the package is empty (RFC 6665 8.2.1)."""
        package, semicolon, params = (request.get("event") or "").partition(";")
        try:
            found = dict(parse_params(semicolon + params))
        except SipSyntaxError:
            return cls("")
        return cls(package.strip().lower(), found.get("id"))

    def __str__(self) -> str:
        return self.package if self.id is None else f"{self.package};id={self.id}"


@dataclass(frozen=True, slots=True)
class State:
    """What a NOTIFY says: `write` makes the body for the so manieth one of its subscription, from 0.

    Two states are the same when their `content` is.
    """

    content_type: str
    content: object
    write: Callable[[int], bytes]

    @classmethod
    def of(cls, content_type: str, body: bytes) -> State:
        """Make a state whose body does not count."""
        return cls(content_type, body, lambda _: body)


class Subscription(Requester):
    """One subscription, whose dialog goes to whoever watches."""

    __slots__ = (
        "_agent", "_documents", "_ended", "_expires_at", "_expiry", "_is_owed", "_last_words", "_pause", "_told",
        "_under_way", "_waiting", "dialog", "event",
    )  # fmt: skip

    def __init__(self, agent: Agent, dialog: Dialog, event: Event) -> None:
        self._agent = agent
        self.dialog = dialog
        self.event = event
        self._documents = 0
        self._expires_at = 0.0
        self._expiry: Timer | None = None
        self._pause: Timer | None = None
        self._under_way: ClientTransaction | None = None
        self._waiting: State | None = None
        self._told: object = None
        self._is_owed = False
        self._last_words = ""
        self._ended = False

    @classmethod
    def accept(
        cls, agent: Agent, transaction: ServerTransaction, source: Peer, expires_s: int, now: float
    ) -> Subscription:
        """Begin a subscription; with 0 seconds it ends by its first NOTIFY, which tells the state once (4.4.3)."""
        request = transaction.request
        dialog = Dialog.of_server(request, agent.new_tag(), source)
        subscription = cls(agent, dialog, Event.of(request))
        agent.remember_subscription(dialog.id, subscription)
        subscription.refresh(transaction, expires_s, now)
        return subscription

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended

    def refresh(self, transaction: ServerTransaction, expires_s: int, now: float) -> None:
        """Accept a SUBSCRIBE, the first or a later one; a NOTIFY is due at once (4.2.1.1)."""
        request = transaction.request
        contacts = request.contacts
        if contacts:
            self.dialog.target = str(contacts[0].uri)
        response = request.respond(200, to_tag=self.dialog.id.local_tag)
        response.add("Contact", self._agent.reach.contact(self.dialog.fallback, request.uri))
        response.add("Expires", str(expires_s))
        transaction.respond(response, now)
        self._expires_at = now + expires_s
        self._is_owed = True
        self._stop_timers()
        if expires_s:
            self._expiry = self._agent.timers.set(self._expires_at, self._expire)
        else:
            self._last_words = "timeout"

    def notify(self, state: State, now: float) -> None:
        """Tell the state if it is another, or a SUBSCRIBE asks; it waits for the answer to a NOTIFY under way."""
        newest = self._told if self._waiting is None else self._waiting.content
        if self._ended or (state.content == newest and not self._is_owed):
            return
        self._waiting = state
        if self._under_way is None and self._pause is None:
            self._send(now)

    def end(self, reason: str, now: float) -> None:
        """End it by a NOTIFY that says why (4.2.2): `deactivated`, `noresource`, `rejected` …"""
        if not self._ended:
            self._last_words = reason
            self._send(now)

    # -- what the agent tells ----------------------------------------------------------------------------------

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """A request came inside the dialog; a SUBSCRIBE is the owner's to answer, nothing else is known here."""
        request = transaction.request
        if not self.dialog.accepts(request):
            transaction.respond(request.respond(500), now)
        elif request.method == "SUBSCRIBE" and Event.of(request) == self.event and not self._last_words:
            self._agent.effects.append(Resubscribed(self, transaction))
        else:
            transaction.respond(request.respond(GONE), now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """The answer to a NOTIFY: what is refused without a Retry-After ends the subscription (4.2.2)."""
        if response.status < 200 or transaction is not self._under_way:
            return
        self._under_way = None
        if response.status < 300:
            if self._waiting is not None:
                self._send(now)
        elif (pause_s := read_seconds(response.get("retry-after"))) is not None:
            self._pause = self._agent.timers.set(now + min(pause_s, LONGEST_PAUSE_S), self._go_on)
        else:
            self._finish()

    def on_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Nobody hears the NOTIFYs any more (4.2.2)."""
        if transaction is self._under_way:
            self._finish()

    # -- inside ------------------------------------------------------------------------------------------------

    def _expire(self, now: float) -> None:
        self.end("timeout", now)

    def _go_on(self, now: float) -> None:
        self._pause = None
        if self._waiting is not None:
            self._send(now)

    def _send(self, now: float) -> None:
        request = self.dialog.request("NOTIFY")
        request.add("Contact", self._agent.reach.contact(self.dialog.fallback, request.uri))
        request.add("Event", str(self.event))
        state, self._waiting = self._waiting, None
        if state is not None:
            self._told, self._is_owed = state.content, False
            request.add("Content-Type", state.content_type)
            request.body = state.write(self._documents)
            self._documents += 1
        if self._last_words:
            request.add("Subscription-State", f"terminated;reason={self._last_words}")
            self._agent.send(request, self._agent.next_hop(self.dialog), None, now)
            self._finish()
            return
        left_s = max(0, round(self._expires_at - now))
        request.add("Subscription-State", f"active;expires={left_s}")
        self._under_way = self._agent.send(request, self._agent.next_hop(self.dialog), self, now)

    def _finish(self) -> None:
        if self._ended:
            return
        self._ended = True
        self._under_way = self._waiting = None
        self._stop_timers()
        self._agent.forget_subscription(self.dialog.id)
        self._agent.effects.append(SubscriptionEnded(self))

    def _stop_timers(self) -> None:
        for timer in (self._expiry, self._pause):
            if timer is not None:
                timer.cancel()
        self._expiry = self._pause = None
