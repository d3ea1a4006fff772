from __future__ import annotations

from importlib.resources import files

import pytest

from ringfence.licensing.allocation import Allocation, allocate
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.gate import Gate, Granted
from ringfence.server.site.directory import Directory
from ringfence.server.site.site import Site


def sample(name: str) -> tuple[Directory, Entitlement, Allocation]:
    text = files("ringfence.fixtures").joinpath("sites", name).read_text(encoding="utf-8")
    directory = Directory(Site.parse(text, name))
    entitlement = Entitlement(directory.site.entitlements)
    return directory, entitlement, allocate(entitlement, directory.subjects())


def test_the_sample_company_has_three_locations_and_some_forty_users() -> None:
    directory, _, _ = sample("musterfirma.toml")
    assert len(directory.locations) == 3
    assert 38 <= len(directory.users) <= 45


@pytest.mark.parametrize(
    ("user", "licence", "state", "because"),
    [
        ("emil", "office_plus", "under_licensed", ()),
        ("paul", "teamdesk", "under_licensed", ()),
        ("heidi", "teamdesk", "blocked", ("office_plus",)),
        ("yasmin", "dashboard", "blocked", ("contacts",)),
    ],
)
def test_the_sample_company_shows_every_way_to_lack_a_licence(
    user: str, licence: str, state: str, because: tuple[str, ...]
) -> None:
    _, _, allocation = sample("musterfirma.toml")
    found = {lack.licence: (lack.state, lack.because) for lack in allocation.missing(user)}
    assert found[licence] == (state, because)


def test_a_plus_that_waits_still_gets_an_office_from_the_bundle_rule() -> None:
    """A-03"""
    _, _, allocation = sample("musterfirma.toml")
    assert allocation.assigned("anna") >= {"office", "office_plus", "voicemail", "fax"}
    assert allocation.assigned("emil") == {"office"}
    assert allocation.required("quirin") == ()


@pytest.mark.parametrize("name", ["small.toml", "musterfirma.toml"])
def test_anna_may_telephone_and_has_a_box(name: str) -> None:
    directory, entitlement, allocation = sample(name)
    gate = Gate(entitlement, allocation, directory.subjects())
    assert gate.may("anna", "softphone") == gate.may("anna", "voicemail") == Granted()
    assert gate.may_use("auto_attendant") == Granted()
    assert entitlement.ip_channels == 4
    assert directory.trunk_of("127.0.0.30", 5060) is not None
