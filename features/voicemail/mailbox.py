"""What voicemail needs of a store; `server.store.mailbox` keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Message(Protocol):
    """One message; `duration_s` in seconds, `path` a WAV file."""

    @property
    def id(self) -> str:
        """Its id in the API."""
        ...

    @property
    def path(self) -> Path:
        """Where its sound lies."""
        ...

    @property
    def read(self) -> bool:
        """Whether it was listened to."""
        ...


class Mailbox(Protocol):
    """The boxes of all users. Each method is durable when it returns."""

    async def add(self, *, user: str, caller: str, called: str, duration_s: float, wav_path: Path) -> Message:
        """Keep a recording as a new message; the file is taken over."""
        ...

    async def list(self, user: str) -> Sequence[Message]:
        """Return a box's messages, oldest first."""
        ...

    async def mark_read(self, message_id: str) -> None:
        """Note that a message was listened to."""
        ...

    async def delete(self, message_id: str) -> None:
        """Remove a message with its sound."""
        ...
