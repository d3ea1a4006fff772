"""The synthesis of tones, and the DTMF tone pairs of ITU-T Q.23."""

from math import log10, sqrt

import pytest

from ringfence.channels.media import g711, tones
from ringfence.channels.media.audio import Audio
from ringfence.channels.media.plane import Codec, Tone
from ringfence.channels.media.telephone_event import DIGITS


def heard(tone: Tone, seconds: float, codec: Codec = Codec.PCMA, position: int = 0) -> Audio:
    return Audio(g711.decode(tones.tone_payload(tone, codec, position, round(seconds * 8000)), codec))


@pytest.mark.parametrize("codec", list(g711.PAYLOAD_TYPES))
@pytest.mark.parametrize("frequency_hz", [425, 440, 1000, 3300])
def test_a_tone_has_its_frequency_and_no_other(codec: Codec, frequency_hz: int) -> None:
    audio = heard(Tone((frequency_hz,)), 1.0, codec)
    assert audio.power_at(frequency_hz) > 0.98
    assert audio.power_at(frequency_hz + 40) < 0.02


@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_is_two_equally_loud_tones(digit: str) -> None:
    pair = tones.digit_tone(digit)
    audio = heard(pair, 0.5)
    for frequency_hz in pair.frequencies_hz:
        assert audio.power_at(frequency_hz) == pytest.approx(0.5, abs=0.05)


def test_the_sixteen_digits_have_sixteen_pairs() -> None:
    assert len({tones.digit_tone(digit).frequencies_hz for digit in DIGITS}) == 16


@pytest.mark.parametrize("level_dbm0", [-10.0, -24.0])
def test_a_tone_is_as_loud_as_it_says(level_dbm0: float) -> None:
    """G.711, table 5: the loudest sine is one of 3.14 dBm0."""
    audio = heard(Tone((1000,), level_dbm0=level_dbm0), 1.0)
    assert 20 * log10(audio.rms * sqrt(2) / 32256) + 3.14 == pytest.approx(level_dbm0, abs=0.2)


def test_pieces_of_a_tone_join_without_a_seam() -> None:
    busy = Tone((425,), cadence_s=(0.48, 0.48))
    whole = tones.tone_payload(busy, Codec.PCMA, 0, 24000)
    pieces = (tones.tone_payload(busy, Codec.PCMA, at, 160) for at in range(0, 24000, 160))
    assert b"".join(pieces) == whole
