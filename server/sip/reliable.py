"""Reliable provisional responses (RFC 3262 section 3): repeated until the caller's PRACK, one after the other.

The called side of a leg holds one when the caller supports it; the caller's side of it is in `early`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .grammar import SipSyntaxError, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from .agent import Agent
    from .message import Request, Response
    from .timers import Timer
    from .transaction import ServerTransaction

TAG: Final = "100rel"
HIGHEST_FIRST_RSEQ: Final = 2**31 - 1
MOST_WAITING: Final = 16


class Reliable:
    """The reliable responses to one INVITE; `given_up(now)` is called when no PRACK comes in 64 x T1."""

    __slots__ = (
        "_agent", "_cseq", "_given_up", "_interval_s", "_open", "_rseq", "_status", "_timer", "_transaction", "_until",
        "_waiting", "has_description", "is_answered",
    )  # fmt: skip

    def __init__(
        self, agent: Agent, transaction: ServerTransaction, given_up: Callable[[float], None]
    ) -> None:
        self._agent = agent
        self._transaction = transaction
        self._cseq = transaction.request.cseq.number
        self._given_up = given_up
        self._rseq = agent.random.randint(1, HIGHEST_FIRST_RSEQ)
        self._open, self._status = False, 0
        self._waiting: list[Response] = []
        self._interval_s = self._until = 0.0
        self._timer: Timer | None = None
        self.has_description = False
        self.is_answered = False

    @property
    def awaits_description(self) -> bool:
        """Whether a session description waits for its PRACK: no 2xx before that (section 3)."""
        return self._open and self.has_description

    def send(self, response: Response, now: float) -> None:
        """Send a response reliably, now or once those before it are acknowledged."""
        if self._open:
            last = self._waiting[-1].status if self._waiting else self._status
            if len(self._waiting) < MOST_WAITING and (response.body or response.status != last):
                self._waiting.append(response)
            return
        response.add("Require", TAG)
        response.add("RSeq", str(self._rseq))
        self._open, self._status, self.has_description = True, response.status, bool(response.body)
        self._transaction.respond(response, now)
        self._interval_s, self._until = self._agent.values.t1_s, now + self._agent.values.give_up_s
        self._timer = self._agent.timers.set(now + self._interval_s, self._repeat)

    def _repeat(self, now: float) -> None:
        if now >= self._until:
            self._open = False
            self._given_up(now)
            return
        self._transaction.repeat()
        self._interval_s *= 2
        self._timer = self._agent.timers.set(min(now + self._interval_s, self._until), self._repeat)

    def acknowledges(self, request: Request) -> bool:
        """Whether a PRACK is that of the response which waits for it (section 7.2)."""
        rack = (request.get("rack") or "").split()
        if not self._open or len(rack) != 3:
            return False
        try:
            rseq, cseq = number(rack[0], "RAck", 2**32 - 1), number(rack[1], "RAck", 2**32 - 1)
        except SipSyntaxError:
            return False
        return (rseq, cseq, rack[2]) == (self._rseq, self._cseq, "INVITE")

    def confirm(self) -> bool:
        """The PRACK came; returns whether it acknowledges a session description."""
        self.stop()
        described, self.has_description, self._open = self.has_description, False, False
        self.is_answered = self.is_answered or described
        self._rseq += 1
        return described

    def go_on(self, now: float) -> None:
        """Send what waited for that PRACK."""
        if self._waiting and not self._open:
            self.send(self._waiting.pop(0), now)

    def stop(self) -> None:
        """Repeat nothing any more: the final response is out."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
