"""Whoever sends requests and hears of their answers by itself: legs, subscriptions, relays, registrations.

The agent calls it; owners of other kinds hear by the effects `Responded` and `Unanswered`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .message import Response
    from .transaction import ClientTransaction


class Requester:
    """The owner of client transactions."""

    __slots__ = ()

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A response came; provisional ones are told too."""
        raise NotImplementedError

    def on_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Nobody answered (408), or the request could not be sent (503)."""
        raise NotImplementedError
