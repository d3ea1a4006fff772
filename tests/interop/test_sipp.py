"""SIPp calls from the trunk's address, many at once, against what is licensed (L-15, L-16, L-71 … L-76)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ringfence.fixtures import sipp
from ringfence.fixtures.sipp import Load

if TYPE_CHECKING:
    from ringfence.fixtures.served import Served

pytestmark = pytest.mark.needs("sipp")
TWENTY_FIVE_IP_CHANNELS = ("ip_channel = 4", "ip_channel = 25")


def pools(served: Served) -> dict[str, Any]:
    channels = served.get("/api/v1/channels")
    assert channels["leases"] == []
    return dict(channels["pools"])


def test_of_a_thousand_calls_the_licensed_four_are_answered_and_the_rest_refused_with_the_reason(
    served: Served,
) -> None:
    outcome = sipp.run(served.sip, "uac", Load("08955550*100", rate=100, calls=1000, hold_ms=11_000))
    assert (outcome.successful, outcome.failed) == (4, 996)
    assert outcome.errors.count("received 'SIP/2.0 503") == 996
    assert outcome.errors.count("X-License-Reason: ip_channel.exhausted") == 996
    assert outcome.errors.count("Reason: Q.850;cause=34") == 996
    assert pools(served)["ip_channel"] == {"limit": 4, "used": 0, "high_water": 4, "denied": 996}


def test_ip_channel_limit_counts_the_expected_refusals_as_success(served: Served) -> None:
    outcome = sipp.run(
        served.sip, "ip_channel_limit", Load("08955550*100", rate=100, calls=200, hold_ms=3000)
    )
    assert (outcome.answered, outcome.refused, outcome.failed) == (4, 196, 0), outcome.errors
    assert pools(served)["ip_channel"] == {"limit": 4, "used": 0, "high_water": 4, "denied": 196}


@pytest.mark.parametrize("site", [TWENTY_FIVE_IP_CHANNELS], indirect=True)
def test_one_attendant_licence_carries_twenty_calls(served: Served) -> None:
    """L-16, V7b: the attendant's channels are used up while five IP channels are free."""
    outcome = sipp.run(served.sip, "attendant_limit", Load("08955550200", rate=100, calls=200, hold_ms=3000))
    assert (outcome.answered, outcome.refused, outcome.failed) == (20, 180, 0), outcome.errors
    assert pools(served) == {
        "ip_channel": {"limit": 25, "used": 0, "high_water": 20, "denied": 0},
        "auto_attendant": {"limit": 20, "used": 0, "high_water": 20, "denied": 180},
    }


@pytest.mark.parametrize("transport", ["u1", "t1", "tn"])
def test_echo_takes_two_hundred_calls_a_second_and_no_channel(served: Served, transport: str) -> None:
    """By UDP, over one TCP connection, and over one for each call."""
    outcome = sipp.run(served.sip, "uac", Load("089555509900", rate=200, calls=1000), transport=transport)
    assert (outcome.successful, outcome.failed) == (1000, 0), outcome.errors
    assert outcome.retransmissions == 0 or transport == "u1"
    assert pools(served)["ip_channel"]["high_water"] == 0
