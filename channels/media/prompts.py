"""Where sounds come from: prompts and music of the package, encoded once for each codec, and WAV files of messages.

The player reads them. A file that is missing or no mono 16-bit 8 kHz WAV raises OSError or ValueError here. Prompts are
Ogg/Opus and decoded at their first use, by a library that whoever plays them imports (`warm_up`).
"""

from __future__ import annotations

import sys
import wave
from array import array
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from .g711 import SAMPLE_RATE_HZ, encode, translate
from .plane import Codec, Prompt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .plane import Playable

_BLOCK = SAMPLE_RATE_HZ


LANGUAGES = ("de", "en")
"""The languages that the prompts are spoken in."""


def _fixture(*names: str) -> Path:
    return Path(str(files(__name__.partition(".")[0]).joinpath("fixtures", *names)))


@cache
def prompt_path(prompt: Prompt) -> Path:
    """Return the file of `prompt`; raises ValueError if there is none."""
    language = prompt.language or "en"
    path = _fixture("prompts", language, f"{prompt.name}.opus")
    known = language in LANGUAGES and prompt.name.replace("_", "").isalnum()
    if not known or not path.is_file():
        raise ValueError(f"there is no prompt {prompt.name!r}: {path} does not exist")
    return path


def is_prompt(name: str) -> bool:
    """Whether there is an announcement of that name."""
    try:
        return prompt_path(Prompt(name)) is not None
    except ValueError:
        return False


def require_prompts(playables: Iterable[Playable]) -> None:
    """Raise ValueError if one of `playables` is a prompt that does not exist."""
    for playable in playables:
        if isinstance(playable, Prompt):
            prompt_path(playable)


def warm_up() -> None:
    """Import the decoder and decode a first prompt, once; it takes 0.2 s, in which packets would be late."""
    with suppress(OSError, ValueError):  # whoever plays one passes it over
        prompt_payload(Prompt("0"), Codec.PCMA)


@cache
def prompt_payload(prompt: Prompt, codec: Codec) -> bytes:
    """Return the whole of `prompt` in `codec`."""
    import soundfile  # noqa: PLC0415 - see `warm_up`

    path = prompt_path(prompt)
    try:
        with soundfile.SoundFile(path) as file:
            return encode(array("h", bytes(file.buffer_read(dtype="int16"))), codec)
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path} cannot be read ({error}): install Ringfence again") from error


@cache
def music_payload(codec: Codec) -> bytes:
    """Return the whole piece that is played on hold in `codec`; raises OSError if it is gone."""
    if codec is Codec.PCMA:
        return _fixture("music", "hold.al").read_bytes()
    return translate(music_payload(Codec.PCMA), Codec.PCMA)


def wav_layout(path: Path) -> tuple[int, int]:
    """Return at which byte the samples of a WAV file begin, and how many there are."""
    try:
        with path.open("rb") as file, wave.open(file) as reader:
            form = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            if form != (1, 2, SAMPLE_RATE_HZ):
                raise ValueError(
                    f"{path} has {form[0]} channels of {8 * form[1]} bit at {form[2]} Hz: "
                    "convert it to mono, 16 bit, 8000 Hz"
                )
            return file.tell(), reader.getnframes()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is no WAV file ({error}): give a mono 16-bit 8 kHz WAV") from error


def wav_samples(path: Path, start: int, count: int) -> array[int]:
    """Return up to `count` samples of a WAV file from its byte `start` on."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(2 * count)
    samples = array("h", data[: len(data) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


class ClipReader:
    """Reads a WAV file second by second, so that a long message costs little memory and holds no file open."""

    __slots__ = ("_block", "_block_at", "_count", "_path", "_start")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start, self._count = wav_layout(path)
        self._block = array("h")
        self._block_at = 0

    @property
    def length(self) -> int:
        """The number of samples."""
        return self._count

    def read(self, position: int, samples: int) -> array[int]:
        """Return up to `samples` samples from `position` on; fewer where the file ends early."""
        if not self._block_at <= position <= position + samples <= self._block_at + len(self._block):
            count = min(max(samples, _BLOCK), self._count - position)
            self._block = wav_samples(self._path, self._start + 2 * position, count)
            self._block_at = position
        offset = position - self._block_at
        return self._block[offset : offset + samples]
