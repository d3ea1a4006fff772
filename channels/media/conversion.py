"""From any sound to the telephone's: mono, 8 kHz, 16 bit, at a sane loudness.

The process that reads uploads and speaks texts (`workbench`) works with it, and so does the script that renders the
prompts; no call path needs it, and the main process never imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import soxr

from .g711 import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Samples: TypeAlias = "NDArray[np.float32]"

RATES_HZ = range(1000, 768_001)
SPEECH_RMS = 0.1
"""The loudness of what is spoken, 20 dB below full scale: that of a telephone conversation."""
_FRAME = SAMPLE_RATE_HZ // 50
_PEAK = 0.9
_MOST_GAIN = 8.0
_SILENT = 0.002


def telephone(blocks: Iterable[NDArray[Any]], rate_hz: int) -> NDArray[np.int16]:
    """Return frames of one or more channels at `rate_hz`, 1 being full scale, as a telephone carries them.

    What is no number is silence. Raises ValueError for a rate outside `RATES_HZ`.
    """
    if rate_hz not in RATES_HZ:
        raise ValueError(f"{rate_hz} Hz is no rate of sound: give one of {RATES_HZ[0]} to {RATES_HZ[-1]} Hz")
    stream = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
    pieces = [stream.resample_chunk(_mono(block)) for block in blocks]
    pieces.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    whole: Samples = np.concatenate(pieces)
    return np.round(levelled(whole) * 32767).astype(np.int16)


def levelled(samples: Samples) -> Samples:
    """Return sound with its spoken parts at `SPEECH_RMS`, as far as peaks and the noise of a faint one allow."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    loudness = np.sqrt(np.mean(np.square(frames), axis=1))
    spoken = loudness[loudness > max(_SILENT, loudness.max(initial=0.0) / 10)]
    if not len(spoken):
        return np.clip(samples, -1.0, 1.0)
    gain = min(SPEECH_RMS / float(np.sqrt(np.mean(np.square(spoken)))), _MOST_GAIN)
    gain = min(gain, _PEAK / float(np.abs(samples).max()))
    louder: Samples = np.clip(samples * np.float32(gain), -1.0, 1.0)
    return louder


def trimmed(samples: NDArray[np.int16], before_s: float, after_s: float) -> NDArray[np.int16]:
    """Return sound with just so much silence before and after it."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 32767 // 100)
    inner = samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]
    return np.pad(inner, (round(before_s * SAMPLE_RATE_HZ), round(after_s * SAMPLE_RATE_HZ)))


def _mono(frames: NDArray[Any]) -> Samples:
    finite = np.nan_to_num(frames.astype(np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    whole: Samples = np.clip(finite, -8.0, 8.0)
    return whole if whole.ndim == 1 else whole.mean(axis=1, dtype=np.float32)
