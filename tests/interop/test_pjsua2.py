"""PJSIP registers, calls, holds, is called and presses digits: the library inside many telephones."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.fixtures.served import Served

    from .program import Telephone

pytestmark = [
    pytest.mark.interop("pjsua2"),
    pytest.mark.skipif(
        sys.version_info >= (3, 13) or sys.platform != "linux" or platform.machine() != "x86_64",
        reason="there is no wheel of pjsua2 for this Python",
    ),
]


@pytest.fixture
def anna(phone: Callable[..., Telephone]) -> Telephone:
    telephone = phone("pjsua2", "100", "udp", tone_hz=620)
    telephone.shows("registration 200")
    return telephone


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_two_telephones_hear_each_other(phone: Callable[..., Telephone], transport: str) -> None:
    anna, ben = phone("pjsua2", "100", transport, tone_hz=620), phone("pjsua2", "101", transport, tone_hz=440)
    for telephone in (anna, ben):
        telephone.shows("registration 200")
    anna.press("dial 101\n")
    ben.shows("rings")
    anna.shows("call EARLY 180")
    ben.press("answer\n")
    for telephone in (anna, ben):
        telephone.shows("talking PCM")
        telephone.shows("call CONFIRMED")
    anna.press("wait 1\nhangup\n")
    ben.shows("call DISCONNECTED 200")
    anna.quit()
    ben.quit()
    assert anna.heard().contains_tone(440, threshold=0.9)
    assert ben.heard().contains_tone(620, threshold=0.9)


def test_a_call_that_is_held_and_taken_back_goes_on(anna: Telephone, served: Served) -> None:
    """RFC 3264 8.4: after sendonly and sendrecv the tone of 9901 is heard again."""
    anna.press("dial 9901\n")
    anna.shows("talking PCM")
    anna.press("hold\n")
    anna.shows("held")
    anna.press("resume\nwait 1\n")
    anna.shows("taken back")
    anna.press("hangup\n")
    anna.shows("call DISCONN")
    anna.quit()
    assert anna.heard().contains_tone(440, threshold=0.9)
    assert served.get("/api/v1/calls") == []


def test_a_refusal_of_the_far_end_is_told(phone: Callable[..., Telephone], anna: Telephone) -> None:
    ben = phone("pjsua2", "101", "udp")
    ben.shows("registration 200")
    anna.press("dial 101\n")
    ben.shows("rings")
    ben.press("refuse\n")
    anna.shows("call DISCONNECTED 486")


def test_a_softphone_without_office_plus_is_told_so(phone: Callable[..., Telephone]) -> None:
    """L-23: a softphone takes Office Plus; there are two, and dora is fourth in line."""
    phone("pjsua2", "dora", "udp").shows("registration 403")
