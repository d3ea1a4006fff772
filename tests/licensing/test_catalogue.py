"""The catalogue: every licence and function, and what they need."""

from __future__ import annotations

import pytest

from ringfence.licensing.catalogue import (
    BUNDLES,
    FUNCTIONS,
    LICENCES,
    SYSTEM_LICENCES,
    USER_LICENCES,
    USER_PREREQUISITES,
    Kind,
)

OFFICE, PLUS = {"office"}, {"office", "office_plus"}


def test_user_licences_stand_in_the_agreed_order() -> None:
    assert USER_LICENCES == (
        "office",
        "office_plus",
        "teamdesk",
        "voicemail",
        "fax",
        "contacts",
        "dashboard",
    )


def test_l43_system_licences_are_never_user_licences() -> None:
    assert SYSTEM_LICENCES == ("server", "ip_channel", "auto_attendant", "additional_databases")
    assert set(LICENCES) == {*SYSTEM_LICENCES, *USER_LICENCES, "tapi_line"}
    assert LICENCES["tapi_line"].kind is Kind.LINE


@pytest.mark.parametrize(
    ("rule", "key", "prerequisites"),
    [
        ("L-22", "office", {"server"}),
        ("L-23", "office_plus", {"server", "office"}),
        ("L-24", "teamdesk", {"server", "office_plus"}),
        ("L-25", "tapi_line", {"server"}),
        ("L-26", "contacts", {"server"}),
        ("L-27", "dashboard", {"server", "contacts"}),
        ("L-28", "ip_channel", {"server"}),
        ("L-29", "additional_databases", {"server"}),
    ],
)
def test_prerequisites(rule: str, key: str, prerequisites: set[str]) -> None:
    assert set(LICENCES[key].prerequisites) == prerequisites, rule


@pytest.mark.parametrize(
    ("rule", "key", "minimum"), [("L-30", "voicemail", 2), ("L-31", "fax", 1), ("L-32", "auto_attendant", 2)]
)
def test_minimum_of_ip_channels(rule: str, key: str, minimum: int) -> None:
    assert LICENCES[key].min_ip_channels == minimum, rule


@pytest.mark.parametrize(
    ("licences", "functions"),
    [
        (OFFICE, "cti journal presence chat sms team_panel assistant groupware meetings"),
        (PLUS, "softphone softphone_mobile one_number federation"),
        ({"teamdesk", *PLUS}, "teamdesk"),
        ({"voicemail"}, "voicemail"),
        ({"voicemail", *OFFICE}, "voicemail_client voicemail_sms"),
        ({"voicemail", *PLUS}, "voicemail_mobile"),
        ({"fax"}, "fax"),
        ({"fax", *OFFICE}, "fax_client"),
        ({"contacts"}, "contacts"),
        ({"contacts", "dashboard"}, "dashboard"),
        ({"tapi_line"}, "tapi_line"),
    ],
)
def test_l03_every_function_names_its_licences(licences: set[str], functions: str) -> None:
    assert all(set(FUNCTIONS[key].licences) == licences for key in functions.split())


def test_no_function_is_left_out() -> None:
    assert len(FUNCTIONS) == 23


def test_l18_no_licence_is_counted_by_pbx_connections() -> None:
    assert not any("pbx" in one.unit or "trunk" in one.unit for one in LICENCES.values())


def test_l73_only_voicemail_and_fax_take_an_ip_channel() -> None:
    assert {key for key, one in FUNCTIONS.items() if "ip_channel" in one.channels} == {"voicemail", "fax"}


def test_a_bundle_brings_exactly_its_own_prerequisites() -> None:
    assert all(USER_PREREQUISITES[bundle] == (part,) for bundle, part in BUNDLES.items())


def test_each_licence_that_a_function_needs_comes_with_its_prerequisites() -> None:
    for function in FUNCTIONS.values():
        for key in function.licences:
            assert set(USER_PREREQUISITES.get(key, ())) <= set(function.licences)
