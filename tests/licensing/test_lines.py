"""TAPI lines by first use (L-09)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.lines import Bound, Lines
from ringfence.licensing.reasons import reason_for
from ringfence.licensing.refusal import Refusal

TWO = Entitlement({"server": 1, "tapi_line": 2})


def use(lines: Lines, *names: str, entitlement: Entitlement = TWO) -> Lines:
    for name in names:
        answer = lines.bind(name, entitlement)
        lines = answer.lines if isinstance(answer, Bound) else lines.refused(name)
    return lines


def refusal(lines: Lines, name: str, entitlement: Entitlement = TWO) -> Refusal:
    answer = lines.bind(name, entitlement)
    assert isinstance(answer, Refusal)
    assert reason_for(answer).sentence(answer.facts)
    assert [step.sentence("de") for step in answer.chain] != [step.sentence() for step in answer.chain]
    return answer


def test_v12_l09_the_third_of_two_lines_is_refused_also_after_a_restart_and_binds_after_a_release() -> None:
    lines = use(Lines(), "100", "101", "102")
    told = refusal(lines, "102")
    assert told.reason == "license.tapi_line.exhausted"
    assert told.facts == {"line": "102", "limit": 2, "used": 2, "holders": ("100", "101")}
    restarted = Lines(lines.bound)
    assert refusal(restarted, "102").reason == "license.tapi_line.exhausted"
    assert use(restarted.release("100"), "102").bound == ("101", "102")


def test_a_line_that_is_bound_binds_again_and_nothing_is_new() -> None:
    lines = use(Lines(), "100")
    assert lines.bind("100", TWO) == Bound("100", lines, new=False)
    assert Lines().bind("100", TWO) == Bound("100", lines, new=True)


def test_l25_without_server_every_line_is_blocked() -> None:
    told = refusal(Lines(("100",)), "100", Entitlement({"tapi_line": 2}))
    assert (told.reason, told.facts["because"]) == ("license.tapi_line.blocked", ("server",))


def test_the_lines_bound_last_are_refused_when_licences_go_and_stay_bound() -> None:
    lines, one = use(Lines(), "100", "101"), Entitlement({"server": 1, "tapi_line": 1})
    assert isinstance(lines.bind("100", one), Bound)
    assert refusal(lines, "101", one).facts["used"] == 1
    assert lines.holding(one) == ("100",)
    assert isinstance(lines.bind("101", TWO), Bound)


def test_lines_that_asked_in_vain_are_required_until_they_are_bound() -> None:
    lines = use(Lines(), "100", "101", "102", "102", "103")
    assert (lines.required, lines.asked) == (4, ("102", "103"))
    lines = use(lines.release("101"), "103")
    assert (lines.required, lines.asked, lines.bound) == (3, ("102",), ("100", "103"))


def test_only_a_bound_line_can_be_released() -> None:
    with pytest.raises(KeyError):
        Lines(("100",)).release("101")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans())), st.integers(0, 4))
def test_never_more_lines_hold_than_there_are_licences(steps: list[tuple[str, bool]], limit: int) -> None:
    lines, entitlement = Lines(), Entitlement({"server": 1, "tapi_line": limit})
    for name, take in steps:
        if take:
            lines = use(lines, name, entitlement=entitlement)
        elif name in lines.bound:
            lines = lines.release(name)
        assert len(lines.bound) == len(set(lines.bound)) <= limit
        assert not set(lines.asked) & set(lines.bound)
