"""Tests of what a route says to the switch."""

from __future__ import annotations

from ringfence.features.route import Occupies


def test_what_a_leg_occupies_are_names_of_pools_in_every_python() -> None:
    assert [sorted(occupies.value) for occupies in Occupies] == [
        [],
        ["ip_channel"],
        ["auto_attendant", "ip_channel"],
    ]
