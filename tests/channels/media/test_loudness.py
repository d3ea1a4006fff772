"""Loudness, silence and steady tones of what a stream heard."""

from collections.abc import Callable
from math import pi, sin
from random import Random

import pytest

from ringfence.channels.media.g711 import PAYLOAD_TYPES, SILENCE, encode
from ringfence.channels.media.loudness import Loudness
from ringfence.channels.media.plane import Codec, Prompt, Tone
from ringfence.channels.media.prompts import prompt_payload
from ringfence.channels.media.rtp import Packet
from ringfence.channels.media.tones import digit_tone, tone_payload
from ringfence.channels.media.verdict import Energy


def heard(audio: bytes, codec: Codec = Codec.PCMA, size: int = 160) -> Energy:
    loudness = Loudness()
    for index, at in enumerate(range(0, len(audio), size)):
        payload = audio[at : at + size]
        loudness.hear(Packet(False, PAYLOAD_TYPES[codec], index, at, 7, payload))
    energy = loudness.energy()
    assert energy is not None
    assert loudness.energy() == energy
    return energy


def sine(frequency_hz: float, amplitude: float, seconds: float, codec: Codec = Codec.PCMA) -> bytes:
    step = 2 * pi * frequency_hz / 8000
    return encode([round(amplitude * sin(step * n)) for n in range(int(seconds * 8000))], codec)


@pytest.mark.parametrize("codec", [Codec.PCMA, Codec.PCMU])
@pytest.mark.parametrize("size", [80, 160, 480])
@pytest.mark.parametrize(("amplitude", "dbm0"), [(32_000, 2.9), (16_000, -3.1), (1_600, -23.1), (160, -43.1)])
def test_the_level_of_a_sine_is_told_in_dbm0(codec: Codec, size: int, amplitude: int, dbm0: float) -> None:
    """ITU-T G.711, table 5: a sine at the overload point is 3.14 dBm0, so half of full scale is -3 dBm0."""
    energy = heard(sine(1020, amplitude, 2.0, codec), codec, size)
    assert energy.mean_dbm0 == pytest.approx(dbm0, abs=0.3)
    assert energy.peak_dbm0 == pytest.approx(dbm0, abs=0.3)
    assert energy.silence == 0.0


def test_silence_is_a_share_and_does_not_hide_the_peak() -> None:
    energy = heard(SILENCE[Codec.PCMA] * 8000 * 3 + sine(440, 16_000, 1.0))
    assert energy.silence == 0.75
    assert energy.peak_dbm0 == pytest.approx(-3.1, abs=0.3)
    assert energy.mean_dbm0 == pytest.approx(-9.1, abs=0.3)
    assert energy.tones_hz == (440,)


@pytest.mark.parametrize("codec", [Codec.PCMA, Codec.PCMU])
def test_pure_silence_has_the_lowest_level_and_no_tone(codec: Codec) -> None:
    energy = heard(SILENCE[codec] * 8000, codec)
    assert energy.silence == 1.0
    assert energy.mean_dbm0 <= -60
    assert energy.tones_hz == ()


def test_steady_tones_are_told_once_each_in_their_order() -> None:
    audio = b"".join(
        tone_payload(tone, Codec.PCMA, 0, 4000)
        for tone in (Tone((425,)), Tone((350, 440)), Tone((425,)), Tone((1400,)))
    )
    assert heard(audio).tones_hz == (425, 350, 440, 1400)


@pytest.mark.parametrize("digit", "147*ABD369")
def test_both_frequencies_of_a_digit_are_found(digit: str) -> None:
    tone = digit_tone(digit)
    found = heard(tone_payload(tone, Codec.PCMU, 0, 8000), Codec.PCMU).tones_hz
    assert found == tuple(pytest.approx(frequency, abs=2) for frequency in sorted(tone.frequencies_hz))


def _noise() -> bytes:
    rng = Random(2)
    return encode([rng.randrange(-8000, 8000) for _ in range(80_000)], Codec.PCMA)


def _speech() -> bytes:
    return b"".join(prompt_payload(Prompt(str(number)), Codec.PCMA) for number in range(10))


@pytest.mark.parametrize("audio", [_noise, _speech], ids=["noise", "speech"])
def test_noise_and_speech_are_no_tones(audio: Callable[[], bytes]) -> None:
    energy = heard(audio())
    assert energy.tones_hz == ()
    assert -40 < energy.mean_dbm0 < 0


def test_less_than_a_block_tells_nothing() -> None:
    loudness = Loudness()
    assert loudness.energy() is None
    loudness.hear(Packet(False, 8, 1, 0, 7, b"\xd5" * 160))
    loudness.hear(Packet(False, 13, 2, 160, 7, b""))
    assert loudness.energy() is None


def test_streams_that_begin_together_are_not_looked_at_together() -> None:
    """Each every three seconds, spread over them: a worker with a thousand of them never stands still for all."""
    packet = Packet(False, 8, 0, 0, 1, b"\xd5" * 160)
    looks = [0] * 250
    for number in range(50):
        loudness, waiting = Loudness(number / 50), 0
        for at in range(250):
            loudness.hear(packet)
            looks[at] += len(loudness._waiting) < waiting + 160
            waiting = len(loudness._waiting)
    assert sum(looks[100:]) == 50
    assert max(looks) <= 2
