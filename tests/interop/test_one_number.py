"""Two baresips of one user ring together, and her call is pulled from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .test_baresip import TALKING, telephone

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.fixtures.served import Served

    from .test_baresip import Baresip

pytestmark = pytest.mark.needs("baresip")
__all__ = ["telephone"]
WITH_ONE_NUMBER = ('"softphone", "voicemail",', '"softphone", "one_number", "voicemail",')


@pytest.mark.parametrize("site", [WITH_ONE_NUMBER], indirect=True)
def test_two_telephones_ring_one_answers_and_the_other_pulls_the_call(
    telephone: Callable[..., Baresip],
    served: Served,
) -> None:
    desk = telephone("100", "Anna-1000-Apfel", tone_hz=440, options="answermode=manual")
    soft = telephone("anna", "Anna-1000-Apfel", tone_hz=620, options="answermode=manual")
    ben = telephone("101", "Ben-1010-Birne", tone_hz=1000)
    for phone in (desk, soft, ben):
        phone.shows("registered successfully")
    ben.press("/dial 100\n")
    for phone in (desk, soft):
        phone.shows("Incoming call from")
    desk.press("/accept\n")
    desk.shows_match(TALKING)
    (call,) = served.get("/api/v1/calls")
    assert {one["device"] for one in call["connections"]} == {"101", "100"}
    soft.press("/dial *6\n")
    soft.shows("Call established")
    desk.shows("terminated")
    soft.shows_match(TALKING)
    (again,) = served.get("/api/v1/calls")
    assert again["id"] == call["id"]
    assert {one["device"] for one in again["connections"]} == {"101", "anna"}
    ben.press("/hangup\n")
    soft.shows("terminated")
    soft.quit()
    ben.quit()
    assert soft.heard().contains_tone(1000, threshold=0.9)
