"""DTMF digits that come as tones in the audio: gathers what the listening streams of a plane hear, for one detector.

A stream machine opens an `Ear` while somebody listens for digits on it and its far end has not negotiated telephone
events (RFC 4733); all others cost nothing here. The detector needs numpy, which is imported with it at its first use.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .g711 import CODECS, SAMPLE_RATE_HZ, decode_to_pcm
from .rtp import is_newer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .digit_detector import DigitDetector
    from .rtp import Packet

GATHER_S = 0.02
"""What all streams heard for so long is looked at together."""

LONGEST_GAP_SAMPLES = SAMPLE_RATE_HZ // 10
"""So much silence takes the place of packets that were lost or never sent; more would tell no more."""

_STEP_BYTES = SAMPLE_RATE_HZ // 100 * 2
_FIRST_SLOTS = 16
_U32 = 0xFFFFFFFF


class Ear:
    """What one stream hears; `heard` is told each digit at its beginning, `is_down` tells whether one sounds."""

    __slots__ = ("_bank", "_next", "_sequence", "_ssrc", "heard", "is_down", "pcm", "slot")

    def __init__(self, bank: InbandDigits, slot: int, heard: Callable[[str], None]) -> None:
        self._bank = bank
        self._ssrc: int | None = None
        self._sequence = 0
        self._next = 0
        self.slot = slot
        self.heard = heard
        self.is_down = False
        self.pcm = bytearray()

    def hear(self, packet: Packet, now: float) -> None:
        """Take a packet of G.711, or one without payload; one that comes late or twice is left out."""
        if packet.ssrc == self._ssrc:
            if not is_newer(packet.sequence, self._sequence):
                return
            gap = (packet.timestamp - self._next) & _U32
            if 0 < gap < 0x80000000:
                self.pcm += bytes(2 * min(gap, LONGEST_GAP_SAMPLES))
        self._ssrc, self._sequence = packet.ssrc, packet.sequence
        self._next = packet.timestamp + len(packet.payload)
        if packet.payload:
            self.pcm += decode_to_pcm(packet.payload, CODECS[packet.payload_type])
        self._bank.expect(now)

    def close(self) -> None:
        """Hear nothing more."""
        self._bank.close(self)


class InbandDigits:
    """All ears of a plane."""

    def __init__(self) -> None:
        self._detector: DigitDetector | None = None
        self._ears: dict[int, Ear] = {}
        self._free: list[int] = []
        self._due: float | None = None

    def open(self, heard: Callable[[str], None]) -> Ear:
        """Begin to listen for a stream."""
        slot = self._free.pop() if self._free else len(self._ears)
        self._ears[slot] = ear = Ear(self, slot, heard)
        if self._detector is not None and slot < self._detector.slots:
            self._detector.reset(slot)
        return ear

    def close(self, ear: Ear) -> None:
        """Called by the ear."""
        if self._ears.get(ear.slot) is ear:
            del self._ears[ear.slot]
            self._free.append(ear.slot)

    def expect(self, now: float) -> None:
        """Called by an ear that has heard something."""
        if self._due is None:
            self._due = now + GATHER_S

    def next_deadline(self) -> float | None:
        """When `tick` wants to be called; None while no ear hears anything."""
        return self._due

    def tick(self, now: float) -> None:
        """Look for digits in what was heard, if it is time."""
        if self._due is None or self._due > now:
            return
        self._due = None
        while ready := [ear for ear in self._ears.values() if len(ear.pcm) >= _STEP_BYTES]:
            self._take(ready, min(len(ear.pcm) for ear in ready) // _STEP_BYTES)

    def _take(self, ready: list[Ear], steps: int) -> None:
        """Let the detector have the first `steps` of each ear that is ready."""
        import numpy as np  # noqa: PLC0415 - only where somebody listens for tones

        from .digit_detector import DigitDetector  # noqa: PLC0415 - as above

        highest = max(ear.slot for ear in ready)
        if self._detector is None:
            self._detector = DigitDetector(max(_FIRST_SLOTS, highest + 1))
        elif highest >= self._detector.slots:
            self._detector.grow(2 * highest)
        size = steps * _STEP_BYTES
        samples = np.frombuffer(b"".join([ear.pcm[:size] for ear in ready]), np.int16)
        if sys.byteorder == "big":
            samples = samples.byteswap()
        for ear in ready:
            del ear.pcm[:size]
        slots = np.array([ear.slot for ear in ready])
        parts = samples.reshape(len(ready), steps, -1)
        for number in range(steps):
            for slot, digit in self._detector.step(slots, parts[:, number]):
                self._ears[slot].heard(digit)
                self._ears[slot].is_down = True
        for ear in ready:
            if ear.is_down:
                ear.is_down = self._detector.is_down(ear.slot)
