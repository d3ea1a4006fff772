"""What whoever has parked a call hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.speech.spoken import Digits

if TYPE_CHECKING:
    from ...channels.session import Session

TIMES = 2
PAUSE_S = 1.0


async def tell_slot(call: Session, slot: str) -> None:
    """Say in which slot the call waits, and leave."""
    await call.answer()
    for _ in range(TIMES):
        await call.sleep(PAUSE_S)
        await call.play(Digits(slot))
    await call.hang_up()
