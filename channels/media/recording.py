"""Writes what a stream hears to a WAV file, each packet where its RTP timestamp puts it.

What was lost stays silence, late packets fill their place, duplicates change nothing. The file bears a temporary name
until it is whole. A stream machine owns one for each `record`.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from .g711 import CODECS, SAMPLE_RATE_HZ, decode_to_pcm

if TYPE_CHECKING:
    from io import BufferedWriter
    from pathlib import Path

    from .rtp import Packet

WINDOW_SAMPLES = SAMPLE_RATE_HZ
"""A packet may come this much later than the newest one and still be put in its place."""

BELIEVED_AHEAD_SAMPLES = SAMPLE_RATE_HZ
"""A timestamp further ahead of the time of arrival than this is a jump of its source, not silence."""

_HEADER = Struct("<4sI4s4sIHHIIHH4sI")
_U32 = 0xFFFFFFFF
_SIGN = 0x80000000


def _wav_header(samples: int) -> bytes:
    size, rate = 2 * samples, SAMPLE_RATE_HZ
    return _HEADER.pack(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", size)


class RecordingFile:
    """One recording; the first packet is its beginning.

    Memory is bounded by two windows, length by `max_s`. If the disk refuses, the recording ends with a length of zero
    and no file.
    """

    __slots__ = (
        "_base", "_began", "_file", "_flushed", "_max_samples", "_newest", "_part", "_path", "_ssrc", "_window",
    )  # fmt: skip

    def __init__(self, path: Path, max_s: float) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._max_samples = max(0, round(max_s * SAMPLE_RATE_HZ))
        self._window = bytearray()
        self._flushed = 0
        self._base = 0
        self._began: float | None = None
        self._ssrc = 0
        self._newest = 0
        self._file: BufferedWriter | None = None
        try:
            self._file = self._part.open("wb")
            self._file.write(_wav_header(0))
        except OSError:
            self._give_up()

    @property
    def path(self) -> Path:
        """Where the whole file will lie."""
        return self._path

    @property
    def samples(self) -> int:
        """How many samples were heard, gaps included."""
        return self._flushed + len(self._window) // 2

    @property
    def full(self) -> bool:
        """Whether nothing more will be taken."""
        return self._file is None or self.samples >= self._max_samples

    def add(self, packet: Packet, now: float) -> None:
        """Take a packet of payload type 0 or 8 that arrived at `now` (seconds, any clock that does not jump).

        One without payload tells that there is silence up to its timestamp.
        """
        position = self._position(packet, now)
        if position < self._flushed:
            return
        payload = packet.payload[: max(0, self._max_samples - position)]
        if not payload:
            self._lengthen(min(position, self._max_samples))
            return
        self._lengthen(position)
        begin = 2 * (position - self._flushed)
        self._window[begin : begin + 2 * len(payload)] = decode_to_pcm(payload, CODECS[packet.payload_type])
        if len(self._window) > 4 * WINDOW_SAMPLES:
            self._flush(len(self._window) // 2 - WINDOW_SAMPLES)

    def finish(self) -> float:
        """Close the file under its own name; return its length in seconds, 0 if it could not be written."""
        self._flush(len(self._window) // 2)
        if self._file is None:
            return 0.0
        try:
            self._file.seek(0)
            self._file.write(_wav_header(self._flushed))
            self._file.close()
            self._part.replace(self._path)
        except OSError:
            self._give_up()
            return 0.0
        self._file = None
        return self._flushed / SAMPLE_RATE_HZ

    def _position(self, packet: Packet, now: float) -> int:
        if self._began is None:
            self._began = now
            self._anchor(packet, 0)
        arrived = round((now - self._began) * SAMPLE_RATE_HZ)
        position = self._relative(packet)
        newer = 0 < (packet.sequence - self._newest) & 0xFFFF < 0x8000
        jumped_back = newer and position < self._flushed
        if packet.ssrc != self._ssrc or position > arrived + BELIEVED_AHEAD_SAMPLES or jumped_back:
            position = max(self.samples, min(arrived, self._max_samples))
            self._anchor(packet, position)
        elif newer:
            self._newest = packet.sequence
        return position

    def _relative(self, packet: Packet) -> int:
        return (((packet.timestamp - self._base) & _U32) ^ _SIGN) - _SIGN

    def _anchor(self, packet: Packet, position: int) -> None:
        self._base = (packet.timestamp - position) & _U32
        self._ssrc, self._newest = packet.ssrc, packet.sequence

    def _lengthen(self, samples: int) -> None:
        missing = 2 * (samples - self._flushed) - len(self._window)
        if missing > 0:
            self._window.extend(bytes(missing))

    def _flush(self, samples: int) -> None:
        if self._file is None:
            return
        try:
            self._file.write(self._window[: 2 * samples])
        except OSError:
            self._give_up()
        del self._window[: 2 * samples]
        self._flushed += samples

    def _give_up(self) -> None:
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
            self._part.unlink(missing_ok=True)
        except OSError:
            return
