"""A user's voicemail settings, and how long things may last in a box."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...channels.media.plane import Playable, Prompt, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .rules import Rule

PATIENCE_S = 60.0
LONGEST_GREETING_S = 120.0
GREETING = Prompt("greeting")
BEEP = Tone((1000,), duration_s=0.4)
CALLERS = "caller"
"""The language of a box that speaks that of its callers."""


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """One box. Messages shorter than `least_message_s` are dropped; longer than `most_message_s` they are cut.

    `greetings` are those that `rules` name, beside its own `greeting`. It speaks `language`, or the site's if that is
    empty. With `hairpin` whoever it connects occupies a second IP channel (L-72).
    """

    user: str
    pin: str
    greeting: Playable = GREETING
    least_message_s: float = 1.0
    most_message_s: float = 180.0
    greetings: Mapping[str, Playable] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    language: str = ""
    hairpin: bool = False
