"""What a caller meets at a box: the first of its rules that holds, else greeting, tone, recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt
from ...channels.media.prompts import is_prompt
from ...licensing.refusal import Refusal
from .rules import AS_EVER, chosen
from .settings import BEEP, CALLERS, PATIENCE_S

if TYPE_CHECKING:
    from ...channels.media.plane import Playable
    from ...channels.session import Session
    from .boxes import Boxes
    from .rules import Rule
    from .settings import BoxSettings

MENU_ROUNDS = 3
"""So often a menu is said to who presses nothing."""
MENU_PAUSE_S = 4.0


async def leave_message(call: Session, box: BoxSettings, boxes: Boxes) -> None:
    """Do with the caller as the rules of `box` say; he can leave a message where they do not say otherwise."""
    rule, language = AS_EVER, box.language
    if box.rules or language == CALLERS:
        now = boxes.circumstances(box.user, call.caller, call.called)
        rule = chosen(box.rules, now, boxes.calendars)
        language = now.language if language == CALLERS else language
    if language:
        call.speak(language)
    refusal = _refusal(rule, box, boxes)
    if refusal is not None:
        await call.hang_up(refusal)
        return
    await call.answer()
    greeting = _named(box, rule.greeting)
    match rule.action:
        case "announce":
            await call.play(greeting)
        case "menu":
            await _menu(call, box, rule, greeting)
        case "record":
            await _record(call, box, boxes)
        case "transfer":
            await call.transfer(rule.number, hairpin=box.hairpin, outside=True)
            await _greet(call, box, rule, greeting)
            await _record(call, box, boxes)
        case _:
            await _greet(call, box, rule, greeting)
            await _record(call, box, boxes)
    await call.hang_up()


def _refusal(rule: Rule, box: BoxSettings, boxes: Boxes) -> Refusal | None:
    """Say why the call is not taken at all: it is not to be, or all that could become of it is a message."""
    if rule.action == "hang_up":
        return Refusal("call.rejected")
    if rule.action in {"greeting", "record"} and not rule.digits and boxes.is_full(box.user):
        return Refusal("mailbox.full", facts={"user": box.user})
    return None


def _named(box: BoxSettings, name: str) -> Playable:
    """The greeting of that name, else the server's announcement of that name, else the box's own.

    A digit names what is recorded by telephone, not how the digit is said.
    """
    spoken = is_prompt(name) and not name.isdigit()
    return box.greetings.get(name) or (Prompt(name) if spoken else box.greeting)


async def _greet(call: Session, box: BoxSettings, rule: Rule, greeting: Playable) -> None:
    """Say the greeting; a digit leads away where the rule says so, any other one to the tone at once."""
    if not rule.digits:
        await call.play(greeting)
        return
    digit = await call.collect(1, greeting, timeout_s=0, terminator="")
    if digit in rule.digits:
        await _lead_away(call, box, rule.digits[digit])


async def _menu(call: Session, box: BoxSettings, rule: Rule, greeting: Playable) -> None:
    call.patience(PATIENCE_S)
    silent = 0
    while silent < MENU_ROUNDS:
        digit = await call.collect(1, greeting, timeout_s=MENU_PAUSE_S, terminator="")
        if digit in rule.digits:
            await _lead_away(call, box, rule.digits[digit])
        elif digit:
            await call.play(Prompt("choice_invalid"))
        silent = 0 if digit else silent + 1
    await call.play(Prompt("goodbye"))


async def _lead_away(call: Session, box: BoxSettings, number: str) -> None:
    """Connect the caller, outside too, since the user wants it so; returns only when nobody there took him."""
    await call.transfer(number, hairpin=box.hairpin, outside=True)
    await call.play(Prompt("not_available"))


async def _record(call: Session, box: BoxSettings, boxes: Boxes) -> None:
    """Record a message, if there is room for one; what is too short is none."""
    if boxes.is_full(box.user):
        await call.play(Prompt("box_full"))
        return
    await call.play(BEEP)
    recording = await call.record(max_s=box.most_message_s)
    if recording.duration_s < box.least_message_s:
        recording.path.unlink(missing_ok=True)
        return
    kept = await boxes.add(
        user=box.user,
        caller=call.caller.shown,
        called=call.called,
        duration_s=recording.duration_s,
        wav_path=recording.path,
    )
    if kept is None:
        await call.play(Prompt("failed"))
    elif recording.duration_s >= box.most_message_s:
        await call.play(BEEP, Prompt("message_saved"))
