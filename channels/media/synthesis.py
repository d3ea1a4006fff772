"""Speech from text by espeak-ng, the library that the `tts` extra brings along.

It is loaded where it may crash: in a helper process (`workbench`), or by the script that renders the prompts.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from .conversion import telephone, trimmed

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOICES = {"de": "de+f3", "en": "en-us+f3"}
"""The voice of each language that the server speaks."""
WORDS_PER_MINUTE = 160
_RETRIEVAL, _SAMPLES_AT_ONCE_MS, _UTF8, _RATE = 1, 0, 1, 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def is_installed() -> bool:
    """Whether the `tts` extra is there."""
    return find_spec("espeakng_loader") is not None


def spoken(text: str, language: str, *, before_s: float = 0.1, after_s: float = 0.15) -> NDArray[np.int16]:
    """Return `text` as a telephone carries it; `language` is a key of `VOICES`.

    Raises ImportError without the `tts` extra, OSError where the synthesiser fails.
    """
    library, rate_hz = _library()
    sound = bytearray()

    def take(samples: int | None, count: int, _: int | None) -> int:
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _CALLBACK(take)
    library.espeak_SetSynthCallback(callback)
    _require(library.espeak_SetVoiceByName(VOICES[language].encode()), f"it has no voice {VOICES[language]}")
    library.espeak_SetParameter(_RATE, WORDS_PER_MINUTE, 0)
    written = text.encode()
    _require(library.espeak_Synth(written, len(written) + 1, 0, 0, 0, _UTF8, None, None), "it takes no text")
    _require(library.espeak_Synchronize(), "it did not finish")
    samples = np.frombuffer(bytes(sound), np.int16).astype(np.float32) / 32768
    return trimmed(telephone([samples], rate_hz), before_s, after_s)


@cache
def _library() -> tuple[Any, int]:
    """The synthesiser, and the rate at which it speaks."""
    import espeakng_loader  # noqa: PLC0415 - an extra

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate_hz = library.espeak_Initialize(
        _RETRIEVAL, _SAMPLES_AT_ONCE_MS, espeakng_loader.get_data_path().encode(), 0
    )
    _require(min(rate_hz, 0), "its data is not there")
    return library, rate_hz


def _require(status: int, otherwise: str) -> None:
    if status:
        raise OSError(f"espeak-ng failed: {otherwise}")
