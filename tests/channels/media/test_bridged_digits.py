"""Digits through a bridge whose ends tell them in different ways: as events (RFC 4733) and as tones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.channels.media.test_stream import OTHER, Leg, assert_continuous

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import SILENCE, decode
from ringfence.channels.media.inband import InbandDigits
from ringfence.channels.media.plane import Codec, DigitHeard
from ringfence.channels.media.telephone_event import DIGITS, DigitReceiver
from ringfence.channels.media.tones import digit_tone, tone_payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.channels.media.rtp import Packet

QUIET = SILENCE[Codec.PCMA] * 160


def joined(of_one: int | None, of_other: int | None) -> tuple[Leg, Leg]:
    one, other = Leg(1), Leg(2, OTHER)
    one.connect(dtmf_payload=of_one)
    other.connect(dtmf_payload=of_other)
    one.stream.bridge(other.stream)
    return one, other


def together(legs: tuple[Leg, Leg], seconds: float) -> None:
    for leg in legs:
        leg.pass_time(seconds)


def talk(legs: tuple[Leg, Leg], seconds: float, payload: bytes = QUIET) -> None:
    for _ in range(round(seconds / 0.02)):
        legs[0].say(payload)
        together(legs, 0.02)
        legs[0].inband.tick(legs[0].now)


def tones_in(packets: list[Packet]) -> str:
    """Return the digits that a listener hears as tones."""
    heard: list[str] = []
    inband = InbandDigits()
    ear = inband.open(heard.append)
    for number, packet in enumerate(packets):
        if packet.payload_type == 8:
            ear.hear(packet, number * 0.02)
            inband.tick(number * 0.02 + 1)
    return "".join(heard)


def events_in(packets: list[Packet], payload_type: int = 101) -> str:
    receiver = DigitReceiver()
    events = [packet for packet in packets if packet.payload_type == payload_type]
    told = [receiver.receive(packet, 0.0) for packet in events]
    return "".join(digit for digit in told if digit is not None)


def press_event(legs: tuple[Leg, Leg], digit: str, packets: int = 5) -> None:
    """Send an event as a telephone does: its packets every 20 ms, the last one three times."""
    stamp = (legs[0].sequence + 1) * 160
    for number in range(1, packets + 3):
        length = min(number, packets)
        flags = 0x8A if number >= packets else 10
        payload = bytes((DIGITS.index(digit), flags)) + (length * 160).to_bytes(2, "big")
        legs[0].say(payload, 101, stamp=stamp)
        if number <= packets:
            together(legs, 0.02)


@pytest.mark.parametrize("packets", [2, 5, 40])
def test_events_become_tones_for_who_did_not_negotiate_them(packets: int) -> None:
    """RFC 4733 2.1: each once, however long it is pressed, and audio goes on behind it."""
    legs = one, other = joined(101, None)
    talk(legs, 0.2)
    for digit in "159#0":
        press_event(legs, digit, packets)
        talk(legs, 0.2)
    assert {packet.payload_type for packet in other.packets} == {8}
    assert tones_in(other.packets) == "159#0"
    assert_continuous(other.packets)
    assert [event.digit for event in one.events if isinstance(event, DigitHeard)] == list("159#0")
    assert other.packets[-1].payload == QUIET


def test_the_tone_of_an_event_is_the_pair_of_its_digit() -> None:
    legs = _, other = joined(101, None)
    press_event(legs, "5")
    together(legs, 0.3)
    heard = Audio(decode(b"".join(packet.payload for packet in other.packets), Codec.PCMA))
    assert heard.duration_s == pytest.approx(0.1)
    assert heard.contains_tone(770, 0.4)
    assert heard.contains_tone(1336, 0.4)


def test_events_go_through_as_they_are_where_both_have_them() -> None:
    legs = _, other = joined(101, 96)
    talk(legs, 0.1)
    press_event(legs, "7")
    talk(legs, 0.3)
    assert (events_in(other.packets, 96), tones_in(other.packets)) == ("7", "")
    assert_continuous(other.packets)


@pytest.mark.parametrize("tone_ms", [60, 100, 160, 500])
def test_tones_become_events_for_who_negotiated_them(tone_ms: int) -> None:
    """RFC 4733 2.1: once as an event; of the tone itself no more is heard than it takes to know it."""
    legs = one, other = joined(None, 101)
    talk(legs, 0.2)
    for digit in "159#0":
        for at in range(0, 8 * tone_ms, 160):
            talk(legs, 0.02, tone_payload(digit_tone(digit), Codec.PCMA, at, 160))
        talk(legs, 0.2)
    together(legs, 1.0)
    assert events_in(other.packets) == "159#0"
    loud = [packet for packet in other.packets if packet.payload_type == 8 and packet.payload != QUIET]
    assert len(loud) <= 3 * 5, "60 ms of each"
    assert_continuous(other.packets)
    assert [event.digit for event in one.events if isinstance(event, DigitHeard)] == list("159#0")


def test_tones_go_through_as_they_are_where_nobody_has_events() -> None:
    legs = one, other = joined(None, None)
    for digit in "24":
        for at in range(0, 800, 160):
            talk(legs, 0.02, tone_payload(digit_tone(digit), Codec.PCMA, at, 160))
        talk(legs, 0.1)
    assert tones_in(other.packets) == "24"
    assert one.inband.next_deadline() is None, "nobody looks for them"
    assert_continuous(other.packets)


def test_who_is_looked_at_follows_what_both_have_agreed_to() -> None:
    """RFC 3264 8: a re-INVITE may bring events or take them; a bridge that ends takes its listener along."""
    one, other = joined(None, None)
    changes: tuple[tuple[bool, Callable[[], None]], ...] = (
        (True, lambda: other.connect(dtmf_payload=101)),
        (False, lambda: one.connect(dtmf_payload=101)),
        (True, lambda: one.connect(dtmf_payload=None)),
        (False, lambda: one.stream.bridge(None)),
    )
    for listens, change in changes:
        change()
        one.inband.tick(one.now + 1)
        one.say(QUIET)
        assert (one.inband.next_deadline() is not None) is listens
