"""The stream machine: what it sends, takes and tells, on a clock of the test's own."""

import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from tests.channels.media.clocked import Clocked

from ringfence.channels.media import rtp
from ringfence.channels.media.acceptance import Source
from ringfence.channels.media.audio import Audio
from ringfence.channels.media.digits_heard import BURST, LEAST_S
from ringfence.channels.media.early import EARLY_PACKETS
from ringfence.channels.media.g711 import SILENCE, decode, encode, translate
from ringfence.channels.media.inband import InbandDigits
from ringfence.channels.media.plane import (
    Codec,
    DigitHeard,
    DigitsSent,
    MediaEvent,
    Played,
    Recorded,
    Remote,
    Silence,
    StreamClosed,
    StreamLost,
    StreamStarted,
    Tone,
)
from ringfence.channels.media.stream import Stream
from ringfence.channels.media.tones import digit_tone, tone_payload
from ringfence.channels.network import Address

FAR: Source = ("10.0.0.5", 4000)
OTHER: Source = ("10.0.0.6", 4000)
STRANGER: Source = ("203.0.113.9", 4000)
VOICE = encode(range(-8000, 8000, 100), Codec.PCMA)


class Leg(Clocked):
    """A machine, what it sent when and where, what it told, and a far end that talks to it."""

    def __init__(self, seed: int = 0, far: Source = FAR) -> None:
        self.now = 100.0
        self.far = far
        self.sent: list[tuple[float, rtp.Packet, Source]] = []
        self.events: list[MediaEvent] = []
        self.inband = InbandDigits()
        self.stream = Stream(self._transmit, self.events.append, Random(seed), self.inband)
        self.sequence = 0

    def _transmit(self, data: bytes, destination: Source) -> None:
        packet = rtp.parse(data)
        assert packet is not None
        self.sent.append((self.now, packet, destination))

    def remote(self, codec: Codec = Codec.PCMA, **changes: object) -> Remote:
        values: dict[str, object] = {"dtmf_payload": 101} | changes
        return Remote(Address(*self.far), self.far[0], codec, **values)  # type: ignore[arg-type]  # a test's short cut

    def connect(
        self, *, fill: bool = False, listen: bool = False, codec: Codec = Codec.PCMA, **changes: object
    ) -> None:
        self.stream.connect(self.remote(codec, **changes), fill=fill, listen=listen, now=self.now)

    def say(
        self,
        payload: bytes = VOICE,
        payload_type: int = 8,
        source: Source | None = None,
        stamp: int | None = None,
    ) -> None:
        self.sequence += 1
        data = rtp.build(
            payload_type, self.sequence, self.sequence * 160 if stamp is None else stamp, 77, payload
        )
        self.stream.receive(data, source or self.far, self.now)

    def press(self, code: int, stamp: int) -> None:
        for duration, flags in ((160, 10), (800, 0x8A), (800, 0x8A)):
            self.say(struct.pack("!BBH", code, flags, duration), 101, stamp=stamp)

    @property
    def told(self) -> list[object]:
        """The events, the last one as what was sent, received and refused."""
        return [counts(event) if isinstance(event, StreamClosed) else event for event in self.events]

    @property
    def packets(self) -> list[rtp.Packet]:
        return [packet for _, packet, _ in self.sent]


def counts(closed: StreamClosed) -> tuple[int, int, int]:
    verdict = closed.verdict
    return verdict.packets_sent, verdict.packets_received, verdict.packets_refused


@pytest.fixture
def leg() -> Leg:
    return Leg()


def assert_continuous(packets: list[rtp.Packet]) -> None:
    """One SSRC, sequence without a gap, timestamps that only grow."""
    assert len({packet.ssrc for packet in packets}) <= 1
    for before, after in pairwise(packets):
        assert (after.sequence - before.sequence) & 0xFFFF == 1
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF < 0x80000000


class TestSending:
    def test_with_fill_a_packet_goes_out_every_ptime(self, leg: Leg) -> None:
        leg.connect(fill=True)
        leg.pass_time(2.0)
        assert len(leg.sent) == 100
        assert {packet.payload for packet in leg.packets} == {SILENCE[Codec.PCMA] * 160}
        gaps = [b - a for (a, *_), (b, *_) in pairwise(leg.sent)]
        assert gaps == pytest.approx([0.02] * 99)
        stamps = [packet.timestamp for packet in leg.packets]
        assert {(b - a) & 0xFFFFFFFF for a, b in pairwise(stamps)} == {160}
        assert_continuous(leg.packets)

    def test_the_marker_begins_a_talk_spurt(self, leg: Leg) -> None:
        """RFC 3551 section 4.1."""
        leg.connect()
        leg.stream.play(1, [Silence(0.06)], leg.now)
        leg.pass_time(1.0)
        leg.stream.play(2, [Silence(0.06)], leg.now)
        leg.pass_time(1.0)
        assert [packet.marker for packet in leg.packets] == [True, False, False] * 2
        assert (leg.packets[3].timestamp - leg.packets[0].timestamp) & 0xFFFFFFFF == pytest.approx(
            8000, abs=160
        )
        assert_continuous(leg.packets)

    @pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
    def test_the_packet_time_asked_for_is_kept(self, leg: Leg, ptime_ms: int) -> None:
        leg.connect(fill=True, ptime_ms=ptime_ms)
        leg.pass_time(1.2)
        assert len(leg.sent) == 1200 // ptime_ms
        assert {len(packet.payload) for packet in leg.packets} == {8 * ptime_ms}

    @pytest.mark.parametrize(("asked_ms", "kept_ms"), [(0, 10), (5, 10), (200, 60)])
    def test_an_absurd_packet_time_is_brought_into_range(self, leg: Leg, asked_ms: int, kept_ms: int) -> None:
        leg.connect(fill=True, ptime_ms=asked_ms)
        leg.pass_time(0.2)
        assert {len(packet.payload) for packet in leg.packets} == {8 * kept_ms}

    def test_played_is_told_with_the_last_sample(self, leg: Leg) -> None:
        tone = Tone((440,), 0.5)
        leg.connect(fill=True)
        leg.stream.play(7, [tone], leg.now)
        leg.pass_time(0.47)
        assert leg.events == []
        leg.pass_time(0.53)
        assert leg.events == [Played(7)]
        assert b"".join(packet.payload for packet in leg.packets[:25]) == tone_payload(
            tone, Codec.PCMA, 0, 4000
        )
        assert len(leg.sent) == 50

    def test_a_play_that_was_replaced_is_not_told(self, leg: Leg) -> None:
        leg.connect()
        leg.stream.play(1, [Tone((425,))], leg.now)
        leg.pass_time(1.0)
        leg.stream.play(2, [Tone((440,), 0.1)], leg.now)
        leg.pass_time(1.0)
        leg.stream.play(3, [Tone((440,), 1)], leg.now)
        leg.stream.stop_playing()
        leg.pass_time(1.0)
        assert leg.events == [Played(2)]

    def test_what_is_played_before_connect_waits_for_it(self, leg: Leg) -> None:
        leg.stream.play(1, [Silence(0.1)], leg.now)
        leg.pass_time(5.0)
        assert leg.sent == []
        leg.connect(codec=Codec.PCMU)
        leg.pass_time(1.0)
        assert {packet.payload for packet in leg.packets} == {SILENCE[Codec.PCMU] * 160}
        assert leg.events == [Played(1)]

    def test_a_machine_that_was_not_asked_for_long_does_not_flood(self, leg: Leg) -> None:
        leg.connect(fill=True)
        leg.pass_time(0.1)
        before = len(leg.sent)
        leg.now += 5.0
        leg.stream.tick(leg.now)
        assert len(leg.sent) <= before + 2
        leg.pass_time(0.1)
        assert_continuous(leg.packets)
        assert (leg.packets[-1].timestamp - leg.packets[0].timestamp) & 0xFFFFFFFF == pytest.approx(
            41600, abs=320
        )

    def test_a_codec_change_by_re_invite_changes_what_is_sent(self, leg: Leg) -> None:
        leg.connect(fill=True)
        leg.pass_time(0.1)
        leg.connect(fill=True, codec=Codec.PCMU)
        leg.pass_time(0.1)
        assert [packet.payload_type for packet in leg.packets] == [8] * 5 + [0] * 5
        assert_continuous(leg.packets)

    def test_nothing_goes_to_a_far_end_that_does_not_receive(self, leg: Leg) -> None:
        """RFC 3264 section 8.4, hold; time passes all the same."""
        leg.connect(fill=True, receives=False)
        leg.stream.play(1, [Tone((425,), 0.5)], leg.now)
        leg.pass_time(1.0)
        assert leg.sent == []
        assert leg.events == [Played(1)]


class TestAcceptance:
    def test_a_stranger_is_not_recorded_not_echoed_and_moves_nothing(self, leg: Leg, tmp_path: Path) -> None:
        leg.connect()
        leg.stream.echo()
        leg.stream.record(tmp_path / "m.wav", 10, leg.now)
        for _ in range(3):
            leg.say(source=STRANGER)
        leg.stream.receive(b"no packet" * 3, FAR, leg.now)
        assert (leg.sent, leg.events) == ([], [])
        leg.say()
        leg.say(source=STRANGER)
        assert [destination for *_, destination in leg.sent] == [FAR]
        leg.stream.close()
        assert leg.told == [
            StreamStarted(), Recorded(tmp_path / "m.wav", 0.02), (1, 1, 5),
        ]  # fmt: skip

    def test_junk_from_another_port_teaches_no_port(self, leg: Leg) -> None:
        leg.connect(fill=True)
        leg.stream.receive(b"\x00" * 40, (FAR[0], 5555), leg.now)
        leg.pass_time(0.1)
        assert {destination for *_, destination in leg.sent} == {FAR}

    def test_nothing_is_sent_to_a_third_party_before_it_has_sent(self, leg: Leg) -> None:
        leg.stream.connect(Remote(Address(*FAR), "192.0.2.1", Codec.PCMA), fill=True, now=leg.now)
        leg.pass_time(1.0)
        assert leg.sent == []
        leg.say()
        leg.pass_time(0.1)
        assert {destination for *_, destination in leg.sent} == {FAR}

    def test_a_re_invite_of_the_same_far_end_keeps_the_learnt_port(self, leg: Leg) -> None:
        leg.connect(fill=True)
        leg.say(source=(FAR[0], 5555))
        leg.connect(fill=True)
        leg.pass_time(0.1)
        assert {destination for *_, destination in leg.sent} == {(FAR[0], 5555)}
        leg.far = OTHER
        leg.connect(fill=True)
        leg.pass_time(0.1)
        assert leg.sent[-1][2] == OTHER

    def test_a_hold_by_the_address_0_0_0_0_keeps_the_learnt_port(self, leg: Leg) -> None:
        """RFC 2543 B.5: nothing flows meanwhile, and the far end resumes where it was."""
        leg.connect(fill=True)
        leg.say(source=(FAR[0], 5555))
        held = Remote(Address("0.0.0.0", FAR[1]), FAR[0], Codec.PCMA, sends=False, receives=False)
        leg.stream.connect(held, fill=True, now=leg.now)
        leg.pass_time(1.0)
        assert leg.sent == []
        leg.connect(fill=True)
        leg.pass_time(0.1)
        assert {destination for *_, destination in leg.sent} == {(FAR[0], 5555)}

    def test_a_far_end_that_moves_may_take_long_to_do_it(self, leg: Leg) -> None:
        """RFC 3264 8.3.1: with a round trip of more than 100 ms, many packets still come from its old port."""
        leg.connect(fill=True)
        leg.say()
        leg.far = (FAR[0], 4002)
        leg.connect(fill=True)
        for _ in range(20):
            leg.say(source=FAR)
            leg.pass_time(0.02)
        leg.say()
        leg.say(source=FAR)
        leg.pass_time(0.02)
        assert {destination for *_, destination in leg.sent} == {leg.far}
        leg.stream.close()
        assert leg.told[-1] == (21, 22, 1)

    def test_a_far_end_that_said_it_does_not_send_is_not_heard(self, leg: Leg) -> None:
        leg.connect(sends=False)
        leg.say()
        leg.stream.close()
        assert leg.told == [(0, 0, 1)]

    def test_packets_that_overtake_connect_are_taken_after_it(self, leg: Leg) -> None:
        leg.say(source=STRANGER)
        for _ in range(3):
            leg.say()
        assert leg.events == []
        leg.connect()
        leg.stream.echo()
        leg.pass_time(0.01)
        assert [packet.payload for packet in leg.packets] == [VOICE] * 3
        leg.stream.close()
        assert leg.told == [StreamStarted(), (3, 3, 1)]

    def test_none_overtakes_those_that_waited_for_connect(self, leg: Leg) -> None:
        leg.say(b"\x01")
        leg.connect()
        leg.stream.echo()
        leg.say(b"\x02")
        leg.pass_time(0.01)
        assert [packet.payload for packet in leg.packets] == [b"\x01", b"\x02"]

    def test_only_few_and_fresh_packets_wait_for_connect(self, leg: Leg) -> None:
        for _ in range(EARLY_PACKETS):
            leg.say()
        leg.pass_time(10.0)
        leg.say()
        leg.connect()
        leg.pass_time(0.1)
        leg.stream.close()
        assert leg.told == [(0, 0, EARLY_PACKETS + 1)]


class TestEcho:
    @pytest.mark.parametrize("payload_type", [0, 8, 13, 101, 96])
    def test_each_packet_returns_with_its_payload_and_nothing_else_goes_out(
        self, leg: Leg, payload_type: int
    ) -> None:
        leg.connect(fill=True)
        leg.stream.echo()
        for size in (1, 160, 240, 480):
            leg.say(bytes(range(250)) * 2, payload_type)
            leg.say(b"\x42" * size, payload_type)
            leg.pass_time(0.2)
        assert [packet.payload for packet in leg.packets[1::2]] == [b"\x42" * n for n in (1, 160, 240, 480)]
        assert len(leg.sent) == 8
        assert {packet.payload_type for packet in leg.packets} == {payload_type}
        assert leg.packets[0].ssrc != 77
        assert_continuous(leg.packets)


class TestRecording:
    def test_what_is_heard_is_written(self, leg: Leg, tmp_path: Path) -> None:
        leg.connect()
        leg.stream.record(tmp_path / "m.wav", 10, leg.now)
        tone = tone_payload(Tone((440,)), Codec.PCMA, 0, 8000)
        for at in range(0, 8000, 160):
            leg.say(tone[at : at + 160])
            leg.pass_time(0.02)
        leg.stream.stop_recording()
        assert leg.events == [StreamStarted(), Recorded(tmp_path / "m.wav", 1.0)]
        assert Audio.from_wav(tmp_path / "m.wav").contains_tone(440, 0.98)

    def test_it_ends_after_max_s_with_and_without_packets(self, leg: Leg, tmp_path: Path) -> None:
        leg.connect()
        leg.stream.record(tmp_path / "silent.wav", 2.0, leg.now)
        leg.pass_time(2.0)
        assert leg.events == [Recorded(tmp_path / "silent.wav", 0.0)]
        leg.stream.record(tmp_path / "talk.wav", 0.1, leg.now)
        for _ in range(9):
            leg.say()
            leg.pass_time(0.02)
        assert leg.events[-1] == Recorded(tmp_path / "talk.wav", 0.1)
        assert leg.events.count(leg.events[-1]) == 1

    def test_a_disk_that_refuses_is_told_as_a_recording_of_nothing(self, leg: Leg, tmp_path: Path) -> None:
        leg.connect()
        leg.stream.record(tmp_path / "nowhere" / "m.wav", 10, leg.now)
        assert leg.events == [Recorded(tmp_path / "nowhere" / "m.wav", 0.0)]

    def test_digits_are_not_recorded_as_sound(self, leg: Leg, tmp_path: Path) -> None:
        leg.connect()
        leg.stream.record(tmp_path / "m.wav", 10, leg.now)
        leg.press(5, 160)
        leg.stream.close()
        assert leg.events[:3] == [StreamStarted(), DigitHeard("5"), Recorded(tmp_path / "m.wav", 0.0)]


class TestDigits:
    def test_a_press_is_told_once(self, leg: Leg) -> None:
        leg.connect()
        leg.press(1, 160)
        leg.press(11, 2000)
        assert leg.events == [StreamStarted(), DigitHeard("1"), DigitHeard("#")]

    def test_a_flood_of_events_is_cut_off_and_the_fastest_finger_is_not(self, leg: Leg) -> None:
        """Each digit is told to the main process, whose time a hostile phone must not take."""
        leg.connect()
        for number in range(2000):
            leg.press(number % 16, 1000 * number)
            leg.pass_time(0.001)
        assert len(leg.events) == pytest.approx(1 + BURST + 2.0 / LEAST_S, abs=2)
        leg.events.clear()
        leg.pass_time(5.0)
        for number in range(2000, 2200):
            leg.press(number % 16, 1000 * number)
            leg.pass_time(0.08)
        assert len(leg.events) == 200

    def test_digits_interrupt_the_audio_and_keep_the_stream_continuous(self, leg: Leg) -> None:
        leg.connect(fill=True)
        leg.pass_time(0.1)
        leg.stream.send_digits("12", leg.now)
        leg.pass_time(0.5)
        events = [packet for packet in leg.packets if packet.payload_type == 101]
        assert [packet.marker for packet in events] == ([True] + [False] * 6) * 2
        assert len({packet.timestamp for packet in events}) == 2
        assert len(leg.sent) == 30
        assert leg.events == [DigitsSent()]
        assert_continuous(leg.packets)

    def test_without_negotiation_they_are_audible(self, leg: Leg) -> None:
        leg.connect(dtmf_payload=None)
        leg.stream.send_digits("5", leg.now)
        leg.pass_time(0.5)
        assert {packet.payload_type for packet in leg.packets} == {8}
        assert b"".join(packet.payload for packet in leg.packets) == tone_payload(
            Tone((770, 1336)), Codec.PCMA, 0, 800
        )
        assert leg.events == [DigitsSent()]


class TestWatch:
    def test_silence_is_told_once(self, leg: Leg) -> None:
        leg.connect()
        leg.stream.watch(60.0, leg.now)
        leg.pass_time(59.0)
        assert leg.events == []
        leg.pass_time(100.0)
        assert leg.events == [StreamLost(60.0)]

    def test_each_acceptable_packet_begins_the_time_anew(self, leg: Leg) -> None:
        leg.connect()
        leg.stream.watch(5.0, leg.now)
        for _ in range(4):
            leg.pass_time(4.0)
            leg.say()
            leg.say(source=STRANGER)
        leg.pass_time(4.0)
        leg.say(source=STRANGER)
        assert leg.events == [StreamStarted()]
        leg.pass_time(1.1)
        lost = leg.events[-1]
        assert isinstance(lost, StreamLost)
        assert lost.silent_s == pytest.approx(5.0)

    def test_a_far_end_on_hold_is_not_missed(self, leg: Leg) -> None:
        leg.connect(sends=False)
        leg.stream.watch(5.0, leg.now)
        leg.pass_time(60.0)
        assert leg.events == []
        leg.connect()
        leg.pass_time(4.9)
        assert leg.events == []
        leg.pass_time(0.2)
        lost = leg.events[-1]
        assert isinstance(lost, StreamLost)
        assert lost.silent_s == pytest.approx(5.0)

    def test_the_watch_can_be_ended(self, leg: Leg) -> None:
        leg.connect()
        leg.stream.watch(5.0, leg.now)
        leg.stream.watch(None, leg.now)
        leg.pass_time(60.0)
        assert leg.events == []


@pytest.fixture
def pair() -> tuple[Leg, Leg]:
    return Leg(1), Leg(2, OTHER)


def together(pair: tuple[Leg, Leg], seconds: float) -> None:
    for leg in pair:
        leg.pass_time(seconds)


class TestBridge:
    def test_packets_are_relayed_with_a_numbering_of_its_own(self, pair: tuple[Leg, Leg]) -> None:
        one, two = pair
        one.connect()
        two.connect()
        one.stream.bridge(two.stream)
        for _ in range(10):
            one.say()
            two.say(b"\x11" * 160)
            together(pair, 0.02)
        assert [packet.payload for packet in two.packets] == [VOICE] * 10
        assert [packet.payload for packet in one.packets] == [b"\x11" * 160] * 10
        assert {destination for *_, destination in two.sent} == {OTHER}
        assert_continuous(two.packets)
        assert two.packets[0].marker
        assert 77 not in {packet.ssrc for packet in two.packets}

    @pytest.mark.parametrize(("codec", "payload_type"), [(Codec.PCMA, 8), (Codec.PCMU, 0)])
    def test_the_laws_are_translated(self, pair: tuple[Leg, Leg], codec: Codec, payload_type: int) -> None:
        one, two = pair
        other = Codec.PCMU if codec is Codec.PCMA else Codec.PCMA
        one.connect(codec=codec)
        two.connect(codec=other)
        two.stream.bridge(one.stream)
        for payload in (bytes(range(160)), bytes(range(96, 256))):
            one.say(payload, payload_type)
            assert two.packets[-1].payload == translate(payload, codec)
            assert two.packets[-1].payload_type == 8 - payload_type

    def test_telephone_events_change_their_payload_type(self, pair: tuple[Leg, Leg]) -> None:
        one, two = pair
        one.connect()
        two.connect(dtmf_payload=96)
        one.stream.bridge(two.stream)
        one.say()
        one.press(5, 320)
        assert one.events == [StreamStarted(), DigitHeard("5")]
        assert [packet.payload_type for packet in two.packets] == [8, 96, 96, 96]
        assert len({packet.timestamp for packet in two.packets[1:]}) == 1
        assert two.events == []

    def test_a_packet_that_is_not_handed_on_is_counted_out_once_however_often_it_comes(
        self, pair: tuple[Leg, Leg]
    ) -> None:
        one, two = pair
        one.connect()
        two.connect()
        one.stream.bridge(two.stream)
        one.say()
        for _ in range(3):
            one.say(VOICE, rtp.COMFORT_NOISE)
            one.sequence -= 1
        one.sequence += 1
        one.say()
        assert_continuous(two.packets)
        one.sequence += 1
        one.say()
        one.sequence -= 2
        one.say(VOICE, rtp.COMFORT_NOISE)
        one.sequence += 1
        one.say()
        assert [(packet.sequence - two.packets[0].sequence) & 0xFFFF for packet in two.packets] == [
            0,
            1,
            3,
            4,
        ]

    def test_far_ends_that_name_our_own_ports_make_nothing_go_round(self, pair: tuple[Leg, Leg]) -> None:
        """RFC 3550 8.2: a packet with our own SSRC is a loop."""
        one, two = pair
        one.connect()
        two.connect()
        one.stream.bridge(two.stream)
        two.stream.send_digits("1", two.now)
        together(pair, 0.5)
        assert len(two.sent) == 7
        for packet in two.packets:
            one.stream.receive(rtp.build(packet.payload_type, *packet[2:]), one.far, one.now)
        assert len(two.sent) == 7

    def test_loss_of_the_one_leg_is_loss_for_the_other(self, pair: tuple[Leg, Leg]) -> None:
        one, two = pair
        one.connect()
        two.connect()
        one.stream.bridge(two.stream)
        one.say()
        one.sequence += 3
        one.say()
        assert (two.packets[1].sequence - two.packets[0].sequence) & 0xFFFF == 4
        assert (two.packets[1].timestamp - two.packets[0].timestamp) & 0xFFFFFFFF == 640

    def test_it_ends_what_played_and_is_continuous_with_it(self, pair: tuple[Leg, Leg]) -> None:
        one, two = pair
        one.connect()
        two.connect()
        one.stream.play(1, [Tone((425,))], one.now)
        together(pair, 1.0)
        one.stream.bridge(two.stream)
        for _ in range(5):
            two.say()
            together(pair, 0.02)
        one.stream.bridge(None)
        two.say()
        one.stream.play(2, [Silence(0.1)], one.now)
        together(pair, 1.0)
        assert len(one.sent) == 60
        assert_continuous(one.packets)
        assert two.sent == []

    def test_with_fill_a_silent_other_leg_leaves_no_gap(self, pair: tuple[Leg, Leg]) -> None:
        one, two = pair
        one.connect(fill=True)
        two.connect()
        one.stream.bridge(two.stream)
        together(pair, 0.5)
        assert len(one.sent) == 25
        for _ in range(25):
            two.say()
            together(pair, 0.02)
        assert [packet.payload == VOICE for packet in one.packets[25:]].count(True) == 25
        assert len(one.sent) <= 51
        together(pair, 0.5)
        assert len(one.sent) >= 70
        assert_continuous(one.packets)

    def test_a_far_end_on_hold_is_sent_nothing(self, pair: tuple[Leg, Leg]) -> None:
        one, two = pair
        one.connect()
        two.connect(receives=False)
        one.stream.bridge(two.stream)
        one.say()
        assert two.sent == []

    def test_a_new_bridge_ends_the_old_ones_of_both(self, pair: tuple[Leg, Leg]) -> None:
        one, two = pair
        three = Leg(3)
        for leg in (one, two, three):
            leg.connect()
        one.stream.bridge(two.stream)
        two.stream.bridge(three.stream)
        one.say()
        two.say()
        assert (two.sent, one.sent, len(three.sent)) == ([], [], 1)
        three.stream.close()
        two.say()
        assert len(three.sent) == 1
        two.stream.bridge(three.stream)
        two.stream.bridge(two.stream)
        two.say()
        assert two.sent == []


@pytest.mark.parametrize(
    "verb",
    [
        lambda leg, path: leg.connect(fill=True),
        lambda leg, path: leg.stream.play(1, [Tone((425,))], leg.now),
        lambda leg, path: leg.stream.record(path, 10, leg.now),
        lambda leg, path: leg.stream.send_digits("1", leg.now),
        lambda leg, path: leg.stream.echo(),
        lambda leg, path: leg.stream.bridge(Leg(4).stream),
        lambda leg, path: leg.stream.watch(1.0, leg.now),
        lambda leg, path: leg.stream.close(),
        lambda leg, path: leg.say(),
    ],
    ids=["connect", "play", "record", "digits", "echo", "bridge", "watch", "close", "packet"],
)
def test_a_closed_stream_does_nothing_more(
    leg: Leg, tmp_path: Path, verb: Callable[[Leg, Path], None]
) -> None:
    leg.connect(fill=True)
    leg.pass_time(0.1)
    leg.stream.close()
    verb(leg, tmp_path / "m.wav")
    leg.pass_time(10.0)
    assert leg.told == [(5, 0, 0)]
    assert len(leg.sent) == 5
    assert list(tmp_path.iterdir()) == []


def press(leg: Leg, digit: str) -> None:
    """Let the far end send a tone of 100 ms in its audio."""
    for at in range(0, 800, 160):
        leg.say(tone_payload(digit_tone(digit), Codec.PCMA, at, 160))
        leg.now += 0.02
    leg.inband.tick(leg.now)


def test_digits_as_tones_are_heard_where_no_telephone_events_were_agreed() -> None:
    """RFC 4733 2.1: who has not agreed to events sends the tones themselves."""
    leg = Leg()
    leg.connect(listen=True, dtmf_payload=None)
    press(leg, "5")
    assert [event for event in leg.events if isinstance(event, DigitHeard)] == [DigitHeard("5")]


@pytest.mark.parametrize(("listen", "dtmf_payload"), [(True, 101), (False, None), (False, 101)])
def test_nobody_looks_for_tones_that_are_not_asked_for(listen: bool, dtmf_payload: int | None) -> None:
    leg = Leg()
    leg.connect(listen=listen, dtmf_payload=dtmf_payload)
    leg.say()
    assert leg.inband.next_deadline() is None
    press(leg, "5")
    assert leg.events == [StreamStarted()]


def test_a_stream_that_is_handed_on_or_closed_is_listened_to_no_more() -> None:
    """A behaviour gives its caller to a bridge; a re-INVITE may bring telephone events; the slot is free again."""
    leg = Leg()
    ways: tuple[Callable[[], None], ...] = (
        lambda: leg.connect(listen=False, dtmf_payload=None),
        lambda: leg.connect(listen=True, dtmf_payload=101),
        leg.stream.close,
    )
    for ends in ways:
        leg.connect(listen=True, dtmf_payload=None)
        ends()
        press(leg, "5")
        assert leg.inband.next_deadline() is None
    assert DigitHeard("5") not in leg.events


class TestPacketTimes:
    """RFC 3551 4.2: a receiver takes packets of any length, whatever was asked for."""

    LENGTHS_MS = (10, 20, 30, 40, 60, 20, 50, 10)

    def talk(self, leg: Leg, audio: bytes) -> None:
        """Send `audio` in packets of all lengths, each when its last sample is spoken."""
        at = 0
        while at < len(audio):
            for length_ms in self.LENGTHS_MS:
                leg.say(piece := audio[at : at + 8 * length_ms], stamp=at)
                leg.now += len(piece) / 8000
                at += len(piece)

    def test_packets_of_10_to_60_ms_are_recorded_without_a_seam(self, leg: Leg, tmp_path: Path) -> None:
        audio = encode([1000 + step % 3000 for step in range(8000)], Codec.PCMA)
        leg.connect(ptime_ms=20)
        leg.stream.record(tmp_path / "m.wav", 10, leg.now)
        self.talk(leg, audio)
        leg.stream.stop_recording()
        assert Audio.from_wav(tmp_path / "m.wav").samples == decode(audio, Codec.PCMA)

    def test_digits_as_tones_are_heard_in_packets_of_all_lengths(self, leg: Leg) -> None:
        leg.connect(ptime_ms=60, listen=True, dtmf_payload=None)
        tones = [
            tone_payload(digit_tone(digit), Codec.PCMA, 0, 400) + SILENCE[Codec.PCMA] * 400
            for digit in "159D"
        ]
        self.talk(leg, b"".join(tones))
        leg.inband.tick(leg.now + 1)
        assert [event.digit for event in leg.events if isinstance(event, DigitHeard)] == list("159D")


class TestComfortNoise:
    """RFC 3389: payload type 13 is no sound, and a silence that lasts to its timestamp at least."""

    NOISE = bytes((60, 30, 20, 10)) * 40

    def test_it_is_silence_in_a_recording_to_its_end(self, leg: Leg, tmp_path: Path) -> None:
        leg.connect()
        leg.stream.record(tmp_path / "m.wav", 10, leg.now)
        leg.say(VOICE, stamp=0)
        for stamp in (160, 1760, 4000):
            leg.now += 0.25
            leg.say(self.NOISE, rtp.COMFORT_NOISE, stamp=stamp)
        leg.stream.stop_recording()
        samples = Audio.from_wav(tmp_path / "m.wav").samples
        assert samples[:160] == decode(VOICE, Codec.PCMA)
        assert len(samples) == 4000
        assert not any(samples[160:])

    def test_it_presses_no_key_and_parts_two_digits(self, leg: Leg) -> None:
        leg.connect(listen=True, dtmf_payload=None)
        press(leg, "5")
        leg.say(self.NOISE, rtp.COMFORT_NOISE)
        leg.sequence += 10
        press(leg, "5")
        assert [event.digit for event in leg.events if isinstance(event, DigitHeard)] == list("55")

    def test_it_keeps_a_watched_stream_alive(self, leg: Leg) -> None:
        """A far end that is silent is not one that has vanished."""
        leg.connect()
        leg.stream.watch(1.0, leg.now)
        for _ in range(5):
            leg.pass_time(0.9)
            leg.say(self.NOISE, rtp.COMFORT_NOISE)
        assert leg.events == [StreamStarted()]

    def test_it_is_not_handed_on(self, leg: Leg) -> None:
        """We never send it: nobody negotiates it with us."""
        other = Leg(1, OTHER)
        leg.connect()
        other.connect()
        leg.stream.bridge(other.stream)
        leg.say(VOICE)
        leg.say(self.NOISE, rtp.COMFORT_NOISE)
        leg.say(VOICE)
        assert [packet.payload_type for packet in other.packets] == [8, 8]
        assert_continuous(other.packets)
