"""Call progress tones, the beep and the DTMF tone pairs, and their synthesis as G.711.

The frequencies and cadences are those of the German network (ITU-T E.180, supplement 2); the tone pairs are ITU-T
Q.23's. Behaviours play the constants, the player reads their samples.
"""

from __future__ import annotations

from functools import lru_cache
from math import pi, sin
from typing import TYPE_CHECKING

from .g711 import SAMPLE_RATE_HZ, SILENCE, encode
from .plane import Tone

if TYPE_CHECKING:
    from .plane import Codec

DIAL = Tone((425,))
"""Wählton."""

RINGBACK = Tone((425,), cadence_s=(1.0, 4.0))
"""Freiton."""

BUSY = Tone((425,), cadence_s=(0.48, 0.48))
"""Besetztton."""

CONGESTION = Tone((425,), cadence_s=(0.24, 0.24))
"""Gassenbesetztton."""

SPECIAL_INFORMATION = (Tone((950,), 0.33), Tone((1400,), 0.33), Tone((1800,), 0.33))
"""Hinweiston: the three tones before an announcement that the call failed."""

BEEP = Tone((1000,), 0.4)
"""After it a recording begins."""

ROWS_HZ = (697, 770, 852, 941)
COLUMNS_HZ = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
_PEAK = 12000


def digit_tone(digit: str) -> Tone:
    """Return the tone pair of one of 0-9, A-D, * and #; 100 ms long."""
    row, column = divmod(KEYS.index(digit), 4)
    return Tone((ROWS_HZ[row], COLUMNS_HZ[column]), 0.1)


@lru_cache(maxsize=64)
def _second(frequencies_hz: tuple[int, ...], codec: Codec) -> bytes:
    """One second of the sum of whole frequencies: it repeats without a seam."""
    peak = _PEAK / max(1, len(frequencies_hz))
    steps = [2 * pi * frequency / SAMPLE_RATE_HZ for frequency in frequencies_hz]
    samples = (round(sum(peak * sin(step * n) for step in steps)) for n in range(SAMPLE_RATE_HZ))
    return encode(samples, codec)


def tone_payload(tone: Tone, codec: Codec, position: int, samples: int) -> bytes:
    """Return `samples` bytes of `tone` from its sample `position` on, its cadence kept."""
    second = _second(tone.frequencies_hz, codec)
    start = position % SAMPLE_RATE_HZ
    sound = second[start : start + samples]
    while len(sound) < samples:
        sound += second[: samples - len(sound)]
    if not tone.cadence_s:
        return sound
    pauses = bytearray(sound)
    phases = [max(1, round(seconds * SAMPLE_RATE_HZ)) for seconds in tone.cadence_s]
    at = -(position % sum(phases))
    while at < samples:
        for index, length in enumerate(phases):
            if index % 2:
                begin, end = max(0, at), min(samples, at + length)
                pauses[begin:end] = SILENCE[codec] * max(0, end - begin)
            at += length
    return bytes(pauses)
