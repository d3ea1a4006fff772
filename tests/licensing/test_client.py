"""What a client needs to read a voicemail box or a fax journal (L-34 to L-37, A-11)."""

from __future__ import annotations

import pytest

from ringfence.licensing.allocation import allocate
from ringfence.licensing.client import Box, ClientKind, function_for, may_read
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.gate import GRANTED, Gate
from ringfence.licensing.refusal import Refusal

EVERY = "voicemail voicemail_client voicemail_mobile fax fax_client"


def gate(functions: str, **bought: int) -> Gate:
    entitlement = Entitlement({"server": 1, "ip_channel": 2, "voicemail": 1, "fax": 1, **bought})
    subjects = [Subject("anna", 1, "Ulm", None, frozenset(functions.split()))]
    return Gate(entitlement, allocate(entitlement, subjects), subjects)


@pytest.mark.parametrize(
    ("rule", "box", "kind", "function"),
    [
        ("L-34", "voicemail", "connect", "voicemail_client"),
        ("L-34", "voicemail", "groupware", "voicemail_client"),
        ("L-35", "voicemail", "mobile", "voicemail_mobile"),
        ("L-34", "voicemail", "web", "voicemail"),
        ("L-37", "fax", "connect", "fax_client"),
        ("A-11", "fax", "groupware", "fax_client"),
        ("A-11", "fax", "mobile", "fax_client"),
        ("L-37", "fax", "web", "fax"),
    ],
)
def test_a_client_needs_its_function(rule: str, box: Box, kind: ClientKind, function: str) -> None:
    assert function_for(box, kind) == function, rule


@pytest.mark.parametrize(
    ("bought", "readable"),
    [
        ({}, {"web": "voicemail fax"}),
        (
            {"office": 1},
            {
                "web": "voicemail fax",
                "connect": "voicemail fax",
                "groupware": "voicemail fax",
                "mobile": "fax",
            },
        ),
        (
            {"office_plus": 1},
            dict.fromkeys(("web", "connect", "groupware", "mobile"), "voicemail fax"),
        ),
    ],
)
def test_l34_l35_l37_office_opens_the_client_and_plus_the_app(
    bought: dict[str, int], readable: dict[ClientKind, str]
) -> None:
    answers = gate(EVERY, **bought)
    kinds: tuple[ClientKind, ...] = ("connect", "mobile", "groupware", "web")
    boxes: tuple[Box, ...] = ("voicemail", "fax")
    for kind in kinds:
        allowed = [box for box in boxes if may_read(answers, "anna", box, kind) is GRANTED]
        assert allowed == readable.get(kind, "").split(), kind


def test_a11_the_strict_reading_asks_for_plus_for_faxes_in_the_app_only() -> None:
    office, plus = gate("fax fax_client", office=1), gate("fax fax_client softphone", office_plus=1)
    assert may_read(plus, "anna", "fax", "mobile", mobile_fax_requires_plus=True) is GRANTED
    assert may_read(office, "anna", "fax", "connect", mobile_fax_requires_plus=True) is GRANTED
    answer = may_read(office, "anna", "fax", "mobile", mobile_fax_requires_plus=True)
    assert isinstance(answer, Refusal)
    assert answer.reason == "license.office_plus.under_licensed"
    assert answer.chain[-1].sentence() == "Fax needs Office Plus, but anna does not hold it."


def test_what_is_switched_off_is_not_configured_whatever_is_bought() -> None:
    answer = may_read(gate("voicemail", office_plus=1), "anna", "voicemail", "connect")
    assert isinstance(answer, Refusal)
    assert answer.reason == "function.not_configured"
