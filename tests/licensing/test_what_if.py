"""What a change would bring, and that it does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
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
