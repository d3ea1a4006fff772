"""What one webhook has still to be told: in order, each event until it is taken or given up. Without input or output.

The courier asks `next` when `deadline` has come, and answers with `taken` or `failed`. Where more waits than there is
room for, the oldest give way; what is lost is counted, and told before what follows.
"""

from __future__ import annotations

from collections import deque
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..switch.stream import Stamped
from .delivery import Delivery
from .events import WebhookGap

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..site.site import Webhook

ROOM = 1_000
MOST_TRIES = 16
LONGEST_PAUSE_S = 3600.0


class Outbox:
    """The outbox of `webhook`; `mint` gives the deliveries' ids.

    `taken_count`, `failed_count` (tries) and `missing_count` (events) only go up.
    """

    def __init__(
        self,
        webhook: Webhook,
        mint: Callable[[], str],
        *,
        room: int = ROOM,
        most_tries: int = MOST_TRIES,
    ) -> None:
        self.webhook = webhook
        self.taken_count = self.failed_count = self.missing_count = 0
        self._mint = mint
        self._room = room
        self._most_tries = most_tries
        self._waiting: deque[Stamped] = deque()
        self._current: Delivery | None = None
        self._tries = 0
        self._not_before = 0.0
        self._missing = 0
        self._last_missing: Stamped | None = None
        self._wanted: dict[str, bool] = {}

    def wants(self, name: str) -> bool:
        """Whether the webhook is told events of that name."""
        if name not in self._wanted:
            self._wanted[name] = any(fnmatchcase(name, one) for one in self.webhook.events)
        return self._wanted[name]

    def put(self, stamped: Stamped) -> None:
        """Take an event, to be told after all others that wait."""
        if len(self._waiting) >= self._room:
            self._lose(self._waiting.popleft(), 1)
        self._waiting.append(stamped)

    @property
    def waiting(self) -> int:
        """How many events are still to be told."""
        return len(self._waiting) + (self._current is not None)

    @property
    def deadline(self) -> float | None:
        """From when on `next` has something, in seconds of the server's clock; None: nothing waits."""
        idle = self._current is None and not self._waiting and not self._missing
        return None if idle else self._not_before

    def next(self, now: float) -> Delivery | None:
        """What is to be sent at `now`, the same one until it is taken or given up."""
        if self.deadline is None or now < self._not_before:
            return None
        if self._current is None:
            self._current = Delivery(self._mint(), self._first())
        return self._current

    def taken(self) -> None:
        """The receiver has what `next` gave."""
        self.taken_count += 1
        self._done(0.0)

    def failed(self, now: float) -> tuple[int, float | None]:
        """The receiver did not take it; returns how often that was so, and the pause in seconds (None: given up)."""
        delivery = self._current
        if delivery is None:
            raise RuntimeError("nothing is on its way")
        self.failed_count += 1
        self._tries += 1
        tries, pause_s = self._tries, min(2.0 ** (self._tries - 1), LONGEST_PAUSE_S)
        if tries < self._most_tries:
            self._not_before = now + pause_s
            return tries, pause_s
        event = delivery.stamped.event
        self._lose(delivery.stamped, event.missing if isinstance(event, WebhookGap) else 1)
        self._done(now + pause_s)
        return tries, None

    def _first(self) -> Stamped:
        if self._missing and self._last_missing is not None:
            gap = WebhookGap(self.webhook.name, self._missing)
            self._missing = 0
            return Stamped(self._last_missing.seq, self._last_missing.at_s, gap)
        return self._waiting.popleft()

    def _lose(self, stamped: Stamped, number: int) -> None:
        self._missing += number
        self._last_missing = stamped
        self.missing_count += not isinstance(stamped.event, WebhookGap)

    def _done(self, not_before: float) -> None:
        self._current = None
        self._tries = 0
        self._not_before = not_before
