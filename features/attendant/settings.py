"""The menu of one attendant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...channels.media.plane import Playable, Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

ANNOUNCEMENT = Prompt("menu")


@dataclass(frozen=True, slots=True)
class Menu:
    """`targets` maps a digit to the number that it leads to; the announcement repeats every `pause_s` seconds, and the
    leg ends after `patience_s` seconds without a digit.

    `hairpin` makes a transfer occupy a second IP channel (L-72).
    """

    name: str
    targets: Mapping[str, str]
    announcement: Playable = ANNOUNCEMENT
    pause_s: float = 4.0
    patience_s: float = 60.0
    hairpin: bool = False
