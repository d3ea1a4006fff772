"""A WAV file with a tone, for what is said or uploaded in a test."""

from __future__ import annotations

import math
import wave
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_tone(path: Path, tone_hz: int, duration_s: int = 20) -> None:
    """Write a mono 16-bit 8 kHz file that lasts `duration_s` seconds."""
    samples = (round(8000 * math.sin(2 * math.pi * tone_hz * n / 8000)) for n in range(8000 * duration_s))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(array("h", samples).tobytes())
