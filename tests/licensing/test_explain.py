"""Why."""

from __future__ import annotations

import json

import pytest

from ringfence.licensing.allocation import allocate
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.explain import ChannelUse, Explanation, why

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
    assert list(told) == ["user", "function", "granted", "tolerated", "reason", "steps", "text", "text_de"]


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
