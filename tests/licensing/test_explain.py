"""Why, and what if."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ringfence.licensing.allocation import allocate
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.explain import Change, ChannelUse, Explanation, UserChange, what_if, why

SUBJECTS = (
    Subject("anna", 1, "Ulm", "Plus", frozenset({"softphone", "voicemail"})),
    Subject("ben", 2, "Ulm", None, frozenset({"cti", "voicemail"})),
    Subject("clara", 3, "Bonn", None, frozenset({"cti", "softphone"})),
)
BOUGHT = Entitlement({"server": 1, "ip_channel": 4, "office": 1, "office_plus": 1, "voicemail": 1})


def ask(user: str, function: str, channels: dict[str, ChannelUse] | None = None) -> Explanation:
    return why(user, function, BOUGHT, allocate(BOUGHT, SUBJECTS), SUBJECTS, channels=channels)


def test_a_granted_function_is_told_step_by_step() -> None:
    told = ask("anna", "softphone")
    assert told.granted
    assert told.sentences() == (
        "Softphone is switched on for group Plus at Ulm.",
        "The server is licensed.",
        "anna is number 1 of 2 in the order, and Office Plus has room for 1.",
        "anna is number 1 of 3 in the order, and Office has room for 2.",
        "anna may use: softphone.",
    )
    assert told.sentences("de")[-1] == "anna darf benutzen: Softphone."


def test_l47_a_refusal_ends_with_its_remedy_in_both_languages() -> None:
    told = ask("clara", "softphone")
    assert told.refusal is not None
    assert told.refusal.reason == "license.office_plus.under_licensed"
    assert told.sentences()[-1].startswith("No Office Plus licence is left for clara: number 2 in the order")
    assert "Buy Office Plus licences" in told.verdict()
    assert "Lizenzen Office Plus kaufen" in told.verdict("de")


def test_the_account_is_json() -> None:
    told = ask("ben", "voicemail").as_dict()
    assert json.loads(json.dumps(told))["reason"] == "license.voicemail.under_licensed"
    assert list(told) == ["user", "function", "granted", "reason", "steps", "text", "text_de"]


@pytest.mark.parametrize(
    ("used", "reason"), [(3, None), (4, "ip_channel.exhausted"), (5, "ip_channel.exhausted")]
)
def test_v7_a_call_needs_a_free_channel_as_well(used: int, reason: str | None) -> None:
    told = ask("anna", "voicemail", {"ip_channel": ChannelUse(used, 4)})
    assert (told.refusal and told.refusal.reason) == reason
    assert told.steps[-1].check == "channel"


def test_l73_a_softphone_asks_for_no_channel() -> None:
    assert ask("anna", "softphone", {"ip_channel": ChannelUse(4, 4)}).granted


def test_a_licence_that_is_missing_goes_before_the_channel() -> None:
    told = ask("ben", "voicemail", {"ip_channel": ChannelUse(4, 4)})
    assert told.refusal is not None
    assert told.refusal.reason == "license.voicemail.under_licensed"


def test_an_unknown_user_or_function_is_a_key_error() -> None:
    for user, function in (("nobody", "cti"), ("anna", "flying")):
        with pytest.raises(KeyError):
            ask(user, function)


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
