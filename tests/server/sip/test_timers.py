from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.timers import Timers, TimerValues


def test_intervals_double_up_to_t2() -> None:
    """RFC 3261 17.1.2.1."""
    values = TimerValues()
    intervals = [values.t1_s]
    for _ in range(5):
        intervals.append(values.next_interval(intervals[-1]))
    assert intervals == [0.5, 1, 2, 4, 4, 4]
    assert values.give_up_s == 32


def test_a_cancelled_timer_never_fires_and_is_no_deadline() -> None:
    timers, fired = Timers(), list[float]()
    timers.set(1, fired.append).cancel()
    last = timers.set(2, fired.append)
    assert timers.next_deadline() == 2
    timers.run(2)
    last.cancel()
    timers.run(3)
    assert fired == [2]
    assert timers.next_deadline() is None


def test_what_a_timer_sets_fires_in_the_same_run_when_it_is_due() -> None:
    timers, fired = Timers(), list[float]()

    def fire(now: float) -> None:
        fired.append(now)
        timers.set(2, fired.append)
        timers.set(9, fired.append)

    timers.set(1, fire)
    timers.run(5)
    assert fired == [5, 5]
    assert timers.next_deadline() == 9


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=60), st.integers(0, 50))
def test_live_timers_fire_in_order_of_time_and_of_setting(set_: list[tuple[int, bool]], now: int) -> None:
    timers, fired = Timers(), list[tuple[int, int]]()
    for index, (when, cancelled) in enumerate(set_):
        timer = timers.set(when, partial(lambda one, _now: fired.append(one), (when, index)))
        if cancelled:
            timer.cancel()
    timers.run(now)
    live = [(when, index) for index, (when, cancelled) in enumerate(set_) if not cancelled]
    assert fired == sorted(one for one in live if one[0] <= now)
    assert timers.next_deadline() == min((when for when, _ in live if when > now), default=None)


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers()
    kept = [timers.set(1e6, lambda _: None) for _ in range(100)]
    for when in range(50_000):
        timers.set(float(when), lambda _: None).cancel()
    assert len(timers) < 2048
    assert all(timer.is_set for timer in kept)
