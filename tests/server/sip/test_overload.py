"""When new work is turned away: judged by what waits and by late timers, at times that the test says."""

from __future__ import annotations

from ringfence.server.sip.overload import LATE_S, PATIENCE_S, RELIEF_S, Overload


def test_what_waits_for_a_moment_is_no_overload() -> None:
    load = Overload()
    assert not load.is_over(None, 10.0)
    assert not load.is_over(10.0, 9.9 + PATIENCE_S)
    assert load.is_over(10.0, 10.1 + PATIENCE_S)


def test_it_is_over_as_soon_as_nothing_waits() -> None:
    load = Overload()
    assert load.is_over(10.0, 20.0)
    assert not load.is_over(None, 20.0)


def test_timers_that_are_late_again_and_again_tell_of_it_for_half_a_second() -> None:
    load = Overload()
    load.note_timer(10.0, 10.1 + LATE_S)
    load.note_timer(10.1, 10.2 + LATE_S)
    assert not load.is_over(None, 10.2 + LATE_S)
    late_s = 10.2 + LATE_S + PATIENCE_S
    load.note_timer(10.2, late_s)
    assert load.is_over(None, late_s)
    assert not load.is_over(None, late_s + RELIEF_S)


def test_one_pause_of_the_machine_is_no_overload() -> None:
    load = Overload()
    load.note_timer(10.0, 11.0)
    load.note_timer(11.0, 11.0)
    load.note_timer(20.0, 21.0)
    assert not load.is_over(None, 21.0)
