"""Whoever hears a box by telephone in a test: he waits for what is said, and presses keys."""

from __future__ import annotations

import asyncio
from array import array
from typing import TYPE_CHECKING

from tests.tone_file import write_tone

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import SILENCE, encode
from ringfence.channels.media.plane import Codec, Prompt
from ringfence.channels.media.prompts import prompt_payload

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.phones.phone import Phone
    from ringfence.server.store.mailbox import Message

LISTENING = "199"
CODEC = Codec.PCMA
LOOK_S = 0.5


def payload(block: str, language: str = "en") -> bytes:
    """The sound of a block of the announcements."""
    return prompt_payload(Prompt(block, language), CODEC).strip(SILENCE[CODEC])


class BoxCaller:
    """A call to a box, and all that was heard in it."""

    def __init__(self, call: PhoneCall) -> None:
        self.call = call
        self._samples = array("h")
        self._sound = bytearray()
        self._is_complete = False

    @classmethod
    async def dial(cls, phone: Phone, number: str = LISTENING) -> BoxCaller:
        """Call a box; the first announcement has begun when this returns."""
        call = await phone.dial(number)
        await call.answered()
        return cls(call)

    async def audio(self) -> Audio:
        """All that was heard so far."""
        await self.sound()
        return Audio(self._samples)

    async def sound(self) -> bytes:
        """The same as it came in."""
        if not self._is_complete:
            self._is_complete = self.call.is_over
            new = (await self.call.heard()).samples
            self._samples.extend(new)
            self._sound += encode(new, CODEC)
        return bytes(self._sound)

    async def has_heard(self, block: str, times: int = 1) -> bool:
        """Whether a block was said so often."""
        return (await self.sound()).count(payload(block)) >= times

    async def hear(self, *blocks: str, times: int = 1, within_s: float = 90.0) -> None:
        """Wait until each block has been said so often."""
        for block in blocks:
            left = within_s
            while not await self.has_heard(block, times):
                assert left > 0, f"{block} was not said {times} times within {within_s} s"
                await asyncio.sleep(LOOK_S)
                left -= LOOK_S

    async def press(self, keys: str) -> None:
        """Press keys."""
        await self.call.send_digits(keys)

    async def identify(self, pin: str = "8264", box: str | None = None) -> None:
        """Give the PIN, and before it the number of a box that is not the caller's own."""
        if box is not None:
            await self.press(f"{box}#")
            await asyncio.sleep(0.5)
        await self.press(f"{pin}#")


async def put(pbx: PbxUnderTest, folder: Path, *, caller: str = "+49731999", hz: int = 500) -> Message:
    """Leave a tone of two seconds in anna's box."""
    path = folder / f"put-{hz}.wav"
    write_tone(path, hz, 2)
    kept = await pbx.server.boxes.add(user="anna", caller=caller, called="100", duration_s=2.0, wav_path=path)
    assert kept is not None
    return kept


async def listening(pbx: PbxUnderTest) -> BoxCaller:
    """Anna has called from her desk phone and given her PIN."""
    caller = await BoxCaller.dial(await pbx.phone("100"))
    await caller.identify()
    return caller
