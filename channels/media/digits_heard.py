"""The digits that one stream hears, as events or as tones, each told once. A stream machine owns one.

Those that came as tones are handed on as well, to whoever would not know them by the audio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plane import DigitHeard
from .telephone_event import DigitReceiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inband import Ear, InbandDigits
    from .plane import MediaEvent
    from .rtp import Packet

MOST_DIGITS = 256
"""So many digits are remembered, the last ones."""

LEAST_S = 0.04
"""Nobody presses keys faster: a tone takes as long, and so does the pause behind it (ITU-T Q.24)."""

BURST = 32
"""So many events may come at once, after a network held them back; what is more is a flood."""


class DigitsHeard:
    """`text` is what was pressed so far; `ear` hears tones, if anybody listens for them."""

    __slots__ = ("_emit", "_events", "_hand_on", "_inband", "_paid_until", "ear", "text")

    def __init__(
        self, inband: InbandDigits, emit: Callable[[MediaEvent], None], hand_on: Callable[[str], None]
    ) -> None:
        self._inband = inband
        self._emit = emit
        self._hand_on = hand_on
        self._events = DigitReceiver()
        self._paid_until = 0.0
        self.ear: Ear | None = None
        self.text = ""

    def listen_for_tones(self, listens: bool) -> None:
        """Hear digits as tones, or no more."""
        if listens and self.ear is None:
            self.ear = self._inband.open(self._take_tone)
        elif not listens and self.ear is not None:
            self.ear.close()
            self.ear = None

    def close(self) -> None:
        """Hear nothing more, and let go of whom the tones were handed to."""
        self.listen_for_tones(False)
        self._hand_on = lambda _: None

    def take_event(self, packet: Packet, now: float) -> None:
        """Take a packet of the telephone-event payload type; each digit costs others time, so a flood is cut off."""
        digit = self._events.receive(packet, now)
        if digit is not None and self._paid_until - now < BURST * LEAST_S:
            self._paid_until = max(self._paid_until, now) + LEAST_S
            self._press(digit)

    def _take_tone(self, digit: str) -> None:
        self._press(digit)
        self._hand_on(digit)

    def _press(self, digit: str) -> None:
        self.text = (self.text + digit)[-MOST_DIGITS:]
        self._emit(DigitHeard(digit))
