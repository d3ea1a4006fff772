"""Leaving a message: greeting, tone, recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt
from .settings import BEEP

if TYPE_CHECKING:
    from ...channels.session import Session
    from .boxes import Boxes
    from .settings import BoxSettings


async def leave_message(call: Session, box: BoxSettings, boxes: Boxes) -> None:
    """Record a message for `box`; what is too short is no message."""
    await call.answer()
    await call.play(box.greeting, BEEP)
    recording = await call.record(max_s=box.most_message_s)
    if recording.duration_s >= box.least_message_s:
        await boxes.add(
            user=box.user,
            caller=call.caller.shown,
            called=call.called,
            duration_s=recording.duration_s,
            wav_path=recording.path,
        )
        if recording.duration_s >= box.most_message_s:
            await call.play(BEEP, Prompt("message_saved"))
    else:
        recording.path.unlink(missing_ok=True)
    await call.hang_up()
