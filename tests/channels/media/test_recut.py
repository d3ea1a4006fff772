"""Packets of one length become packets of another, in a bridge of two that asked for different ptimes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.channels.media.test_stream import OTHER, Leg, assert_continuous

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import decode, encode
from ringfence.channels.media.plane import Codec, Tone
from ringfence.channels.media.recut import Recut
from ringfence.channels.media.rtp import Packet
from ringfence.channels.media.tones import tone_payload

if TYPE_CHECKING:
    from collections.abc import Iterable

TONE = Tone((1000,))
PTIMES_MS = (10, 20, 30, 40, 60)
FIRST, BEGIN = 65530, 0xFFFFFF00
"""Both numbers wrap soon."""


def packets(lengths: Iterable[int], audio: bytes) -> list[Packet]:
    """Cut `audio` into packets of `lengths`, as a source does."""
    made, at = [], 0
    for number, length in enumerate(lengths):
        stamp = (BEGIN + at) & 0xFFFFFFFF
        made.append(Packet(number == 0, 8, (FIRST + number) & 0xFFFF, stamp, 7, audio[at : at + length]))
        at += length
    return made


def all_cut(source: Iterable[Packet], samples: int) -> list[Packet]:
    source = list(source)
    recut = Recut(source[0])
    made = [piece for packet in source for piece in recut.cut(packet, samples)]
    return [*made, *recut.flush()]


def place(packet: Packet) -> int:
    return (packet.timestamp - BEGIN) & 0xFFFFFFFF


@given(
    st.lists(st.integers(1, 480), min_size=1, max_size=40),
    st.sampled_from([8 * ptime_ms for ptime_ms in PTIMES_MS]),
)
def test_all_audio_is_there_once_in_packets_of_the_length_asked_for(lengths: list[int], samples: int) -> None:
    """RFC 3550 5.1: one number and the time of its first sample for each packet; the marker where talk begins."""
    audio = bytes(step % 251 for step in range(sum(lengths)))
    made = all_cut(packets(lengths, audio), samples)
    assert b"".join(packet.payload for packet in made) == audio
    assert {len(packet.payload) for packet in made[:-1]} <= {samples}
    assert [packet.sequence for packet in made] == [(FIRST + at) & 0xFFFF for at in range(len(made))]
    assert [place(packet) for packet in made] == [samples * at for at in range(len(made))]
    assert [packet.marker for packet in made] == [True] + [False] * (len(made) - 1)


@given(
    st.lists(st.tuples(st.sampled_from([80, 160, 240, 480]), st.booleans()), min_size=2, max_size=40),
    st.sampled_from([8 * ptime_ms for ptime_ms in PTIMES_MS]),
)
def test_what_was_lost_is_a_gap_in_numbers_and_time_and_all_else_is_in_its_place(
    sent: list[tuple[int, bool]], samples: int
) -> None:
    """RFC 3550 5.1."""
    audio = bytes(step % 251 for step in range(sum(length for length, _ in sent)))
    source = packets([length for length, _ in sent], audio)
    arrived = [
        source[0],
        *(packet for packet, (_, lost) in zip(source[1:], sent[1:], strict=True) if not lost),
    ]
    made = all_cut(arrived, samples)
    for packet in made:
        assert packet.payload == audio[place(packet) : place(packet) + len(packet.payload)]
        assert 0 < len(packet.payload) <= samples
    assert sum(len(packet.payload) for packet in made) == sum(len(packet.payload) for packet in arrived)
    for before, after in pairwise(made):
        apart = place(after) - place(before) - len(before.payload)
        lost = (after.sequence - before.sequence - 1) & 0xFFFF
        assert lost == (0 if apart == 0 else max(1, apart // samples))


def test_late_and_repeated_packets_are_left_out() -> None:
    source = packets([160] * 4, bytes(640))
    made = all_cut([source[0], source[2], source[1], source[2], source[3]], 240)
    assert [(place(packet), len(packet.payload)) for packet in made] == [(0, 160), (320, 240), (560, 80)]
    assert [(packet.sequence - FIRST) & 0xFFFF for packet in made] == [0, 2, 3]


def test_a_source_that_begins_anew_is_heard() -> None:
    """RFC 3550 A.1: under its old SSRC, as when a capture is played twice."""
    once = packets([160] * 6, bytes(960))
    later = [packet._replace(sequence=(packet.sequence - 2000) & 0xFFFF) for packet in once]
    made = all_cut([*once, *later], 480)
    assert [len(packet.payload) for packet in made] == [480] * 4
    assert [(packet.sequence - FIRST) & 0xFFFF for packet in made] == [0, 1, 3, 4]


def test_a_pause_of_the_source_is_no_loss_and_its_talk_begins_with_a_marker() -> None:
    """RFC 3551 4.1."""
    first, second = packets([160, 160], bytes(320))
    second = second._replace(timestamp=(second.timestamp + 8000) & 0xFFFFFFFF, marker=True)
    made = all_cut([first, second], 240)
    assert [(place(packet), packet.marker) for packet in made] == [(0, True), (8160, True)]
    assert made[1].sequence == (made[0].sequence + 1) & 0xFFFF


def test_what_is_no_audio_goes_through_whole_behind_what_waited() -> None:
    """RFC 4733 2.5.1.2: an event has its own length, and the time of its beginning."""
    talk, event, more = packets([80, 4, 160], bytes(244))
    event = event._replace(payload_type=101)
    recut = Recut(talk)
    made = [*recut.cut(talk, 160), *recut.passed(event), *recut.cut(more, 160)]
    assert [(len(packet.payload), packet.payload_type) for packet in made] == [(80, 8), (4, 101), (160, 8)]
    assert [(packet.sequence - FIRST) & 0xFFFF for packet in made] == [0, 1, 2]


@pytest.mark.parametrize("of_one", PTIMES_MS)
@pytest.mark.parametrize("of_other", PTIMES_MS)
@pytest.mark.parametrize("codec", [Codec.PCMA, Codec.PCMU])
def test_each_end_of_a_bridge_gets_the_ptime_it_asked_for(of_one: int, of_other: int, codec: Codec) -> None:
    """RFC 8866 6.4: with the laws translated, too, and nothing but the tone in it."""
    one, other = Leg(1), Leg(2, OTHER)
    one.connect(ptime_ms=of_one)
    other.connect(ptime_ms=of_other, codec=codec)
    one.stream.bridge(other.stream)
    for at in range(0, 9600, 8 * of_one):
        one.say(tone_payload(TONE, Codec.PCMA, at, 8 * of_one), stamp=at)
    assert {len(packet.payload) for packet in other.packets} == {8 * of_other}
    assert_continuous(other.packets)
    heard = b"".join(packet.payload for packet in other.packets)
    assert len(heard) == 9600
    expected = encode(decode(tone_payload(TONE, Codec.PCMA, 0, 9600), Codec.PCMA), codec)
    assert heard == expected
    assert Audio(decode(heard, codec)).contains_tone(1000, 0.99)


def test_what_was_said_to_the_old_ptime_goes_on_in_the_new_one() -> None:
    """RFC 3264 8: a re-INVITE may ask for another one."""
    one, other = Leg(1), Leg(2, OTHER)
    one.connect(ptime_ms=20)
    other.connect(ptime_ms=30)
    one.stream.bridge(other.stream)
    audio = tone_payload(TONE, Codec.PCMA, 0, 1600)
    for at in range(0, 1600, 160):
        if at == 800:
            other.connect(ptime_ms=20)
        one.say(audio[at : at + 160], stamp=at)
    lengths = [len(packet.payload) for packet in other.packets]
    assert lengths == [240] * 3 + [160] * 5
    assert b"".join(packet.payload for packet in other.packets) == audio[: sum(lengths)]
    assert_continuous(other.packets)


def test_a_bridge_of_equal_ptimes_hands_packets_on_as_they_are() -> None:
    """Loss and order, which nobody has to judge, stay what they were."""
    one, other = Leg(1), Leg(2, OTHER)
    one.connect()
    other.connect()
    one.stream.bridge(other.stream)
    for number in (1, 3, 2, 4):
        one.sequence = number - 1
        one.say(bytes((number,)) * 160)
    first = other.packets[0].sequence
    assert [(packet.sequence - first) & 0xFFFF for packet in other.packets] == [0, 2, 1, 3]
    assert [packet.payload[0] for packet in other.packets] == [1, 3, 2, 4]
