"""The music on hold: the file is what the score renders, and fit to be heard over and over by a telephone."""

from __future__ import annotations

import numpy as np
import pytest

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.digit_detector import DigitDetector
from ringfence.channels.media.g711 import SAMPLE_RATE_HZ, decode
from ringfence.channels.media.plane import Codec
from ringfence.channels.media.prompts import music_payload
from ringfence.fixtures.music import render

PIECE = Audio(decode(music_payload(Codec.PCMA), Codec.PCMA))


def test_the_file_is_what_the_score_renders() -> None:
    """But for what processors make of the last bit of a sine."""
    kept, rendered = music_payload(Codec.PCMA), render.rendered()
    assert len(kept) == len(rendered)
    assert sum(one != other for one, other in zip(kept, rendered, strict=True)) < len(kept) / 1000


def test_melody_and_chords_are_equally_long() -> None:
    assert len(render.MELODY.split()) == 2 * len(render.CHORDS.split()) == 16 * 6
    assert PIECE.duration_s == pytest.approx(len(render.CHORDS.split()) * render.BEAT_S)


def test_it_is_never_silent_for_long_nor_louder_than_a_voice() -> None:
    assert 1500 < PIECE.rms < 3000
    assert max(map(abs, PIECE.samples)) < 20_000
    assert all(PIECE.between(at, at + 0.4).rms > 300 for at in np.arange(0, PIECE.duration_s - 0.4, 0.4))


def test_no_far_end_hears_a_digit_in_it() -> None:
    """ITU-T Q.24: it plays to machines, too."""
    detector, steps = DigitDetector(1), np.array(PIECE.samples, np.float32).reshape(-1, 1, 80)
    assert [digit for step in steps for digit in detector.hear(np.array([0]), step)] == []


def test_it_begins_again_without_a_click() -> None:
    edge = SAMPLE_RATE_HZ // 200
    assert max(map(abs, PIECE.samples[-edge:])) < 200
    assert max(map(abs, PIECE.samples[:8])) < 500
