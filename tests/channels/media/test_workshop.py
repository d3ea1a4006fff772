"""Sounds of every kind become telephone sounds in a process of their own, or are refused; none harms the caller."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import struct
import sys
from array import array
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.workbench import read
from ringfence.channels.media.workshop import MOST_BYTES, MOST_S, SoundError, Workshop

TONE_HZ = 700.0
Samples: TypeAlias = NDArray[Any]


def tone(rate_hz: int, seconds: float = 1.0, loudness: float = 0.3) -> Samples:
    return loudness * np.sin(2 * np.pi * TONE_HZ * np.arange(round(rate_hz * seconds)) / rate_hz)


def written(samples: Samples, rate_hz: int, form: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=form, subtype=subtype)
    return file.getvalue()


def as_audio(samples: NDArray[np.int16]) -> Audio:
    return Audio(array("h", samples.tobytes()))


def refusal(data: bytes) -> str:
    with pytest.raises(SoundError) as caught:
        read(data)
    return caught.value.reason


@pytest.mark.parametrize(
    ("form", "subtype", "rate_hz", "channels"),
    [
        ("WAV", "PCM_16", 8000, 1),
        ("WAV", "PCM_U8", 11025, 1),
        ("WAV", "PCM_24", 44100, 2),
        ("WAV", "FLOAT", 96000, 2),
        ("WAV", "ALAW", 8000, 1),
        ("WAV", "PCM_16", 192_000, 2),
        ("WAVEX", "PCM_16", 48000, 8),
        ("FLAC", "PCM_16", 44100, 2),
        ("OGG", "VORBIS", 44100, 2),
        ("OGG", "OPUS", 48000, 1),
        ("MP3", "MPEG_LAYER_III", 44100, 2),
    ],
)
def test_any_rate_and_number_of_channels_becomes_mono_at_8_khz(
    form: str, subtype: str, rate_hz: int, channels: int
) -> None:
    sound = np.repeat(tone(rate_hz)[:, None], channels, axis=1)
    heard = read(written(sound, rate_hz, form, subtype))
    assert len(heard) == pytest.approx(8000, abs=400)
    assert as_audio(heard).power_at(TONE_HZ) > 0.95


def test_stereo_is_mixed_so_that_neither_side_is_lost() -> None:
    sides = np.stack([tone(16000), np.zeros(16000)], axis=1)
    assert as_audio(read(written(sides, 16000, "WAV"))).contains_tone(TONE_HZ)


@pytest.mark.parametrize("loudness", [0.02, 0.3, 1.0])
def test_faint_and_loud_sounds_come_to_one_loudness(loudness: float) -> None:
    heard = read(written(tone(16000, loudness=loudness), 16000, "WAV", "FLOAT"))
    assert np.sqrt(np.mean((heard / 32768) ** 2)) == pytest.approx(0.1, abs=0.01)


def test_silence_stays_silent_and_hiss_is_not_blown_up() -> None:
    assert not read(written(np.zeros(8000), 8000, "WAV")).any()
    hiss = np.random.default_rng(1).normal(0, 0.0005, 8000)
    assert np.abs(read(written(hiss, 8000, "WAV"))).max() < 200


def test_what_is_no_number_is_silence_and_beyond_full_scale_is_made_quieter() -> None:
    wild = tone(16000)
    wild[1000:1200], wild[3000], wild[4000:4100] = np.nan, np.inf, 1e30
    heard = read(written(wild.astype(np.float32), 16000, "WAV", "FLOAT"))
    assert len(heard) == pytest.approx(8000, abs=10)
    assert np.isfinite(heard).all()
    assert heard.any()


def test_a_file_cut_short_is_heard_as_far_as_it_goes() -> None:
    whole = written(tone(16000, 2), 16000, "WAV")
    assert 7900 < len(read(whole[: len(whole) // 2])) < 8100


def lying(seconds: float) -> bytes:
    """A WAV whose head promises far more than there is."""
    data = bytearray(written(tone(8000, seconds), 8000, "WAV", "PCM_16"))
    data[4:8] = data[40:44] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(data)


def test_a_head_that_lies_about_the_length_is_not_believed() -> None:
    assert len(read(lying(1))) == pytest.approx(8000, abs=10)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"no sound at all, but long enough to be looked at " * 100,
        bytes(5000),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        b"%PDF-1.7\n" + b"x" * 4000,
        b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(3000),
        b"fLaC" + bytes(3000),
        b"OggS" + bytes(3000),
        written(tone(8000), 8000, "AIFF"),
        written(tone(8000), 8000, "WAV")[:30],
        written(np.zeros((100, 40)), 8000, "WAV"),
        written(tone(8000), 500, "WAV"),
    ],
    ids=lambda data: repr(data[:8]),
)
def test_what_is_no_sound_of_a_known_kind_is_refused(data: bytes) -> None:
    assert refusal(data) == "sound.unreadable"


def test_a_sound_longer_than_two_minutes_is_refused() -> None:
    assert refusal(written(np.zeros(round((MOST_S + 1) * 8000)), 8000, "WAV")) == "sound.too_long"
    assert len(read(written(np.zeros(round(MOST_S * 8000)), 8000, "WAV"))) == MOST_S * 8000


# -- the process ---------------------------------------------------------------------------------------------------


async def test_a_sound_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    target = tmp_path / "heard.wav"
    assert await Workshop().read(written(tone(44100, 1.5), 44100, "FLAC"), target) == pytest.approx(1.5)
    assert Audio.from_wav(target).contains_tone(TONE_HZ)


async def test_what_is_refused_leaves_no_file(tmp_path: Path) -> None:
    target, workshop = tmp_path / "heard.wav", Workshop()
    for data, reason in (
        (b"nothing", "sound.unreadable"),
        (written(np.zeros(0), 8000, "WAV"), "sound.empty"),
        (bytes(MOST_BYTES + 1), "sound.too_large"),
    ):
        with pytest.raises(SoundError) as caught:
            await workshop.read(data, target)
        assert (caught.value.reason, target.exists()) == (reason, False)


async def test_a_process_that_does_not_end_in_time_is_ended(tmp_path: Path) -> None:
    with pytest.raises(SoundError, match=r"sound\.unreadable"):
        await Workshop(time_limit_s=0.01).read(b"RIFF", tmp_path / "heard.wav")


async def test_a_process_that_crashes_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a file that breaks the decoder: the interpreter is one that dies of a signal."""
    crashing = tmp_path / "python"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crashing))
    workshop = Workshop()
    with pytest.raises(SoundError, match=r"sound\.unreadable"):
        await workshop.read(b"RIFF", tmp_path / "heard.wav")
    with pytest.raises(SoundError, match=r"speech\.failed"):
        await workshop.speak("Hello", "en", tmp_path / "heard.wav")


def children() -> str:
    """The command lines of this process's children."""
    pids = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return " ".join(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8") for pid in pids)


def first_of_all(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have the process run `code` before anything else: its module stands first on the path."""
    (folder / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", ""))))


async def test_whoever_gives_up_waiting_leaves_no_process_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process has all that it is to work at by then, and is not done."""
    work_begins = "import socket, sys; sys.stdin.read(); socket.create_connection({}).recv(1)"
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        first_of_all(tmp_path, monkeypatch, work_begins.format(door.getsockname()))
        work = asyncio.ensure_future(Workshop().read(b"RIFF", tmp_path / "heard.wav"))
        async with asyncio.timeout(10):
            begun, _ = await asyncio.get_running_loop().sock_accept(door)
    with begun:
        assert "workbench" in children()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert "workbench" not in children()


@pytest.mark.needs("espeakng_loader")
@pytest.mark.parametrize(
    ("text", "language"), [("Grüß Gott, Ämter haben zu.", "de"), ("We are closed.", "en")]
)
async def test_a_text_is_spoken(text: str, language: str, tmp_path: Path) -> None:
    target = tmp_path / "said.wav"
    duration_s = await Workshop().speak(text, language, target)
    said = Audio.from_wav(target)
    assert duration_s == pytest.approx(said.duration_s)
    assert 0.6 < duration_s < 4
    assert said.rms > 1000


async def test_a_text_without_the_extra_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_of_all(tmp_path, monkeypatch, "import sys; sys.modules['espeakng_loader'] = None\n")
    with pytest.raises(SoundError, match=r"speech\.not_installed"):
        await Workshop().speak("Hello", "en", tmp_path / "said.wav")
