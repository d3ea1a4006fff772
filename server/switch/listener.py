"""Who is told what happens to a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...channels.media.plane import MediaEvent
    from ..sip.message import Response
    from .connection import Connection


class Listener(Protocol):
    """Who decides about a connection at the moment: a session, a ringing group, or a bridge."""

    def on_progress(self, connection: Connection, status: int) -> None:
        """The device rings, or says why it does not yet (181, 182)."""
        ...

    def on_answered(self, connection: Connection) -> None:
        """The device took the call, or the caller's ACK came."""
        ...

    def on_direction(self, connection: Connection) -> None:
        """The device holds, resumes, or has otherwise agreed on its media anew."""
        ...

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """Something happened in its stream."""
        ...

    def on_digit(self, connection: Connection, digit: str) -> None:
        """The device signals a digit by INFO."""
        ...

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """It is over: `status` is the final status of an unanswered leg, else 0."""
        ...
