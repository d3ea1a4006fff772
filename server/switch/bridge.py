"""Two connections that talk to each other: audio relayed by the plane, and whoever hangs up ends both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import StreamLost
from ...licensing.refusal import Refusal

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
            self.on_direction(connection)
        if one.stream is not None and other.stream is not None and not (one.is_over or other.is_over):
            one.stream.bridge(other.stream)
        for connection in self._pair:
            connection.watch()  # a hairpin whose caller vanished must not hold its channels

    def on_progress(self, connection: Connection, status: int) -> None:
        """Nothing rings any more."""

    def on_answered(self, connection: Connection) -> None:
        """The caller's ACK came, perhaps with his answer."""
        self.on_direction(connection)

    def on_direction(self, connection: Connection) -> None:
        """Whom one end does not hear, or does not want to hear it, learns that by a re-INVITE."""
        self.other(connection).renegotiation.follow(connection.wanted)

    def on_digit(self, connection: Connection, digit: str) -> None:
        """A digit by INFO is heard at the other end as one of RFC 4733."""
        stream = self.other(connection).stream
        if stream is not None:
            stream.send_digits(digit)

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """The plane relays; digits go with the audio."""
        if isinstance(event, StreamLost):
            connection.refuse(Refusal("media.lost"))

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """End the other one, too."""
        self.other(connection).hang_up(connection.cause)

    def other(self, connection: Connection) -> Connection:
        """Return whom a connection talks to."""
        one, other = self._pair
        return other if connection is one else one
