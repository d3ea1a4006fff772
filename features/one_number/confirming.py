"""Whoever answers at a number outside says that he is no voicemail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt, Tone

if TYPE_CHECKING:
    from ...channels.session import Session

ATTENTION = Tone((1000,), duration_s=0.3)
TIMES = 4
PAUSE_S = 3.0


async def confirm(call: Session, digit: str) -> bool:
    """Say the digit a few times, and tell whether it was pressed."""
    await call.answer()
    for _ in range(TIMES):
        if await call.collect(1, ATTENTION, Prompt(digit), timeout_s=PAUSE_S, terminator="") == digit:
            return True
    return False
