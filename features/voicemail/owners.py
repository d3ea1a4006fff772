"""What the owner of a box may do by telephone once he has shown who he is; `server.switch.box_owners` keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...channels.session import Party, Recording
    from .boxes import Message
    from .pin_locks import PinAnswer
    from .settings import BoxSettings


@dataclass(frozen=True, slots=True)
class MessageCaller:
    """Who left a message: the number that is told of him, and the one by which he is called back."""

    shown: str
    number: str


class Owners(Protocol):
    """The owners of all boxes. What changes is durable when it returns."""

    def try_pin(self, box: BoxSettings | None, number: str, pin: str) -> PinAnswer:
        """Try a PIN at a box, or at a `number` that has none; wrong ones count towards a lock."""
        ...

    def owner(self, box: BoxSettings) -> Party:
        """Return the user of a box as one who calls."""
        ...

    def caller_of(self, box: BoxSettings, message: Message) -> MessageCaller | None:
        """Return who left a message, and how the user of the box dials him; None where he hid his number."""
        ...

    async def set_pin(self, box: BoxSettings, pin: str) -> bool:
        """Give a box another PIN; False where it cannot be kept."""
        ...

    async def set_greeting(self, box: BoxSettings, recording: Recording, name: str) -> bool:
        """Give a box another greeting of that name, its own if that is empty; False where it cannot be kept.

        It takes the recording over.
        """
        ...
