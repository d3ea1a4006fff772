"""The codes of a site file: each means one thing; a mistake is one sentence, a default gives way."""

from __future__ import annotations

import pytest

from ringfence.features.feature_codes.settings import FeatureCodes
from ringfence.server.site.site import Site, SiteError

OTHER = "give it another code of its own in [feature_codes]"
SMALL = Site.sample("small").text


def parse(table: str, text: str = SMALL) -> Site:
    return Site.parse(f"{text}\n{table}\n", "firma.toml")


def test_a_site_that_says_nothing_has_the_default_codes() -> None:
    assert Site.parse(SMALL).feature_codes == FeatureCodes()
    assert Site.sample().feature_codes == FeatureCodes()


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            '[feature_codes]\npickup = "8x"',
            'the code "8x" of pickup cannot be dialled; use 1 to 4 of 0-9, * and #, or "" for no code',
        ),
        (
            '[feature_codes]\ngroup_pickup = "*100"',
            f'the code "*100" of group_pickup is in the way of *100, which belongs to the mailbox of "anna"; {OTHER}',
        ),
        (
            '[feature_codes]\npickup = "10"',
            f'the code "10" of pickup is in the way of 100, which belongs to the user "anna"; {OTHER}',
        ),
        (
            '[feature_codes]\npickup = "11"',
            f'the code "11" of pickup is in the way of 1100, which belongs to the user "anna"; {OTHER}',
        ),
        (
            '[feature_codes]\ngroup_pickup = "112"',
            f'the code "112" of group_pickup is in the way of 112, which belongs to the emergency numbers; {OTHER}',
        ),
        (
            '[feature_codes]\ngroup_pickup = "998"',
            f'the code "998" of group_pickup is in the way of the test numbers, which begin with 99; {OTHER}',
        ),
        (
            '[feature_codes]\npickup = "*"\ngroup_pickup = "*8"',
            f'the code "*" of pickup is in the way of the code "*8" of group_pickup; {OTHER}',
        ),
        (
            '[feature_codes]\npick_up = "*8"',
            'the key "pick_up" is not known in [feature_codes]; did you mean "pickup"?',
        ),
        (
            '[[pickup_group]]\nname = "Empfang"\nmembers = ["ana"]',
            '"ana" in the members of the pickup group "Empfang" is no user; did you mean "anna"?',
        ),
        (
            '[[pickup_group]]\nname = "Empfang"\n[[pickup_group]]\nname = "Empfang"',
            'the pickup group "Empfang" is there twice; rename or remove one of them',
        ),
    ],
)
def test_a_code_that_is_in_the_way_is_one_clear_sentence(table: str, sentence: str) -> None:
    with pytest.raises(SiteError) as caught:
        parse(table)
    what = str(caught.value)
    assert what.startswith("firma.toml, line ")
    assert what.partition(": ")[2] == sentence


def test_a_code_that_begins_what_is_dialled_for_a_trunk_is_refused() -> None:
    trunk = SMALL.replace(
        'numbers = "08955550"', 'numbers = "08955550"\nuri = "sip:127.0.0.30"\noutbound_prefix = "0"'
    )
    with pytest.raises(SiteError, match='in the way of what is dialled for the trunk "amt"'):
        parse('[feature_codes]\ngroup_pickup = "08"', trunk)


def test_a_default_code_gives_way_to_a_number_of_the_site() -> None:
    """As a default emergency number does."""
    site = Site.parse(SMALL.replace('extension = "104"', 'extension = "8"'))
    assert site.feature_codes == FeatureCodes(group_pickup="")
    with pytest.raises(SiteError, match=r"is in the way of \*8, which belongs to the mailbox of \"emil\""):
        parse('[feature_codes]\ngroup_pickup = "*8"', SMALL.replace('extension = "104"', 'extension = "8"'))


def test_with_another_prefix_of_mailboxes_the_codes_are_as_good() -> None:
    text = SMALL.replace('direct_prefix = "*"', 'direct_prefix = "#"').replace('"*10', '"#10')
    assert Site.parse(text).feature_codes == FeatureCodes()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("slots = 0", "there cannot be 0 slots to park calls in; write 1 to 99"),
        ("slots = 100", "there cannot be 100 slots to park calls in; write 1 to 99"),
        ("after_s = 1", "nobody is rung back after 1 seconds; write 5 to 3600"),
        ("slot = 1", 'the key "slot" is not known in [parking]; did you mean "slots"?'),
    ],
)
def test_what_is_wrong_with_parking_is_one_clear_sentence(line: str, sentence: str) -> None:
    with pytest.raises(SiteError) as caught:
        parse(f"[parking]\n{line}")
    assert str(caught.value).partition(": ")[2] == sentence
