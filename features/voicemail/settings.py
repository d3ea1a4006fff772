"""A user's voicemail settings, and how long things may last in a box."""

from __future__ import annotations

from dataclasses import dataclass

from ...channels.media.plane import Playable, Prompt, Tone

PATIENCE_S = 60.0
GREETING = Prompt("greeting")
BEEP = Tone((1000,), duration_s=0.4)


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """One box. Messages shorter than `least_message_s` are dropped; longer than `most_message_s` they are cut."""

    user: str
    pin: str
    greeting: Playable = GREETING
    least_message_s: float = 1.0
    most_message_s: float = 180.0
