"""When new work is turned away: judged by what waits and by late timers, at times that the test says."""

from __future__ import annotations

import pytest

from ringfence.server.sip.overload import BRIEF_S, LATE_S, PATIENCE_S, QUIET_S, RELIEF_S, RESENT_S, Overload

LONG_S = LATE_S + 0.01


def overloaded_at(now: float) -> Overload:
    load = Overload()
    load.note_wait(LONG_S, now - PATIENCE_S - 0.01)
    load.note_wait(LONG_S, now)
    assert load.is_over(now)
    return load


def test_what_waits_all_the_time_but_never_for_long_is_no_overload() -> None:
    load = Overload()
    for tenth in range(100):
        load.note_wait(LATE_S, tenth / 10)
        assert not load.is_over(tenth / 10)


def test_what_waits_for_long_for_a_moment_is_no_overload() -> None:
    """A pause of the machine leaves datagrams that are old; the next ones are younger and younger."""
    load = Overload()
    load.note_wait(1.0, 10.0)
    load.note_wait(LONG_S, 9.9 + PATIENCE_S)
    assert not load.is_over(9.9 + PATIENCE_S)
    load.note_wait(LATE_S, 10.0 + PATIENCE_S)
    load.note_wait(LONG_S, 10.1 + PATIENCE_S)
    assert not load.is_over(10.2 + PATIENCE_S)


def test_it_is_over_as_soon_as_nothing_waits() -> None:
    load = overloaded_at(20.0)
    load.note_wait(0.0, 20.0)
    assert not load.is_over(20.0)


def test_once_somebody_was_turned_away_a_brief_wait_is_enough_until_a_quiet_second() -> None:
    """So the queue stays short in a long flood, and as much is taken as can be done."""
    load = overloaded_at(20.0)
    load.note_shed(20.0)
    load.note_wait(BRIEF_S, 20.1)
    assert not load.is_over(20.1)
    load.note_wait(BRIEF_S + 0.01, 20.2)
    assert load.is_over(20.2)
    assert not load.is_over(20.0 + QUIET_S)
    assert load.shed == 1


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "SUBSCRIBE", "MESSAGE", "PUBLISH"])
def test_what_was_sent_again_meanwhile_is_dropped_unread(method: str) -> None:
    """RFC 3261 17.1.1.2: after T1 the same request waits twice."""
    load = Overload()
    request = f"{method} sip:100@example.com SIP/2.0\r\n".encode()
    load.note_wait(RESENT_S, 10.0)
    assert not load.drops(request)
    load.note_wait(RESENT_S + 0.01, 10.1)
    assert load.drops(request)
    load.note_wait(BRIEF_S + 0.01, 10.2)
    assert load.drops(request)
    load.note_wait(BRIEF_S, 10.3)
    assert not load.drops(request)
    assert load.dropped == 2


@pytest.mark.parametrize("method", ["ACK", "BYE", "CANCEL", "OPTIONS", "PRACK", "UPDATE", "INFO", "NOTIFY"])
def test_calls_in_progress_and_options_are_never_dropped(method: str) -> None:
    load = Overload()
    load.note_wait(RESENT_S * 4, 10.0)
    assert not load.drops(f"{method} sip:100@example.com SIP/2.0\r\n".encode())
    assert not load.drops(b"SIP/2.0 200 OK\r\n")


def test_what_is_spared_is_never_dropped() -> None:
    load = Overload()
    load.spared = (b"INVITE sip:112@",)
    load.note_wait(RESENT_S * 4, 10.0)
    assert not load.drops(b"INVITE sip:112@example.com SIP/2.0\r\n")
    assert load.drops(b"INVITE sip:1120@example.com SIP/2.0\r\n")


def test_timers_that_are_late_again_and_again_tell_of_it_for_half_a_second() -> None:
    load = Overload()
    load.note_timer(10.0, 10.1 + LATE_S)
    load.note_timer(10.1, 10.2 + LATE_S)
    assert not load.is_over(10.2 + LATE_S)
    late_s = 10.2 + LATE_S + PATIENCE_S
    load.note_timer(10.2, late_s)
    assert load.is_over(late_s)
    assert not load.is_over(late_s + RELIEF_S)


def test_one_pause_of_the_machine_is_no_overload() -> None:
    load = Overload()
    load.note_timer(10.0, 11.0)
    load.note_timer(11.0, 11.0)
    load.note_timer(20.0, 21.0)
    assert not load.is_over(21.0)
