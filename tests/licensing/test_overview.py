"""The licence overview in its agreed JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from ringfence.licensing.advice import recommended_ip_channels
from ringfence.licensing.allocation import allocate
from ringfence.licensing.catalogue import FUNCTIONS, USER_LICENCES
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.keys import generate_key, key_id
from ringfence.licensing.lines import Lines
from ringfence.licensing.modes import Grace, Modes, Overdraft, Tolerance, Warn
from ringfence.licensing.order import ServiceOrder
from ringfence.licensing.overview import Overview, overview
from ringfence.licensing.package import Package, issue, read
from ringfence.server.site.site import Team

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


KEY = generate_key(bytes(32))
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def package(name: str, private: str = KEY.private, **dates: str | None) -> Package:
    told = {"issued": "2026-01-01", **dates}
    return read(issue(private, id=name, customer="Firma", licences={"office": 1}, **told))  # type: ignore[arg-type]


def test_packages_are_listed_with_their_state_and_warned_of() -> None:
    developer = (files("ringfence.fixtures") / "keys" / "developer.key").read_text(encoding="utf-8")
    packages = [
        package("lasting"),
        package("old", not_after="2026-06-30"),
        package("soon", not_after="2026-07-30"),
        package("later", not_before="2026-08-01"),
        package("trial", developer),
    ]
    entitlement = Entitlement.of({"server": 1}, packages, NOW)
    shown = overview(entitlement, allocate(entitlement, []), [])
    assert shown["packages"][0] == {
        "id": "lasting",
        "customer": "Firma",
        "key": key_id(KEY.public),
        "developer": False,
        "state": "valid",
        "licences": {"office": 1},
        "issued": "2026-01-01",
        "not_before": "2026-01-01",
        "not_after": None,
    }
    states = [(one["id"], one["state"], one["developer"]) for one in shown["packages"][1:]]
    assert states == [
        ("old", "expired", False),
        ("soon", "valid", False),
        ("later", "not_yet_valid", False),
        ("trial", "valid", True),
    ]
    assert shown["developer"]
    assert shown["pools"]["office"]["bought"] == 3
    assert codes(shown) == [
        "package.developer",
        "package.expired",
        "package.expiring",
        "package.not_yet_valid",
    ]
    assert "signed: trial." in shown["warnings"][0]["text"]


def test_modes_are_shown_with_their_terms_and_who_is_without_a_seat() -> None:
    subjects, entitlement = (
        [user(1, "cti"), user(2, "cti fax")],
        Entitlement({"server": 1, "ip_channel": 2, "office": 1}),
    )
    modes = Modes(Warn(), {"office": Grace(14, 50), "fax": Overdraft(2)})
    shown = overview(
        entitlement,
        allocate(entitlement, subjects),
        subjects,
        tolerance=Tolerance(modes, {"office": NOW}, NOW),
    )
    terms: dict[str, object] = {"grace_days": None, "grace_percent": None, "overdraft": None}
    terms |= {"over_since": None, "until": None}
    assert shown["modes"]["voicemail"] == {"mode": "warn", **terms}
    assert shown["modes"]["fax"] == {**terms, "mode": "overdraft", "overdraft": 2}
    assert shown["modes"]["office"] == {
        "mode": "grace",
        "grace_days": 14,
        "grace_percent": 50,
        "overdraft": None,
        "over_since": "2026-07-01T00:00:00+00:00",
        "until": "2026-07-15T00:00:00+00:00",
    }
    assert codes(shown) == ["users.under_licensed", "license.office.grace", "license.fax.overdraft"]
    assert view(ULM)["modes"]["office"] == {"mode": "enforce", **terms}


def test_contingents_are_shown_and_warned_of_when_they_are_more_than_the_pool() -> None:
    order = ServiceOrder(contingents={"Ulm": {"office": 2}, "Bonn": {"office": 2}, "Kiel": {}})
    entitlement = Entitlement({"server": 1, "office": 3})
    shown = overview(entitlement, allocate(entitlement, [], order), [], order=order)
    assert shown["contingents"] == {"Ulm": {"office": 2}, "Bonn": {"office": 2}}
    assert codes(shown) == ["contingent.exceeded"]
    assert shown["warnings"][0]["text"].startswith(
        "The contingents of Office are 4 together, and 3 are there:"
    )


def test_v12_a_line_that_asked_in_vain_is_required_and_missing() -> None:
    entitlement = Entitlement({"server": 1, "tapi_line": 2})
    shown = overview(entitlement, allocate(entitlement, []), [], lines=Lines(("100", "101"), ("102",)))
    assert shown["pools"]["tapi_line"] == {"bought": 2, "required": 3, "assigned": 2, "missing": 1}
    assert codes(shown) == ["license.tapi_line.exhausted"]


def test_l09_lines_that_are_configured_are_counted_by_user() -> None:
    shown = view({"server": 1, "tapi_line": 1}, user(1, "tapi_line"), user(2, "tapi_line"))
    assert shown["pools"]["tapi_line"] == {"bought": 1, "required": 2, "assigned": 1, "missing": 1}
    assert shown["users"][1]["missing"][0]["reason"] == "license.tapi_line.under_licensed"


def test_l53_closed_analytics_is_warned_of_on_the_overview() -> None:
    subjects, entitlement = [user(1, "teamdesk")], Entitlement({"server": 1, "office_plus": 1})
    team = Team("hotline", ("u1",), analytics=True)
    shown = overview(entitlement, allocate(entitlement, subjects), subjects, teams=[team])
    assert codes(shown) == ["users.under_licensed", "analytics.members_unlicensed"]


def test_l19_a15_more_than_5000_users_are_advised_against_only() -> None:
    assert codes(view({"server": 1}, *(user(seq, "") for seq in range(5000)))) == []
    assert codes(view({"server": 1}, *(user(seq, "") for seq in range(5001)))) == ["capacity.users.advisory"]
