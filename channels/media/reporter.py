"""What a stream and its far end report to each other by RTCP: when, to whom, and what comes of it (RFC 3550, 6).

One lives in each stream machine whose far end has a place for reports. It is asked every few seconds and looks at
counters that are kept anyway: an RTP packet costs nothing more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import rtcp
from .acceptance import Acceptance
from .g711 import SAMPLE_RATE_HZ
from .verdict import RemoteReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from .acceptance import Source
    from .outgoing import Outgoing
    from .plane import Remote
    from .reception import Reception

INTERVAL_S = 5.0
"""The shortest time between reports, before it is randomised (6.2); the first one comes after half of it."""

COMPENSATION = 1.21828
"""Intervals are divided by e - 3/2, for the timer reconsideration of 6.3.1."""

MOST_ROUND_TRIP_S = 60.0
"""A far end that claims to have been so slow is not believed."""

_REMEMBERED = 4
_UNITS = 65536
_U32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Session:
    """The RTP session that is reported of."""

    outgoing: Outgoing
    reception: Reception
    transmit: Callable[[bytes, Source], object]
    """Sends from the port of the RTP, for a far end that wants both there (RFC 5761)."""
    transmit_control: Callable[[bytes, Source], object]
    """Sends from the port above it."""


class Reporter:
    """Sends reports and reads those of the far end, whose latest is `remote`."""

    def __init__(self, session: Session, rng: Random, remote: Remote, now: float) -> None:
        self._session = session
        self._rng = rng
        self._name = f"{rng.getrandbits(64):016x}".encode()
        self._acceptance: Acceptance | None = None
        self._sent_before = 0
        self._reported = False
        self._ours: deque[int] = deque(maxlen=_REMEMBERED)
        self._theirs = 0
        self._theirs_at = 0.0
        self._round_trip_ms: float | None = None
        self._muxed = False
        self.at = now + self._interval_s(INTERVAL_S / 2)
        """When the next report is due."""
        self.remote: RemoteReport | None = None
        self.direct(remote)

    def direct(self, remote: Remote) -> None:
        """Report to `remote` from now on; one that did not move keeps its learnt port."""
        self._muxed = remote.rtcp_mux
        place = None if remote.rtcp is None else replace(remote, address=remote.rtcp)
        if place is None:
            self._acceptance = None
        elif self._acceptance is None or not self._acceptance.fits(place):
            self._acceptance = Acceptance(place)

    def receive(self, data: bytes, source: Source, now: float) -> bool:
        """Take a datagram from the port above the stream's; False when it is refused."""
        compound = rtcp.parse(data)
        if compound is None or self._acceptance is None or not self._acceptance.admits(source):
            return False
        self._take(compound, now)
        return True

    def receive_muxed(self, data: bytes, now: float) -> bool:
        """Take a datagram that the far end of the RTP sent to the stream's own port (RFC 5761)."""
        compound = rtcp.parse(data) if self._muxed else None
        if compound is None:
            return False
        self._take(compound, now)
        return True

    def tick(self, now: float, destination: Source | None) -> None:
        """Send the report that is due; `destination` is where RTP may go."""
        self.at = now + self._interval_s(INTERVAL_S)
        self._send(self._report(now), destination)
        self._reported = True

    def end(self, destination: Source | None) -> None:
        """Say goodbye, if the far end knows us (6.6)."""
        if self._reported:
            ssrc = self._session.outgoing.ssrc
            self._send(rtcp.report(ssrc, None, (), self._name) + rtcp.goodbye(ssrc), destination)

    def _interval_s(self, least_s: float) -> float:
        return least_s * (0.5 + self._rng.random()) / COMPENSATION

    def _send(self, data: bytes, destination: Source | None) -> None:
        if self._muxed:
            if destination is not None:
                self._session.transmit(data, destination)
        elif self._acceptance is not None and self._acceptance.destination is not None:
            self._session.transmit_control(data, self._acceptance.destination)

    def _report(self, now: float) -> bytes:
        outgoing, reception = self._session.outgoing, self._session.reception
        sending = None
        if outgoing.packets != self._sent_before:
            self._sent_before = outgoing.packets
            # Nobody gave us the time of day: it is the time since the clock began (6.4.1).
            ntp = int(now * (1 << 32))
            sending = rtcp.Sending(ntp, outgoing.time(now), outgoing.packets & _U32, outgoing.octets & _U32)
            self._ours.append(ntp >> 16 & _U32)
        blocks = []
        if reception.ssrc is not None:
            heard = reception.report()
            since = int((now - self._theirs_at) * _UNITS) & _U32 if self._theirs else 0
            blocks.append(
                rtcp.Block(
                    heard.ssrc,
                    heard.fraction_lost,
                    heard.lost,
                    heard.highest,
                    heard.jitter_samples,
                    self._theirs,
                    since,
                )
            )
        return rtcp.report(outgoing.ssrc, sending, blocks, self._name)

    def _take(self, compound: rtcp.Compound, now: float) -> None:
        if compound.sending is not None:
            self._theirs, self._theirs_at = compound.sending.ntp >> 16 & _U32, now
        for block in compound.blocks:
            if block.ssrc == self._session.outgoing.ssrc:
                if block.last_report in self._ours:
                    self._measure(int(now * _UNITS) - block.last_report - block.since & _U32)
                self.remote = RemoteReport(
                    max(0, block.lost),
                    round(block.fraction_lost / 256, 4),
                    round(block.jitter * 1000 / SAMPLE_RATE_HZ, 3),
                    self._round_trip_ms,
                )

    def _measure(self, units: int) -> None:
        """Note the round trip of a report that we sent; clocks of others may be a little fast."""
        if units > _U32 // 2:
            units = 0
        if units <= MOST_ROUND_TRIP_S * _UNITS:
            self._round_trip_ms = round(units * 1000 / _UNITS, 3)
