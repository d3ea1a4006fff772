"""Who carries parcels of one kind out of the house."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..store.outbox import Sent


class NotCarriedError(Exception):
    """A parcel was not taken, and why; `for_good` another try would come to the same."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


class Carrier(Protocol):
    """Takes parcels of one kind."""

    async def carry(self, sent: Sent) -> None:
        """Deliver one; raises `NotCarriedError`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
