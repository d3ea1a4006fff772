"""The question at run time, and its refusals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.licensing.allocation import allocate
from ringfence.licensing.catalogue import FUNCTIONS, LICENCES
from ringfence.licensing.demand import Subject, working
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.gate import GRANTED, Gate, Granted
from ringfence.licensing.reasons import reason_for
from ringfence.licensing.refusal import Refusal


def gate(bought: dict[str, int], *wants: str) -> Gate:
    entitlement = Entitlement(bought)
    subjects = [Subject(f"u{n}", n, "Ulm", "G", frozenset(one.split())) for n, one in enumerate(wants, 1)]
    return Gate(entitlement, allocate(entitlement, subjects), subjects)


def refused(answer: Granted | Refusal) -> Refusal:
    assert isinstance(answer, Refusal)
    return answer


def test_who_holds_the_licence_may() -> None:
    assert gate({"server": 1, "office_plus": 1}, "softphone").may("u1", "softphone") is GRANTED


def test_l47_who_has_no_seat_is_refused_as_under_licensed() -> None:
    refusal = refused(gate({"server": 1, "office_plus": 1}, "softphone", "softphone").may("u2", "softphone"))
    assert refusal.reason == "license.office_plus.under_licensed"
    assert refusal.facts == {
        "user": "u2",
        "function": "softphone",
        "licence": "office_plus",
        "position": 2,
        "seats": 1,
    }


def test_l49_a_missing_prerequisite_is_refused_as_blocked_and_the_chain_names_the_root() -> None:
    refusal = refused(gate({"server": 1, "teamdesk": 1}, "teamdesk").may("u1", "teamdesk"))
    assert refusal.reason == "license.teamdesk.blocked"
    assert refusal.facts["because"] == ("office_plus",)
    failed = [(step.check, step.facts["licence"]) for step in refusal.chain if not step.passed]
    assert failed == [("prerequisite", "teamdesk"), ("seat", "office_plus"), ("seat", "office")]


def test_l30_one_ip_channel_blocks_the_box() -> None:
    refusal = refused(
        gate({"server": 1, "voicemail": 1, "ip_channel": 1}, "voicemail").may("u1", "voicemail")
    )
    assert refusal.reason == "license.voicemail.blocked"
    assert refusal.chain[-1].facts == {"licence": "voicemail", "needed": 2, "licensed": 1}


def test_l35_the_mobile_app_is_refused_with_plain_office() -> None:
    bought = {"server": 1, "voicemail": 1, "ip_channel": 2, "office": 1}
    answers = gate(bought, "voicemail voicemail_client voicemail_mobile")
    assert answers.may("u1", "voicemail_client") is GRANTED
    assert refused(answers.may("u1", "voicemail_mobile")).reason == "license.office_plus.under_licensed"


@pytest.mark.parametrize(
    ("rule", "bought", "works", "refused_with"),
    [
        ("L-34", "voicemail", "voicemail", ("voicemail_client", "license.office.under_licensed")),
        ("L-36", "voicemail", "voicemail", ("voicemail_sms", "license.office.under_licensed")),
        ("L-37", "fax", "fax", ("fax_client", "license.office.under_licensed")),
    ],
)
def test_use_in_the_client_needs_office_and_the_rest_works(
    rule: str, bought: str, works: str, refused_with: tuple[str, str]
) -> None:
    function, reason = refused_with
    answers = gate({"server": 1, bought: 1, "ip_channel": 2}, f"{works} {function}")
    assert answers.may("u1", works) is GRANTED, rule
    assert refused(answers.may("u1", function)).reason == reason, rule


def test_what_is_switched_off_is_refused_before_any_licence_is_looked_at() -> None:
    refusal = refused(gate({}, "cti").may("u1", "voicemail"))
    assert refusal.reason == "function.not_configured"
    assert [step.check for step in refusal.chain] == ["configured"]


def test_l07_a_box_that_is_switched_off_answers_as_an_unknown_number() -> None:
    answers = gate({"server": 1}, "")
    for function, status in (("voicemail", 404), ("fax", 404), ("softphone", 403)):
        assert reason_for(refused(answers.may("u1", function))).sip_status == status


def test_l09_a_tapi_line_is_dealt_only_to_users_who_have_the_function() -> None:
    answers = gate({"server": 1, "tapi_line": 1}, "cti", "tapi_line", "tapi_line")
    assert refused(answers.may("u1", "tapi_line")).reason == "function.not_configured"
    assert answers.may("u2", "tapi_line") is GRANTED
    assert refused(answers.may("u3", "tapi_line")).reason == "license.tapi_line.under_licensed"


def test_l21_without_server_the_licence_of_the_user_is_blocked() -> None:
    refusal = refused(gate({"office": 1}, "cti").may("u1", "cti"))
    assert (refusal.reason, refusal.facts["because"]) == ("license.office.blocked", ("server",))


@pytest.mark.parametrize(
    ("bought", "reason"),
    [
        ({}, "server.unlicensed"),
        ({"auto_attendant": 1, "ip_channel": 2}, "server.unlicensed"),
        ({"server": 1, "ip_channel": 2}, "license.auto_attendant.under_licensed"),
        ({"server": 1, "auto_attendant": 1, "ip_channel": 1}, "license.auto_attendant.blocked"),
    ],
)
def test_l32_why_the_system_may_not_use_its_attendant(bought: dict[str, int], reason: str) -> None:
    refusal = refused(gate(bought).may_use("auto_attendant"))
    assert refusal.reason == reason
    assert not refusal.chain[-1].passed
    assert reason_for(refusal).sentence(refusal.facts)


def test_the_attendant_may_be_used_with_two_channels() -> None:
    assert gate({"server": 1, "auto_attendant": 1, "ip_channel": 2}).may_use("auto_attendant") is GRANTED


def test_a07_the_twenty_first_attendant_is_refused_where_attendants_are_counted() -> None:
    answers = gate({"server": 1, "auto_attendant": 1, "ip_channel": 2})
    assert answers.may_attend(21) is GRANTED
    for unit in ("attendants", "both"):
        assert answers.may_attend(20, unit) is GRANTED
        refusal = refused(answers.may_attend(21, unit))
        assert refusal.reason == "license.auto_attendant.under_licensed"
        assert "attendant number 21" in refusal.chain[-1].sentence()
    assert refused(gate({"server": 1, "ip_channel": 2}).may_attend(1)).facts == {"licence": "auto_attendant"}


@pytest.mark.parametrize(
    ("bought", "connected", "reason"),
    [
        ({"server": 1}, 9, None),
        ({"server": 1}, 10, "directory.sources.exhausted"),
        ({"server": 1, "additional_databases": 2}, 29, None),
        ({"server": 1, "additional_databases": 2}, 30, "directory.sources.exhausted"),
        ({"additional_databases": 2}, 0, "server.unlicensed"),
    ],
)
def test_v10_l17_the_eleventh_or_thirty_first_data_source_is_refused(
    bought: dict[str, int], connected: int, reason: str | None
) -> None:
    answer = gate(bought).may_add_source(connected)
    assert (answer.reason if isinstance(answer, Refusal) else None) == reason


def test_a_gate_is_valid_until_a_package_begins_or_ends() -> None:
    assert gate({"server": 1}).valid_until is None
    turn = datetime(2027, 1, 1, tzinfo=UTC)
    entitlement = Entitlement({}, next_change_at=turn)
    assert Gate(entitlement, allocate(entitlement, []), []).valid_until == turn


def test_unknown_users_functions_and_user_licences_are_key_errors() -> None:
    answers = gate({"server": 1}, "cti")
    for user, function in (("nobody", "cti"), ("u1", "flying")):
        with pytest.raises(KeyError):
            answers.may(user, function)
    with pytest.raises(KeyError):
        answers.may_use("office")


def test_an_answer_is_worked_out_once() -> None:
    answers = gate({"server": 1}, "cti")
    assert answers.may("u1", "cti") is answers.may("u1", "cti")


@settings(max_examples=100, deadline=None)
@given(
    st.fixed_dictionaries({key: st.integers(0, 2) for key in LICENCES}),
    st.lists(st.frozensets(st.sampled_from(sorted(FUNCTIONS)), max_size=5), max_size=5),
)
def test_the_gate_grants_exactly_what_works_and_explains_every_refusal(
    bought: dict[str, int], wants: list[frozenset[str]]
) -> None:
    entitlement = Entitlement(bought)
    subjects = [Subject(f"u{n}", n, "Ulm", None, one) for n, one in enumerate(wants, 1)]
    allocation = allocate(entitlement, subjects)
    answers = Gate(entitlement, allocation, subjects)
    for subject in subjects:
        works = working(subject.functions, allocation.assigned(subject.name))
        for function in FUNCTIONS:
            answer = answers.may(subject.name, function)
            assert (answer == GRANTED) == (function in works)
            if isinstance(answer, Refusal):
                assert any(not step.passed for step in answer.chain)
                assert reason_for(answer).code == answer.reason
                assert all(step.sentence("de") != step.sentence() for step in answer.chain)
