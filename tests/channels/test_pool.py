"""Leases are objects: taken whole or not at all, closed exactly once, never counted twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.pool import Pools
from ringfence.licensing.refusal import Refusal

if TYPE_CHECKING:
    from ringfence.channels.lease import Lease

IP, ATTENDANT = ("ip_channel",), ("auto_attendant", "ip_channel")


@dataclass(frozen=True)
class Leg:
    leg_id: str


def pools(ip: int, attendant: int = 0) -> Pools:
    made = Pools()
    made.ip_channel.limit, made.auto_attendant.limit = ip, attendant
    return made


def test_a_lease_that_is_closed_twice_frees_one_channel() -> None:
    """L-74: released exactly once, also on crossed BYEs."""
    made = pools(2)
    first, second = made.take(IP, Leg("1"), 0.0), made.take(IP, Leg("2"), 0.0)
    assert isinstance(first, list)
    assert isinstance(second, list)
    for _ in range(2):
        first[0].close()
    assert made.ip_channel.used == 1
    assert not first[0].is_open
    assert second[0].is_open


def test_a_full_pool_refuses_with_its_numbers_and_counts_the_denial() -> None:
    made = pools(1)
    made.take(IP, Leg("1"), 0.0)
    refusal = made.take(IP, Leg("2"), 0.0)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, dict(refusal.facts)) == ("ip_channel.exhausted", {"used": 1, "limit": 1})
    assert (made.ip_channel.denied, made.ip_channel.high_water) == (1, 1)


def test_an_attendant_leg_takes_both_channels_or_none() -> None:
    """L-71."""
    made = pools(ip=2, attendant=1)
    made.take(ATTENDANT, Leg("1"), 0.0)
    refusal = made.take(ATTENDANT, Leg("2"), 0.0)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "auto_attendant.exhausted"
    assert (made.ip_channel.used, made.auto_attendant.used) == (1, 1)


def test_when_both_kinds_are_used_up_the_ip_channels_are_told() -> None:
    made = pools(ip=1, attendant=1)
    made.take(ATTENDANT, Leg("1"), 0.0)
    refusal = made.take(ATTENDANT, Leg("2"), 0.0)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "ip_channel.exhausted"


@given(st.integers(0, 5), st.integers(0, 5), st.lists(st.tuples(st.sampled_from("ta"), st.integers(0, 9))))
def test_used_is_never_above_the_limit_and_never_negative(
    ip: int, attendant: int, steps: list[tuple[str, int]]
) -> None:
    made = pools(ip, attendant)
    held: dict[int, list[Lease]] = {}
    for kind, leg in steps:
        if leg in held:
            for lease in held.pop(leg):
                lease.close()
        else:
            taken = made.take(ATTENDANT if kind == "a" else IP, Leg(str(leg)), 0.0)
            if isinstance(taken, list):
                held[leg] = taken
        assert made.ip_channel.used == len(held) <= ip
        assert 0 <= made.auto_attendant.used <= attendant
