"""The order of the steps to a decision."""

from __future__ import annotations

from ringfence.licensing import chain
from ringfence.licensing.allocation import allocate
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement


def checks(bought: dict[str, int], functions: str, function: str) -> list[tuple[str, bool]]:
    entitlement = Entitlement(bought)
    subject = Subject("anna", 1, "Ulm", None, frozenset(functions.split()))
    allocation = allocate(entitlement, [subject])
    return [(step.check, step.passed) for step in chain.steps(subject, function, entitlement, allocation)]


def test_a_granted_function_passes_every_step() -> None:
    bought = {"server": 1, "office": 1, "voicemail": 1, "ip_channel": 2}
    assert checks(bought, "voicemail_client", "voicemail_client") == [
        ("configured", True),
        ("server", True),
        ("minimum", True),
        ("seat", True),
        ("seat", True),
    ]


def test_nothing_is_looked_at_after_a_missing_server() -> None:
    assert checks({"office": 1}, "cti", "cti") == [("configured", True), ("server", False)]


def test_a_seat_is_not_looked_at_below_the_minimum() -> None:
    assert checks({"server": 1, "fax": 1}, "fax", "fax")[2:] == [("minimum", False)]


def test_the_prerequisite_of_a_prerequisite_is_looked_at_in_its_turn() -> None:
    assert checks({"server": 1, "dashboard": 1}, "dashboard", "dashboard")[2:] == [
        ("prerequisite", False),
        ("seat", False),
    ]


def test_l33_the_minimum_step_tells_both_numbers() -> None:
    step = chain.minimum_step("fax", Entitlement({"server": 1, "ip_channel": 2}))
    assert (step.passed, step.facts) == (True, {"licence": "fax", "needed": 1, "licensed": 2})
