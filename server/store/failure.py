"""A store that cannot be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class StoreError(Exception):
    """One sentence: which store, what is wrong with it, and the remedy."""

    def __init__(self, place: Path, what: str, remedy: str) -> None:
        super().__init__(f"{place}: {what}; {remedy}")
        self.what = what
        self.remedy = remedy
