"""What a change would bring, and that it does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.keys import generate_key
from ringfence.licensing.modes import Grace, Modes, Tolerance
from ringfence.licensing.order import ServiceOrder
from ringfence.licensing.package import Package, issue, read
from ringfence.licensing.what_if import Change, UserChange, what_if

SUBJECTS = (
    Subject("anna", 1, "Ulm", "Plus", frozenset({"softphone", "voicemail"})),
    Subject("ben", 2, "Ulm", None, frozenset({"cti", "voicemail"})),
    Subject("clara", 3, "Bonn", None, frozenset({"cti", "softphone"})),
)
BOUGHT = Entitlement({"server": 1, "ip_channel": 4, "office": 1, "office_plus": 1, "voicemail": 1})


def test_l46_buying_one_plus_tells_who_gains() -> None:
    result = what_if(BOUGHT, SUBJECTS, Change({"office_plus": 1}))
    gains = ("office", "office_plus"), (), ("cti", "softphone"), (), ()
    assert result.users == (UserChange("clara", *gains),)
    assert result.sentences() == (
        "clara gains licences: office, office_plus.",
        "clara gains functions: cti, softphone.",
    )


def test_l05_l06_moving_away_tells_what_is_deleted_and_who_gains_and_loses_by_it() -> None:
    moved = replace(SUBJECTS[0], group=None, functions=frozenset({"cti"}))
    result = what_if(BOUGHT, SUBJECTS, Change(move={"anna": moved}))
    off = ("softphone", "voicemail")
    assert result.users == (
        UserChange("anna", (), ("office_plus", "voicemail"), ("cti",), off, off),
        UserChange("ben", ("voicemail",), ("office",), ("voicemail",), ("cti",), ()),
        UserChange("clara", ("office", "office_plus"), (), ("cti", "softphone"), (), ()),
    )


def test_w16_taking_licences_away_deletes_no_settings() -> None:
    result = what_if(BOUGHT, SUBJECTS, Change({"voicemail": -1, "ip_channel": -3}))
    assert result.users == (UserChange("anna", (), ("voicemail",), (), ("voicemail",), ()),)


def test_a_comparison_is_json_with_both_sides() -> None:
    told = json.loads(json.dumps(what_if(BOUGHT, SUBJECTS, Change({"ip_channel": -3})).as_dict()))
    assert told["pools"]["voicemail"] == {
        "before": {"bought": 1, "required": 2, "assigned": 1, "missing": 1},
        "after": {"bought": 1, "required": 2, "assigned": 0, "missing": 2},
    }
    assert told["channels"]["after"]["ip_channel"] == 1
    assert told["users"][0]["settings_deleted"] == []


def test_nothing_changes_is_said_so() -> None:
    result = what_if(BOUGHT, SUBJECTS, Change({"fax": 3}))
    assert result.users == ()
    assert result.sentences("de") == ("Für keinen Benutzer ändert sich etwas.",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Change({"ofice": 1}), "no licence 'ofice'"),
        (Change({"office": -2}), "2 of 'office' cannot be taken away: 1 are bought"),
        (Change(move={"nobody": SUBJECTS[0]}), "no user 'nobody'"),
        (Change(move={"anna": replace(SUBJECTS[0], seq=9)}), "sequence number"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(change: Change, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        what_if(BOUGHT, SUBJECTS, change)


KEY = generate_key(bytes(32))
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def package(name: str, not_after: str | None = None, **licences: int) -> Package:
    data = issue(
        KEY.private, id=name, customer="F", licences=licences, issued="2026-01-01", not_after=not_after
    )
    return read(data)


def test_importing_a_package_tells_who_gains() -> None:
    now = Entitlement.of(BOUGHT.bought, (), NOW)
    result = what_if(now, SUBJECTS, Change(packages=(package("more", office_plus=1),)))
    assert [(one.user, one.licences_gained) for one in result.users] == [("clara", ("office", "office_plus"))]
    assert result.entitlement_after.capacity("office_plus") == 2


def test_a_package_that_expires_tells_at_its_time_who_loses_and_deletes_no_settings() -> None:
    now = Entitlement.of({"server": 1, "office": 1}, [package("july", "2026-07-31", office_plus=1)], NOW)
    assert now.next_change_at is not None
    result = what_if(now, SUBJECTS, Change(at=now.next_change_at))
    assert result.users == (
        UserChange("anna", (), ("office_plus",), (), ("softphone",), ()),
        UserChange("ben", (), ("office",), (), ("cti",), ()),
    )
    assert not what_if(now, SUBJECTS, Change(at=now.next_change_at - timedelta(seconds=1))).users


def test_l48_deleting_a_user_tells_what_is_lost_with_him_and_who_is_next() -> None:
    result = what_if(BOUGHT, SUBJECTS, Change(delete=frozenset({"anna"})))
    gone = ("office", "office_plus", "voicemail"), ("softphone", "voicemail"), ("softphone", "voicemail")
    assert result.users[0] == UserChange("anna", (), gone[0], (), gone[1], gone[2])
    gains = {one.user: one.licences_gained for one in result.users[1:]}
    assert gains == {"ben": ("voicemail",), "clara": ("office", "office_plus")}
    assert "anna" not in result.after.users


def test_a_new_user_stands_behind_all_others() -> None:
    new = Subject("dora", 4, "Ulm", None, frozenset({"cti", "fax"}))
    result = what_if(BOUGHT, SUBJECTS, Change({"fax": 1}, create=(new,)))
    assert result.users == (UserChange("dora", ("fax",), (), ("fax",), (), ()),)
    assert [one.licence for one in result.after.missing("dora")] == ["office"]


def test_l04_switching_a_function_off_is_told_for_each_user_of_the_place() -> None:
    off = {one.name: replace(one, functions=one.functions - {"voicemail"}) for one in SUBJECTS[:2]}
    result = what_if(BOUGHT, SUBJECTS, Change(move=off))
    assert {one.user: one.settings_deleted for one in result.users} == {
        "anna": ("voicemail",),
        "ben": ("voicemail",),
    }


def test_the_order_of_service_holds_before_and_after() -> None:
    order = ServiceOrder({"office_plus": ("clara",)})
    result = what_if(BOUGHT, SUBJECTS, Change({"office_plus": -1}), order)
    assert {one.user: one.licences_lost for one in result.users} == {
        "clara": ("office", "office_plus"),
    }


def test_a_function_that_its_mode_tolerates_is_not_lost_while_the_licence_is() -> None:
    tolerance = Tolerance(Modes(Grace(14)), {}, NOW)
    gone = Change({"voicemail": -1})
    result = what_if(BOUGHT, SUBJECTS, gone, tolerance=tolerance)
    assert result.users == (UserChange("anna", (), ("voicemail",), (), (), ()),)
    later = replace(gone, at=NOW + timedelta(15))
    ended = Tolerance(Modes(Grace(14)), {"voicemail": NOW}, NOW)
    lost = {one.user: one.functions_lost for one in what_if(BOUGHT, SUBJECTS, later, tolerance=ended).users}
    assert lost["anna"] == lost["ben"] == ("voicemail",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Change(delete=frozenset({"nobody"})), "no user 'nobody' to delete"),
        (Change(create=(SUBJECTS[0],)), "name or sequence number of 'anna' is taken"),
        (Change(create=(replace(SUBJECTS[0], name="dora"),)), "name or sequence number of 'dora' is taken"),
        (Change(packages=(package("p", office=1),)), "give the moment to look at"),
    ],
)
def test_users_and_packages_that_cannot_be_are_refused(change: Change, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        what_if(BOUGHT, SUBJECTS, change)
