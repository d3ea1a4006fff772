"""The process that reads uploaded sounds and speaks texts, one each, so that neither can harm the server.

`workshop` starts it as `python -m ringfence.channels.media.workbench TARGET [LANGUAGE]`. On its standard input comes
the sound, or with a language the text. It writes TARGET (WAV, mono, 16 bit, 8 kHz) and prints JSON: the length as
`duration_s`, or the `reason` of a refusal. Memory, time and what it may write are bounded; when it dies, it was that.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import wave
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile

from .conversion import RATES_HZ, telephone
from .g711 import SAMPLE_RATE_HZ
from .synthesis import is_installed, spoken
from .workshop import MOST_S, TIME_LIMIT_S, SoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

_FORMATS = {"WAV", "WAVEX", "FLAC", "OGG", "MP3"}
_CHANNELS = range(1, 33)
_SAMPLES_AT_ONCE = 1 << 18
_MOST_MEMORY_BYTES = 2 << 30
_MOST_FILE_BYTES = 16 << 20


def read(data: bytes) -> NDArray[np.int16]:
    """Return the sound of a WAV, MP3, FLAC or Ogg file as a telephone carries it; raises `SoundError`."""
    try:
        with soundfile.SoundFile(BytesIO(data)) as file:
            known = file.format in _FORMATS and file.channels in _CHANNELS and file.samplerate in RATES_HZ
            if not known:
                raise SoundError("sound.unreadable")
            samples = telephone(_blocks(file), file.samplerate)
    except (soundfile.SoundFileError, ValueError) as error:
        raise SoundError("sound.unreadable") from error
    return samples


def main(arguments: list[str]) -> None:
    """Do what the command line asks for."""
    target, *languages = arguments
    line = os.dup(1)
    os.dup2(2, 1)  # whatever a library may print is no answer
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_FILE_BYTES, _MOST_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.alarm(round(TIME_LIMIT_S) + 1)  # when the server is gone and cannot end it
    try:
        duration_s = _work(sys.stdin.buffer.read(), Path(target), *languages)
    except SoundError as error:
        answer: dict[str, object] = {"reason": error.reason}
    else:
        answer = {"duration_s": duration_s}
    with os.fdopen(line, "w") as out:
        out.write(json.dumps(answer))


def _work(given: bytes, target: Path, language: str | None = None) -> float:
    if language is None:
        samples = read(given)
    elif is_installed():
        samples = spoken(given.decode(), language)
    else:
        raise SoundError("speech.not_installed")
    if not len(samples):
        raise SoundError("sound.empty")
    if len(samples) > MOST_S * SAMPLE_RATE_HZ:
        raise SoundError("sound.too_long")
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return len(samples) / SAMPLE_RATE_HZ


def _blocks(file: soundfile.SoundFile) -> Iterator[NDArray[Any]]:
    """The frames of a file in pieces; whatever its head says, no more is read than may be long enough."""
    left = int(MOST_S * file.samplerate) + 1
    at_once = max(1, _SAMPLES_AT_ONCE // file.channels)
    while left > 0:
        block = file.read(min(left, at_once), dtype="float32", always_2d=True)
        if not len(block):
            return
        left -= len(block)
        yield block
    raise SoundError("sound.too_long")


if __name__ == "__main__":
    main(sys.argv[1:])
