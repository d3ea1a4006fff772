"""Two connections that talk to each other: audio relayed by the plane, and whoever hangs up ends both."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...channels.media.plane import MediaEvent
    from ..sip.message import Response
    from .connection import Connection


class Bridge:
    """Listens to both from now on; `begin` lets them hear each other once both are answered."""

    def __init__(self, one: Connection, other: Connection) -> None:
        self._pair = (one, other)
        one.listener = other.listener = self

    def begin(self) -> None:
        """Join the streams, as far as both ends are still there."""
        one, other = self._pair
        for connection in self._pair:
            connection.go_quiet()
        if one.stream is not None and other.stream is not None and not (one.is_over or other.is_over):
            one.stream.bridge(other.stream)

    def on_progress(self, connection: Connection) -> None:
        """Nothing rings any more."""

    def on_answered(self, connection: Connection) -> None:
        """The caller's ACK came."""

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """The plane relays; digits go with the audio."""

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """End the other one, too."""
        one, other = self._pair
        (other if connection is one else one).hang_up(connection.cause)
