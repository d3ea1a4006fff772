"""The menu of a box by telephone: its messages again, another greeting, another PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Clip, Prompt
from .identifying import LONGEST_PIN, TRIES
from .keys import PAUSE_S, offered
from .pin import is_pin
from .settings import BEEP, LONGEST_GREETING_S

if TYPE_CHECKING:
    from ...channels.session import Recording, Session
    from .owners import Owners
    from .settings import BoxSettings

MESSAGES, GREETING, PIN, OTHER_GREETING = "1", "2", "3", "4"
KEYS = {
    MESSAGES: "to_listen",
    GREETING: "to_change_greeting",
    PIN: "to_change_pin",
    OTHER_GREETING: "to_change_other_greeting",
}
HEAR, KEEP, AGAIN = "1", "2", "3"
OF_GREETING = {HEAR: "to_repeat", KEEP: "to_save", AGAIN: "to_record_again"}
ROUNDS = 2
"""So often a menu is said to somebody who presses nothing."""


async def wants_messages(call: Session, box: BoxSettings, owners: Owners) -> bool:
    """Let the caller change his box; returns whether he wants to hear its messages again, or nothing more."""
    while True:
        match await _choice(call, KEYS):
            case "1":
                return True
            case "2":
                await _change_greeting(call, box, owners, "")
            case "3":
                await _change_pin(call, box, owners)
            case "4":
                digit = await call.collect(1, Prompt("enter_greeting"))
                if digit.isdigit():
                    await _change_greeting(call, box, owners, digit)
            case _:
                return False


async def _choice(call: Session, keys: dict[str, str]) -> str:
    """Say a menu until one of its keys is pressed; returns it, or nothing where none is."""
    silent = 0
    while silent < ROUNDS:
        key = await call.collect(1, *offered(keys), timeout_s=PAUSE_S, terminator="")
        if key in keys:
            return key
        if key:
            await call.play(Prompt("choice_invalid"))
        else:
            silent += 1
    return ""


async def _change_greeting(call: Session, box: BoxSettings, owners: Owners, name: str) -> None:
    """Record the greeting of that name until it pleases; it counts once it is saved."""
    key = AGAIN
    while key == AGAIN:
        await call.play(Prompt("after_the_tone"), BEEP)
        recording = await call.record(max_s=LONGEST_GREETING_S)
        try:
            key = await _judged(call, recording)
            if key == KEEP:
                kept = recording.duration_s >= box.least_message_s and await owners.set_greeting(
                    box, recording, name
                )
                await call.play(Prompt("greeting_saved" if kept else "failed"))
        finally:
            recording.path.unlink(missing_ok=True)


async def _judged(call: Session, recording: Recording) -> str:
    key = HEAR
    while key == HEAR:
        await call.play(Clip(recording.path))
        key = await _choice(call, OF_GREETING)
    return key


async def _change_pin(call: Session, box: BoxSettings, owners: Owners) -> None:
    """Ask twice for another PIN; one that breaks the rule is refused at once."""
    for _ in range(TRIES):
        pin = await call.collect(LONGEST_PIN + 1, Prompt("enter_new_pin"))
        if not pin:
            return
        if not is_pin(pin):
            await call.play(Prompt("pin_not_allowed"))
        elif await call.collect(LONGEST_PIN + 1, Prompt("repeat_pin")) != pin:
            await call.play(Prompt("pins_differ"))
        else:
            changed = await owners.set_pin(box, pin)
            await call.play(Prompt("pin_changed" if changed else "failed"))
            return
