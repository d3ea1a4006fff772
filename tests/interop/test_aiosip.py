"""aiosip registers and calls: written for Python 3.6 and given up since, but scripts that use it are still around."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .program import Telephone

pytestmark = pytest.mark.needs("aiosip")


def test_what_is_said_to_9900_comes_back(phone: Callable[..., Telephone]) -> None:
    """Its digest has no count though it repeats the qop of the challenge (RFC 2069)."""
    anna = phone("aiosip", "100", tone_hz=620)
    anna.shows("registration 200")
    anna.press("dial 9900\n")
    anna.shows("talking")
    anna.press("wait 1\nhangup\n")
    anna.shows("bye 200")
    anna.quit()
    assert anna.heard().contains_tone(620, threshold=0.9)
