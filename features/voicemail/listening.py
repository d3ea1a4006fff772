"""Listening to a box by telephone: the new messages, then the saved ones, then the menu of the box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt
from ...channels.speech.spoken import Messages
from .hearing import MENU, Hearing
from .identifying import identify
from .managing import wants_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.session import Session
    from .boxes import Boxes
    from .owners import Owners
    from .settings import BoxSettings


async def listen(
    call: Session,
    own: BoxSettings | None,
    open_box: Callable[[str], BoxSettings | None],
    boxes: Boxes,
    owners: Owners,
    *,
    ask_pin_of_own: bool,
    hairpin: bool,
) -> None:
    """Let the caller hear a box: `own` is the one of his account, `open_box` finds others by their number.

    With `hairpin` a call back occupies a second IP channel (L-72).
    """
    await call.answer()
    box = own if own is not None and not ask_pin_of_own else await identify(call, own, open_box, owners)
    if box is not None:
        hearing = Hearing(call, box, boxes, owners, hairpin=hairpin)
        await _hear_all(hearing)
        while await wants_messages(call, box, owners):
            await _hear_all(hearing)
    await call.play(Prompt("goodbye"))
    await call.hang_up()


async def _hear_all(hearing: Hearing) -> None:
    """Play all messages, or those up to the one in which the menu is asked for; any key goes on from how many."""
    call = hearing.call
    found = await hearing.boxes.list(hearing.box.user)
    new = [message for message in found if not message.read]
    saved = [message for message in found if message.read]
    if new or not saved:
        await call.collect(1, Messages(len(new), "new" if found else ""), timeout_s=0.0, terminator="")
    if saved:
        await call.collect(1, Messages(len(saved), "saved"), timeout_s=0.0, terminator="")
    for message in (*new, *saved):
        if await hearing.hear(message) == MENU:
            return
    if found:
        await call.play(Prompt("end_of_messages"))
