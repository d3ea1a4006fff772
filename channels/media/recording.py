"""Writes what a stream hears to a WAV file, each packet where its RTP timestamp puts it.

What was lost stays silence, late packets fill their place, duplicates change nothing. The file bears a temporary name
until it is whole, and grows each second: what is in it outlives its process, and is `rescued`. A stream machine owns
one for each `record`.
"""

from __future__ import annotations

import os
from struct import Struct
from typing import TYPE_CHECKING

from .g711 import CODECS, SAMPLE_RATE_HZ, decode_to_pcm
from .rtp import is_newer

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    from .rtp import Packet

WINDOW_SAMPLES = SAMPLE_RATE_HZ
"""A packet may come this much later than the newest one and still be put in its place."""

PIECE_SAMPLES = SAMPLE_RATE_HZ
"""So much is written to the disk at once: whoever dies loses no more."""

MOST_WAITING = 256
"""So many packets make a piece, too."""

BELIEVED_AHEAD_SAMPLES = SAMPLE_RATE_HZ
"""A timestamp further ahead of the time of arrival than this is a jump of its source, not silence."""

_HEADER = Struct("<4sI4s4sIHHIIHH4sI")
_U32 = 0xFFFFFFFF
_U16 = 0xFFFF
_SIGN = 0x80000000
_NOBODY = -1


def _wav_header(samples: int) -> bytes:
    size, rate = 2 * samples, SAMPLE_RATE_HZ
    return _HEADER.pack(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", size)


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def rescued(path: Path) -> float:
    """Close the recording to `path` of a process that is gone, as far as it came; return its length like `finish`."""
    part = _part(path)
    try:
        if part.exists():
            with part.open("r+b") as file:
                file.write(_wav_header((part.stat().st_size - _HEADER.size) // 2))
            part.replace(path)
        return (path.stat().st_size - _HEADER.size) / 2 / SAMPLE_RATE_HZ
    except OSError:
        return 0.0


class RecordingFile:
    """One recording; the first packet is its beginning. `full` tells that nothing more will be taken.

    Packets wait in their codec for the next piece, which is decoded at once; what comes late is written by itself. The
    first piece is shorter by `phase`, 0 to 1, of a piece, so that those who begin together are not written together.
    Memory is bounded by a piece and the longest pause, length by `max_s`. If the disk refuses, the recording ends with
    a length of zero and no file.
    """

    __slots__ = (
        "_base", "_began", "_file", "_kind", "_max_samples", "_newest", "_newest_at", "_path", "_run", "_save_at",
        "_saved", "_ssrc", "_waiting", "full", "samples",
    )  # fmt: skip

    def __init__(self, path: Path, max_s: float, phase: float = 0.0) -> None:
        self._path = path
        self._max_samples = max(0, round(max_s * SAMPLE_RATE_HZ))
        self._waiting: dict[int, tuple[int, bytearray]] = {}
        self._run, self._kind = bytearray(), _NOBODY  # the last of `_waiting`, if it ends with what was heard
        self._saved, self._save_at = 0, min(PIECE_SAMPLES - int(phase * PIECE_SAMPLES), self._max_samples)
        self.samples = 0
        """How many samples were heard, gaps included."""
        self.full = self._max_samples == 0
        self._base = 0
        self._began: float | None = None
        self._ssrc = _NOBODY
        self._newest = self._newest_at = 0
        self._file: FileIO | None = None
        try:
            self._file = _part(path).open("wb", buffering=0)
        except OSError:
            self._give_up()
        self._write(_wav_header(0), 0)

    @property
    def path(self) -> Path:
        """Where the whole file will lie."""
        return self._path

    def add(self, packet: Packet, now: float) -> None:
        """Take a packet of payload type 0 or 8 that arrived at `now` (seconds, any clock that does not jump).

        One without payload tells that there is silence up to its timestamp.
        """
        _, kind, sequence, stamp, ssrc, payload = packet
        position = stamp - self._base & _U32
        is_next = position == self.samples and sequence == self._newest + 1 & _U16 and ssrc == self._ssrc
        if is_next and position <= self._believed(now):
            self._newest, self._newest_at = sequence, position
            end = position + len(payload)
            if kind == self._kind and end < self._save_at:  # in its turn, as nearly always
                self._run += payload
                self.samples = end
                return
        else:
            position = self._position(packet, now)
        end = position + len(payload)
        if end > self._max_samples:
            end, payload = self._max_samples, payload[: max(0, self._max_samples - position)]
        if position < self._saved:
            if position < max(0, self._saved - WINDOW_SAMPLES) or not payload:
                return
            pcm = decode_to_pcm(payload, CODECS[kind])
            self._write(pcm, _HEADER.size + 2 * position)
            position, payload = self._saved, payload[self._saved - position :]
        piece = bytearray(payload)
        if end > self.samples:
            self.samples = end
            self.full = self.full or end == self._max_samples
            self._run, self._kind = piece, kind if payload else _NOBODY
        elif position in self._waiting:
            return  # twice
        if payload:
            self._waiting[position] = kind, piece
        if end >= self._save_at or len(self._waiting) > MOST_WAITING:
            self._save()

    def leave_out(self, seconds: float) -> None:
        """Go on as if the time that has just passed had not; what comes next is put by its arrival."""
        if self._began is not None:
            self._began += seconds
            self._ssrc = _NOBODY

    def finish(self) -> float:
        """Close the file under its own name; return its length in seconds, 0 if it could not be written."""
        self._save()
        self._write(_wav_header(self._saved), 0)
        if self._file is None:
            return 0.0
        try:
            self._file.close()
            _part(self._path).replace(self._path)
        except OSError:
            self._give_up()
            return 0.0
        self._file = None
        return self._saved / SAMPLE_RATE_HZ

    def _position(self, packet: Packet, now: float) -> int:
        if self._began is None:
            self._began = now
            self._anchor(packet, 0)
        position = (((packet.timestamp - self._base) & _U32) ^ _SIGN) - _SIGN
        newer = is_newer(packet.sequence, self._newest)
        jumped_back = newer and position < self._newest_at
        believed = self._believed(now)
        if packet.ssrc != self._ssrc or position > believed or jumped_back:
            arrived = round(believed - BELIEVED_AHEAD_SAMPLES)
            position = max(self.samples, min(arrived, self._max_samples))
            self._anchor(packet, position)
        elif newer:
            self._newest, self._newest_at = packet.sequence, position
        return position

    def _believed(self, now: float) -> float:
        """The furthest position that something which arrives now may have."""
        began = now if self._began is None else self._began
        return (now - began) * SAMPLE_RATE_HZ + BELIEVED_AHEAD_SAMPLES

    def _anchor(self, packet: Packet, position: int) -> None:
        self._base = (packet.timestamp - position) & _U32
        self._ssrc, self._newest, self._newest_at = packet.ssrc, packet.sequence, position

    def _save(self) -> None:
        """Write down what waits, and silence in between."""
        if self.samples > self._saved:
            self._write(self._piece(), _HEADER.size + 2 * self._saved)
        self._waiting.clear()
        self._kind = _NOBODY
        self._saved = self.samples
        self._save_at = min(self._saved + PIECE_SAMPLES, self._max_samples)

    def _piece(self) -> bytearray:
        kind, first = self._waiting.get(self._saved, (0, b""))
        if len(first) == self.samples - self._saved and len(self._waiting) == 1:
            return decode_to_pcm(first, CODECS[kind])
        piece = bytearray(2 * (self.samples - self._saved))
        for position, (kind, payload) in self._waiting.items():
            begin = 2 * (position - self._saved)
            piece[begin : begin + 2 * len(payload)] = decode_to_pcm(payload, CODECS[kind])
        return piece

    def _write(self, data: bytes | bytearray, at: int) -> None:
        if self._file is None:
            return
        try:
            if os.pwrite(self._file.fileno(), data, at) != len(data):
                self._give_up()  # the disk is full
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        file, self._file = self._file, None
        self.full = True
        try:
            if file is not None:
                file.close()
            _part(self._path).unlink(missing_ok=True)
        except OSError:
            return
