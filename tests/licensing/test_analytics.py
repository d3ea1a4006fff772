"""Who may see Analytics."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ringfence.licensing.allocation import Allocation, allocate
from ringfence.licensing.analytics import access, unlicensed_members, warnings
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.gate import GRANTED
from ringfence.licensing.reasons import reason_for
from ringfence.licensing.refusal import Refusal


@dataclass(frozen=True)
class Hotline:
    """A team as a site has it."""

    members: tuple[str, ...]
    leaders: tuple[str, ...] = ()
    analytics: bool = True


MEMBERS = tuple(f"u{seq}" for seq in range(1, 6))
HOTLINE = Hotline(MEMBERS, ("u6", "u7"))


def dealt(teamdesk: int, plus: int = 5) -> Allocation:
    members = [Subject(name, int(name[1:]), "Ulm", None, frozenset({"teamdesk"})) for name in MEMBERS]
    leaders = [Subject(f"u{seq}", seq, "Ulm", None, frozenset()) for seq in (6, 7)]
    return allocate(
        Entitlement({"server": 1, "office_plus": plus, "teamdesk": teamdesk}), [*members, *leaders]
    )


def reason(answer: object) -> str | None:
    return answer.reason if isinstance(answer, Refusal) else None


def test_v11_l51_one_unlicensed_member_closes_it_for_all_with_two_warnings_until_one_is_bought() -> None:
    answer = access([HOTLINE], dealt(4), cti=True)
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.facts["users"]) == ("analytics.members_unlicensed", ("u5",))
    assert reason_for(answer).http_status == 403
    assert [one.page for one in warnings([HOTLINE], dealt(4))] == ["analytics", "start"]
    assert access([HOTLINE], dealt(5), cti=True) is GRANTED
    assert warnings([HOTLINE], dealt(5)) == ()


def test_l51_a17_a_member_whose_plus_is_missing_counts_as_unlicensed() -> None:
    assert unlicensed_members([HOTLINE], dealt(5, plus=3)) == ("u4", "u5")


def test_l52_leaders_need_nothing_unless_they_are_members_too() -> None:
    assert access([Hotline(MEMBERS, ("u6", "u7", "u1"))], dealt(5), cti=True) is GRANTED
    assert unlicensed_members([Hotline((*MEMBERS, "u6"), ("u6",))], dealt(5)) == ("u6",)


def test_l53_the_warnings_name_who_is_short_in_two_languages() -> None:
    one, two = warnings([HOTLINE], dealt(3))
    assert one.text == two.text == "Analytics is closed: 2 team members lack TeamDesk: u4, u5."
    assert "2 Mitgliedern fehlt TeamDesk: u4, u5" in one.text_de


@pytest.mark.parametrize(("teamdesk", "lacking"), [(5, ()), (4, ("u5",))])
def test_l54_without_cti_that_is_the_reason_and_the_list_is_told_all_the_same(
    teamdesk: int, lacking: tuple[str, ...]
) -> None:
    answer = access([HOTLINE], dealt(teamdesk), cti=False)
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.facts.get("users", ())) == ("analytics.no_cti", lacking)
    assert [(step.check, step.passed) for step in answer.chain] == [("cti", False), ("members", not lacking)]
    assert all(step.sentence() != step.sentence("de") for step in answer.chain)


def test_a16_a_member_of_two_teams_counts_once_and_teams_without_analytics_do_not() -> None:
    teams = [HOTLINE, Hotline(("u5", "u4")), Hotline(("u6",), analytics=False)]
    assert unlicensed_members(teams, dealt(3)) == ("u4", "u5")
    assert reason(access([Hotline(("u6",), analytics=False)], dealt(0), cti=True)) is None
