"""What an Auto Attendant does with a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt

if TYPE_CHECKING:
    from ...channels.session import Session
    from .settings import Menu


async def attend(call: Session, menu: Menu) -> None:
    """Say the menu until a digit leads somewhere; a target that does not take the call leads back."""
    await call.answer()
    while True:
        digit = await call.collect(1, menu.announcement, timeout_s=menu.pause_s, terminator="")
        if digit in menu.targets:
            await call.transfer(menu.targets[digit], hairpin=menu.hairpin)
            await call.play(Prompt("not_available"))
