"""What a caller is told and hears while somebody is rung for him: 18x, and early media (RFC 3261 13.2.1, RFC 3960).

Each connection has one. Whose early media a caller hears is decided in `ringing`; what follows them, a box or another
telephone, rings in the same session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import NoStreamError
from ...licensing.refusal import Refusal

if TYPE_CHECKING:
    from ...channels.media.plane import Codec
    from .connection import Connection
    from .switch import Switch

RINGS, SESSION_PROGRESS = 180, 183


class Alerting:
    """See the module; `connection` is the caller's."""

    __slots__ = ("_connection", "_switch")

    def __init__(self, switch: Switch, connection: Connection) -> None:
        self._switch = switch
        self._connection = connection

    async def prepare(self) -> bool:
        """Open the stream of a caller whom only an offer of ours can tell that it rings (RFC 3262 5).

        False when he is gone, or refused because there are no ports.
        """
        connection = self._connection
        if connection.leg is None or connection.is_answered or not connection.leg.rings_by_offer:
            return True
        try:
            return await connection.open_stream()
        except NoStreamError as error:
            connection.refuse(Refusal(error.reason))
            return False

    def ring(self, status: int = RINGS, *, in_band: bool = True) -> None:
        """Tell the caller that it rings, or by 181 and 182 that somebody else will.

        With `in_band` he also hears it who can by now: his telephone leaves the tone to us once there are media.
        """
        connection, negotiation = self._connection, self._connection.negotiation
        if connection.leg is None:
            return
        hears = connection.is_answered or negotiation.is_early
        if in_band and hears and connection.stream is not None:
            connection.stream.play((self._switch.tones.ringback,))
        if not connection.is_answered:
            offers = connection.leg.rings_by_offer and not negotiation.is_early
            body = negotiation.begin_early(connection.port) if offers else b""
            connection.leg.ring(self._switch.clock.now(), status, body)
            self._switch.flush()

    async def speak(self, codec: Codec | None = None) -> bool:
        """Let the caller have early media, by a 183 with SDP if he has none yet; False where he cannot.

        That is so for who leaves the offer to us, for everybody when there are no ports, and for who is gone.
        """
        connection, negotiation = self._connection, self._connection.negotiation
        if negotiation.is_early or connection.is_answered:
            return True
        try:
            if not negotiation.has_offer or not await connection.open_stream():
                return False
        except NoStreamError:
            return False
        if connection.leg is None:
            return False
        if not connection.is_answered:
            body = negotiation.begin_early(connection.port, codec)
            connection.connect()
            connection.leg.ring(self._switch.clock.now(), SESSION_PROGRESS, body)
            self._switch.flush()
        return True

    async def hear(self, device: Connection) -> None:
        """Let the caller hear the early media of a device that rings, by a 183 with SDP if he has no media yet.

        Who leaves the offer to us, and everybody when there are no ports, is told that it rings.
        """
        connection = self._connection
        if not connection.is_answered:
            codec = device.agreed.codec if device.agreed is not None else None
            if not await self.speak(codec):
                self.ring()
                return
            if connection.is_answered:
                return
        if connection.stream is None or device.stream is None or device.is_over:
            return
        if connection.stream.reaches(device.stream):
            connection.stream.bridge(device.stream)
