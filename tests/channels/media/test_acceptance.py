"""The rule of `Remote`: whose packets are taken, and who may be sent to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media.acceptance import LEARNING_PACKETS, MOST_STRAGGLERS, Acceptance
from ringfence.channels.media.plane import Codec, Remote
from ringfence.channels.network import Address

NAMED = ("10.0.0.5", 4000)
OFF_PORT = ("10.0.0.5", 4711)
SIGNALLING = ("192.0.2.1", 6000)
STRANGER = ("203.0.113.9", 4000)


def acceptance(signalling_host: str = NAMED[0]) -> Acceptance:
    return Acceptance(Remote(Address(*NAMED), signalling_host, Codec.PCMA))


def test_a_stranger_is_refused_and_moves_nothing() -> None:
    rule = acceptance()
    assert not rule.admits(STRANGER)
    assert rule.destination == NAMED
    assert rule.admits(NAMED)
    assert not rule.admits(STRANGER)
    assert rule.destination == NAMED


def test_another_port_of_the_right_host_is_learnt() -> None:
    rule = acceptance()
    assert rule.admits(OFF_PORT)
    assert rule.destination == OFF_PORT


def test_the_port_is_learnt_once() -> None:
    rule = acceptance()
    assert rule.admits(OFF_PORT)
    assert not rule.admits((NAMED[0], 5000))
    assert rule.admits(OFF_PORT)


def test_a_port_that_sdp_named_cannot_be_taken_over() -> None:
    rule = acceptance()
    assert rule.admits(NAMED)
    assert not rule.admits(OFF_PORT)
    assert rule.destination == NAMED


def test_the_named_port_takes_the_stream_back_within_the_first_packets() -> None:
    rule = acceptance()
    for _ in range(LEARNING_PACKETS - 1):
        assert rule.admits(OFF_PORT)
    assert rule.admits(NAMED)
    assert not rule.admits(OFF_PORT)


def test_after_the_first_packets_nobody_takes_it_back() -> None:
    rule = acceptance()
    for _ in range(LEARNING_PACKETS):
        assert rule.admits(OFF_PORT)
    assert not rule.admits(NAMED)


def test_the_signalling_host_may_send_where_sdp_named_another() -> None:
    rule = acceptance(SIGNALLING[0])
    assert rule.admits(SIGNALLING)
    assert rule.destination == SIGNALLING


def test_nothing_goes_to_a_third_party_before_it_has_sent() -> None:
    rule = acceptance(SIGNALLING[0])
    assert rule.destination is None
    assert not rule.admits(STRANGER)
    assert rule.destination is None
    assert rule.admits(NAMED)
    assert rule.destination == NAMED


def moved(before: Acceptance, host: str = NAMED[0], signalling_host: str = NAMED[0]) -> Acceptance:
    return Acceptance(Remote(Address(host, 4002), signalling_host, Codec.PCMA), before)


@pytest.mark.parametrize("port", [4000, 4711])
def test_who_moves_is_heard_from_where_it_was_and_expected_where_it_goes(port: int) -> None:
    """RFC 3264 8.3.1: packets from the old port may come as long as our answer is under way."""
    before, old = acceptance(), (NAMED[0], port)
    assert before.admits(old)
    rule = moved(moved(before))
    for _ in range(4 * LEARNING_PACKETS):
        assert rule.admits(old)
    assert rule.destination == (NAMED[0], 4002)
    assert rule.admits((NAMED[0], 4002))
    assert not rule.admits(old)


def test_who_was_named_and_had_not_sent_teaches_nothing_either_when_it_has_moved_on() -> None:
    """Two that speak directly and come back: the other one's packets are still on their way."""
    before, on_its_way = acceptance(), (NAMED[0], 4002)
    assert before.admits(NAMED)
    rule = Acceptance(Remote(Address(*NAMED), NAMED[0], Codec.PCMA), moved(before))
    for _ in range(2 * LEARNING_PACKETS):
        assert rule.admits(on_its_way)
        assert rule.destination == NAMED
    assert rule.admits(NAMED)
    assert not rule.admits(on_its_way)


def test_who_moves_behind_an_address_translator_is_still_sent_to() -> None:
    before = acceptance(SIGNALLING[0])
    assert before.admits(SIGNALLING)
    rule = moved(before, signalling_host=SIGNALLING[0])
    assert rule.destination is None
    assert rule.admits(SIGNALLING)
    assert rule.destination == SIGNALLING
    assert rule.admits((SIGNALLING[0], 6002))
    assert rule.destination == (SIGNALLING[0], 6002)


def test_who_says_that_it_moves_and_does_not_is_sent_to_where_it_is() -> None:
    """As behind an address translator that has kept its port."""
    before = acceptance()
    assert before.admits(OFF_PORT)
    rule = moved(before)
    for _ in range(MOST_STRAGGLERS + 1):
        assert rule.admits(OFF_PORT)
    assert rule.destination == OFF_PORT


def test_who_moves_to_another_host_is_not_heard_from_the_old_one() -> None:
    before = acceptance()
    assert before.admits(NAMED)
    assert not moved(before, "10.0.0.9", "10.0.0.9").admits(NAMED)


@given(st.lists(st.sampled_from([NAMED, OFF_PORT, (NAMED[0], 5000), SIGNALLING, STRANGER]), max_size=40))
def test_whoever_sends_what_there_is_one_far_end_from_the_sixth_packet_on(
    sources: list[tuple[str, int]],
) -> None:
    rule = acceptance(SIGNALLING[0])
    admitted = [source for source in sources if rule.admits(source)]
    assert STRANGER not in admitted
    assert len(set(admitted[LEARNING_PACKETS:])) <= 1
    assert len(set(admitted)) <= 2
    assert rule.destination in {*admitted[-1:], None}
