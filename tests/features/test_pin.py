from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.features.voicemail.pin import is_pin, random_pin


@pytest.mark.parametrize("pin", ["8264", "13", "4711", "246813579", "0909"])
def test_two_to_nine_digits_without_a_run_are_a_pin(pin: str) -> None:
    assert is_pin(pin)


@pytest.mark.parametrize("pin", ["1111", "1234", "4321", "12", "21", "77", "91234", "98700", "5550"])
def test_rising_falling_and_identical_runs_are_refused(pin: str) -> None:
    assert not is_pin(pin)


@pytest.mark.parametrize("pin", ["", "1", "1357913579", "82a4", "8 64", "٨٢٦٤", "-826"])
def test_what_is_not_two_to_nine_ascii_digits_is_refused(pin: str) -> None:
    assert not is_pin(pin)


@given(st.integers())
def test_a_random_pin_is_a_pin_of_four_digits_and_repeats_with_its_seed(seed: int) -> None:
    pin = random_pin(Random(seed))
    assert is_pin(pin)
    assert len(pin) == 4
    assert pin == random_pin(Random(seed))
