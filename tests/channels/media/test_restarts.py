"""How long a media worker that ended stays away, and when for good."""

from ringfence.channels.media.restarts import MOST_ENDS, RESTART_DELAY_S, WITHIN_S, Restarts


def test_a_worker_that_had_ports_is_replaced_at_once_and_one_that_had_none_after_a_delay() -> None:
    restarts = Restarts()
    assert restarts.delay_s(0.0, proved=True) == 0.0
    assert restarts.delay_s(1.0, proved=False) == RESTART_DELAY_S


def test_a_worker_that_ends_too_often_is_given_up() -> None:
    restarts = Restarts()
    delays = [restarts.delay_s(float(second), proved=True) for second in range(MOST_ENDS + 1)]
    assert delays == [0.0] * MOST_ENDS + [None]


def test_ends_that_lie_far_apart_are_forgiven_for_ever() -> None:
    restarts = Restarts()
    assert {restarts.delay_s(at * WITHIN_S / MOST_ENDS, proved=True) for at in range(100)} == {0.0}
