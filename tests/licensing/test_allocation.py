"""Who gets which licence: the published vectors and the rules, one by one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from ringfence.licensing.allocation import Allocation, Missing, allocate
from ringfence.licensing.catalogue import DEALT_LICENCES, FUNCTIONS, USER_LICENCES
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement

PLUS = {"office", "office_plus"}


def users(*wants: str) -> list[Subject]:
    """u1, u2, … in this order; each want is the names of functions, separated by spaces."""
    return [Subject(f"u{n}", n, "Ulm", None, frozenset(one.split())) for n, one in enumerate(wants, 1)]


def deal(bought: dict[str, int], *wants: str) -> Allocation:
    return allocate(Entitlement({"server": 1, **bought}), users(*wants))


def lacks(allocation: Allocation, user: str) -> dict[str, str]:
    return {one.licence: one.state for one in allocation.missing(user)}


def test_v1_bundles_and_office_serve_150_of_200() -> None:
    result = deal({"office": 100, "office_plus": 50}, *["softphone"] * 50, *["cti"] * 150)
    assert [result.pools[key].assigned for key in ("office", "office_plus")] == [150, 50]
    assert sum(1 for user in result.users if result.missing(user)) == 50


def test_v2_plus_wanters_are_served_by_sequence() -> None:
    result = deal({"office_plus": 3}, *["softphone"] * 5)
    assert [result.assigned(user) for user in result.users] == [PLUS, PLUS, PLUS, set(), set()]
    assert lacks(result, "u4") == {"office": "under_licensed", "office_plus": "under_licensed"}


def test_v3_a_bundle_is_not_broken_up_for_an_earlier_office_wanter() -> None:
    result = deal({"office_plus": 1}, "cti", "softphone")
    assert result.assigned("u2") == PLUS
    assert lacks(result, "u1") == {"office": "under_licensed"}


def test_v3b_a_bought_office_goes_to_the_first_office_wanter() -> None:
    result = deal({"office": 1, "office_plus": 1}, "cti", "softphone", "cti")
    assert [result.assigned(user) for user in result.users] == [{"office"}, PLUS, set()]


def test_v3c_who_misses_plus_may_still_get_office() -> None:
    result = deal({"office": 1, "office_plus": 1}, "softphone", "softphone", "cti")
    assert [result.assigned(user) for user in result.users] == [PLUS, {"office"}, set()]
    assert lacks(result, "u2") == {"office_plus": "under_licensed"}


def test_v4_l49_teamdesk_without_plus_takes_no_seat() -> None:
    result = deal({"office_plus": 1, "teamdesk": 2}, "teamdesk", "teamdesk")
    assert result.assigned("u1") == {*PLUS, "teamdesk"}
    assert lacks(result, "u2") == {
        "office": "under_licensed",
        "office_plus": "under_licensed",
        "teamdesk": "blocked",
    }
    assert result.missing("u2")[-1] == Missing(
        "teamdesk", "blocked", "license.teamdesk.blocked", ("office_plus",)
    )
    assert result.pools["teamdesk"].assigned == 1


def test_v5_l30_one_ip_channel_blocks_voicemail_for_everybody() -> None:
    result = deal({"voicemail": 2, "ip_channel": 1}, "voicemail", "voicemail")
    expected = Missing("voicemail", "blocked", "license.voicemail.blocked", ("ip_channel>=2",))
    assert [result.missing(user) for user in result.users] == [(expected,)] * 2


def test_v5b_two_ip_channels_leave_it_to_the_seats() -> None:
    result = deal({"voicemail": 1, "ip_channel": 2}, "voicemail", "voicemail")
    assert result.assigned("u1") == {"voicemail"}
    assert lacks(result, "u2") == {"voicemail": "under_licensed"}


def test_v6_l31_fax_needs_one_ip_channel() -> None:
    assert lacks(deal({"fax": 1}, "fax"), "u1") == {"fax": "blocked"}
    assert deal({"fax": 1, "ip_channel": 1}, "fax").assigned("u1") == {"fax"}


def test_v8_l27_dashboard_without_contacts_is_blocked() -> None:
    result = deal({"dashboard": 1}, "dashboard")
    assert lacks(result, "u1") == {"contacts": "under_licensed", "dashboard": "blocked"}


def test_l27_office_does_not_replace_contacts() -> None:
    result = deal({"dashboard": 1, "office": 1}, "dashboard cti")
    assert result.assigned("u1") == {"office"}


def test_v9_a_dashboard_seat_waits_for_who_holds_contacts() -> None:
    result = deal({"contacts": 1, "dashboard": 1}, "contacts", "dashboard")
    assert result.assigned("u1") == {"contacts"}
    assert lacks(result, "u2") == {"contacts": "under_licensed", "dashboard": "blocked"}


def test_v13_l42_shuffled_200_times_the_result_is_the_same() -> None:
    chance = random.Random(13)
    functions = sorted(FUNCTIONS)
    subjects = users(*(" ".join(chance.sample(functions, 4)) for _ in range(40)))
    entitlement = Entitlement({"server": 1, "ip_channel": 2, **dict.fromkeys(USER_LICENCES, 5)})
    expected = allocate(entitlement, subjects)
    for _ in range(200):
        chance.shuffle(subjects)
        assert allocate(entitlement, subjects) == expected


def test_l07_l46_a_freed_and_a_returned_seat_need_no_action() -> None:
    bought = {"voicemail": 1, "ip_channel": 2}
    assert deal(bought, "voicemail", "voicemail").assigned("u2") == set()
    assert deal(bought, "", "voicemail").assigned("u2") == {"voicemail"}
    assert deal(bought, "voicemail", "voicemail").assigned("u1") == {"voicemail"}


def test_l08_who_is_moved_back_has_the_licence_again() -> None:
    subjects = users("voicemail", "cti")
    entitlement = Entitlement({"server": 1, "voicemail": 1, "office": 1, "ip_channel": 2})
    away = [replace(subjects[0], group="none", functions=frozenset()), subjects[1]]
    assert allocate(entitlement, away).assigned("u1") == set()
    assert allocate(entitlement, subjects).assigned("u1") == {"voicemail"}


def test_l10_a_user_without_functions_takes_nothing() -> None:
    result = deal({"office": 1}, "", "cti")
    assert result.required("u1") == ()
    assert result.assigned("u2") == {"office"}


def test_l12_100_and_50_are_150_people_not_200() -> None:
    result = deal({"office": 100, "office_plus": 50}, *["softphone"] * 200)
    assert (result.pools["office"].assigned, result.pools["office_plus"].assigned) == (150, 50)


def test_l13_l14_one_plus_alone_shows_as_one_of_each() -> None:
    result = deal({"office_plus": 1}, "softphone")
    assert (result.pools["office"].assigned, result.pools["office_plus"].assigned) == (1, 1)


def test_a03_left_over_bundles_serve_office_wanters() -> None:
    result = deal({"office_plus": 2}, "cti", "softphone", "cti")
    assert [bool(result.assigned(user)) for user in result.users] == [True, True, False]
    assert result.pools["office_plus"].assigned == 1


def test_l21_without_server_every_pair_is_blocked_by_it() -> None:
    bought = {"ip_channel": 4, **dict.fromkeys(USER_LICENCES, 5)}
    result = allocate(Entitlement(bought), users(" ".join(FUNCTIONS)))
    assert result.assigned("u1") == set()
    assert result.missing("u1") == tuple(
        Missing(key, "blocked", f"license.{key}.blocked", ("server",)) for key in DEALT_LICENCES
    )


def test_l24_teamdesk_needs_a_seat_of_its_own() -> None:
    result = deal({"office_plus": 2, "teamdesk": 1}, "teamdesk", "teamdesk")
    assert result.assigned("u2") == PLUS
    assert lacks(result, "u2") == {"teamdesk": "under_licensed"}


def test_l33_two_ip_channels_serve_fax_and_voicemail() -> None:
    result = deal({"fax": 1, "voicemail": 1, "ip_channel": 2}, "fax voicemail")
    assert result.assigned("u1") == {"fax", "voicemail"}


def test_l41_a01_the_sequence_decides_not_name_or_location() -> None:
    early = Subject("zoe", 1, "Wien", "Z", frozenset({"cti"}))
    late = Subject("anna", 2, "Aalen", None, frozenset({"cti"}))
    result = allocate(Entitlement({"server": 1, "office": 1}), [late, early])
    assert result.assigned("zoe") == {"office"}
    assert not result.assigned("anna")
    assert result.users == ("zoe", "anna")


def test_l43_system_licences_are_dealt_to_nobody() -> None:
    result = deal({"ip_channel": 4, "auto_attendant": 1, "fax": 1}, "fax")
    assert set(result.pools) == set(DEALT_LICENCES)


def test_l44_only_who_lacks_something_is_marked() -> None:
    result = deal({"office": 1}, "cti", "cti", "")
    assert [bool(result.missing(user)) for user in result.users] == [False, True, False]


def test_l48_a_freed_seat_goes_to_the_next_user_in_order() -> None:
    entitlement = Entitlement({"server": 1, "office": 2})
    subjects = users("cti", "cti", "cti", "cti")
    result = allocate(entitlement, subjects[1:])
    assert [bool(result.assigned(user)) for user in result.users] == [True, True, False]


def test_a02_a_returning_earlier_user_displaces_the_later_one() -> None:
    result = deal({"office": 1}, "cti", "cti")
    assert result.assigned("u1") == {"office"}
    assert not result.assigned("u2")


def test_positions_tell_the_order_of_service_bundles_first() -> None:
    office = deal({"office": 1, "office_plus": 1}, "cti", "softphone", "cti").pools["office"]
    assert [dict(share.positions) for share in office.shares] == [{"u2": 1, "u1": 2, "u3": 3}]
    assert (office.seats, office.required, office.assigned, office.missing) == (2, 3, 2, 1)


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        allocate(Entitlement({}), [*users("cti"), *users("fax")])


def test_an_unknown_user_is_a_key_error() -> None:
    result = deal({}, "cti")
    for ask in (result.required, result.assigned, result.missing):
        with pytest.raises(KeyError):
            ask("nobody")
