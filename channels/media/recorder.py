"""What a stream records: at most one file at a time, each told by one `Recorded`. A stream machine owns one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .g711 import CODECS
from .plane import Recorded
from .recording import RecordingFile
from .rtp import COMFORT_NOISE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .plane import MediaEvent
    from .rtp import Packet


class Recorder:
    """`file` is being written, and ends by itself at `until`; while its far end holds it waits."""

    __slots__ = ("_emit", "_held_at", "_left_s", "_phase", "file", "until")

    def __init__(self, emit: Callable[[MediaEvent], None], phase: float) -> None:
        self._emit = emit
        self._phase = phase
        self.file: RecordingFile | None = None
        self.until: float | None = None
        self._held_at: float | None = None
        self._left_s = 0.0

    def start(self, path: Path, max_s: float, now: float) -> None:
        """Record to `path`; a recording that runs is closed first."""
        self.stop()
        self.file, self._left_s = RecordingFile(path, max_s, self._phase), max_s
        if self._held_at is None:
            self.until = now + max_s
        else:
            self._held_at = now
        if self.file.full:
            self.stop()

    def wait(self, waits: bool, now: float) -> None:
        """Take nothing more and let no time pass, or go on right behind what was taken before."""
        held_at = self._held_at
        if waits is (held_at is not None):
            return
        self._held_at = now if waits else None
        if held_at is None and self.until is not None:
            self._left_s, self.until = self.until - now, None
        elif held_at is not None and self.file is not None:
            self.file.leave_out(now - held_at)
            self.until = now + self._left_s

    def take(self, packet: Packet, now: float) -> None:
        """Write a packet of audio down."""
        if self.file is not None and self._held_at is None:
            self.file.add(packet, now)
            if self.file.full:
                self.stop()

    def stop(self) -> None:
        """Close the file, if there is one."""
        file, self.file, self.until = self.file, None, None
        if file is not None:
            self._emit(Recorded(file.path, file.finish()))


def as_heard(packet: Packet) -> Packet | None:
    """Return a packet of audio; comfort noise is silence up to where it stands, all else is None (RFC 3389)."""
    if packet.payload_type == COMFORT_NOISE:
        return packet._replace(payload=b"")
    return packet if packet.payload_type in CODECS else None
