"""From functions to required licences."""

from __future__ import annotations

from dataclasses import fields

import pytest

from ringfence.licensing.catalogue import DEALT_LICENCES, FUNCTIONS
from ringfence.licensing.demand import Subject, required, working


def user(*functions: str) -> Subject:
    return Subject("anna", 1, "Ulm", None, frozenset(functions))


def test_l01_a_configured_function_requires_its_licences() -> None:
    assert required(user("softphone", "fax")) == ("office", "office_plus", "fax")


def test_l02_nothing_about_logging_on_is_an_input() -> None:
    assert [one.name for one in fields(Subject)] == ["name", "seq", "location", "group", "functions"]


def test_l04_a_function_switched_off_requires_nothing() -> None:
    assert required(user("cti", "voicemail")) == ("office", "voicemail")
    assert required(user("cti")) == ("office",)


def test_l10_without_functions_nothing_is_required() -> None:
    assert required(user()) == ()


def test_all_functions_require_all_licences_in_catalogue_order() -> None:
    assert required(user(*FUNCTIONS)) == DEALT_LICENCES


def test_l09_a_tapi_line_is_required_by_who_has_the_function() -> None:
    assert required(user("tapi_line")) == ("tapi_line",)


@pytest.mark.parametrize(
    ("rule", "assigned", "works"),
    [
        ("L-34, L-36", {"voicemail"}, {"voicemail"}),
        ("L-35", {"voicemail", "office"}, {"voicemail", "voicemail_client", "voicemail_sms"}),
        (
            "L-35",
            {"voicemail", "office", "office_plus"},
            {"voicemail", "voicemail_client", "voicemail_sms", "voicemail_mobile"},
        ),
        ("L-37", {"fax"}, {"fax"}),
        ("L-37", {"fax", "office"}, {"fax", "fax_client"}),
    ],
)
def test_ways_of_use_work_by_the_licences_that_are_there(
    rule: str, assigned: set[str], works: set[str]
) -> None:
    ways = frozenset(key for key in FUNCTIONS if key.startswith(("voicemail", "fax")))
    assert working(ways, frozenset(assigned)) == works, rule
