"""Audio that a bridge relays in packets of another length than its source has: each end gets the ptime it asked for.

A sender begins it when a packet of another length comes, and from then on sends what it returns: packets numbered as if
the source had cut them so (RFC 3551 section 4.2). In every codec here a byte is one tick of the RTP clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rtp import Packet, is_newer

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LOST = 1000
"""A gap of more packets is told as one of so many."""

_U16 = 0xFFFF
_U32 = 0xFFFFFFFF


class Recut:
    """One source. What fills no packet yet waits for the next one; what comes late is lost."""

    __slots__ = ("_held", "_latest", "_marker", "_payload_type", "_sequence", "_stamp", "ssrc")

    def __init__(self, packet: Packet) -> None:
        self.ssrc = packet.ssrc
        self._latest = packet.sequence - 1
        self._sequence = packet.sequence
        self._stamp = packet.timestamp
        self._payload_type = packet.payload_type
        self._held = b""
        self._marker = False

    def cut(self, packet: Packet, samples: int) -> Iterator[Packet]:
        """Give what is whole with this packet in packets of `samples`.

        Where something was lost, or the source was silent, a shorter one ends what came before.
        """
        lost = self._take_number(packet)
        if lost is None:
            return
        gap = (packet.timestamp - self._stamp - len(self._held)) & _U32
        if packet.payload_type != self._payload_type:
            self._held = b""  # of a codec that is not spoken any more
        if lost or gap:
            yield from self.flush()
            if lost:
                self._skip(gap // samples if gap < 0x80000000 else lost)
        if not self._held:
            self._stamp, self._payload_type = packet.timestamp, packet.payload_type
        self._held += packet.payload
        self._marker = self._marker or packet.marker
        while len(self._held) >= samples:
            yield self._piece(samples)

    def passed(self, packet: Packet) -> Iterator[Packet]:
        """Give a packet that is no audio whole, behind what waits."""
        lost = self._take_number(packet)
        if lost is None:
            return
        yield from self.flush()
        if lost:
            self._skip(lost)
        yield packet._replace(sequence=self._next_number())

    def leave_out(self, packet: Packet) -> Iterator[Packet]:
        """Give what waits; the packet itself is not sent."""
        if self._take_number(packet) is not None:
            yield from self.flush()

    def flush(self) -> Iterator[Packet]:
        """Give what waits."""
        if self._held:
            yield self._piece(len(self._held))

    def _take_number(self, packet: Packet) -> int | None:
        """Return how many packets are missing before this one, 1 where its source began anew; None for a late one."""
        if not is_newer(packet.sequence, self._latest):
            return None
        missing = (packet.sequence - self._latest - 1) & _U16
        self._latest = packet.sequence
        return missing if missing < 0x8000 else 1

    def _skip(self, count: int) -> None:
        self._sequence += max(1, min(count, MOST_LOST))

    def _next_number(self) -> int:
        number = self._sequence & _U16
        self._sequence += 1
        return number

    def _piece(self, samples: int) -> Packet:
        piece, self._held = self._held[:samples], self._held[samples:]
        stamp, self._stamp = self._stamp, (self._stamp + samples) & _U32
        marker, self._marker = self._marker, False
        return Packet(marker, self._payload_type, self._next_number(), stamp, self.ssrc, piece)
