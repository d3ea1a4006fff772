"""pyVoIP registers, calls and is called: the telephone of many scripts in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .program import Telephone

pytestmark = pytest.mark.needs("pyVoIP")


def test_the_tone_of_9901_is_heard(phone: Callable[..., Telephone]) -> None:
    anna = phone("pyvoip", "100")
    anna.shows("phone REGISTERED")
    anna.press("dial 9901\n")
    anna.shows("call ANSWERED")
    anna.press("wait 2\nhangup\n")
    anna.shows("call over")
    anna.quit()
    assert anna.heard().contains_tone(440, threshold=0.9)


def test_two_telephones_hear_each_other(phone: Callable[..., Telephone]) -> None:
    ben, anna = phone("pyvoip", "101", tone_hz=440), phone("pyvoip", "100", tone_hz=620)
    for telephone in (ben, anna):
        telephone.shows("phone REGISTERED")
    anna.press("dial 101\n")
    ben.shows("rings")
    for telephone in (anna, ben):
        telephone.shows("call ANSWERED")
    anna.press("wait 2\nhangup\n")
    for telephone in (anna, ben):
        telephone.shows("call over")
        telephone.quit()
    assert anna.heard().contains_tone(440, threshold=0.9)
    assert ben.heard().contains_tone(620, threshold=0.9)
