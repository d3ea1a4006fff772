from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import get_args

import pytest

from ringfence.licensing.modes import ComplianceChanged
from ringfence.server.event_form import TOLD_OUTSIDE, name_of, values_of
from ringfence.server.site.events import FunctionsSwitched, LicenceAssigned, LimitReached, SiteEvent
from ringfence.server.site.events import PackageImported as Imported
from ringfence.server.switch.events import DigitPressed, Refused


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (LicenceAssigned("anna", "office"), "licence.assigned"),
        (LimitReached("fax", 2), "limit.reached"),
        (Refused("d-1", "number.unknown", "a call", call_id="c-1"), "call.refused"),
        (Refused("d-1", "number.unknown", "a request"), "request.refused"),
    ],
)
def test_an_event_is_called_noun_and_past_verb(event: object, name: str) -> None:
    assert name_of(event) == name
    assert name in TOLD_OUTSIDE


def test_sets_are_sorted_and_times_are_iso_8601() -> None:
    switched = FunctionsSwitched("Ulm", None, frozenset({"fax", "cti"}))
    assert values_of(switched) == {"location": "Ulm", "group": None, "functions": ["cti", "fax"]}
    since = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert values_of(ComplianceChanged("fax", True, since, 1))["since"] == "2026-03-01T12:00:00.000000+00:00"
    assert values_of(Imported("p-1", {"fax": 1})) == {"package": "p-1", "licences": {"fax": 1}}


def test_a_digit_which_may_be_of_a_pin_is_not_told_outside() -> None:
    assert name_of(DigitPressed("c-1", "l-1", "8")) not in TOLD_OUTSIDE


def test_no_event_of_the_site_has_a_secret() -> None:
    names = {one.name for kind in get_args(SiteEvent) for one in fields(kind)}
    assert names.isdisjoint({"pin", "voicemail_pin", "password", "secret", "token", "value"})
