"""One number in its forms, by the dial parameters of a location."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.features.dialling.conversion import (
    converted,
    is_country,
    outside,
    prefixes,
    shown,
    to_call,
)
from ringfence.features.dialling.settings import Dialling

MUNICH = Dialling("49", area="89", exit_code="0")
NEW_YORK = Dialling("1", exit_code="9")
ROME = Dialling("39")
LONDON = Dialling("44", area="20")
OWN_PREFIXES = Dialling("49", national_prefix="8", international_prefix="810")


@pytest.mark.parametrize(
    ("plan", "national", "international"),
    [
        (MUNICH, "0", "00"),
        (NEW_YORK, "1", "011"),
        (ROME, "", "00"),
        (LONDON, "0", "00"),
        (OWN_PREFIXES, "8", "810"),
    ],
)
def test_prefixes_are_those_of_the_country_unless_they_are_given(
    plan: Dialling, national: str, international: str
) -> None:
    assert prefixes(plan) == (national, international)


@pytest.mark.parametrize(
    ("plan", "dialled", "number"),
    [
        (MUNICH, "55501234", "+498955501234"),
        (MUNICH, "073199912", "+4973199912"),
        (MUNICH, "00431234567", "+431234567"),
        (MUNICH, "+431234567", "+431234567"),
        (NEW_YORK, "2125550123", "+12125550123"),
        (NEW_YORK, "12125550123", "+12125550123"),
        (NEW_YORK, "0114989123456", "+4989123456"),
        (ROME, "0612345678", "+390612345678"),
        (LONDON, "79460000", "+442079460000"),
        (OWN_PREFIXES, "88912345678", "+498912345678"),
        (OWN_PREFIXES, "8104989123456", "+4989123456"),
    ],
)
def test_what_is_dialled_in_a_location_becomes_the_number_of_the_world(
    plan: Dialling, dialled: str, number: str
) -> None:
    assert converted(dialled, "e164", plan) == number
    assert converted(number, "e164", plan) == number


@pytest.mark.parametrize("form", ["e164", "international", "national"])
@pytest.mark.parametrize(
    "number", ["115", "11833", "116117", "+1", "anonymous", "", "١٢٣٤٥٦٧", "0" * 33, "*100"]
)
def test_what_is_a_short_number_or_none_stays_as_it_is(number: str, form: str) -> None:
    assert converted(number, form, MUNICH) == number  # type: ignore[arg-type]


def test_a_number_is_national_in_its_own_country_alone() -> None:
    assert converted("+4973199912", "national", MUNICH) == "073199912"
    assert converted("+4973199912", "international", MUNICH) == "004973199912"
    assert converted("+4973199912", "national", NEW_YORK) == "0114973199912"
    assert converted("+390612345678", "national", ROME) == "0612345678"


@pytest.mark.parametrize(
    ("plan", "dialled", "rest"),
    [
        (MUNICH, "0073199912", "073199912"),
        (MUNICH, "055501234", "55501234"),
        (MUNICH, "+4973199912", "+4973199912"),
        (MUNICH, "100", None),
        (MUNICH, "0", None),
        (LONDON, "02079460000", "02079460000"),
        (LONDON, "0049731", "0049731"),
        (LONDON, "100", None),
        (ROME, "0612345678", None),
        (ROME, "00493012345", "00493012345"),
    ],
)
def test_the_exit_code_or_a_prefix_leads_outside(plan: Dialling, dialled: str, rest: str | None) -> None:
    assert outside(dialled, plan) == rest


@pytest.mark.parametrize(
    ("form", "number"),
    [
        ("as_signalled", "+4973199912"),
        ("e164", "+4973199912"),
        ("national", "073199912"),
        ("international", "004973199912"),
        ("dialled", "0073199912"),
    ],
)
def test_a_caller_is_shown_as_the_location_has_it(form: str, number: str) -> None:
    plan = replace(MUNICH, caller_format=form)  # type: ignore[arg-type]
    assert shown("+4973199912", plan) == number
    assert shown("anonymous", plan) == "anonymous"


@given(st.from_regex(r"\A0[1-9][0-9]{6,9}\Z"))
def test_a_caller_who_is_shown_as_dialled_is_reached_by_what_is_shown(number: str) -> None:
    plan = replace(MUNICH, caller_format="dialled")
    dialled = outside(shown(number, plan), plan) if shown(number, plan) != number else number
    assert dialled is not None
    assert converted(dialled, "e164", plan) == converted(number, "e164", plan)


@given(st.text(max_size=12))
def test_whatever_is_converted_stays_as_it_is_when_it_is_converted_again(text: str) -> None:
    once = converted(text, "e164", MUNICH)
    assert converted(once, "e164", MUNICH) == once


def test_countries_are_those_that_there_are() -> None:
    assert all(is_country(one) for one in ("49", "1", "39", "800"))
    assert not any(is_country(one) for one in ("999", "0", "2"))


def test_who_called_is_called_back_by_the_exit_code_or_where_another_country_counts_by_the_number_of_the_world() -> (
    None
):
    assert to_call("073199912", MUNICH, MUNICH) == "0073199912"
    assert to_call("073199912", MUNICH, NEW_YORK) == "+4973199912"
    assert to_call("+4973199912", MUNICH, MUNICH) == "+4973199912"
    assert to_call("115", MUNICH, NEW_YORK) == "9115"
