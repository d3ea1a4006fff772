"""Ears of a plane: loss, silence and repetition on the way to the detector, and when it is asked."""

from __future__ import annotations

from itertools import count

import pytest

from ringfence.channels.media.g711 import SILENCE
from ringfence.channels.media.inband import GATHER_S, Ear, InbandDigits
from ringfence.channels.media.plane import Codec
from ringfence.channels.media.rtp import Packet
from ringfence.channels.media.tones import digit_tone, tone_payload

QUIET = SILENCE[Codec.PCMA] * 160


def tone(digit: str, packets: int = 5) -> list[bytes]:
    """The payloads of a key press."""
    return [tone_payload(digit_tone(digit), Codec.PCMA, 160 * number, 160) for number in range(packets)]


class Line:
    """A far end and what is heard of it."""

    def __init__(self, bank: InbandDigits, ssrc: int = 7) -> None:
        self.bank = bank
        self.digits = ""
        self.ear: Ear = bank.open(self._heard)
        self.ssrc = ssrc
        self.sequence = 65533
        self.stamp = 2**32 - 500

    def _heard(self, digit: str) -> None:
        self.digits += digit

    def say(self, *payloads: bytes, lost: int = 0) -> None:
        for payload in payloads:
            packet = Packet(False, 8, self.sequence, self.stamp, self.ssrc, payload)
            self.ear.hear(packet, 0.0)
            self.ear.hear(packet, 0.0)
            self.pass_over(1)
        self.pass_over(lost)

    def pass_over(self, packets: int, *, sent: bool = True) -> None:
        """Let time go by without a packet, as one that is lost or (not `sent`) never was."""
        self.stamp = (self.stamp + 160 * packets) % 2**32
        self.sequence = (self.sequence + packets * sent) % 2**16

    def look(self) -> str:
        self.bank.tick(1.0)
        return self.digits


@pytest.fixture
def bank() -> InbandDigits:
    return InbandDigits()


def test_digits_of_many_lines_are_told_to_each_line(bank: InbandDigits) -> None:
    """More lines than the detector has room for at first."""
    lines = [Line(bank, ssrc) for ssrc in range(3)]
    for line, digit in zip(lines, "123", strict=True):
        line.say(*tone(digit))
    assert [line.look() for line in lines] == ["1", "2", "3"]
    more = [Line(bank, ssrc) for ssrc in range(40)]
    for line, number in zip(more, count(), strict=False):
        line.say(*tone("0123456789ABCD*#"[number % 16]))
    assert "".join(line.look() for line in more) == ("0123456789ABCD*#" * 3)[:40]


def test_a_lost_packet_does_not_press_a_key_twice_and_a_pause_without_packets_does(
    bank: InbandDigits,
) -> None:
    """Packets that come twice count once; who sends nothing in silence (RFC 3551 4.1) pauses all the same."""
    line = Line(bank)
    line.say(*tone("4", 3), lost=1)
    line.say(*tone("4", 5))
    assert line.look() == "4"
    line.pass_over(2, sent=False)
    line.say(*tone("4"))
    assert line.look() == "44"
    line.pass_over(500, sent=False)
    line.say(*tone("4"))
    assert line.look() == "444"


def test_a_packet_that_comes_late_is_left_out(bank: InbandDigits) -> None:
    line = Line(bank)
    line.say(*tone("9"))
    late = Packet(False, 8, (line.sequence - 3) % 2**16, (line.stamp - 480) % 2**32, 7, QUIET * 5)
    line.ear.hear(late, 0.0)
    line.say(*tone("9"))
    assert line.look() == "9"


def test_a_new_source_is_heard_from_its_first_packet(bank: InbandDigits) -> None:
    """Its numbers begin anew (RFC 3550 8.2), and so may those of one that keeps its SSRC."""
    line = Line(bank)
    line.say(*tone("1"), *[QUIET] * 5)
    line.ssrc, line.sequence, line.stamp = 9, 4, 1000
    line.say(*tone("2"), *[QUIET] * 5)
    line.stamp -= 3000
    line.say(*tone("3"), *[QUIET] * 5)
    line.sequence = (line.sequence - 20_000) % 2**16
    line.say(*tone("4"))
    assert line.look() == "1234"


def test_the_bank_asks_for_a_look_only_after_something_was_heard(bank: InbandDigits) -> None:
    line = Line(bank)
    assert bank.next_deadline() is None
    line.ear.hear(Packet(False, 8, 1, 160, 7, QUIET), 5.0)
    line.ear.hear(Packet(False, 8, 2, 320, 7, QUIET), 5.01)
    assert bank.next_deadline() == 5.0 + GATHER_S
    bank.tick(5.0)
    assert bank.next_deadline() == 5.0 + GATHER_S
    bank.tick(5.0 + GATHER_S)
    assert bank.next_deadline() is None


def test_a_line_that_ends_leaves_its_slot_to_the_next_one(bank: InbandDigits) -> None:
    first = Line(bank)
    first.say(*tone("6"))
    assert first.look() == "6"
    first.ear.close()
    first.ear.close()
    second = Line(bank)
    assert second.ear.slot == first.ear.slot
    second.say(*tone("6"))
    assert (second.look(), first.digits) == ("6", "6")
