"""The answering point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt

if TYPE_CHECKING:
    from ...channels.session import Session

REPEATS = 20


async def answering_point(call: Session) -> None:
    """Answer and say so, until the caller hangs up."""
    await call.answer()
    for _ in range(REPEATS):
        await call.play(Prompt("emergency"))
        await call.sleep(2.0)
    await call.hang_up()
