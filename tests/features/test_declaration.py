from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from ringfence.features.declaration import MOST_CHARACTERS, STRICT, Declaration, SettingError
from ringfence.features.voicemail.settings import RULES


@dataclass(frozen=True, slots=True)
class Step:
    __pydantic_config__: ClassVar = STRICT
    number: str
    after_s: float = 0.0

    def __post_init__(self) -> None:
        if self.after_s < 0:
            raise ValueError("nobody rings before the call")


def halved(value: int) -> float:
    if value % 2:
        raise ValueError(f"{value} is odd")
    return value / 2


NUMBER: Declaration[float] = Declaration("telephone", "pairs", int, "an even number", read=halved)
STEPS: Declaration[tuple[Step, ...]] = Declaration(
    "one_number", "steps", tuple[Step, ...], 'a list such as [{ number = "100" }]'
)


def test_a_value_is_read_as_the_type_that_was_declared() -> None:
    assert NUMBER.parse(4) == 2.0
    assert STEPS.parse([{"number": "100"}, {"number": "0171", "after_s": 10}]) == (
        Step("100"),
        Step("0171", 10.0),
    )


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("4", "does not fit: input should be a valid integer"),
        (True, "does not fit: input should be a valid integer"),
        (3, "does not fit: 3 is odd"),
        (float("nan"), "is neither text nor number, list nor table"),
        (object(), "is neither text nor number, list nor table"),
    ],
)
def test_what_does_not_fit_is_told_in_one_sentence_with_the_remedy(value: object, what: str) -> None:
    with pytest.raises(SettingError) as caught:
        NUMBER.parse(value)
    assert str(caught.value) == f'the setting "pairs" of telephone {what}; write an even number'


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ([{"number": "100", "after": 3}], r"does not fit at 0\.after: unexpected keyword argument"),
        ([{"number": "100", "after_s": -1}], "does not fit at 0: nobody rings before the call"),
        ([{"number": "1" * MOST_CHARACTERS}], "is longer than 65536 characters"),
    ],
)
def test_the_place_in_a_list_or_table_is_told(value: object, what: str) -> None:
    with pytest.raises(SettingError, match=f'the setting "steps" of one_number {what}; write a list such as'):
        STEPS.parse(value)


def test_a_mistake_in_rules_is_told_with_its_own_remedy() -> None:
    with pytest.raises(SettingError) as caught:
        RULES.parse([{"then": "sing"}])
    what = "the setting \"rules\" of voicemail does not fit: in rule 1 the action 'sing' is not known"
    assert str(caught.value).startswith(f"{what}; use greeting, announce, ")
