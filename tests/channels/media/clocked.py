"""A stream machine on a clock of the test's own; the far ends of several tests build on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.channels.media.plane import StreamClosed

if TYPE_CHECKING:
    from ringfence.channels.media.plane import MediaEvent
    from ringfence.channels.media.stream import Stream
    from ringfence.channels.media.verdict import Verdict


class Clocked:
    """Whoever has a `stream`, what it told, and the time."""

    now: float
    events: list[MediaEvent]
    stream: Stream

    def pass_time(self, seconds: float) -> None:
        """Let time go by, and the stream do what is due."""
        end = self.now + seconds
        while (deadline := self.stream.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.stream.tick(self.now)
        self.now = end

    @property
    def verdict(self) -> Verdict:
        """Close the stream, and return what it tells."""
        self.stream.close()
        closed = self.events[-1]
        assert isinstance(closed, StreamClosed)
        return closed.verdict
