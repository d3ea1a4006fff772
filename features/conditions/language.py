"""Which language somebody speaks, by the country of his number."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNTRIES = {
    "cs": "420",
    "da": "45",
    "de": "41 423 43 49",
    "el": "30",
    "en": "1 27 353 44 61 64 65 91",
    "es": "34 51 52 54 56 57 58",
    "fi": "358",
    "fr": "32 33 352",
    "hu": "36",
    "it": "39",
    "ja": "81",
    "nl": "31",
    "no": "47",
    "pl": "48",
    "pt": "351 55",
    "ro": "40",
    "sk": "421",
    "sv": "46",
    "tr": "90",
    "uk": "380",
    "zh": "86",
}
BY_COUNTRY: Mapping[str, str] = MappingProxyType(
    {f"+{code}": language for language, codes in _COUNTRIES.items() for code in codes.split()}
)
"""Languages (ISO 639-1) by the country code of a number, the one most spoken where there are several."""


def language_of(number: str, home: str, own: Mapping[str, str] | None = None) -> str:
    """Return the language of whoever calls from `number`; `home` for one without a country code, or unknown.

    `own` maps beginnings of numbers to languages and goes before `BY_COUNTRY`; the longest beginning counts.
    """
    international = "+" + number[2:] if number.startswith("00") else number
    for known in (own or {}, BY_COUNTRY):
        for length in range(len(international), 1, -1):
            language = known.get(international[:length])
            if language is not None:
                return language
    return home
