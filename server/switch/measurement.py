"""How the audio of one connection fares: asked while it lives, told to everybody once its stream is gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...channels.media.plane import Measured, StreamClosed

if TYPE_CHECKING:
    from ...channels.media.plane import MediaEvent, MediaStream
    from ...channels.media.verdict import Verdict

PATIENCE_S = 2.0
"""A worker that does not answer for so long has no verdict to give."""


class Measurement:
    """The verdicts of one connection's stream."""

    def __init__(self) -> None:
        self._asked: list[asyncio.Future[Verdict]] = []

    async def of(self, stream: MediaStream | None) -> Verdict | None:
        """Ask how `stream` has fared up to now; None without one, or when no answer comes."""
        if stream is None:
            return None
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        stream.measure()
        try:
            return await asyncio.wait_for(answer, PATIENCE_S)
        except TimeoutError:
            return None

    def take(self, event: MediaEvent) -> None:
        """Give whoever asked what the stream tells, the last of it when it ends."""
        if self._asked and isinstance(event, (Measured, StreamClosed)):
            asked, self._asked = self._asked, []
            for answer in asked:
                if not answer.done():
                    answer.set_result(event.verdict)
