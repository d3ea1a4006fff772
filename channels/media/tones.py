"""The DTMF tone pairs of ITU-T Q.23, and the synthesis of every tone as G.711, which the player reads."""

from __future__ import annotations

from functools import lru_cache
from math import pi, sin
from typing import TYPE_CHECKING

from .g711 import SAMPLE_RATE_HZ, SILENCE, encode
from .plane import Tone

if TYPE_CHECKING:
    from .plane import Codec

ROWS_HZ = (697, 770, 852, 941)
COLUMNS_HZ = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
_FULL_SCALE = 32256
_FULL_SCALE_DBM0 = 3.14


def digit_tone(digit: str) -> Tone:
    """Return the tone pair of one of 0-9, A-D, * and #; 100 ms long."""
    row, column = divmod(KEYS.index(digit), 4)
    return Tone((ROWS_HZ[row], COLUMNS_HZ[column]), 0.1)


@lru_cache(maxsize=64)
def _second(frequencies_hz: tuple[int, ...], level_dbm0: float, codec: Codec) -> bytes:
    """One second of the sum of whole frequencies: it repeats without a seam."""
    peak = _FULL_SCALE * 10 ** ((level_dbm0 - _FULL_SCALE_DBM0) / 20)
    steps = [2 * pi * frequency / SAMPLE_RATE_HZ for frequency in frequencies_hz]
    samples = (round(sum(peak * sin(step * n) for step in steps)) for n in range(SAMPLE_RATE_HZ))
    return encode(samples, codec)


def tone_payload(tone: Tone, codec: Codec, position: int, samples: int) -> bytes:
    """Return `samples` bytes of `tone` from its sample `position` on, its cadence kept."""
    second = _second(tone.frequencies_hz, tone.level_dbm0, codec)
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
