"""Hearing one message by telephone: its time, its caller and its sound, and what is done with it.

In it and after it, a key does what `KEYS` says; without one the next message follows. A message is no longer new when
it was played to its end, or a key other than that for the next one was pressed in it. # goes on from time and caller to
the sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...channels.media.plane import Clip, Prompt
from ...channels.speech.spoken import Digits, Moment
from .keys import PAUSE_S, offered
from .settings import BEEP

if TYPE_CHECKING:
    from ...channels.session import Session
    from .boxes import Boxes, Message
    from .owners import MessageCaller, Owners
    from .settings import BoxSettings

REPEAT, SAVE, DELETE, NEXT, CALL_BACK, MENU, TO_SOUND = "1", "2", "3", "4", "5", "9", "#"
KEYS = {
    REPEAT: "to_repeat",
    SAVE: "to_save",
    DELETE: "to_delete",
    NEXT: "to_skip",
    CALL_BACK: "to_call_back",
    MENU: "for_menu",
}
AFTER_SOUND_S = 0.3


@dataclass(frozen=True, slots=True)
class Hearing:
    """A caller who hears a box; with `hairpin` a call back occupies a second IP channel (L-72)."""

    call: Session
    box: BoxSettings
    boxes: Boxes
    owners: Owners
    hairpin: bool

    async def hear(self, message: Message) -> str:
        """Play one message until a key, or its end, leads on from it; returns that key, if any."""
        caller = self.owners.caller_of(self.box, message)
        keys = {key: what for key, what in KEYS.items() if key != CALL_BACK or caller is not None}
        key = REPEAT
        while key not in {SAVE, DELETE, NEXT, MENU, ""}:
            if key == REPEAT:
                key = await self._play(message, caller)
            elif key == CALL_BACK and caller is not None:
                key = await self._call_back(caller)
            else:
                key = await self.call.collect(1, Prompt("choice_invalid"), timeout_s=0.0, terminator="")
            key = key or await self.call.collect(1, *offered(keys), timeout_s=PAUSE_S, terminator="")
        if key == SAVE:
            await self.boxes.mark_read(message.id)
            await self.call.play(Prompt("message_saved"))
        elif key == DELETE:
            await self.boxes.delete(message.id)
            await self.call.play(Prompt("message_deleted"))
        return key

    async def _play(self, message: Message, caller: MessageCaller | None) -> str:
        who = Prompt("unknown_caller") if caller is None else Digits(caller.shown)
        told = (Prompt("message_received"), Moment(message.received_at), Prompt("message_from"), who)
        key = await self.call.collect(1, *told, timeout_s=0.0, terminator="")
        if key in {"", TO_SOUND}:
            sound = (BEEP, Clip(message.path))
            key = await self.call.collect(1, *sound, timeout_s=AFTER_SOUND_S, terminator="")
            if key not in {NEXT, DELETE}:
                await self.boxes.mark_read(message.id)
        return key

    async def _call_back(self, caller: MessageCaller) -> str:
        """Call whoever left the message, in the name of the box's user and by his rights; returns if that failed."""
        await self.call.play(Prompt("please_wait"))
        owner = self.owners.owner(self.box)
        await self.call.transfer(caller.number, hairpin=self.hairpin, party=owner)
        return await self.call.collect(1, Prompt("not_available"), timeout_s=0.0, terminator="")
