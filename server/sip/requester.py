"""Whoever sends requests and hears of their answers by itself: legs, subscriptions, relays, registrations.

The agent calls it; owners of other kinds hear by the effects `Responded` and `Unanswered`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .message import Response
    from .transaction import ClientTransaction


class Requester(ABC):
    """The owner of client transactions."""

    __slots__ = ()

    @abstractmethod
    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A response came; provisional ones are told too."""

    @abstractmethod
    def on_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Nobody answered (408), or the request could not be sent (503)."""
