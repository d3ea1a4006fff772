"""The value that assertions about sound are made on."""

import wave
from array import array
from math import pi, sin
from pathlib import Path

import pytest

from ringfence.channels.media.audio import Audio


def sine(frequency_hz: float, seconds: float, peak: int = 10000) -> Audio:
    count = round(seconds * 8000)
    return Audio(array("h", (round(peak * sin(2 * pi * frequency_hz * n / 8000)) for n in range(count))))


def test_length_and_loudness() -> None:
    audio = sine(440, 1.5)
    assert audio.duration_s == 1.5
    assert audio.rms == pytest.approx(10000 / 2**0.5, rel=0.001)


def test_a_tone_is_found_in_a_part_and_not_beside_it() -> None:
    audio = Audio(array("h", bytes(16000)) + sine(440, 1).samples)
    assert audio.contains_tone(440)
    assert audio.between(1.0).contains_tone(440, threshold=0.95)
    assert not audio.between(0, 1).contains_tone(440)
    assert not audio.contains_tone(1000)


def test_nothing_heard_contains_nothing() -> None:
    empty = Audio(array("h"))
    assert (empty.duration_s, empty.rms, empty.power_at(440)) == (0, 0, 0)
    assert not empty.contains_tone(440)


def test_a_lost_packet_hides_no_tone() -> None:
    samples = sine(440, 2).samples
    samples[4000:4321] = array("h", bytes(642))
    assert Audio(samples).power_at(440) > 0.9


def test_a_wav_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(sine(1000, 0.5).samples.tobytes())
    assert Audio.from_wav(path) == sine(1000, 0.5)


def test_a_file_of_another_form_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
    with pytest.raises(ValueError, match="convert it to mono, 16 bit, 8000 Hz"):
        Audio.from_wav(path)
    path.write_bytes(b"no sound at all")
    with pytest.raises(ValueError, match="is no WAV file"):
        Audio.from_wav(path)
