"""DTMF digits that come as tones in the audio: gathers what the listening streams of a plane hear, for one detector.

A stream machine opens an `Ear` while somebody listens for digits on it and its far end has not negotiated telephone
events (RFC 4733); all others cost nothing here. The detector needs numpy, which is imported with it at its first use.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from .g711 import CODECS, SAMPLE_RATE_HZ, SILENCE, decode, translate
from .plane import Codec
from .rtp import is_newer

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from .digit_detector import DigitDetector
    from .rtp import Packet

GATHER_S = 0.02
"""What all streams heard for so long is looked at together."""

LONGEST_GAP_SAMPLES = SAMPLE_RATE_HZ // 10
"""So much silence takes the place of packets that were lost or never sent; more would tell no more."""

_STEP_BYTES = SAMPLE_RATE_HZ // 100
_FIRST_SLOTS = 16
_CODES = 256
_U32 = 0xFFFFFFFF


class Ear:
    """What one stream hears; `heard` is told each digit at its beginning, `is_down` tells whether one sounds."""

    __slots__ = ("_bank", "_codec", "_next", "_sequence", "_ssrc", "codes", "heard", "is_down", "slot")

    def __init__(self, bank: InbandDigits, slot: int, heard: Callable[[str], None]) -> None:
        self._bank = bank
        self._ssrc: int | None = None
        self._sequence = 0
        self._next = 0
        self.slot = slot
        self.heard = heard
        self.is_down = False
        self._codec = Codec.PCMA
        self.codes = bytearray()

    def hear(self, packet: Packet, now: float) -> None:
        """Take a packet of G.711, or one without payload; one that comes late or twice is left out."""
        _, kind, sequence, stamp, ssrc, payload = packet
        if ssrc == self._ssrc:
            if not is_newer(sequence, self._sequence):
                return
            gap = (stamp - self._next) & _U32
            if 0 < gap < 0x80000000:
                self.codes += SILENCE[self._codec] * min(gap, LONGEST_GAP_SAMPLES)
        self._ssrc, self._sequence, self._next = ssrc, sequence, stamp + len(payload)
        if payload:
            if CODECS[kind] is not self._codec:
                self.codes = bytearray(translate(bytes(self.codes), self._codec))
                self._codec = CODECS[kind]
            self.codes += payload
        self._bank.expect(now)

    def taken(self, count: int) -> tuple[bytearray, Codec]:
        """Give the first `count` bytes away."""
        codes = self.codes[:count]
        del self.codes[:count]
        return codes, self._codec

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
        while ready := [ear for ear in self._ears.values() if len(ear.codes) >= _STEP_BYTES]:
            self._take(ready, min([len(ear.codes) for ear in ready]) // _STEP_BYTES)

    def _take(self, ready: list[Ear], steps: int) -> None:
        """Let the detector have the first `steps` of each ear that is ready."""
        import numpy as np  # noqa: PLC0415 - only where somebody listens for tones

        from .digit_detector import DigitDetector  # noqa: PLC0415 - as above

        highest = max(ear.slot for ear in ready)
        if self._detector is None:
            self._detector = DigitDetector(max(_FIRST_SLOTS, highest + 1))
        elif highest >= self._detector.slots:
            self._detector.grow(2 * highest)
        taken = [ear.taken(steps * _STEP_BYTES) for ear in ready]
        codes = np.frombuffer(b"".join([part for part, _ in taken]), np.uint8).reshape(len(ready), -1)
        laws = np.array([codec is Codec.PCMU for _, codec in taken])
        samples = _levels().take(codes + (laws * np.uint16(_CODES))[:, None])
        for slot, digit in self._detector.hear(np.array([ear.slot for ear in ready]), samples):
            self._ears[slot].heard(digit)
            self._ears[slot].is_down = True
        for ear in ready:
            if ear.is_down:
                ear.is_down = self._detector.is_down(ear.slot)


@cache
def _levels() -> NDArray[np.float32]:
    """The sample of each code of A-law, and behind them of µ-law."""
    import numpy as np  # noqa: PLC0415 - as above

    codes = bytes(range(_CODES))
    return np.array([*decode(codes, Codec.PCMA), *decode(codes, Codec.PCMU)], np.float32)
