"""In-band DTMF: what is heard of Q.23's tone pairs within Q.24's limits, and that speech and music press no key."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from ringfence.channels.media.digit_detector import STEP_SAMPLES, DigitDetector
from ringfence.channels.media.g711 import PAYLOAD_TYPES, SAMPLE_RATE_HZ, decode, encode
from ringfence.channels.media.plane import Codec, Prompt
from ringfence.channels.media.prompts import LANGUAGES, prompt_path
from ringfence.channels.media.tones import COLUMNS_HZ, KEYS, ROWS_HZ

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from numpy.typing import NDArray

    Signal: TypeAlias = NDArray[np.float64]

LAWS = {
    codec: np.array(decode(encode(range(-32768, 32768), codec), codec), dtype=np.float32)
    for codec in PAYLOAD_TYPES
}
"""Every 16-bit sample as it comes out of G.711, from -32768 on."""


def heard(signals: Signal, codec: Codec = Codec.PCMA) -> list[str]:
    """The digits heard in each row of `signals`, which pass through G.711 and are looked at together."""
    samples = LAWS[codec][np.clip(np.round(signals), -32768, 32767).astype(np.intp) + 32768]
    detector, found = DigitDetector(len(samples)), [""] * len(samples)
    slots = np.arange(len(samples))
    for at in range(0, samples.shape[1] - STEP_SAMPLES + 1, STEP_SAMPLES):
        for slot, digit in detector.hear(slots, samples[:, at : at + STEP_SAMPLES]):
            found[slot] += digit
    return found


class Dialling:
    """Lines that dial all sixteen digits in an order of their own, with phases, levels and lengths by chance."""

    def __init__(self, seed: int, lines: int = 25) -> None:
        self.rng = np.random.default_rng(seed)
        self.dialled = ["".join(KEYS[key] for key in self.rng.permutation(16)) for _ in range(lines)]

    def line(
        self,
        digits: str,
        *,
        on_ms: float,
        off_ms: float,
        level_dbm0: float | None = None,
        twist_db: float = 0.0,
        off_frequency: float = 0.0,
        noise_db: float | None = None,
    ) -> Signal:
        """One line; the stronger tone has `level_dbm0`, `twist_db` is by how much the column is louder than the row."""
        rng = self.rng
        level = rng.uniform(-25, -3) if level_dbm0 is None else level_dbm0
        loud = 32256 * 10 ** ((level - 3.14) / 20)
        row, column = loud * 10 ** (min(0, -twist_db) / 20), loud * 10 ** (min(0, twist_db) / 20)
        on, off = round(on_ms * 8), round(off_ms * 8)
        time, parts = np.arange(on) / SAMPLE_RATE_HZ, [np.zeros(int(rng.integers(400, 800)))]
        for digit in digits:
            one, two = divmod(KEYS.index(digit), 4)
            turns = 1 + rng.uniform(-off_frequency, off_frequency, 2), rng.random(2)
            angles = (
                2 * np.pi * (np.outer((ROWS_HZ[one], COLUMNS_HZ[two]) * turns[0], time) + turns[1][:, None])
            )
            parts += [row * np.sin(angles[0]) + column * np.sin(angles[1]), np.zeros(off)]
        whole = np.concatenate([*parts, np.zeros(400)])
        if noise_db is not None:
            power = (row**2 + column**2) / 2
            whole += rng.normal(0, np.sqrt(power / 10 ** (noise_db / 10)), len(whole))
        return whole

    def share_heard(self, codec: Codec = Codec.PCMA, **how: Any) -> float:
        """The share of the dialled digits that were heard, in their order; a digit that nobody dialled fails."""
        lines = [self.line(digits, **how) for digits in self.dialled]
        longest = max(map(len, lines))
        found = heard(np.stack([np.pad(line, (0, longest - len(line))) for line in lines]), codec)
        hits = 0
        for digits, got in zip(self.dialled, found, strict=True):
            matches = SequenceMatcher(None, digits, got, autojunk=False).get_matching_blocks()
            same = sum(match.size for match in matches)
            assert same == len(got), f"{digits} was heard as {got}"
            hits += same
        return hits / sum(map(len, self.dialled))


@pytest.mark.parametrize(("length_ms", "least"), [(50, 0.99), (40, 0.98)])
@pytest.mark.parametrize("twist_db", [-8.0, -4.0, 0.0, 4.0])
@pytest.mark.parametrize("off_frequency", [0.0, 0.015])
@pytest.mark.parametrize("noise_db", [None, 15.0])
def test_short_tones_of_all_digits_are_heard(
    length_ms: float, least: float, twist_db: float, off_frequency: float, noise_db: float | None
) -> None:
    """Q.24: 40 ms, -3 to -25 dBm0, 1.5 % beside the frequency, twists of 8 and 4 dB, and noise."""
    dialling = Dialling(seed=round(length_ms + 100 * abs(twist_db) + 1000 * off_frequency))
    how: dict[str, Any] = {"twist_db": twist_db, "off_frequency": off_frequency} | (
        {"noise_db": noise_db} if noise_db else {}
    )
    assert dialling.share_heard(on_ms=length_ms, off_ms=length_ms, **how) >= least


@pytest.mark.parametrize("codec", list(PAYLOAD_TYPES))
@pytest.mark.parametrize("level_dbm0", [-3.0, -25.0])
def test_the_loudest_and_the_softest_digits_are_heard_in_both_laws(codec: Codec, level_dbm0: float) -> None:
    """Q.24, table A-1: power levels per frequency."""
    assert Dialling(1).share_heard(codec, on_ms=50, off_ms=50, level_dbm0=level_dbm0) == 1.0


@pytest.mark.parametrize("length_ms", [40, 50, 100])
def test_one_key_pressed_again_and_again_is_heard_each_time(length_ms: int) -> None:
    """A pause of 40 ms parts two digits (Q.24)."""
    dialling = Dialling(2, lines=0)
    dialling.dialled = [key * 12 for key in KEYS]
    assert dialling.share_heard(on_ms=length_ms, off_ms=40) >= 0.99


def test_a_key_held_down_is_one_digit() -> None:
    dialling = Dialling(3)
    assert dialling.share_heard(on_ms=1000, off_ms=100) == 1.0


@pytest.mark.parametrize("gap_ms", [5, 10, 20])
def test_a_short_break_does_not_make_two_digits_of_one(gap_ms: int) -> None:
    """Q.24: signal interruptions; 20 ms is a lost packet."""
    line = Dialling(4).line("7", on_ms=200, off_ms=60)
    line[1200 : 1200 + 8 * gap_ms] = 0
    assert heard(line[None, :]) == ["7"]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"on_ms": 20, "off_ms": 60}, "too short"),
        ({"on_ms": 60, "off_ms": 60, "level_dbm0": -45.0}, "too soft"),
        ({"on_ms": 60, "off_ms": 60, "twist_db": 12.0}, "the row is too soft"),
        ({"on_ms": 60, "off_ms": 60, "twist_db": -15.0}, "the column is too soft"),
    ],
)
def test_what_is_no_digit_is_none(how: dict[str, Any], why: str) -> None:
    assert Dialling(5).share_heard(**how) == 0, why


def test_tones_far_from_their_frequency_are_no_digit() -> None:
    """Q.24: 3.5 % is no digit."""
    time = np.arange(8000) / SAMPLE_RATE_HZ
    lines = [
        4000 * np.sin(2 * np.pi * row * by * time) + 4000 * np.sin(2 * np.pi * column * by * time)
        for row in ROWS_HZ
        for column in COLUMNS_HZ
        for by in (0.965, 1.035)
    ]
    assert set(heard(np.stack(lines))) == {""}


def speech() -> Signal:
    """All announcements in both languages, one after the other: eight minutes."""
    folders = [prompt_path(Prompt("menu", language)).parent for language in LANGUAGES]
    files = sorted(path for folder in folders for path in folder.iterdir())
    return np.concatenate([soundfile.read(path, dtype="int16")[0] for path in files]).astype(np.float64)


def in_rows(signal: Signal, seconds: int = 10) -> Signal:
    """Cut a long signal into rows, so that the detector hears them at once."""
    size = seconds * SAMPLE_RATE_HZ
    return np.pad(signal, (0, -len(signal) % size)).reshape(-1, size)


def test_speech_presses_no_key() -> None:
    """Half an hour: the announcements of the package by voices from low to high, and two voices at once."""
    text = speech()
    low, normal, high = (
        np.interp(np.arange(0, len(text) - 1, pace), np.arange(len(text)), text) for pace in (0.8, 1.0, 1.3)
    )
    minutes = in_rows(np.concatenate((low, normal, high, normal[: len(high)] + high[::-1])))
    assert minutes.size / SAMPLE_RATE_HZ > 1800
    assert set(heard(minutes)) == {""}


def test_noise_like_speech_presses_no_key() -> None:
    """Two minutes: noise through formants that move, in syllables."""
    rng = np.random.default_rng(6)
    time = np.arange(10 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    rows = []
    for _ in range(12):
        pitch = rng.uniform(80, 300) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.3, 2) * time))
        angle = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
        formants = rng.uniform((300, 900, 2000), (900, 2000, 3200))[:, None] * (
            1 + 0.2 * np.sin(2 * np.pi * rng.uniform(1, 5, (3, 1)) * time)
        )
        voiced = sum(
            np.exp(-(((harmonic * pitch - formants) / 150) ** 2)).sum(0) * np.sin(harmonic * angle)
            for harmonic in range(1, 25)
        )
        syllables = np.clip(np.sin(2 * np.pi * rng.uniform(2, 5) * time) + 0.5, 0, 1)
        rows.append(4000 * syllables * (voiced + rng.normal(0, 0.1, len(time))))
    assert set(heard(np.stack(rows))) == {""}


def test_music_presses_no_key() -> None:
    """Five minutes of chords of three to five notes with their overtones, four a second."""
    rng = np.random.default_rng(7)
    notes = 110 * 2 ** (np.arange(42) / 12)
    time = np.arange(2000) / SAMPLE_RATE_HZ
    chords = []
    for _ in range(1200):
        chosen = rng.choice(notes, rng.integers(3, 6), replace=False)
        strength = 1 / np.arange(1, 5)
        angles = 2 * np.pi * np.outer(np.outer(chosen, np.arange(1, 5)).ravel(), time)
        angles += 2 * np.pi * rng.random((len(angles), 1))
        chords.append((np.tile(strength, len(chosen)) * 6000 / len(chosen)) @ np.sin(angles))
    assert set(heard(in_rows(np.concatenate(chords)))) == {""}


def test_streams_do_not_hear_each_other() -> None:
    """One detector for all: each slot has its own digits, whichever of them have something to look at."""
    dialling = Dialling(8, lines=3)
    lines = [dialling.line(digits, on_ms=50, off_ms=50) for digits in ("123", "456", "789")]
    detector, found = DigitDetector(2), {0: "", 1: "", 5: ""}
    detector.grow(6)
    for at in range(0, min(map(len, lines)) - STEP_SAMPLES, STEP_SAMPLES):
        for slot, line in zip((5, 0, 1), lines, strict=True):
            samples = line[None, at : at + STEP_SAMPLES].astype(np.float32)
            for where, digit in detector.hear(np.array([slot]), samples):
                found[where] += digit
    assert found == {5: "123", 0: "456", 1: "789"}


def test_a_slot_that_another_stream_takes_has_forgotten_the_last_one() -> None:
    tone = Dialling(9).line("5", on_ms=400, off_ms=0)[800:].astype(np.float32)
    detector, slots = DigitDetector(1), np.array([0])

    def begins(at: int) -> bool:
        return bool(detector.hear(slots, tone[None, at : at + STEP_SAMPLES]))

    steps = range(0, 10 * STEP_SAMPLES, STEP_SAMPLES)
    assert sum(map(begins, steps)) == 1
    detector.reset(0)
    assert sum(map(begins, steps)) == 1


@pytest.mark.parametrize("steps", [2, 3, 7])
def test_several_steps_at_once_are_heard_as_one_after_the_other(steps: int) -> None:
    dialling = Dialling(4)
    tones = [dialling.line(digits, on_ms=50, off_ms=50) for digits in ("159D", "*0#7")]
    length = min(map(len, tones))
    lines = np.array([line[:length] for line in tones], np.float32)
    detector, found = DigitDetector(2), ["", ""]
    for at in range(0, length - steps * STEP_SAMPLES, steps * STEP_SAMPLES):
        for slot, digit in detector.hear(np.arange(2), lines[:, at : at + steps * STEP_SAMPLES]):
            found[slot] += digit
    assert found == ["159D", "*0#7"]
