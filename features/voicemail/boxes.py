"""What voicemail needs of a site and a store; `server.switch.boxes` keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ...channels.session import Party
    from ..conditions.calendar import Calendar
    from ..conditions.condition import Circumstances
    from .settings import BoxSettings


class Message(Protocol):
    """One message; `duration_s` in seconds, `path` a WAV file."""

    @property
    def id(self) -> str:
        """Its id in the API."""
        ...

    @property
    def caller(self) -> str:
        """The number of whoever left it, as signalled."""
        ...

    @property
    def received_at(self) -> datetime:
        """When it was left."""
        ...

    @property
    def path(self) -> Path:
        """Where its sound lies."""
        ...

    @property
    def read(self) -> bool:
        """Whether it was listened to."""
        ...


class Boxes(Protocol):
    """The boxes of all users: their settings, and their messages. What changes is durable when it returns."""

    def box_of(self, user: str) -> BoxSettings | None:
        """Return the settings of a user's box; None when there is no such user, or no PIN."""
        ...

    def box_numbered(self, number: str) -> BoxSettings | None:
        """Return the settings of an extension's box."""
        ...

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """The calendars of the site, which rules are read by."""
        ...

    def circumstances(self, user: str, caller: Party, called: str) -> Circumstances:
        """Return what is the case while `caller` is at the box of `user`."""
        ...

    def is_full(self, user: str) -> bool:
        """Whether there is no room in a user's box for another message."""
        ...

    async def add(
        self, *, user: str, caller: str, called: str, duration_s: float, wav_path: Path
    ) -> Message | None:
        """Keep a recording as a new message; the file is taken over. None where it cannot be kept."""
        ...

    async def list(self, user: str) -> Sequence[Message]:
        """Return a box's messages, oldest first."""
        ...

    async def mark_read(self, message_id: str) -> None:
        """Note that a message was listened to."""
        ...

    async def delete(self, message_id: str) -> bool:
        """Remove a message with its sound; False where there is none."""
        ...
