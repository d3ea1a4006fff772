"""What is asked for by a code, as a pure question."""

from __future__ import annotations

import pytest

from ringfence.features.feature_codes.policy import (
    Adjust,
    CallBack,
    Command,
    Confer,
    Park,
    PickUp,
    command_of,
)
from ringfence.features.feature_codes.settings import FeatureCodes
from ringfence.licensing.refusal import Refusal


class Desk:
    """Ben at 101; everybody picks up for Ben and Clara."""

    def user_at(self, extension: str) -> str | None:
        return "ben" if extension == "101" else None

    def has_slot(self, slot: str) -> bool:
        return slot == "1"

    def picks_up_for(self, user: str) -> frozenset[str]:
        return frozenset({user, "ben"})


@pytest.mark.parametrize(
    ("dialled", "command"),
    [
        ("**8101", PickUp(frozenset({"ben"}))),
        ("**8555", Refusal("number.unknown")),
        ("*8", PickUp(frozenset({"anna", "ben"}))),
        ("*3", Confer()),
        ("*7", Park(None)),
        ("**71", Park("1")),
        ("**72", Refusal("number.unknown")),
        ("**7", None),
        ("**8", None),
        ("*8101", None),
        ("*21*102", Adjust("forward.always", "102")),
        ("*61**100#", Adjust("forward.no_answer", "*100")),
        ("*67*+49731", Adjust("forward.busy", "+49731")),
        ("*21*", Adjust("forward.always", None)),
        ("*21*x", None),
        ("**21", Adjust("do_not_disturb", True)),
        ("**40", Adjust("call_waiting", False)),
        ("**31", CallBack(True)),
        ("**311", None),
        ("**8x", None),
        ("101", None),
        ("", None),
    ],
)
def test_a_code_is_read_with_the_digits_behind_it(dialled: str, command: Command | Refusal | None) -> None:
    assert command_of("anna", dialled, FeatureCodes(), Desk()) == command


def test_a_code_that_is_switched_off_is_none() -> None:
    codes = FeatureCodes(pickup="", group_pickup="", park="", retrieve="", conference="")
    assert all(
        command_of("anna", one, codes, Desk()) is None
        for one in ("", "101", "*8", "**8101", "*7", "**71", "*3")
    )
