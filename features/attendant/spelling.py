"""Names by the letters on the keys of a telephone (ITU-T E.161)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .settings import Person

_KEYS = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno", "7": "pqrs", "8": "tuv", "9": "wxyz"}
_KEY_OF = {letter: key for key, letters in _KEYS.items() for letter in letters}


def keys_of(word: str) -> str:
    """Return the keys that spell `word`; accents do not count, and what is no letter is no key."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(
        _KEY_OF.get(letter, letter if letter.isascii() and letter.isdigit() else "") for letter in plain
    )


def spelt(digits: str, people: Iterable[Person]) -> list[str]:
    """Return the extensions of those of whose name a word, or all from it on, begins with `digits`, in their order."""
    if not digits:
        return []
    return [one.extension for one in people if any(keys.startswith(digits) for keys in _spellings(one))]


def _spellings(person: Person) -> Iterable[str]:
    keys = [keys_of(word) for word in person.words]
    return ("".join(keys[n:]) for n in range(len(keys)))
