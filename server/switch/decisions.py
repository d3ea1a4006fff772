"""Decisions: each refusal gets an id by which every door names it, and `GET /api/v1/decisions/{id}` explains it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .events import Refused

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from ...licensing.refusal import Refusal
    from ..clock import Clock
    from .stream import EventStream

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Decision:
    """One refusal, of `what`, with what it was about."""

    id: str
    at: datetime
    refusal: Refusal
    what: str
    call_id: str | None = None
    user: str | None = None
    first_cause: Refusal | None = None


class Decisions:
    """The last 10,000 decisions."""

    def __init__(self, random: Random, clock: Clock, stream: EventStream) -> None:
        self._random = random
        self._clock = clock
        self._stream = stream
        self._kept: OrderedDict[str, Decision] = OrderedDict()

    def mint(
        self,
        refusal: Refusal,
        what: str,
        *,
        call_id: str | None = None,
        user: str | None = None,
        first_cause: Refusal | None = None,
    ) -> Decision:
        """Give a refusal its id and tell of it."""
        id_ = f"d-{self._random.getrandbits(48):012x}"
        decision = Decision(id_, self._clock.today(), refusal, what, call_id, user, first_cause)
        self._kept[id_] = decision
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self._stream.publish(Refused(id_, refusal.reason, what, call_id, user))
        return decision

    def get(self, id_: str) -> Decision | None:
        """Return a decision, as long as it is kept."""
        return self._kept.get(id_)
