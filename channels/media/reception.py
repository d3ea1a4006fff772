"""What arrived of the packets that the far end sent: lost, late, out of order, twice, and how unevenly (RFC 3550).

Every stream machine keeps one and asks it when a verdict or an RTCP report is due (sections 6.4.1, A.3 and A.8); a
packet in its turn costs a comparison and the jitter estimator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .g711 import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from .rtp import Packet

LATE_SAMPLES = 60 * SAMPLE_RATE_HZ // 1000
"""A packet that comes this much behind the pace of its source misses a usual jitter buffer (60 ms)."""

MOST_MISSING = 512
"""So many packets that did not come are remembered, to know a late one from a duplicate."""

MAX_DROPOUT = 3000
"""A sequence number further ahead than this is a new beginning of its source (A.1)."""

_PACE = 1 / 256
_U16 = 0xFFFF
_JUMP_SAMPLES = float(SAMPLE_RATE_HZ)


@dataclass(frozen=True, slots=True)
class Interval:
    """One reception report block's numbers, without the round trip (6.4.1); the fraction is of 256."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter_samples: int


class Reception:
    """One incoming RTP stream; a source that begins anew is counted on."""

    __slots__ = (
        "_arrived", "_base", "_expected_before", "_jitter", "_lost_before", "_missing", "_next", "_pace",
        "_reported", "_ssrc", "_stamp", "_transit", "duplicate", "late", "reordered",
    )  # fmt: skip

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._base = 0
        self._next = 0
        self._arrived = 0
        self._stamp = -1
        self._transit = 0.0
        self._pace = 0.0
        self._jitter = 0.0
        self._missing: dict[int, None] = {}
        self._lost_before = 0
        self._expected_before = 0
        self._reported = (0, 0)
        self.late = self.reordered = self.duplicate = 0

    @property
    def lost(self) -> int:
        """How many packets never came, of all that must have been sent."""
        return self._lost_before + max(0, self._next - self._base - self._arrived)

    @property
    def jitter_ms(self) -> float:
        """The interarrival jitter of now in milliseconds."""
        return self._jitter * 1000 / SAMPLE_RATE_HZ

    @property
    def ssrc(self) -> int | None:
        """Who sends, None as long as nobody did."""
        return self._ssrc

    def counts(self) -> tuple[int, int, int, int, float]:
        """Return what was lost, late, out of order and twice, and the jitter in milliseconds."""
        return self.lost, self.late, self.reordered, self.duplicate, round(self.jitter_ms, 3)

    def add(self, packet: Packet, now: float) -> None:
        """Take a packet that arrived at `now`."""
        marker, _, sequence, stamp, ssrc, _ = packet
        if sequence != self._next & _U16 or ssrc != self._ssrc:
            if not self._place(sequence, stamp, ssrc, now):
                return
        else:
            self._next += 1
        self._arrived += 1
        if stamp == self._stamp:
            return  # the packets of one telephone event have the time of its begin (RFC 4733, 2.2.1)
        self._stamp = stamp
        transit = now * SAMPLE_RATE_HZ - stamp
        apart = transit - self._transit
        self._transit = transit
        if apart < 0:
            apart = -apart
        if apart > _JUMP_SAMPLES:
            self._pace = transit
            return
        self._jitter += (apart - self._jitter) * 0.0625
        behind = transit - self._pace
        self._pace += behind * _PACE
        if behind > LATE_SAMPLES:
            if marker:
                self._pace = transit  # it begins to speak, and has not counted its silence (RFC 3551 4.1)
            else:
                self.late += 1

    def report(self) -> Interval:
        """Return what a report tells now; its fraction begins anew (A.3)."""
        expected, lost = self._expected_before + self._next - self._base, self.lost
        before, lost_before = self._reported
        self._reported = (expected, lost)
        span, gone = expected - before, lost - lost_before
        fraction = (gone << 8) // span if span > 0 and gone > 0 else 0
        return Interval(
            self._ssrc or 0, min(fraction, 255), lost, (self._next - 1) & 0xFFFFFFFF, int(self._jitter)
        )

    def _place(self, sequence: int, stamp: int, ssrc: int, now: float) -> bool:
        """Find the place of a packet that is not the next one; False when it is here already."""
        ahead = (sequence - self._next) & _U16
        if ssrc == self._ssrc and ahead > _U16 - MAX_DROPOUT:
            behind = self._next - (_U16 + 1 - ahead)
            if behind < self._base:
                return False  # older than all that was counted
            if behind not in self._missing:
                self.duplicate += 1
                return False
            del self._missing[behind]
            self.reordered += 1
        elif ssrc == self._ssrc and ahead < MAX_DROPOUT:
            self._missing.update(dict.fromkeys(range(self._next, self._next + ahead)))
            while len(self._missing) > MOST_MISSING:
                del self._missing[next(iter(self._missing))]
            self._next += ahead + 1
        else:
            self._begin(sequence, stamp, ssrc, now)
        return True

    def _begin(self, sequence: int, stamp: int, ssrc: int, now: float) -> None:
        self._lost_before, self._expected_before = (
            self.lost,
            self._expected_before + self._next - self._base,
        )
        self._missing.clear()
        self._ssrc, self._base, self._next, self._arrived = ssrc, sequence, sequence + 1, 0
        self._stamp = -1
        self._transit = self._pace = now * SAMPLE_RATE_HZ - stamp
