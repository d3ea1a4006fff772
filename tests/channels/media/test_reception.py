"""RFC 3550, sections 6.4.1, A.1, A.3 and A.8: what a receiver counts of the packets that come, and that do not."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media.reception import MOST_MISSING, Interval, Reception
from ringfence.channels.media.rtp import Packet

PTIME_S = 0.02


class Line:
    """A source of packets, each `sequence` at its time and place, and who receives them."""

    def __init__(self, first: int = 1000, ssrc: int = 7, stamp: int = 0) -> None:
        self.reception = Reception()
        self.first, self.ssrc, self.stamp = first, ssrc, stamp

    def send(self, *indexes: int, delay_s: float = 0.0) -> None:
        for index in indexes:
            stamp = (self.stamp + 160 * index) & 0xFFFFFFFF
            packet = Packet(False, 8, (self.first + index) & 0xFFFF, stamp, self.ssrc, b"")
            self.reception.add(packet, 50.0 + PTIME_S * index + delay_s)


@pytest.fixture
def line() -> Line:
    return Line()


def test_packets_in_turn_count_nothing(line: Line) -> None:
    line.send(*range(200))
    reception = line.reception
    assert (reception.lost, reception.late, reception.reordered, reception.duplicate) == (0, 0, 0, 0)
    assert reception.jitter_ms == pytest.approx(0.0, abs=1e-6)


def test_a_gap_is_loss_and_a_packet_that_comes_behind_a_newer_one_fills_it(line: Line) -> None:
    line.send(0, 1, 5, 3)
    assert (line.reception.lost, line.reception.reordered) == (2, 1)
    line.send(2, 4, 6)
    assert (line.reception.lost, line.reception.reordered) == (0, 3)


def test_a_duplicate_is_neither_received_anew_nor_late(line: Line) -> None:
    line.send(0, 1, 1, 2, 0, 4, 3, 3)
    assert (line.reception.duplicate, line.reception.reordered, line.reception.lost) == (3, 1, 0)


def test_a_late_packet_misses_a_jitter_buffer_of_60_ms(line: Line) -> None:
    line.send(*range(50))
    line.send(50, delay_s=0.05)
    assert line.reception.late == 0
    line.send(51, delay_s=0.08)
    assert line.reception.late == 1


@pytest.mark.parametrize("pause_s", [0.2, 0.9, 20.0])
def test_who_does_not_count_his_silence_is_not_late_when_he_speaks_again(pause_s: float, line: Line) -> None:
    """RFC 3551 4.1: the marker begins a talkspurt, whose first packet tells the pace of the others."""
    line.send(*range(50))
    for index in range(50, 100):
        packet = Packet(index == 50, 8, line.first + index, 160 * index, line.ssrc, b"")
        line.reception.add(packet, 50.0 + PTIME_S * index + pause_s)
    assert line.reception.late == 0
    line.send(100, delay_s=pause_s + 0.08)
    assert line.reception.late == 1


def test_a_clock_that_runs_wrong_makes_nothing_late(line: Line) -> None:
    """100 millionths for 20 minutes are 120 ms."""
    for index in range(60_000):
        line.send(index, delay_s=index * PTIME_S * 1e-4)
    assert line.reception.late == 0


def test_the_jitter_is_that_of_appendix_a_8(line: Line) -> None:
    """J += (|D| - J) / 16, with D the difference of two packets' transit times."""
    rng, expected, before = Random(4), 0.0, 0.0
    for index in range(300):
        delay = rng.uniform(0.0, 0.01)
        line.send(index, delay_s=delay)
        if index:
            expected += (abs(delay - before) * 8000 - expected) / 16
        before = delay
    assert line.reception.jitter_ms == pytest.approx(expected / 8, rel=1e-6)


def test_packets_of_one_telephone_event_have_no_jitter(line: Line) -> None:
    """RFC 4733, 2.2.1: they bear the time of the event's begin."""
    for index in range(20):
        line.reception.add(Packet(False, 101, index, 5000, 7, b""), 50.0 + PTIME_S * index)
    assert line.reception.jitter_ms == 0.0


@pytest.mark.parametrize("stamp", [0, 0xFFFFFFFF - 1600])
def test_sequence_numbers_and_timestamps_wrap_around(stamp: int) -> None:
    line = Line(first=65_530, stamp=stamp)
    line.send(*range(20), 21)
    assert line.reception.lost == 1
    assert line.reception.report().highest == 65_530 + 21
    assert line.reception.jitter_ms < 0.001


def test_a_source_that_begins_anew_is_counted_on(line: Line) -> None:
    """A.1: another SSRC, or a jump that cannot be loss."""
    line.send(0, 2)
    line.ssrc = 8
    line.send(3, 5)
    line.first += 20_000
    line.send(6, 8)
    assert (line.reception.lost, line.reception.reordered, line.reception.ssrc) == (3, 0, 8)


def test_packets_older_than_the_first_are_not_counted(line: Line) -> None:
    line.send(10, 9, 11)
    assert (line.reception.lost, line.reception.reordered, line.reception.duplicate) == (0, 0, 0)


def test_a_report_tells_the_share_lost_since_the_one_before(line: Line) -> None:
    """A.3: the fraction is of 256 and begins anew, the sum goes on."""
    line.send(0, 1, 2, 4)
    assert line.reception.report() == Interval(7, 51, 1, 1004, 0)
    line.send(5, 6)
    assert line.reception.report() == Interval(7, 0, 1, 1006, 0)
    assert line.reception.report() == Interval(7, 0, 1, 1006, 0)


def test_memory_is_bounded_however_much_is_lost(line: Line) -> None:
    line.send(*range(0, 200_000, 2_000))
    line.send(198_000 - 1, 198_000 - MOST_MISSING - 5)
    assert (line.reception.reordered, line.reception.duplicate) == (1, 1)


@given(st.sets(st.integers(1, 300)), st.randoms())
def test_whatever_the_order_the_loss_is_what_never_came(gone: set[int], rng: Random) -> None:
    line = Line()
    line.send(0)
    came = [index for index in range(1, 302) if index not in gone]
    came.sort(key=lambda index: index + (rng.uniform(0, 8) if index < 290 else 0))
    line.send(*came, 302)
    assert (line.reception.lost, line.reception.duplicate) == (len(gone), 0)
