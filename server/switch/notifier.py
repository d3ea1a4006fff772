"""The notifier (RFC 6665 section 4.2): who watches what, and a NOTIFY for each when it changes.

An event package says what may be watched and how its state reads; subscriptions, bounds and timing are the same for
all. Packages that live from the stream are asked at each event which of their resources it concerns.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from ...licensing.refusal import Refusal
from ..sip.effects import Resubscribed, SubscriptionEnded
from ..sip.registrar import ExpiryLimits
from ..sip.subscription import Event, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ...channels.session import Party
    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.flow import Peer
    from ..sip.message import Request
    from ..sip.subscription import State
    from .replies import Replies
    from .stream import EventStream, Stamped

log = structlog.get_logger()

LIMITS: Final = ExpiryLimits()
MOST_OF_AN_ACCOUNT: Final = 200
MOST: Final = 20_000


class Package(Protocol):
    """An event package (RFC 6665 section 5)."""

    @property
    def name(self) -> str:
        """Its name in Event."""
        ...

    @property
    def content_type(self) -> str:
        """The media type of its state."""
        ...

    def admit(self, watcher: Party, number: str) -> str | Refusal:
        """Return what a subscription to `number` watches, or why it may not."""
        ...

    def concerned(self, event: object) -> Iterable[str]:
        """Name what has another state after an event of the stream."""
        ...

    async def state(self, resource: str) -> State:
        """Return the state of something watched."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """What a subscription is about: `number` as it was asked for, `resource` as its package calls it."""

    package: Package
    watcher: Party
    number: str
    resource: str


class Notifier:
    """The subscriptions of one server."""

    def __init__(
        self,
        packages: Sequence[Package],
        *,
        stack: SipStack,
        replies: Replies,
        stream: EventStream,
        clock: Clock,
    ) -> None:
        self._packages = {package.name: package for package in packages}
        self._stack = stack
        self._replies = replies
        self._stream = stream
        self._clock = clock
        self._watches: dict[Subscription, Watch] = {}
        self._watching: dict[tuple[str, str], dict[Subscription, None]] = {}
        self._of_account: Counter[str] = Counter()
        self._of_package: Counter[str] = Counter()
        self._due: dict[Subscription, None] = {}
        self._telling: asyncio.Task[None] | None = None
        self._leave: Callable[[], None] | None = None
        self._stopping = False
        self.allow_events = ", ".join(self._packages)

    @property
    def subscriptions(self) -> dict[str, int]:
        """How many subscriptions there are to each package."""
        return {name: self._of_package[name] for name in self._packages}

    # -- SUBSCRIBE ---------------------------------------------------------------------------------------------

    def take(self, request: Request, source: Peer, party: Party, number: str) -> None:
        """Take a SUBSCRIBE outside any dialog to `number` (RFC 6665 4.2.1)."""
        package = self._packages.get(Event.of(request).package)
        expires_s = LIMITS.granted(request.expires)
        if package is None:
            self._replies.answer(request, source, 489, ("Allow-Events", self.allow_events))
        elif not request.contacts:
            self._replies.answer(request, source, 400)  # RFC 6665 4.1.2.1: it makes a dialog
        elif not request.accepts(package.content_type):
            self._replies.answer(request, source, 406, ("Accept", package.content_type))
        elif expires_s is None:
            self._replies.answer(request, source, 423, ("Min-Expires", str(LIMITS.least_s)))
        else:
            resource = self._full(party) or package.admit(party, number)
            if isinstance(resource, Refusal):
                self._replies.refuse(request, source, resource, _subject(package, number), party)
                return
            agent, now = self._stack.agent, self._clock.now()
            subscription = Subscription.accept(agent, agent.accept(request, source), source, expires_s, now)
            self._enter(subscription, Watch(package, party, number, resource))
            self._tell_soon(subscription)

    def handle(self, effect: Resubscribed | SubscriptionEnded) -> None:
        """Take what a subscription tells."""
        if isinstance(effect, SubscriptionEnded):
            self._forget(effect.subscription)
            return
        subscription, transaction = effect.subscription, effect.transaction
        watch, now = self._watches.get(subscription), self._clock.now()
        if watch is None or subscription.is_over:
            self._replies.respond(transaction, 481)
            return
        expires_s = LIMITS.granted(transaction.request.expires)
        if expires_s is None:
            self._replies.respond(transaction, 423, ("Min-Expires", str(LIMITS.least_s)))
            return
        refused = watch.package.admit(watch.watcher, watch.number)
        if isinstance(refused, Refusal):
            what = _subject(watch.package, watch.number)
            self._replies.respond_refused(transaction, refused, what, watch.watcher)
            subscription.end("rejected", now)
            return
        subscription.refresh(transaction, expires_s, now)
        self._tell_soon(subscription)

    def _full(self, party: Party) -> Refusal | None:
        if self._stopping:
            return Refusal("server.stopping")
        if self._of_account[party.number] >= MOST_OF_AN_ACCOUNT:
            return Refusal("subscriptions.exhausted", facts={"account": party.number})
        return Refusal("subscriptions.exhausted") if len(self._watches) >= MOST else None

    def _enter(self, subscription: Subscription, watch: Watch) -> None:
        if self._leave is None:
            self._leave = self._stream.listen(self._hear)
        self._watches[subscription] = watch
        self._watching.setdefault((watch.package.name, watch.resource), {})[subscription] = None
        self._of_account[watch.watcher.number] += 1
        self._of_package[watch.package.name] += 1

    def _forget(self, subscription: Subscription) -> None:
        watch = self._watches.pop(subscription)
        watched = (watch.package.name, watch.resource)
        del self._watching[watched][subscription]
        if not self._watching[watched]:
            del self._watching[watched]
        for counts, key in ((self._of_account, watch.watcher.number), (self._of_package, watch.package.name)):
            counts[key] -= 1
            if not counts[key]:
                del counts[key]
        self._due.pop(subscription, None)
        if not self._watches and self._leave is not None:
            self._leave()
            self._leave = None

    # -- NOTIFY ------------------------------------------------------------------------------------------------

    def _hear(self, stamped: Stamped) -> None:
        """Tell everybody who watches what an event concerns; what changes at the same moment is told once."""
        for name in self._of_package:
            for resource in self._packages[name].concerned(stamped.event):
                for subscription in self._watching.get((name, resource), ()):
                    self._tell_soon(subscription)

    def _tell_soon(self, subscription: Subscription) -> None:
        self._due[subscription] = None
        if self._telling is None and not self._stopping:
            self._telling = asyncio.get_running_loop().create_task(self._tell_all())

    async def _tell_all(self) -> None:
        while self._due:
            subscription = next(iter(self._due))
            del self._due[subscription]
            try:
                await self._tell(subscription)
            except Exception:
                log.exception("subscription.failed", event=str(subscription.event))
                subscription.end("deactivated", self._clock.now())
            self._stack.flush()
        self._telling = None

    async def _tell(self, subscription: Subscription) -> None:
        watch = self._watches[subscription]
        if isinstance(watch.package.admit(watch.watcher, watch.number), Refusal):
            subscription.end("rejected", self._clock.now())
        else:
            state = await watch.package.state(watch.resource)
            subscription.notify(state, self._clock.now())

    def stop(self) -> None:
        """End every subscription: whoever watches may ask again, once the server is back (RFC 6665 4.1.3)."""
        self._stopping = True
        if self._telling is not None:
            self._telling.cancel()
        for subscription in list(self._watches):
            subscription.end("deactivated", self._clock.now())
        self._stack.flush()


def _subject(package: Package, number: str) -> str:
    return f"subscription to {package.name} of {number}"
