"""Listening to a box by telephone: who it is, the PIN, then message after message.

While a message plays, 1 repeats it, 3 deletes it, any other digit goes on to the next one.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from ...channels.media.plane import Clip, Prompt
from ...channels.speech.spoken import Messages
from .settings import BEEP, PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.session import Session
    from .boxes import Boxes
    from .settings import BoxSettings

TRIES = 3
REPEAT, DELETE = "1", "3"


async def listen(
    call: Session,
    own: BoxSettings | None,
    open_box: Callable[[str], BoxSettings | None],
    boxes: Boxes,
    *,
    ask_pin_of_own: bool,
) -> None:
    """Let the caller hear a box: `own` is the one of his account, `open_box` finds others by their number."""
    await call.answer()
    box = own if own is not None and not ask_pin_of_own else await _identify(call, own, open_box)
    if box is not None:
        await _play_messages(call, box, boxes)
    await call.play(Prompt("goodbye"))
    await call.hang_up()


async def _identify(
    call: Session, own: BoxSettings | None, open_box: Callable[[str], BoxSettings | None]
) -> BoxSettings | None:
    """Ask for box number (of strangers) and PIN; None after too many wrong tries.

    An unknown box sounds like a wrong PIN.
    """
    call.patience(PATIENCE_S)
    for _ in range(TRIES):
        box = own or open_box(await call.collect(12, Prompt("enter_box")))
        pin = await call.collect(9, Prompt("enter_pin"))
        if box is not None and hmac.compare_digest(pin.encode(), box.pin.encode()):
            call.patience(None)
            return box
        await call.play(Prompt("pin_wrong"))
    return None


async def _play_messages(call: Session, box: BoxSettings, boxes: Boxes) -> None:
    messages = await boxes.list(box.user)
    await call.play(Messages(len(messages)))
    if not messages:
        return
    for message in messages:
        key = REPEAT
        while key == REPEAT:
            await call.play(BEEP)
            key = await call.collect(1, Clip(message.path), timeout_s=1.5)
            await boxes.mark_read(message.id)
        if key == DELETE:
            await boxes.delete(message.id)
            await call.play(Prompt("message_deleted"))
    await call.play(Prompt("end_of_messages"))
