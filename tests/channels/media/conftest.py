"""A message to play: a WAV file with two seconds of speech."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.g711 import SAMPLE_RATE_HZ, decode
from ringfence.channels.media.plane import Codec, Prompt
from ringfence.channels.media.prompts import prompt_payload

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def message_wav(tmp_path: Path) -> Path:
    path = tmp_path / "message.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(decode(prompt_payload(Prompt("no_messages"), Codec.PCMA), Codec.PCMA).tobytes())
    return path
