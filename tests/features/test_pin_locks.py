from __future__ import annotations

from ringfence.features.voicemail.pin_locks import (
    FIRST_LOCK_S,
    LONGEST_LOCK_S,
    MOST_STRANGE_NUMBERS,
    MOST_WRONG,
    PinAnswer,
    PinLocks,
)
from ringfence.features.voicemail.settings import BoxSettings

BOX = BoxSettings("anna", "8264")
WRONG, RIGHT, LOCKED = PinAnswer.WRONG, PinAnswer.RIGHT, PinAnswer.LOCKED


def guess(locks: PinLocks, times: int, now: float, box: BoxSettings | None = BOX) -> list[PinAnswer]:
    return [locks.answer(box, "100", "0000", now) for _ in range(times)]


def test_after_five_wrong_pins_a_box_is_locked_even_for_the_right_one() -> None:
    locks = PinLocks()
    assert guess(locks, MOST_WRONG + 1, 10.0) == [WRONG] * MOST_WRONG + [LOCKED]
    assert locks.answer(BOX, "", "8264", 10.0) is LOCKED
    assert locks.locked_for(BOX, 10.0) == FIRST_LOCK_S


def test_the_right_pin_in_between_forgives_the_wrong_ones() -> None:
    locks = PinLocks()
    guess(locks, MOST_WRONG - 1, 0.0)
    assert locks.answer(BOX, "", "8264", 0.0) is RIGHT
    assert guess(locks, MOST_WRONG, 0.0) == [WRONG] * MOST_WRONG


def test_a_lock_ends_by_itself_and_each_further_one_is_twice_as_long_up_to_a_day() -> None:
    locks, now, spans = PinLocks(), 0.0, []
    for _ in range(9):
        guess(locks, MOST_WRONG, now)
        spans.append(locks.locked_for(BOX, now))
        now += spans[-1]
        assert locks.locked_for(BOX, now) == 0.0
    assert spans == [min(FIRST_LOCK_S * 2**n, LONGEST_LOCK_S) for n in range(9)]
    assert locks.answer(BOX, "", "8264", now) is RIGHT
    guess(locks, MOST_WRONG, now)
    assert locks.locked_for(BOX, now) == FIRST_LOCK_S


def test_another_pin_and_an_administrator_open_a_box() -> None:
    locks = PinLocks()
    guess(locks, MOST_WRONG, 0.0)
    other = BoxSettings("anna", "7193")
    assert locks.locked_for(other, 0.0) == 0.0
    assert locks.answer(other, "", "7193", 0.0) is RIGHT
    guess(locks, MOST_WRONG, 0.0)
    locks.unlock("anna")
    assert locks.answer(BOX, "", "8264", 0.0) is RIGHT


def test_a_number_without_a_box_answers_as_a_box_does() -> None:
    locks = PinLocks()
    assert guess(locks, MOST_WRONG + 1, 0.0, None) == [WRONG] * MOST_WRONG + [LOCKED]
    assert guess(locks, 1, FIRST_LOCK_S, None) == [WRONG]


def test_many_strange_numbers_take_bounded_room_and_open_no_box() -> None:
    locks = PinLocks()
    guess(locks, MOST_WRONG, 0.0)
    for number in range(2 * MOST_STRANGE_NUMBERS):
        locks.answer(None, str(number), "0000", 0.0)
    assert len(locks._strange) == MOST_STRANGE_NUMBERS
    assert locks.locked_for(BOX, 0.0) == FIRST_LOCK_S
