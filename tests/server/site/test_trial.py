from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.licensing.entitlement import Entitlement
from ringfence.server.site.directory import Directory
from ringfence.server.site.require import AdministrationError
from ringfence.server.site.trial import Place, try_out

if TYPE_CHECKING:
    from ringfence.server.site.site import Site


def test_a_move_shows_who_gains_and_whose_settings_would_be_deleted(site: Site) -> None:
    """L-06, L-48"""
    result = try_out(Directory(site), Entitlement(site.entitlements), {}, {"anna": ("Ulm", "Lager")})
    anna, ben = result.users
    assert (anna.user, anna.licences_lost) == ("anna", ("office", "office_plus", "voicemail"))
    assert "voicemail" in anna.settings_deleted
    assert (ben.user, ben.functions_gained) == ("ben", ("softphone",))


def test_buying_more_serves_the_next_in_order(site: Site) -> None:
    result = try_out(Directory(site), Entitlement(site.entitlements), {"office_plus": 1}, {})
    assert [one.user for one in result.users] == ["ben"]


@pytest.mark.parametrize(
    ("add", "moves", "reason", "sentence"),
    [
        ({"offis": 1}, {}, "request.invalid", 'the licence "offis" is not known; did you mean "office"?'),
        (
            {"office_plus": -2},
            {},
            "request.invalid",
            "2 of office_plus cannot be given back; no more than 1 are bought",
        ),
        ({}, {"ana": ("Ulm", None)}, "not_found", 'the user "ana" is not there; did you mean "anna"?'),
        (
            {},
            {"anna": ("Um", None)},
            "request.invalid",
            'the location "Um" is not there; did you mean "Ulm"?',
        ),
        (
            {},
            {"anna": ("Ulm", "Pls")},
            "request.invalid",
            'the group "Pls" is not there in "Ulm"; did you mean "Plus"?',
        ),
    ],
)
def test_what_is_not_there_cannot_be_tried(
    site: Site, add: dict[str, int], moves: dict[str, Place], reason: str, sentence: str
) -> None:
    with pytest.raises(AdministrationError) as caught:
        try_out(Directory(site), Entitlement(site.entitlements), add, moves)
    assert (caught.value.reason, caught.value.sentence) == (reason, sentence)
