"""What whoever has dialled a code for his telephone hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...channels.media.plane import Tone

if TYPE_CHECKING:
    from ...channels.session import Session

DONE: Final = Tone((425,), duration_s=1.0)
"""One long tone: it is done. What cannot be done is refused without any."""


async def confirm(call: Session) -> None:
    """Tell that it is done, and leave."""
    await call.answer()
    await call.play(DONE)
    await call.hang_up()
