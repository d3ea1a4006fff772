"""Voicemail PINs: 2 to 9 digits without runs, and the random one for a user who has none.

A run is the whole PIN, or three or more neighbours in it, that are equal, rise by one or fall by one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

LENGTHS = range(2, 10)
RULE = "use 2 to 9 digits without a run such as 1234, 4321 or 1111"
"""What to tell whoever chose another one."""


def is_pin(text: str) -> bool:
    """Whether `text` may be a PIN."""
    return text.isascii() and text.isdigit() and len(text) in LENGTHS and not _has_run(text)


def random_pin(random: Random) -> str:
    """A PIN of four digits, drawn from `random`."""
    while not is_pin(pin := f"{random.randrange(10_000):04d}"):
        pass
    return pin


def _has_run(digits: str) -> bool:
    steps = [int(b) - int(a) for a, b in pairwise(digits)]
    if steps[0] in {-1, 0, 1} and len(set(steps)) == 1:
        return True
    return any(a == b and a in {-1, 0, 1} for a, b in pairwise(steps))
