"""Whether a user's mobile softphone can be woken: a personal setting of the function `softphone_mobile`."""

from __future__ import annotations

from typing import Any, Final

from ..declaration import Declaration

LONGEST_WAKE_S: Final = 30.0


def _read(seconds: float) -> float:
    if not 1 <= seconds <= LONGEST_WAKE_S:
        raise ValueError(f"it is waited for 1 to {LONGEST_WAKE_S:g} seconds")
    return seconds


WAKE_S: Final[Declaration[float]] = Declaration(
    "softphone_mobile", "wake_s", float, "for how many seconds it is waited for, e.g. 10", read=_read
)
PERSONAL: Final[tuple[Declaration[Any], ...]] = (WAKE_S,)
