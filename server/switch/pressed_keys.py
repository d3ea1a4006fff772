"""Keys that one telephone tells in two ways, in its audio and by INFO, as some do: each was pressed once.

A session and a bridge have one of these for each telephone that they listen to.
"""

from __future__ import annotations

SAME_S = 1.0
"""What the other way has told as well for so long was the same key."""

MOST = 32


class PressedKeys:
    """What was told by one way, and not yet by the other."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: list[tuple[str, bool, float]] = []

    def is_new(self, digit: str, now: float, *, by_info: bool) -> bool:
        """Tell whether a digit is another one than those that the other way has told."""
        for told in self._told:
            if told[:2] == (digit, not by_info) and now - told[2] < SAME_S:
                self._told.remove(told)
                return False
        self._told = [*self._told[-MOST:], (digit, by_info, now)]
        return True
