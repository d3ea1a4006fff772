"""Wrong PINs of boxes, counted across calls: after too many a box is locked for a while, each time for longer.

A number that nobody has is counted and locked like a box, so that nobody learns by its answer which boxes there are.
Pure: the time is an argument. See docs/decisions/0046-locked-boxes.md.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import BoxSettings

MOST_WRONG = 5
FIRST_LOCK_S, LONGEST_LOCK_S = 900.0, 86_400.0
MOST_STRANGE_NUMBERS = 1_000


class PinAnswer(Enum):
    """What a PIN came to; of `LOCKED` nobody learns whether it was right."""

    RIGHT = auto()
    WRONG = auto()
    LOCKED = auto()


@dataclass(slots=True)
class _Record:
    """`wrong` tries since the last lock ended, against `pin`; `locks` so far, the last one `until`."""

    pin: str
    wrong: int = 0
    locks: int = 0
    until: float = 0.0


class PinLocks:
    """The locks of all boxes, by user; of numbers without a box the last 1,000 that were tried."""

    def __init__(self) -> None:
        self._boxes: dict[str, _Record] = {}
        self._strange: OrderedDict[str, _Record] = OrderedDict()

    def answer(self, box: BoxSettings | None, number: str, pin: str, now: float) -> PinAnswer:
        """Try `pin` at a box, or at `number` where there is none; the PIN that locks it is answered as wrong."""
        record = self._of_box(box) if box is not None else self._of_number(number)
        is_right = hmac.compare_digest(pin.encode(), record.pin.encode()) and box is not None
        if now < record.until:
            return PinAnswer.LOCKED
        if is_right and box is not None:
            del self._boxes[box.user]
            return PinAnswer.RIGHT
        record.wrong += 1
        if record.wrong >= MOST_WRONG:
            record.until = now + min(FIRST_LOCK_S * 2**record.locks, LONGEST_LOCK_S)
            record.wrong, record.locks = 0, record.locks + 1
        return PinAnswer.WRONG

    def locked_for(self, box: BoxSettings, now: float) -> float:
        """For how many seconds more a box is locked; 0: it is not."""
        record = self._boxes.get(box.user)
        return 0.0 if record is None or record.pin != box.pin else max(0.0, record.until - now)

    @property
    def users(self) -> tuple[str, ...]:
        """Whose boxes somebody has given a wrong PIN to."""
        return tuple(self._boxes)

    def unlock(self, user: str) -> None:
        """Forget the wrong PINs of a user's box."""
        self._boxes.pop(user, None)

    def _of_box(self, box: BoxSettings) -> _Record:
        """A box with another PIN than before begins anew."""
        record = self._boxes.get(box.user)
        if record is None or record.pin != box.pin:
            record = self._boxes[box.user] = _Record(box.pin)
        return record

    def _of_number(self, number: str) -> _Record:
        record = self._strange.setdefault(number, _Record("0000"))
        self._strange.move_to_end(number)
        if len(self._strange) > MOST_STRANGE_NUMBERS:
            self._strange.popitem(last=False)
        return record
