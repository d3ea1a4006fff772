"""What the test numbers do once they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt, Tone
from ...licensing.refusal import Refusal

if TYPE_CHECKING:
    from ...channels.session import Session

TONE_440_HZ = Tone((440,))
BETWEEN_S = 1.0
"""How long it is silent behind tones that end."""

LONGEST_RING_S = 180.0


async def echo(call: Session) -> None:
    """Return each packet."""
    await call.answer(echo=True)


async def sound(call: Session, *tones: Tone) -> None:
    """Play tones, again and again if they end, to the end of the call."""
    await call.answer()
    while True:
        await call.play(*tones)
        await call.sleep(BETWEEN_S)


async def inactive(call: Session) -> None:
    """Answer without a stream."""
    await call.answer(inactive=True)


async def ring_only(call: Session) -> None:
    """Ring and never answer."""
    await call.ring()
    await call.sleep(LONGEST_RING_S)
    await call.hang_up(Refusal("user.no_answer"))


async def late(call: Session, after_s: float) -> None:
    """Answer with an echo after a while."""
    await call.ring()
    await call.sleep(after_s)
    await call.answer(echo=True)


async def read_back(call: Session) -> None:
    """Say each digit that is pressed."""
    await call.answer()
    while True:
        digit = await call.collect(1, timeout_s=60.0, terminator="")
        if digit:
            await call.play(Prompt(digit) if digit.isdigit() else Tone((440,), duration_s=0.3))
