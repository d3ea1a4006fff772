"""The repetition of a 2xx until its ACK comes (RFC 3261 13.3.1.4); legs hold one for each INVITE that they accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .agent import Agent
    from .transaction import ServerTransaction


class Repetition:
    """Sends the 2xx of `transaction` again after T1, doubled up to T2; after 64 x T1 it calls `given_up(now)`."""

    __slots__ = ("_agent", "_given_up", "_interval_s", "_timer", "_until", "cseq", "transaction")

    def __init__(
        self, agent: Agent, transaction: ServerTransaction, now: float, given_up: Callable[[float], None]
    ) -> None:
        self.transaction = transaction
        self.cseq = transaction.origin[2]
        self._agent = agent
        self._given_up = given_up
        self._interval_s = agent.values.t1_s
        self._until = now + agent.values.give_up_s
        self._timer = agent.timers.set(now + self._interval_s, self._fire)

    def stop(self) -> None:
        """End it: the ACK is there, or the dialog is over; the transaction needs its leg no longer."""
        self._timer.cancel()
        self.transaction.leg = None

    def _fire(self, now: float) -> None:
        if now >= self._until:
            self.stop()
            self._given_up(now)
            return
        self.transaction.repeat()
        self._interval_s = self._agent.values.next_interval(self._interval_s)
        self._timer = self._agent.timers.set(min(now + self._interval_s, self._until), self._fire)
