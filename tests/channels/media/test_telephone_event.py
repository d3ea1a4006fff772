"""DTMF as telephone events, RFC 4733."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media.plane import Codec
from ringfence.channels.media.rtp import Packet
from ringfence.channels.media.telephone_event import DIGITS, DigitReceiver, DigitSender, event_codes
from ringfence.channels.media.tones import digit_tone, tone_payload

PAUSE = 1280


def event(
    code: int, stamp: int, duration: int, *, end: bool = False, marker: bool = False, ssrc: int = 1
) -> Packet:
    payload = struct.pack("!BBH", code, (0x80 if end else 0) | 10, duration)
    return Packet(marker, 101, 0, stamp % 2**32, ssrc, payload)


def press(code: int, stamp: int, *, packets: int = 5) -> list[Packet]:
    """All the packets of one key press: growing durations, the end three times."""
    held = [event(code, stamp, 160 * n, marker=n == 1) for n in range(1, packets)]
    return held + [event(code, stamp, 160 * packets, end=True)] * 3


def heard(*spurts: list[Packet]) -> str:
    """What is heard of `spurts` that are a second apart."""
    receiver = DigitReceiver()
    return "".join(
        receiver.receive(packet, float(now)) or ""
        for now, packets in enumerate(spurts, 1)
        for packet in packets
    )


def test_each_of_the_sixteen_keys_is_heard() -> None:
    packets = [packet for code in range(16) for packet in press(code, code * PAUSE)]
    assert heard(packets) == DIGITS


@given(
    st.lists(st.integers(0, 15), min_size=1, max_size=6),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_a_press_is_heard_once_whichever_of_its_packets_get_through(
    codes: list[int], start: int, data: st.DataObject
) -> None:
    received: list[Packet] = []
    for number, code in enumerate(codes):
        packets = press(code, start + number * PAUSE)
        kept = data.draw(st.lists(st.sampled_from(packets), min_size=1, max_size=12))
        received += kept
    assert heard(received) == "".join(DIGITS[code] for code in codes)


def test_a_digit_of_which_only_the_end_came_is_heard() -> None:
    assert heard([event(5, 800, 800, end=True)] * 3) == "5"


def test_a_late_end_of_the_digit_before_is_no_new_digit() -> None:
    first, second = press(1, 0), press(2, PAUSE)
    assert heard([*first[:-1], second[0], first[-1], *second[1:]]) == "12"


def test_a_press_longer_than_the_duration_field_is_one_digit() -> None:
    """Section 2.5.1.3: a new segment begins where the last one ended, without the marker."""
    first = [event(7, 0, 160, marker=True), event(7, 0, 0xFFFF)]
    second = [event(7, 0xFFFF, 160), event(7, 0xFFFF, 800, end=True)]
    assert heard(first + second) == "7"


@pytest.mark.parametrize("lost", range(10))
def test_a_press_of_10_s_is_one_digit_though_the_last_packets_of_its_segment_are_lost(lost: int) -> None:
    """Section 2.5.1.3: the segment was full, whether that was heard or not."""
    first = [event(7, 0, duration, marker=duration == 160) for duration in range(160, 0x10000, 160)]
    second = [event(7, 0xFFFF, duration) for duration in range(160, 14500, 160)]
    assert heard(first[: len(first) - lost] + second + [event(7, 0xFFFF, 14500, end=True)] * 3) == "7"


def test_durations_that_go_backwards_are_of_the_same_press() -> None:
    assert heard([event(3, 0, 800), event(3, 0, 160), event(3, 0, 0), event(3, 0, 960, end=True)]) == "3"


def test_two_presses_whose_packets_alternate_are_two_digits() -> None:
    one, two = press(1, 0), press(2, 400)
    assert heard([packet for both in zip(one, two, strict=True) for packet in both]) == "12"


def test_the_same_capture_played_again_is_pressed_again() -> None:
    """SIPp's `play_pcap_audio` repeats timestamps, sequence numbers and SSRC."""
    assert heard(press(1, 5000), press(1, 5000), press(1, 5000)) == "111"


def test_another_capture_has_earlier_timestamps_of_the_same_source() -> None:
    assert heard(press(1, 0x7000_0000), press(2, 0x6FFF_F000)) == "12"
    assert heard(press(1, 0x7000_0000) + press(2, 5000) + press(3, 7000)) == "123"


def test_a_network_that_held_packets_back_presses_no_key_again() -> None:
    held, end = press(4, 0)[:-3], press(4, 0)[-3:]
    assert heard(held[:2], held[2:], end, end) == "4"


def test_the_same_key_pressed_twice_is_two_digits() -> None:
    assert heard(press(4, 0) + press(4, PAUSE)) == "44"


def test_a_new_source_may_begin_at_any_timestamp() -> None:
    assert heard([event(1, 5000, 160), event(1, 10, 160, ssrc=2)]) == "11"


@given(st.binary(max_size=8))
def test_no_payload_raises(payload: bytes) -> None:
    DigitReceiver().receive(Packet(False, 101, 0, 0, 1, payload), 0.0)


def test_events_that_are_no_digits_are_not_reported() -> None:
    assert heard([event(16, 0, 160), event(32, 1000, 160), event(255, 2000, 160)]) == ""


@pytest.mark.parametrize("digits", ["x", "1 2", "٣", "+"])
def test_what_is_no_digit_is_named(digits: str) -> None:
    with pytest.raises(ValueError, match="is no DTMF digit"):
        event_codes(digits)


def sent(digits: str, samples: int, in_band: Codec | None = None) -> list[tuple[bool, bool, bytes] | None]:
    sender = DigitSender()
    sender.add(digits)
    frames: list[tuple[bool, bool, bytes] | None] = []
    while sender.waiting:
        frames.append(sender.frame(samples, in_band)[0])
    return frames


@pytest.mark.parametrize(("ptime_ms", "held"), [(10, 10), (20, 5), (30, 4), (40, 3), (60, 2)])
def test_an_event_lasts_100_ms_and_its_end_is_sent_three_times(ptime_ms: int, held: int) -> None:
    samples = 8 * ptime_ms
    frames = [frame for frame in sent("9", samples) if frame is not None]
    parsed = [struct.unpack("!BBH", payload) for _, _, payload in frames]
    assert len(frames) == held + 2
    assert [marker for _, marker, _ in frames] == [True] + [False] * (held + 1)
    assert all(code == 9 for code, _, _ in parsed)
    assert [flags >> 7 for _, flags, _ in parsed] == [0] * (held - 1) + [1] * 3
    assert [duration for _, _, duration in parsed] == [
        min(800, samples * min(n, held)) for n in range(1, held + 3)
    ]


def test_digits_are_60_ms_apart() -> None:
    frames = sent("12", 160)
    begins = [at for at, frame in enumerate(frames) if frame is not None and frame[1]]
    assert begins == [0, 8]


def test_without_telephone_events_the_tone_pair_is_sent() -> None:
    frames = sent("5", 160, Codec.PCMA)
    audio = b"".join(frame[2] for frame in frames if frame is not None)
    assert audio == tone_payload(digit_tone("5"), Codec.PCMA, 0, 800)
    assert frames[5:] == [None] * 3


@given(st.lists(st.sampled_from(DIGITS), max_size=5), st.sampled_from([80, 160, 240, 480]))
def test_what_is_sent_is_heard(digits: list[str], samples: int) -> None:
    receiver, stamp, got = DigitReceiver(), 0, ""
    for at, frame in enumerate(sent("".join(digits), samples)):
        if frame is not None:
            stamp = at * samples if frame[1] else stamp
            got += receiver.receive(Packet(frame[1], 101, at, stamp, 1, frame[2]), 0.0) or ""
    assert got == "".join(digits)


def test_each_order_of_digits_is_told_done_once() -> None:
    sender = DigitSender()
    sender.add("1")
    sender.add("")
    sender.add("2")
    done = 0
    while sender.waiting:
        done += sender.frame(160, None)[1]
    assert done == 3
