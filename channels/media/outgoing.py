"""Sequence numbers, timestamps and SSRC of the packets that one stream sends (RFC 3550, section 5.1).

Whether a packet is played, a digit, or relayed from another source, the far end sees one continuous RTP stream. Own
packets are stamped by the clock; relayed ones keep the spacing, gaps and order of their source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .g711 import SAMPLE_RATE_HZ
from .rtp import MARKER, build

if TYPE_CHECKING:
    from random import Random

    from .rtp import Packet

_U32 = 0xFFFFFFFF
_U16 = 0xFFFF


class Outgoing:
    """One outgoing RTP stream."""

    __slots__ = (
        "_anchored",
        "_epoch",
        "_first",
        "_latest",
        "_sequence",
        "_shift",
        "_stamp_shift",
        "octets",
        "packets",
        "ssrc",
    )

    def __init__(self, rng: Random) -> None:
        self.packets = self.octets = 0
        self.ssrc = rng.getrandbits(32)
        # From the lower half, so that an SRTP receiver counts right (RFC 4568 6.4).
        self._sequence = rng.getrandbits(15)
        self._first = rng.getrandbits(32)
        self._epoch: float | None = None
        self._latest: int | None = None
        self._anchored: int | None = None
        self._shift = 0
        self._stamp_shift = 0

    def stamp(self, now: float) -> int:
        """Return the timestamp of something that begins at `now`, always later than all that was sent."""
        if self._epoch is None:
            self._epoch = now
        stamp = self._first + round((now - self._epoch) * SAMPLE_RATE_HZ)
        if self._latest is not None:
            behind = (self._latest + 1 - stamp) & _U32
            if 0 < behind < 0x80000000:
                self._first += behind
                stamp += behind
        return stamp & _U32

    def time(self, now: float) -> int:
        """Return the timestamp that belongs to `now`, for a report (6.4.1)."""
        epoch = now if self._epoch is None else self._epoch
        return self._first + round((now - epoch) * SAMPLE_RATE_HZ) & _U32

    def packet(self, payload_type: int, stamp: int, payload: bytes) -> bytes:
        """Return the next own packet; a relay that went before has to find its place anew."""
        self._anchored = None
        sequence = self._sequence
        self._sequence = (sequence + 1) & _U16
        self._latest = stamp
        self.packets += 1
        self.octets += len(payload)
        return build(payload_type, sequence, stamp, self.ssrc, payload)

    def relayed(self, packet: Packet, payload_type: int, payload: bytes, now: float) -> bytes:
        """Return `packet` of another source in this stream's numbering, with the payload it shall carry here."""
        marker, _, sequence, stamp, source, _ = packet
        if self._anchored != source:
            self._anchored = source
            self._shift = self._sequence - sequence
            self._stamp_shift = self.stamp(now) - stamp
            marker = True
        sequence = (sequence + self._shift) & _U16
        stamp = (stamp + self._stamp_shift) & _U32
        if (sequence - self._sequence) & _U16 < 0x8000:
            self._sequence = (sequence + 1) & _U16
            self._latest = stamp
        self.packets += 1
        self.octets += len(payload)
        return build(payload_type | MARKER if marker else payload_type, sequence, stamp, self.ssrc, payload)

    def withhold(self, packet: Packet) -> None:
        """Count out a packet that is not relayed, once, so that the far end does not take it for lost."""
        ahead = (packet.sequence + self._shift - self._sequence) & _U16
        if self._anchored == packet.ssrc and ahead < 0x8000:
            self._sequence = (self._sequence + ahead) & _U16
            self._shift -= 1

    def leave(self) -> None:
        """Forget the source that was relayed; the next relayed packet begins anew."""
        self._anchored = None
