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
    """`file` is being written, and ends by itself at `until`."""

    __slots__ = ("_emit", "file", "until")

    def __init__(self, emit: Callable[[MediaEvent], None]) -> None:
        self._emit = emit
        self.file: RecordingFile | None = None
        self.until: float | None = None

    def start(self, path: Path, max_s: float, now: float) -> None:
        """Record to `path`; a recording that runs is closed first."""
        self.stop()
        self.file, self.until = RecordingFile(path, max_s), now + max_s
        if self.file.full:
            self.stop()

    def take(self, packet: Packet, now: float) -> None:
        """Write a packet of audio down."""
        if self.file is not None:
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
