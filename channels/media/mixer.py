"""Three or more streams that talk with one another: each hears the sum of what the others say, and never itself.

A stream machine has a seat here. What its far end says comes to `Seat.relay`, as it would to the other end of a bridge;
its sender reads a frame each ptime. Sums are 16-bit samples that saturate. The module brings numpy along, so that its
import waits for the first conference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .g711 import CODECS, SAMPLE_RATE_HZ, SILENCE, decode, encode
from .recorder import as_heard
from .rtp import is_newer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .plane import Codec
    from .rtp import Packet
    from .sender import Sender

DELAY_SAMPLES = 40 * SAMPLE_RATE_HZ // 1000
"""What somebody begins to say waits so long, so that packets may come unevenly."""

MOST_DELAY_SAMPLES = 160 * SAMPLE_RATE_HZ // 1000
"""What would have to wait longer, because its source runs fast or was held up, loses what is too much."""

RING_SAMPLES = 1 << 13
_WRAP = RING_SAMPLES - 1
_LONGEST_FRAME = 60 * SAMPLE_RATE_HZ // 1000
_U32 = 0xFFFFFFFF
_SIGN = 0x80000000
_EXPAND = {codec: np.array(decode(bytes(range(256)), codec), np.int16) for codec in SILENCE}
# Both laws look at no more than the upper 14 bits of a sample.
_COMPRESS = {codec: np.frombuffer(encode(range(-0x8000, 0x8000, 4), codec), np.uint8) for codec in SILENCE}


class Seat:
    """One stream at the mixer. What was lost, and whoever is not spoken to because he holds, is silence."""

    __slots__ = ("_at", "_mixer", "_read_at", "_ring", "_sender", "_sequence", "_ssrc", "_stamp", "end")
    wideband = None  # what it hears has become A-law by then

    def __init__(self, mixer: Mixer, sender: Sender) -> None:
        self._mixer = mixer
        self._sender = sender
        self._ring = np.zeros(RING_SAMPLES, np.int16)
        self._ssrc: int | None = None
        self._sequence = self._stamp = self._at = self._read_at = 0
        self.end = 0
        """Behind the last sample that was said; as all places, in samples of the plane's clock."""

    @property
    def mixer(self) -> Mixer:
        """Where it is."""
        return self._mixer

    def leave(self) -> None:
        """Hear nothing more, and be heard no more."""
        self._mixer.seats.remove(self)

    def relay(self, packet: Packet, *, event: bool, now: float) -> None:
        """Take a packet of the own far end; one that comes too late to be heard is lost."""
        heard = None if event or self._sender.destination is None else as_heard(packet)
        if heard is None or not heard.payload:
            return
        at = self._place(heard, round(now * SAMPLE_RATE_HZ))
        if at is not None:
            codes = np.frombuffer(heard.payload, np.uint8)
            self._write(at, _EXPAND[CODECS[heard.payload_type]][codes])

    def _place(self, packet: Packet, now: int) -> int | None:
        """Return where a packet is heard, by its timestamp; a source that begins, or runs away, is put anew."""
        apart = ((packet.timestamp - self._stamp & _U32) ^ _SIGN) - _SIGN
        at = self._at + apart
        ahead = at - now
        is_new = packet.ssrc != self._ssrc
        if not is_new and not is_newer(packet.sequence, self._sequence):
            return at if 0 <= ahead <= MOST_DELAY_SAMPLES else None
        longest = DELAY_SAMPLES if packet.marker else MOST_DELAY_SAMPLES
        if is_new or not 0 <= ahead <= longest:
            at = now + DELAY_SAMPLES
        self._ssrc, self._sequence, self._stamp, self._at = packet.ssrc, packet.sequence, packet.timestamp, at
        return at

    def _write(self, at: int, samples: NDArray[np.int16]) -> None:
        end = at + len(samples)
        if end > self.end:
            silent = max(self.end, at - RING_SAMPLES // 2)
            self._ring[np.arange(silent, end + _LONGEST_FRAME) & _WRAP] = 0
            self.end = end
        self._ring[np.arange(at, end) & _WRAP] = samples

    def said(self, places: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return what was said there, which `end` lies behind."""
        said: NDArray[np.int16] = self._ring[places & _WRAP]
        return said

    def frame(self, due: float, samples: int, codec: Codec) -> bytes:
        """Return what the others said in the `samples` before `due`, as a payload of `codec`."""
        start = round(due * SAMPLE_RATE_HZ) - samples
        if abs(start - self._read_at) <= 1:  # rounded the other way
            start = self._read_at
        self._read_at = start + samples
        return self._mixer.sum_for(self, start, samples, codec)


class Mixer:
    """Who talks with one another."""

    def __init__(self) -> None:
        self.seats: list[Seat] = []

    def seat(self, sender: Sender) -> Seat:
        """Let a stream in."""
        seat = Seat(self, sender)
        self.seats.append(seat)
        return seat

    def sum_for(self, hearer: Seat, start: int, samples: int, codec: Codec) -> bytes:
        """Return what all but `hearer` said from `start` on."""
        speaking = [seat for seat in self.seats if seat is not hearer and seat.end > start]
        if not speaking:
            return SILENCE[codec] * samples
        places = np.arange(start, start + samples)
        total = np.zeros(samples, np.int32)
        for seat in speaking:
            total += seat.said(places)
        payload: NDArray[np.uint8] = _COMPRESS[codec][(np.clip(total, -0x8000, 0x7FFF) >> 2) + 0x2000]
        return payload.tobytes()
