"""Keys that one telephone tells in two ways, in its audio and by INFO, as some do: each was pressed once.

A session and a bridge have one of these for each telephone that they listen to.
"""

from __future__ import annotations

from collections import deque

SAME_S = 1.0
"""What the other way has told as well for so long was the same key."""

MOST = 32


class PressedKeys:
    """What was told by one way, and not yet by the other."""

    def __init__(self) -> None:
        self._told: deque[tuple[str, bool, float]] = deque(maxlen=MOST)

    def is_new(self, digit: str, now: float, *, by_info: bool) -> bool:
        """Tell whether a digit is another one than those that the other way has told."""
        for told in self._told:
            if told[:2] == (digit, not by_info) and now - told[2] < SAME_S:
                self._told.remove(told)
                return False
        self._told.append((digit, by_info, now))
        return True
