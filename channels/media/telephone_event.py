"""DTMF digits as named telephone events (RFC 4733): one machine that hears them and one that sends them.

Both are part of a stream machine. A far end that did not negotiate telephone events is sent the tone pair of the digit
instead.
"""

from __future__ import annotations

from collections import deque
from math import ceil
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from .g711 import SAMPLE_RATE_HZ
from .tones import digit_tone, tone_payload

if TYPE_CHECKING:
    from .plane import Codec
    from .rtp import Packet

DIGITS = "0123456789*#ABCD"
"""The digits in the order of their event codes (RFC 4733, table 7)."""

CLOCK_RATE_HZ = SAMPLE_RATE_HZ
END_PACKETS = 3
"""The last packet of an event is sent this often (section 2.5.1.4)."""

OVER_S = 0.5
"""An event of which nothing came for so long is over: its sender tells of it every 50 ms (section 2.5.1.2)."""

LATE_SAMPLES = 10 * CLOCK_RATE_HZ
"""An event that began this much before another one may still have packets under way; one before it, not."""

_PAYLOAD = Struct("!BBH")
_LONGEST, _NEARLY_LONGEST = 0xFFFF, 0xF000
_END = 0x80
_VOLUME_DBM0 = 10
_U32 = 0xFFFFFFFF
_TONE_SAMPLES = 100 * CLOCK_RATE_HZ // 1000
_PAUSE_SAMPLES = 60 * CLOCK_RATE_HZ // 1000


def event_codes(digits: str) -> tuple[int, ...]:
    """Return the event codes of `digits`; raises ValueError if one is none of 0-9, A-D, * and #."""
    codes = tuple(DIGITS.find(digit) for digit in digits.upper())
    if -1 in codes:
        raise ValueError(f"{digits[codes.index(-1)]!r} is no DTMF digit: use 0-9, A-D, * and #")
    return codes


class DigitReceiver:
    """Tells each key press once, however many of its packets are lost, repeated or late (section 2.5.2).

    Timestamps may begin anew: a test plays the same packets twice, or those of several captures.
    """

    __slots__ = ("_code", "_duration", "_ended", "_heard_at", "_ssrc", "_stamp")

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._stamp = 0
        self._code = -1
        self._duration = 0
        self._ended = True
        self._heard_at = 0.0

    def receive(self, packet: Packet, now: float) -> str | None:
        """Take a packet of the telephone-event payload type; return the digit that it begins, if any."""
        if len(packet.payload) < _PAYLOAD.size:
            return None
        code, flags, duration = _PAYLOAD.unpack_from(packet.payload)
        if code >= len(DIGITS):
            return None
        ended = flags & _END != 0
        may_begin = not ended and now - self._heard_at > OVER_S
        self._heard_at = now
        goes_on = False
        if packet.ssrc == self._ssrc:
            ahead = (packet.timestamp - self._stamp) & _U32
            if ahead == 0 and not (may_begin and duration < self._duration):
                self._duration = max(self._duration, duration)
                self._ended = self._ended or ended
                return None
            if ahead >= _U32 - LATE_SAMPLES and not may_begin:
                return None
            # A press longer than the duration field can say goes on as a new segment (section 2.5.1.3).
            reach = _LONGEST if self._duration >= _NEARLY_LONGEST else self._duration
            goes_on = 0 < ahead <= reach and code == self._code and not self._ended and not packet.marker
        self._ssrc, self._stamp, self._code = packet.ssrc, packet.timestamp, code
        self._duration, self._ended = duration, ended
        return None if goes_on else DIGITS[code]


class DigitFrame(NamedTuple):
    """What goes out in one ptime while digits are sent: a packet of an event, or audio; `marker` begins a digit."""

    event: bool
    marker: bool
    payload: bytes


class DigitSender:
    """Turns the digits that are `waiting` into a frame each ptime: 100 ms each, 60 ms between, the end three times."""

    __slots__ = ("_sent", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[deque[int]] = deque()
        self._sent = 0

    def add(self, digits: str) -> None:
        """Queue `digits` behind what is being sent."""
        self.waiting.append(deque(event_codes(digits)))

    def clear(self) -> None:
        """Forget what was not sent yet."""
        self.waiting.clear()
        self._sent = 0

    def frame(self, samples: int, in_band: Codec | None) -> tuple[DigitFrame | None, bool]:
        """Return what to send in this ptime of `samples`, None in a pause, and whether one `add` is thereby done.

        With `in_band` the digit is audio of that codec instead of an event.
        """
        batch = self.waiting[0]
        tone_frames = ceil(_TONE_SAMPLES / samples)
        packets = tone_frames + END_PACKETS - 1
        index = self._sent
        frame: DigitFrame | None = None
        if batch and in_band is not None:
            if index < tone_frames:
                tone = tone_payload(digit_tone(DIGITS[batch[0]]), in_band, index * samples, samples)
                frame = DigitFrame(False, index == 0, tone)
        elif batch and index < packets:
            duration = min((index + 1) * samples, _TONE_SAMPLES)
            flags = _VOLUME_DBM0 | (_END if index >= tone_frames - 1 else 0)
            frame = DigitFrame(True, index == 0, _PAYLOAD.pack(batch[0], flags, duration))
        self._sent += 1
        if batch and self._sent >= max(packets, ceil((_TONE_SAMPLES + _PAUSE_SAMPLES) / samples)):
            batch.popleft()
            self._sent = 0
        if batch:
            return frame, False
        self.waiting.popleft()
        self._sent = 0
        return frame, True
