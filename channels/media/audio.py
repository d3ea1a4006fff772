"""What was heard, as a value to assert on: length, loudness, and whether a tone is in it.

Scripted phones and tests read recordings with it; no call path needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sqrt
from typing import TYPE_CHECKING

from .g711 import SAMPLE_RATE_HZ
from .prompts import wav_layout, wav_samples

if TYPE_CHECKING:
    from array import array
    from pathlib import Path

_BLOCK = SAMPLE_RATE_HZ // 10
_AUDIBLE_RMS = 50.0


@dataclass(frozen=True, slots=True)
class Audio:
    """Signed 16-bit samples at 8 kHz."""

    samples: array[int]

    @classmethod
    def from_wav(cls, path: Path) -> Audio:
        """Read a mono 16-bit 8 kHz WAV file; raises OSError or ValueError if it is none."""
        return cls(wav_samples(path, *wav_layout(path)))

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def rms(self) -> float:
        """The root mean square of the samples: 0 is silence, 32767 a full square wave."""
        return sqrt(self._energy() / len(self.samples)) if self.samples else 0.0

    def between(self, start_s: float, end_s: float | None = None) -> Audio:
        """Return the part from `start_s` to `end_s` seconds, or to the end."""
        end = None if end_s is None else round(end_s * SAMPLE_RATE_HZ)
        return Audio(self.samples[round(start_s * SAMPLE_RATE_HZ) : end])

    def power_at(self, frequency_hz: float) -> float:
        """Return the share of all energy, 0 to 1, that lies at `frequency_hz`, give or take 10 Hz (Goertzel)."""
        total = self._energy()
        if total == 0:
            return 0.0
        blocks = (self.samples[at : at + _BLOCK] for at in range(0, len(self.samples), _BLOCK))
        return min(1.0, sum(_goertzel(block, frequency_hz) for block in blocks) / total)

    def contains_tone(self, frequency_hz: float, threshold: float = 0.5) -> bool:
        """Tell whether at least `threshold` of the energy lies at `frequency_hz`, and there is sound at all."""
        return self.rms >= _AUDIBLE_RMS and self.power_at(frequency_hz) >= threshold

    def _energy(self) -> float:
        return float(sum(sample * sample for sample in self.samples))


def _goertzel(block: array[int], frequency_hz: float) -> float:
    """The energy of the sine at `frequency_hz` in `block`."""
    factor = 2 * cos(2 * pi * frequency_hz / SAMPLE_RATE_HZ)
    before, last = 0.0, 0.0
    for sample in block:
        before, last = last, sample + factor * last - before
    return 2 * (before * before + last * last - factor * before * last) / len(block)
