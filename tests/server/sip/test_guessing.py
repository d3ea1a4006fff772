"""Guessing: a delay from the 5th failure, a ban from 20 in 60 s, and never for other sources."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.guessing import (
    BAN_AFTER,
    BAN_S,
    LONGEST_DELAY_S,
    MOST_ACCOUNTS,
    WINDOW_S,
    Ban,
    Guesses,
    Standing,
)

HOST, OTHER = "192.0.2.7", "192.0.2.8"


def fail(
    guesses: Guesses, times: int, now: float = 0.0, host: str = HOST, account: str = "100"
) -> float | Ban:
    told: float | Ban = 0.0
    for _ in range(times):
        told = guesses.failed(host, account, now)
    return told


def test_four_failures_are_free_and_the_fifth_waits() -> None:
    guesses = Guesses()
    assert [guesses.failed(HOST, "100", 0.0) for _ in range(4)] == [0.0] * 4
    assert guesses.standing(HOST, "100", 0.0) is Standing.FREE
    assert guesses.failed(HOST, "100", 0.0) == 0.5
    assert guesses.standing(HOST, "100", 0.4) is Standing.WAITING
    assert guesses.standing(HOST, "100", 0.5) is Standing.FREE


def test_the_delay_doubles_up_to_two_seconds() -> None:
    guesses = Guesses()
    fail(guesses, 4)
    assert [guesses.failed(HOST, "100", 0.0) for _ in range(5)] == [0.5, 1.0, 2.0, 2.0, 2.0]


def test_twenty_failures_in_a_minute_are_a_ban_of_ten_minutes() -> None:
    guesses = Guesses()
    assert fail(guesses, BAN_AFTER) == Ban(HOST, "100", BAN_S, BAN_AFTER)
    assert guesses.standing(HOST, "100", BAN_S - 0.1) is Standing.BANNED
    assert guesses.bans(1.0) == [Ban(HOST, "100", BAN_S, BAN_AFTER)]
    assert guesses.standing(HOST, "100", BAN_S) is Standing.FREE
    assert guesses.bans(BAN_S) == []


def test_one_after_the_other_still_comes_to_a_ban() -> None:
    """A guesser who waits for each answer fails 20 times well within the minute."""
    guesses, now = Guesses(), 0.0
    while not isinstance(told := guesses.failed(HOST, "100", now), Ban):
        now += told + 0.05
    assert now < WINDOW_S


def test_a_phone_with_an_old_password_is_slowed_but_not_banned() -> None:
    guesses = Guesses()
    told = [guesses.failed(HOST, "100", minute * 60.0) for minute in range(100)]
    assert told[-1] == LONGEST_DELAY_S


def test_nobody_else_is_delayed_or_banned() -> None:
    guesses = Guesses()
    fail(guesses, BAN_AFTER)
    assert guesses.standing(OTHER, "100", 0.0) is Standing.FREE
    assert guesses.standing(HOST, "101", 0.0) is Standing.FREE


def test_the_right_password_ends_the_delay() -> None:
    guesses = Guesses()
    fail(guesses, 6)
    guesses.passed(HOST, "100")
    assert guesses.standing(HOST, "100", 0.0) is Standing.FREE
    assert guesses.failed(HOST, "100", 0.0) == 0.0


def test_one_password_tried_on_many_accounts_is_guessing_too() -> None:
    guesses = Guesses()
    for number in range(MOST_ACCOUNTS):
        assert guesses.failed(HOST, f"{number}", 0.0) == 0.0
    told = [guesses.failed(HOST, f"more-{number}", 0.0) for number in range(BAN_AFTER)]
    assert told[-1] == Ban(HOST, "*", BAN_S, BAN_AFTER)
    assert guesses.standing(HOST, "yet another", 1.0) is Standing.BANNED
    assert guesses.standing(HOST, "0", 1.0) is Standing.FREE


def test_a_subscriber_of_ipv6_is_one_source() -> None:
    guesses = Guesses()
    for number in range(BAN_AFTER):
        guesses.failed(f"2001:db8:1:2::{number:x}", "100", 0.0)
    assert guesses.standing("2001:db8:1:2:ffff::1", "100", 0.0) is Standing.BANNED
    assert guesses.standing("2001:db8:1:3::1", "100", 0.0) is Standing.FREE


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 300)), max_size=400))
def test_memory_is_bounded(tries: list[tuple[int, int]]) -> None:
    guesses = Guesses(most_sources=8)
    for source, account in tries:
        guesses.failed(f"192.0.2.{source}", str(account), 0.0)
        assert len(guesses) <= 8 * (MOST_ACCOUNTS + 1)


def test_a_ban_that_is_lifted_leaves_nothing_and_others_stand() -> None:
    guesses = Guesses()
    for host, account in ((HOST, "100"), (HOST, "101"), ("2001:db8::7", "100")):
        fail(guesses, BAN_AFTER, host=host, account=account)
    assert guesses.lift(HOST, "100", 1.0)
    assert guesses.lift("2001:db8::/64", "100", 1.0)
    assert not guesses.lift(HOST, "100", 1.0)
    assert [one.account for one in guesses.bans(1.0)] == ["101"]
    assert guesses.standing(HOST, "100", 1.0) is Standing.FREE
    assert guesses.failed(HOST, "100", 1.0) == 0.0


def test_failures_without_a_ban_and_a_ban_that_is_over_are_not_lifted() -> None:
    guesses = Guesses()
    fail(guesses, 5)
    assert not guesses.lift(HOST, "100", 0.0)
    fail(guesses, BAN_AFTER, account="101")
    assert not guesses.lift(HOST, "101", BAN_S)
    assert not guesses.lift(OTHER, "101", 0.0)
