"""What a scripted phone hears and says in a call: its stream, its recordings, its keys."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ...channels.media.audio import Audio
from ...channels.media.plane import DigitHeard, DigitsSent, Measured, Played, Recorded, StreamClosed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ...channels.media.plane import MediaEvent, MediaPlane, MediaStream, Playable
    from ...channels.media.verdict import Verdict
    from .phone import Phone

PATIENCE_S = 30.0
LONGEST_RECORDING_S = 3600.0
SLICE_S = 0.2


class NotAnsweredError(Exception):
    """A verb needs an answered call, and this one was refused or has ended."""


class Sound(ABC):
    """The half of a `PhoneCall` that deals with RTP; `digits` are those that the far end pressed (RFC 4733, or tones).

    `has_early_media` tells that there was something to hear before the answer.
    """

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._changed = asyncio.Event()
        self._recorded: list[Recorded] = []
        self._closed: StreamClosed | None = None
        self._measured: list[Verdict] = []
        self._digits_sent = 0
        self._played = 0
        self.digits = ""
        self.has_early_media = False
        self.is_answered = False
        self.is_over = False

    async def open(self, plane: MediaPlane) -> None:
        """Take the stream that every call has."""
        self._stream: MediaStream = await plane.open(self.on_media)

    @property
    def verdict(self) -> Verdict:
        """How the audio of an ended call fared at this telephone; for a live call there is `measured`."""
        if self._closed is None:
            raise NotAnsweredError("the verdict comes with the call's end: await ended() or measured() first")
        return self._closed.verdict

    async def measured(self) -> Verdict:
        """Return how the audio has fared up to now; of an ended call its verdict."""
        before = len(self._measured)
        self._stream.measure()
        await self._until(lambda: len(self._measured) > before or self._closed is not None)
        return self.verdict if self._closed is not None else self._measured[-1]

    async def answered(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the call is answered; raises `NotAnsweredError` when it was refused."""
        await self._until(lambda: self.is_answered or self.is_over, timeout_s)
        if not self.is_answered:
            raise NotAnsweredError(self._why_not())

    async def progressed(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until there is something to hear before the answer; raises `NotAnsweredError` when there never is."""
        await self._until(lambda: self.has_early_media or self.is_answered or self.is_over, timeout_s)
        if not self.has_early_media:
            raise NotAnsweredError("the call had no early media")

    async def _connected(self) -> None:
        """Wait until there is somebody to hear and to speak to."""
        if not self.has_early_media:
            await self.answered()

    @abstractmethod
    def _why_not(self) -> str:
        """Say why the call was not answered."""

    async def send_digits(self, digits: str) -> None:
        """Press keys; returns when they are sent."""
        await self._connected()
        before = self._digits_sent
        self._stream.send_digits(digits)
        await self._until(lambda: self._digits_sent > before or self.is_over)

    async def play(self, *playables: Playable) -> None:
        """Speak into the telephone; returns when all is said, at once when a tone has no length."""
        await self._connected()
        token = self._stream.play(playables)
        if all(getattr(one, "duration_s", 0.0) is not None for one in playables):
            await self._until(lambda: self._played >= token or self.is_over, LONGEST_RECORDING_S)

    async def heard(self) -> Audio:
        """Return what was heard since the call had media, or since this was asked last."""
        before = len(self._recorded)
        if not self.is_over:
            self._stream.stop_recording()
        audio = await self._recording_after(before)
        if not self.is_over:
            self._record()
        return audio

    async def hear_tone(self, frequency_hz: float, timeout_s: float = PATIENCE_S) -> None:
        """Wait until a tone sounds, as a caller waits for the beep; `heard` begins anew there.

        The tone must last twice `SLICE_S`. Raises `NotAnsweredError` when the call ends before.
        """
        await self._connected()
        async with asyncio.timeout(timeout_s):
            before = len(self._recorded)
            self._stream.stop_recording()
            await self._recording_after(before)
            while not self.is_over:
                before = len(self._recorded)
                self._record(SLICE_S)
                if (await self._recording_after(before)).contains_tone(frequency_hz, 0.9):
                    self._record()
                    return
        raise NotAnsweredError(f"the call ended before a tone of {frequency_hz} Hz was heard")

    def on_media(self, event: MediaEvent) -> None:
        """Something happened in the stream."""
        match event:
            case Recorded():
                self._recorded.append(event)
            case StreamClosed():
                self._closed = event
            case Measured(verdict):
                self._measured.append(verdict)
            case DigitHeard(digit):
                self.digits += digit
            case DigitsSent():
                self._digits_sent += 1
            case Played(token):
                self._played = token
            case _:
                return
        self._changed.set()

    def _record(self, max_s: float = LONGEST_RECORDING_S) -> None:
        path: Path = self._phone.new_recording_path()
        self._stream.record(path, max_s)

    async def _recording_after(self, before: int) -> Audio:
        """Return the first recording that ends when there were `before`; the last one of a call that is over."""
        await self._until(lambda: len(self._recorded) > before or self._closed is not None)
        return Audio.from_wav(self._recorded[-1].path)

    async def _until(self, holds: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()
