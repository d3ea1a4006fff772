"""Refusals and their steps, and what of them may be told outside."""

from __future__ import annotations

import pytest

from ringfence.licensing.refusal import Refusal, Step, warning_text


def test_the_warning_tells_the_code_and_the_numbers() -> None:
    refusal = Refusal("ip_channel.exhausted", facts={"used": 4, "limit": 4})
    assert warning_text(refusal) == "ip_channel.exhausted used=4 limit=4"


def test_the_warning_tells_no_names_and_no_flags() -> None:
    facts = {"user": "anna", "holders": ("ben", "clara"), "licence": "office", "final": True, "seats": 3}
    assert warning_text(Refusal("license.office.under_licensed", facts=facts)) == (
        "license.office.under_licensed seats=3"
    )


def test_equal_refusals_hash_equal() -> None:
    one, two = (Refusal("user.busy", (Step("server", passed=True),), {"user": "anna"}) for _ in range(2))
    assert one == two
    assert len({one, two}) == 1


@pytest.mark.parametrize(
    ("group", "english", "german"),
    [
        (None, "Fax is switched on for Ulm.", "Fax ist für Ulm eingeschaltet."),
        ("G", "Fax is switched on for group G at Ulm.", "Fax ist für Gruppe G in Ulm eingeschaltet."),
    ],
)
def test_a_step_names_the_group_or_the_location(group: str | None, english: str, german: str) -> None:
    step = Step("configured", passed=True, facts={"function": "fax", "location": "Ulm", "group": group})
    assert (step.sentence(), step.sentence("de")) == (english, german)


def test_a_step_is_json_with_both_sentences() -> None:
    step = Step("channel", passed=False, facts={"licence": "ip_channel", "used": 4, "limit": 4})
    assert step.as_dict() == {
        "check": "channel",
        "passed": False,
        "facts": {"licence": "ip_channel", "used": 4, "limit": 4},
        "text": "All 4 channels (IP Channel) are in use.",
        "text_de": "Alle 4 Kanäle (IP-Kanal) sind belegt.",
    }
