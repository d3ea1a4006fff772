"""Dial parameters in a site file: a mistake is one sentence."""

from __future__ import annotations

import pytest

from ringfence.features.dialling.settings import Dialling
from ringfence.server.site.directory import Directory
from ringfence.server.site.site import Site, SiteError

SMALL = Site.sample("small").text
FORMATS = "'as_signalled', 'dialled', 'e164', 'international' or 'national'"
OTHER = "give it another code of its own in [feature_codes]"
GERMANY = '[[dialling]]\ncountry = "49"\narea = "89"\nexit_code = "0"\n'


def test_a_location_has_its_own_or_those_of_all_others() -> None:
    site = Site.parse(SMALL + GERMANY + '[[dialling]]\nlocation = "Haus"\ncountry = "43"\n')
    directory = Directory(site)
    assert directory.dialling_of("anna") == Dialling("43", location="Haus")
    assert directory.dialling_of(None) == Dialling("49", area="89", exit_code="0")
    assert Directory(Site.parse(SMALL)).dialling_of("anna") is None


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ('[[dialling]]\narea = "89"', 'the key "country" is missing in [[dialling]]; add it'),
        (
            '[[dialling]]\ncountry = "999"',
            'no country has the calling code "999"; write it without + and zeros, as "49"',
        ),
        (
            '[[dialling]]\ncountry = "+49"',
            'no country has the calling code "+49"; write it without + and zeros, as "49"',
        ),
        (
            '[[dialling]]\ncountry = "49"\narea = "089"',
            'the area "089" begins with the prefix of national numbers; write "89"',
        ),
        (
            '[[dialling]]\ncountry = "49"\nexit_code = "*0"',
            'the exit_code "*0" cannot be dialled; use up to 6 digits',
        ),
        (
            '[[dialling]]\ncountry = "49"\nlocation = "Hauss"',
            'the location "Hauss" of dial parameters is not there; did you mean "Haus"?',
        ),
        (GERMANY + GERMANY, "the dial parameters of all other locations are there twice; remove one of them"),
        (
            '[[dialling]]\ncountry = "49"\ncaller_format = "short"',
            "the key \"caller_format\" has the unknown value 'short'; use " + FORMATS,
        ),
        (
            GERMANY + '[feature_codes]\ngroup_pickup = "0"',
            'the code "0" of group_pickup is in the way of the exit code 0; ' + OTHER,
        ),
    ],
)
def test_what_is_wrong_is_one_clear_sentence(table: str, sentence: str) -> None:
    with pytest.raises(SiteError) as caught:
        Site.parse(f"{SMALL}\n{table}\n", "firma.toml")
    assert str(caught.value).partition(": ")[2] == sentence


def test_a_trunk_with_a_format_needs_a_country() -> None:
    text = SMALL.replace('numbers = "08955550"', 'numbers = "08955550"\nnumber_format = "e164"')
    with pytest.raises(SiteError, match="wants numbers as e164, and no country says how; add"):
        Site.parse(text)
    assert Site.parse(text + GERMANY).trunks[0].number_format == "e164"
