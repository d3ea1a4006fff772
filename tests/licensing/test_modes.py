"""Modes: whom the gate lets pass without a seat, and for how long; the allocation never changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.licensing.allocation import Allocation, allocate
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.explain import ChannelUse, why
from ringfence.licensing.gate import GRANTED, Gate, Granted
from ringfence.licensing.modes import (
    ComplianceChanged,
    Enforce,
    Grace,
    Mode,
    Modes,
    Overdraft,
    Tolerance,
    Warn,
    compliance,
)
from ringfence.licensing.refusal import Refusal

NOW = datetime(2026, 7, 1, tzinfo=UTC)
BOUGHT = {"server": 1, "ip_channel": 4, "office": 2, "fax": 2}


def users(count: int, functions: str = "cti") -> list[Subject]:
    return [Subject(f"u{seq}", seq, "Ulm", None, frozenset(functions.split())) for seq in range(1, count + 1)]


def gate(
    mode: Mode,
    subjects: list[Subject],
    bought: dict[str, int] = BOUGHT,
    *,
    days_over: int = 0,
    now: datetime = NOW,
) -> Gate:
    entitlement = Entitlement(bought)
    allocation = allocate(entitlement, subjects)
    over_since = dict.fromkeys(allocation.pools, NOW - timedelta(days_over))
    return Gate(entitlement, allocation, subjects, Tolerance(Modes(mode), over_since, now))


def passing(answers: Gate, count: int, function: str = "cti") -> list[str | None]:
    """For each user the mode that lets him pass, "" if he holds the seat, None if he is refused."""
    told = [answers.may(f"u{seq}", function) for seq in range(1, count + 1)]
    return [one.tolerated or "" if isinstance(one, Granted) else None for one in told]


def test_enforce_lets_nobody_pass_without_a_seat() -> None:
    assert passing(gate(Enforce(), users(4)), 4) == ["", "", None, None]


def test_warn_lets_everybody_pass_and_says_so() -> None:
    assert passing(gate(Warn(), users(4)), 4) == ["", "", "warn", "warn"]


def test_overdraft_lets_the_next_in_order_pass() -> None:
    assert passing(gate(Overdraft(1), users(4)), 4) == ["", "", "overdraft", None]


@pytest.mark.parametrize(("days_over", "answer"), [(0, "grace"), (13, "grace"), (14, None), (400, None)])
def test_grace_lasts_its_days_from_when_the_pool_came_to_be_over(days_over: int, answer: str | None) -> None:
    assert passing(gate(Grace(14), users(4), days_over=days_over), 4) == ["", "", answer, answer]


@pytest.mark.parametrize(("percent", "more"), [(0, 0), (1, 1), (50, 1), (51, 2), (100, 2)])
def test_grace_may_be_for_a_part_of_the_seats_only(percent: int, more: int) -> None:
    expected = ["", "", *["grace"] * more, *[None] * (3 - more)]
    assert passing(gate(Grace(14, percent), users(5)), 5) == expected


@pytest.mark.parametrize("mode", [Warn(), Grace(), Overdraft(9)])
def test_who_is_blocked_is_never_tolerated(mode: Mode) -> None:
    no_channel = {"server": 1, "fax": 1}
    for bought, functions in ((no_channel, "fax"), ({"office": 1}, "cti"), ({"server": 1}, "teamdesk")):
        answer = gate(mode, users(1, functions), bought).may("u1", functions)
        assert isinstance(answer, Refusal)
        assert answer.reason.endswith(".blocked")


def test_a_function_passes_when_each_of_its_licences_is_held_or_tolerated() -> None:
    subjects, entitlement = (
        users(2, "fax_client"),
        Entitlement({"server": 1, "ip_channel": 1, "fax": 1, "office": 1}),
    )
    some: dict[str, Mode] = {"fax": Warn()}
    for pools, answer in ((some, None), ({**some, "office": Overdraft(1)}, "warn")):
        allocation = allocate(entitlement, subjects)
        answers = Gate(entitlement, allocation, subjects, Tolerance(Modes(pools=pools), {}, NOW))
        assert passing(answers, 2, "fax_client") == ["", answer]
        assert answers.holds("u2", "fax")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([Enforce(), Warn(), Grace(3), Overdraft(2)]), st.integers(0, 6), st.integers(0, 6))
def test_a_mode_changes_only_the_answers_to_who_is_under_licensed(mode: Mode, seats: int, count: int) -> None:
    bought = {**BOUGHT, "office": seats}
    plain, lenient = gate(Enforce(), users(count), bought), gate(mode, users(count), bought)
    for before, after in zip(passing(plain, count), passing(lenient, count), strict=True):
        assert after == before or (before is None and after == mode.name)


def test_a_gate_is_valid_until_a_grace_ends() -> None:
    answers = gate(Grace(14), users(4), days_over=4)
    assert answers.valid_until == NOW + timedelta(10)
    assert passing(gate(Grace(14), users(4), days_over=4, now=NOW + timedelta(10)), 4)[2:] == [None, None]
    assert gate(Grace(14), users(4), days_over=14).valid_until is None
    assert gate(Grace(14), users(2)).valid_until is None
    assert gate(Warn(), users(4)).valid_until is None


def test_the_account_tells_the_mode_after_the_seat_and_before_the_channel() -> None:
    subjects, entitlement = users(3, "fax"), Entitlement(BOUGHT)
    allocation = allocate(entitlement, subjects)
    tolerance = Tolerance(Modes(Grace(14, 100)), {"fax": NOW}, NOW)
    channels = {"ip_channel": ChannelUse(4, 4)}
    told = why("u3", "fax", entitlement, allocation, subjects, tolerance=tolerance, channels=channels)
    assert [(step.check, step.passed) for step in told.steps[2:]] == [
        ("minimum", True),
        ("seat", False),
        ("mode", True),
        ("channel", False),
    ]
    assert told.steps[4].sentence() == (
        "Fax is in mode grace for 2 users until 2026-07-15T00:00:00+00:00: u3, number 1 of those who wait, "
        "passes without a seat."
    )
    assert "für 2 Benutzer bis 2026-07-15T00:00:00+00:00: u3" in told.steps[4].sentence("de")
    assert told.refusal is not None
    assert (told.refusal.reason, told.tolerated) == ("ip_channel.exhausted", None)
    granted = why("u3", "fax", entitlement, allocation, subjects, tolerance=tolerance)
    assert (granted.granted, granted.as_dict()["tolerated"]) == (True, "grace")


def over(count: int) -> Allocation:
    return allocate(Entitlement(BOUGHT), users(count))


def test_compliance_tells_once_that_a_pool_is_over_and_once_that_it_is_no_more() -> None:
    since, told = compliance(over(4).pools, {}, NOW)
    assert (since, told) == ({"office": NOW}, (ComplianceChanged("office", True, NOW, 2),))
    later = NOW + timedelta(1)
    assert compliance(over(3).pools, since, later) == (since, ())
    assert compliance(over(2).pools, since, later) == ({}, (ComplianceChanged("office", False, NOW, 0),))
    assert compliance(over(2).pools, {}, later) == ({}, ())


def test_an_answer_of_the_tolerant_gate_is_worked_out_once() -> None:
    answers = gate(Warn(), users(3))
    assert answers.may("u3", "cti") is answers.may("u3", "cti")
    assert answers.may("u1", "cti") is GRANTED
