"""Who wants to hear a box: its number, where it is not the caller's own, and the PIN (decision 46)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt
from ...licensing.refusal import Refusal
from .pin_locks import PinAnswer
from .settings import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.session import Session
    from .owners import Owners
    from .settings import BoxSettings

TRIES = 3
LONGEST_NUMBER, LONGEST_PIN = 12, 9


async def identify(
    call: Session, own: BoxSettings | None, open_box: Callable[[str], BoxSettings | None], owners: Owners
) -> BoxSettings | None:
    """Ask for box number (of strangers) and PIN; None after too many wrong tries.

    An unknown box sounds and lasts like a wrong PIN, and like a locked box after as many.
    """
    call.patience(PATIENCE_S)
    for _ in range(TRIES):
        number = "" if own is not None else await call.collect(LONGEST_NUMBER, Prompt("enter_box"))
        pin = await call.collect(LONGEST_PIN, Prompt("enter_pin"))
        box = own or open_box(number)
        match owners.try_pin(box, number, pin):
            case PinAnswer.RIGHT:
                call.patience(None)
                return box
            case PinAnswer.WRONG:
                await call.play(Prompt("pin_wrong"))
            case PinAnswer.LOCKED:
                await call.play(Prompt("pin_locked"))
                await call.hang_up(Refusal("pin.locked"))
                return None
    return None
