"""Two connections that talk to each other, and whoever hangs up ends both.

The plane relays their audio, or they send it to each other (`direct_media`). Whom the other end holds hears music
meanwhile, unless the site wants none; see docs/decisions/0027-music-on-hold.md.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...channels.media.plane import DigitHeard, Music, StreamLost
from ...licensing.refusal import Refusal
from ..sip.sdp import Direction
from .direct_media import DirectMedia
from .pressed_keys import PressedKeys

if TYPE_CHECKING:
    from ...channels.media.plane import MediaEvent
    from ..sip.message import Response
    from .connection import Connection


HEARD_WITHIN_S = 0.2
"""A digit by INFO waits so long for the same one in the audio, which the plane has passed on already."""


class Bridge:
    """Listens to both from now on; `begin` lets them hear each other once both are answered."""

    def __init__(self, one: Connection, other: Connection) -> None:
        self._pair = (one, other)
        self._direct = DirectMedia(one, other)
        self._entertained: set[Connection] = set()
        self._keys = {one: PressedKeys(), other: PressedKeys()}
        self._informed: list[tuple[Connection, str]] = []
        self._waiting_digits: list[tuple[Connection, str]] = []
        one.listener = other.listener = self

    def begin(self) -> None:
        """Join the streams, as far as both ends are still there."""
        one, other = self._pair
        for connection in self._pair:
            connection.go_quiet()
        if one.stream is not None and other.stream is not None and not (one.is_over or other.is_over):
            if not one.stream.reaches(other.stream):
                one.refuse(Refusal("media.apart"))
                return
            one.stream.bridge(other.stream)
        self._entertained.clear()  # the bridge has ended what played
        self.on_direction(one)
        for connection in self._pair:
            connection.watch()  # a hairpin whose caller vanished must not hold its channels
            if connection.is_over:  # it hung up in the instant in which it was joined
                self.other(connection).hang_up(connection.cause)

    def on_progress(self, connection: Connection, status: int) -> None:
        """Nothing rings any more."""

    def on_answered(self, connection: Connection) -> None:
        """The caller's ACK came, perhaps with his answer."""
        self.on_direction(connection)

    def on_direction(self, connection: Connection) -> None:
        """Whom one end does not hear, or does not want to hear it, learns that by a re-INVITE (RFC 3264 8.4).

        Where it sends is settled by the same.
        """
        for one, peer in zip(self._pair, self._direct.peers(), strict=True):
            wanted = self.other(one).wanted
            music = one.media.hold_music and not wanted.receives
            one.renegotiation.follow(Direction.SENDONLY if music else wanted, peer)
        for one in self._pair:
            self._entertain(one)
        self._pass_on_digits()

    def speak_by_the_plane(self) -> None:
        """Bring the audio of both back to the plane for good: somebody needs it there."""
        self._direct.give_up()
        for one in self._pair:
            one.renegotiation.follow(one.negotiation.allowed)

    def _entertain(self, held: Connection) -> None:
        """Begin or end the music of one end; it takes the place of all that the other one sends."""
        holder = self.other(held)
        wants = held.media.hold_music and held.wanted.receives and not holder.wanted.receives
        if held.stream is None or wants is (held in self._entertained):
            return
        if wants:
            self._entertained.add(held)
            held.stream.play((Music(),))
        else:
            self._entertained.remove(held)
            held.stream.stop_playing()

    def on_digit(self, connection: Connection, digit: str) -> None:
        """A digit by INFO is heard at the other end as one of RFC 4733, or as a tone; the plane makes it."""
        self._informed.append((connection, digit))
        asyncio.get_running_loop().call_later(HEARD_WITHIN_S, self._press)

    def _press(self) -> None:
        connection, digit = self._informed.pop(0)
        now = asyncio.get_running_loop().time()
        if connection.listener is not self or not self._keys[connection].is_new(digit, now, by_info=True):
            return
        self._waiting_digits.append((self.other(connection), digit))
        if not self._direct.is_over:
            self.speak_by_the_plane()
        self._pass_on_digits()

    def _pass_on_digits(self) -> None:
        """Press the keys that came by INFO, once both ends listen to the plane."""
        if self._waiting_digits and self._direct.is_over:
            digits, self._waiting_digits = self._waiting_digits, []
            for connection, digit in digits:
                if connection.stream is not None:
                    connection.stream.send_digits(digit)

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """The plane relays; digits go with the audio."""
        match event:
            case StreamLost():
                connection.refuse(Refusal("media.lost"))
            case DigitHeard(digit):
                now = asyncio.get_running_loop().time()
                self._keys[connection].is_new(digit, now, by_info=False)
            case _:
                pass

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """End the other one, too."""
        self.other(connection).hang_up(connection.cause)

    def others(self, connection: Connection) -> list[Connection]:
        """Return who may come into a conference with whom they talk to."""
        return [self.other(connection)]

    def other(self, connection: Connection) -> Connection:
        """Return whom a connection talks to."""
        one, other = self._pair
        return other if connection is one else one
