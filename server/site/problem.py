"""What can be wrong with a site, and how a message finds the word that was meant."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KeyPath = tuple[str | int, ...]
"""Keys and indexes into arrays, as in the file: `("user", 2, "forward", "busy")`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (keys and indexes as in the file), what, and the remedy."""

    path: KeyPath
    what: str
    remedy: str


def closest(word: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean "x"?` for the known word nearest to `word`; `otherwise` where none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f'did you mean "{near[0]}"?' if near else otherwise
