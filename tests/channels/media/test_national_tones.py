"""Call progress tones of each country, as ITU-T E.180 supplement 2 lists them: heard, not only listed."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args, get_type_hints

import pytest

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import decode
from ringfence.channels.media.national_tones import NATIONAL_TONES, NationalTones
from ringfence.channels.media.plane import Codec, Tone
from ringfence.channels.media.tones import tone_payload
from ringfence.server.site.site import Server

COUNTRIES = pytest.mark.parametrize("national", NATIONAL_TONES.values(), ids=NATIONAL_TONES)


def test_a_site_can_choose_each_country_of_the_table() -> None:
    assert set(get_args(get_type_hints(Server)["tones"])) == set(NATIONAL_TONES)


@COUNTRIES
def test_a_tone_sounds_and_pauses_in_its_cadence(national: NationalTones) -> None:
    for tone in (national.dial, national.ringback, national.busy, national.congestion):
        cadence = tone.cadence_s or (1.0,)
        edges = [sum(cadence[:count]) for count in range(len(cadence) + 1)]
        audio = Audio(decode(tone_payload(tone, Codec.PCMA, 0, round(edges[-1] * 8000)), Codec.PCMA))
        for number, (begin, end) in enumerate(pairwise(edges)):
            part = audio.between(begin, end)
            if number % 2:
                assert part.rms < 10
            else:
                heard = sum(part.power_at(frequency) for frequency in tone.frequencies_hz)
                assert heard > 0.9
                assert part.rms > 500


@COUNTRIES
def test_the_special_information_tone_rises_in_three_steps(national: NationalTones) -> None:
    """E.180 section 8: three frequencies within 50 Hz, 330 ms each with 70 ms to spare."""
    for tone, frequency_hz in zip(national.special_information, (950, 1400, 1800), strict=True):
        assert tone.frequencies_hz[0] == pytest.approx(frequency_hz, abs=50)
        assert tone.duration_s == pytest.approx(0.33, abs=0.07)


@pytest.mark.parametrize(
    ("country", "ringback", "busy"),
    [
        ("de", Tone((425,), cadence_s=(1.0, 4.0)), Tone((425,), cadence_s=(0.48, 0.48))),
        ("fr", Tone((440,), cadence_s=(1.5, 3.5)), Tone((440,), cadence_s=(0.5, 0.5))),
        ("gb", Tone((400, 450), cadence_s=(0.4, 0.2, 0.4, 2.0)), Tone((400,), cadence_s=(0.375, 0.375))),
    ],
)
def test_what_the_supplement_lists(country: str, ringback: Tone, busy: Tone) -> None:
    assert (NATIONAL_TONES[country].ringback, NATIONAL_TONES[country].busy) == (ringback, busy)
