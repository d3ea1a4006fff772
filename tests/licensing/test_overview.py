"""The licence overview in its agreed JSON."""

from __future__ import annotations

import json

import pytest

from ringfence.licensing.advice import recommended_ip_channels
from ringfence.licensing.allocation import allocate
from ringfence.licensing.catalogue import FUNCTIONS, USER_LICENCES
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.overview import Overview, overview

ULM = {"server": 1, "ip_channel": 2, "auto_attendant": 1, "office": 2, "office_plus": 1, "voicemail": 2}


def view(bought: dict[str, int], *subjects: Subject, locations: tuple[str, ...] = ()) -> Overview:
    entitlement = Entitlement(bought)
    return overview(entitlement, allocate(entitlement, subjects), subjects, locations)


def user(seq: int, functions: str, location: str = "Ulm") -> Subject:
    return Subject(f"u{seq}", seq, location, None, frozenset(functions.split()))


def codes(shown: Overview) -> list[str]:
    return [one["code"] for one in shown["warnings"]]


def test_the_whole_shape_for_a_small_site() -> None:
    shown = view(ULM, user(2, "cti voicemail"), user(3, "cti voicemail"), user(1, "softphone voicemail"))
    assert shown["scheme_version"] == 1
    assert shown["pools"]["office"] == {"bought": 3, "required": 3, "assigned": 3, "missing": 0}
    assert shown["users"][2] == {
        "user": "u3",
        "required": ["office", "voicemail"],
        "assigned": ["office"],
        "missing": [
            {
                "licence": "voicemail",
                "state": "under_licensed",
                "reason": "license.voicemail.under_licensed",
                "because": [],
            }
        ],
    }
    assert shown["channels"] == {"ip_channel": 2, "auto_attendant": 20, "data_sources": 10}
    assert json.loads(json.dumps(shown)) == shown


def test_every_user_is_listed_in_sequence() -> None:
    shown = view(ULM, user(3, ""), user(1, "cti"), user(2, ""))
    assert [one["user"] for one in shown["users"]] == ["u1", "u2", "u3"]


def test_pools_have_every_user_licence_and_tapi_line_zeros_included() -> None:
    shown = view({"tapi_line": 2})
    assert tuple(shown["pools"]) == (*USER_LICENCES, "tapi_line")
    assert shown["pools"]["tapi_line"] == {"bought": 2, "required": 0, "assigned": 0, "missing": 0}


def test_l45_the_locations_add_up_to_the_system() -> None:
    functions = " ".join(FUNCTIONS)
    places = ["Ulm", "Bonn", "Ulm", "Bonn", "Ulm"]
    shown = view(ULM, *(user(seq, functions, place) for seq, place in enumerate(places, 1)))
    assert list(shown["locations"]) == ["Ulm", "Bonn"]
    for key, pool in shown["pools"].items():
        there = [place[key] for place in shown["locations"].values()]
        sums = [
            sum(one["required"] for one in there),
            sum(one["assigned"] for one in there),
            sum(one["missing"] for one in there),
        ]
        assert sums == [pool["required"], pool["assigned"], pool["missing"]]


def test_l63_a_location_without_users_is_shown_and_takes_nothing() -> None:
    shown = view(ULM, user(1, "cti"), locations=("Wien", "Ulm"))
    assert list(shown["locations"]) == ["Wien", "Ulm"]
    nothing = {"required": 0, "assigned": 0, "missing": 0}
    assert all(one == nothing for one in shown["locations"]["Wien"].values())


def test_l21_without_server_counts_show_as_bought_and_everything_is_missing() -> None:
    shown = view({"office": 3, "ip_channel": 4, "auto_attendant": 1}, user(1, "cti"))
    assert shown["pools"]["office"] == {"bought": 3, "required": 1, "assigned": 0, "missing": 1}
    assert shown["channels"] == {"ip_channel": 0, "auto_attendant": 0, "data_sources": 0}
    assert shown["users"][0]["missing"][0] == {
        "licence": "office",
        "state": "blocked",
        "reason": "license.office.blocked",
        "because": ["server"],
    }
    assert "server.unlicensed" in codes(shown)


def test_l44_the_warning_counts_users_who_lack_something() -> None:
    shown = view({"server": 1, "office": 1}, user(1, "cti"), user(2, "cti"))
    assert codes(shown) == ["users.under_licensed"]
    assert shown["warnings"][0]["text"].startswith("1 of 2 users")


@pytest.mark.parametrize(
    ("bought", "functions", "blocked"),
    [
        ({"ip_channel": 1, "voicemail": 1}, "", "license.voicemail.blocked"),
        ({"ip_channel": 1}, "voicemail", "license.voicemail.blocked"),
        ({"fax": 1}, "fax", "license.fax.blocked"),
        ({"auto_attendant": 1, "ip_channel": 1}, "", "license.auto_attendant.blocked"),
    ],
)
def test_l30_l31_l32_a_minimum_that_is_not_met_is_warned_of(
    bought: dict[str, int], functions: str, blocked: str
) -> None:
    assert blocked in codes(view({"server": 1, **bought}, user(1, functions)))


def test_a_site_with_enough_of_everything_has_no_warnings() -> None:
    assert view(ULM, user(1, "softphone voicemail"), user(2, "cti voicemail"))["warnings"] == []


@pytest.mark.parametrize(
    ("um_users", "voice", "channels"),
    [
        (0, False, 0),
        (1, False, 1),
        (1, True, 2),
        (0, True, 2),
        (50, True, 2),
        (51, True, 3),
        (5000, True, 200),
    ],
)
def test_v14_l20_one_ip_channel_for_each_25_users(um_users: int, voice: bool, channels: int) -> None:
    assert recommended_ip_channels(um_users, voice=voice) == channels


def test_l20_a19_the_recommendation_shows_both_figures_and_blocks_nothing() -> None:
    users = [user(seq, "voicemail" if seq <= 60 else "cti") for seq in range(1, 101)]
    shown = view({"server": 1, "ip_channel": 2, "voicemail": 60, "office": 40}, *users)
    assert codes(shown) == ["capacity.ip_channel.recommended"]
    assert "3 IP channels" in shown["warnings"][0]["text"]
    assert "60 of 100 users" in shown["warnings"][0]["text"]
    assert shown["pools"]["voicemail"]["assigned"] == 60


def test_l19_a15_more_than_5000_users_are_advised_against_only() -> None:
    assert codes(view({"server": 1}, *(user(seq, "") for seq in range(5000)))) == []
    assert codes(view({"server": 1}, *(user(seq, "") for seq in range(5001)))) == ["capacity.users.advisory"]
