"""Names by the letters on the keys (ITU-T E.161)."""

from __future__ import annotations

import pytest

from ringfence.features.attendant.settings import Person
from ringfence.features.attendant.spelling import keys_of, spelt

PEOPLE = [
    Person("100", ("Anna", "Huber")),
    Person("101", ("Jürgen", "Groß")),
    Person("102", ("Éva", "Sáfár-Nagy")),
    Person("103", ("Li", "7")),
    Person("104", ("李",)),
]


@pytest.mark.parametrize(
    ("word", "keys"),
    [
        ("Huber", "48237"),
        ("Jürgen", "587436"),
        ("Groß", "47677"),
        ("Éva", "382"),
        ("O'Neill", "663455"),
        ("7", "7"),
    ],
)
def test_a_word_has_the_keys_of_its_letters(word: str, keys: str) -> None:
    assert keys_of(word) == keys


@pytest.mark.parametrize(
    ("digits", "extensions"),
    [
        ("48", ["100"]),
        ("266248237", ["100"]),  # the whole name
        ("4", ["100", "101"]),
        ("5", ["101", "103"]),
        ("7232", ["102"]),
        ("9", []),
        ("", []),
    ],
)
def test_a_name_is_found_by_how_any_of_its_words_begins(digits: str, extensions: list[str]) -> None:
    assert spelt(digits, PEOPLE) == extensions
