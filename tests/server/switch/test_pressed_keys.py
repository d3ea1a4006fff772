"""A key that is told by INFO (RFC 6086) and in the audio (RFC 4733) was pressed once."""

from __future__ import annotations

from random import Random

import pytest

from ringfence.server.switch.pressed_keys import SAME_S, PressedKeys


def counted(told: list[tuple[float, str, bool]]) -> str:
    keys = PressedKeys()
    return "".join(digit for at, digit, by_info in told if keys.is_new(digit, at, by_info=by_info))


@pytest.mark.parametrize("by_info", [True, False])
def test_what_is_told_by_one_way_counts_each_time(by_info: bool) -> None:
    assert counted([(0.1 * number, "5", by_info) for number in range(100)]) == "5" * 100


@pytest.mark.parametrize("seed", range(20))
def test_what_is_told_by_both_ways_counts_once_whichever_is_first(seed: int) -> None:
    random = Random(seed)
    digits = [random.choice("0123456789*#") for _ in range(40)]
    told = [
        (0.3 * number + random.uniform(0, 0.25), digit, by_info)
        for number, digit in enumerate(digits)
        for by_info in (True, False)
    ]
    assert counted(sorted(told)) == "".join(digits)


def test_the_same_digit_much_later_is_another_key() -> None:
    assert counted([(0.0, "1", True), (SAME_S, "1", False), (SAME_S + 0.1, "1", True)]) == "11"
