"""Who talks with one another at a mixer hears the sum of the others, and never himself."""

from __future__ import annotations

import asyncio
import struct
from array import array
from itertools import combinations
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.channels.media.far_end import HOST, Heard, Phone

from ringfence.channels.media import rtp
from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import CODECS, PAYLOAD_TYPES, SAMPLE_RATE_HZ, SILENCE, decode, encode
from ringfence.channels.media.inband import InbandDigits
from ringfence.channels.media.mixer import DELAY_SAMPLES, MOST_DELAY_SAMPLES
from ringfence.channels.media.plane import Codec, DigitHeard, Played, Remote, StreamClosed, Tone
from ringfence.channels.media.stream import Stream
from ringfence.channels.media.tones import tone_payload
from ringfence.channels.media.worker_plane import WorkerPlane
from ringfence.channels.network import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ringfence.channels.media.acceptance import Source
    from ringfence.channels.media.plane import MediaEvent

    Say = Callable[[int, int], bytes]

MOMENT_S = 0.001


def tone(frequency_hz: int, codec: Codec = Codec.PCMA, level_dbm0: float = -10.0) -> Say:
    """Say one tone: `samples` from `position` on."""
    one = Tone((frequency_hz,), level_dbm0=level_dbm0)
    return lambda position, samples: tone_payload(one, codec, position, samples)


class Party:
    """A far end that says something each ptime, the stream that it talks to, and what it heard of it."""

    def __init__(self, port: int, say: Say, codec: Codec = Codec.PCMA, ptime_ms: int = 20) -> None:
        self.far: Source = ("10.0.0.5", port)
        self.say = say
        self.codec = codec
        self.ptime_ms = ptime_ms
        self.events: list[MediaEvent] = []
        self.packets: list[rtp.Packet] = []
        self.sequence = 0
        self.speaks = True
        self.loses: Callable[[int], bool] = lambda _: False
        self.stream = Stream(self._take, self.events.append, Random(port), InbandDigits())
        self.connect(10.0)

    def connect(self, now: float, *, receives: bool = True) -> None:
        remote = Remote(
            Address(*self.far), self.far[0], self.codec, self.ptime_ms, dtmf_payload=101, receives=receives
        )
        self.stream.connect(remote, fill=False, now=now)

    def _take(self, data: bytes, destination: Source) -> None:
        packet = rtp.parse(data)
        assert packet is not None
        self.packets.append(packet)

    def send(self, now: float) -> None:
        """Say what comes next."""
        samples = self.ptime_ms * SAMPLE_RATE_HZ // 1000
        position, number = self.sequence * samples, self.sequence
        self.sequence += 1
        if self.speaks and not self.loses(number):
            payload_type = 9 if self.codec is Codec.G722 else PAYLOAD_TYPES[self.codec]
            self.receive(payload_type, number, position, self.say(position, samples), now)

    def receive(self, payload_type: int, sequence: int, stamp: int, payload: bytes, now: float) -> None:
        self.stream.receive(rtp.build(payload_type, sequence, stamp, 7, payload), self.far, now)

    def heard(self) -> Audio:
        """What came from the mixer since this was asked last."""
        samples = array("h")
        for packet in self.packets:
            samples += decode(packet.payload, CODECS[packet.payload_type])
        self.packets.clear()
        return Audio(samples)


class Talk:
    """Parties at one mixer, on a clock of their own."""

    def __init__(self, *parties: Party) -> None:
        self.now = 10.0
        self.moments = 0
        self.parties: Sequence[Party] = parties
        first, *others = parties
        for other in others:
            other.stream.mix(first.stream, self.now)

    def go_on(self, seconds: float) -> None:
        for _ in range(round(seconds / MOMENT_S)):
            for party in self.parties:
                if self.moments % party.ptime_ms == 0:
                    party.send(self.now)
            self.moments += 1
            self.now = 10.0 + self.moments * MOMENT_S
            for party in self.parties:
                while (due := party.stream.next_deadline()) is not None and due <= self.now:
                    party.stream.tick(self.now)


def three() -> tuple[Party, Party, Party]:
    one, two, three = (Party(4000 + hz, tone(hz)) for hz in (440, 620, 1000))
    return one, two, three


def silent() -> Party:
    party = Party(4001, tone(440))
    party.speaks = False
    return party


def shares(audio: Audio) -> list[float]:
    return [audio.power_at(hz) for hz in (440, 620, 1000)]


def test_each_of_three_hears_the_two_others_and_not_itself() -> None:
    talk = Talk(*three())
    talk.go_on(0.2)
    for party in talk.parties:
        party.heard()
    talk.go_on(1.0)
    for number, party in enumerate(talk.parties):
        heard = party.heard()
        assert heard.duration_s == pytest.approx(1.0, abs=0.02)
        assert shares(heard) == pytest.approx([0 if at == number else 0.5 for at in range(3)], abs=0.02)


def test_laws_and_packet_times_may_be_different() -> None:
    """RFC 3551 4.2: each far end has the ptime that it asked for, 10 to 60 ms."""
    kinds = [(440, Codec.PCMA, 10), (620, Codec.PCMU, 30), (1000, Codec.PCMA, 60), (1300, Codec.PCMU, 20)]
    talk = Talk(*(Party(4000 + hz, tone(hz, codec), codec, ptime) for hz, codec, ptime in kinds))
    talk.go_on(0.3)
    for party in talk.parties:
        party.heard()
    talk.go_on(1.2)
    for party, (own, codec, ptime_ms) in zip(talk.parties, kinds, strict=True):
        sizes = {(packet.payload_type, len(packet.payload)) for packet in party.packets}
        assert sizes == {(PAYLOAD_TYPES[codec], ptime_ms * 8)}
        heard = party.heard()
        for hz, *_ in kinds:
            assert heard.power_at(hz) == pytest.approx(0 if hz == own else 1 / 3, abs=0.02)


@pytest.mark.needs("G722")
def test_a_far_end_with_g722_is_heard_and_hears() -> None:
    """RFC 3551 4.5.2."""
    from G722 import G722  # noqa: PLC0415 - an optional extra

    coder, ear, narrow = G722(8000, 64000), G722(8000, 64000), tone(620)
    wide = Party(
        4620,
        lambda position, samples: bytes(coder.encode(decode(narrow(position, samples), Codec.PCMA))),
        Codec.G722,
    )
    one, other = Party(4440, tone(440)), Party(5000, tone(1000), Codec.PCMU)
    other.say = tone(1000, Codec.PCMU)
    talk = Talk(wide, one, other)
    talk.go_on(1.5)
    assert one.heard().between(0.5).power_at(620) == pytest.approx(0.5, abs=0.03)
    assert {packet.payload_type for packet in wide.packets} == {9}
    heard = Audio(array("h", b"".join(ear.decode(packet.payload).tobytes() for packet in wide.packets)))
    assert shares(heard.between(0.5)) == pytest.approx([0.5, 0, 0.5], abs=0.03)


def test_the_sum_is_exact_and_saturates() -> None:
    """G.711 codes over the whole range: what does not fit into 16 bits is the largest that does."""
    chance = Random(5)
    said = {law: chance.randbytes(16000) for law in (Codec.PCMA, Codec.PCMU)}

    def saying(law: Codec) -> Say:
        return lambda at, samples: said[law][at : at + samples]

    speakers = [Party(4000 + number, saying(law), law) for number, law in enumerate(said)]
    hearer = silent()
    talk = Talk(hearer, *speakers)
    talk.go_on(1.0)
    sums = [a + b for a, b in zip(*(decode(said[law], law) for law in said), strict=True)]
    assert max(sums) > 0x7FFF
    expected = encode([min(0x7FFF, max(-0x8000, one)) for one in sums], Codec.PCMA)
    heard = b"".join(packet.payload for packet in hearer.packets)
    begins = heard.find(expected[:160])
    assert 0 < begins <= DELAY_SAMPLES + 160
    assert heard[begins:] == expected[: len(heard) - begins]


def test_who_speaks_alone_is_heard_byte_for_byte_and_what_was_lost_is_silence() -> None:
    said = Random(6).randbytes(16000)
    speaker = Party(4000, lambda at, samples: said[at : at + samples])
    speaker.loses = lambda number: 10 <= number < 15 or number == 20
    hearer = silent()
    Talk(hearer, speaker, silent()).go_on(1.0)
    expected = bytearray(said)
    for number in (*range(10, 15), 20):
        expected[number * 160 : number * 160 + 160] = SILENCE[Codec.PCMA] * 160
    heard = b"".join(packet.payload for packet in hearer.packets)
    begins = heard.find(expected[:160])
    assert heard[begins:] == expected[: len(heard) - begins]
    assert not heard[:begins].strip(SILENCE[Codec.PCMA])


def test_packets_out_of_order_twice_and_uneven_are_put_where_they_belong() -> None:
    """RFC 3550 5.1: by their timestamps, if they come before they are due."""
    said = Random(7).randbytes(16000)
    speaker, hearer = Party(4000, lambda *_: b""), silent()
    speaker.speaks = False
    talk = Talk(hearer, speaker)
    for first in range(0, 40, 2):
        talk.go_on(0.02)
        for number in (first + 1, first, first) if first else (first, first + 1, first):
            payload = said[number * 160 : number * 160 + 160]
            speaker.receive(8, number, number * 160, payload, talk.now)
        talk.go_on(0.02)
    heard = b"".join(packet.payload for packet in hearer.packets)
    begins = heard.find(said[:160])
    assert begins >= 0
    assert said[: 36 * 160] in heard


def test_what_was_held_up_is_not_waited_for_longer_than_the_limit() -> None:
    said = Random(8).randbytes(64000)
    speaker, hearer = Party(4000, lambda at, samples: said[at : at + samples]), silent()
    talk = Talk(hearer, speaker)
    talk.go_on(0.5)
    speaker.speaks = False
    talk.go_on(0.5)
    for number in range(25, 50):
        speaker.receive(8, number, number * 160, said[number * 160 : number * 160 + 160], talk.now)
    speaker.speaks = True
    talk.go_on(1.0)
    heard = b"".join(packet.payload for packet in hearer.packets)
    said_last = speaker.sequence * 160
    heard_last = said.find(heard[-320:]) + 320
    assert heard_last >= 320, "it is heard again"
    assert said_last - heard_last <= MOST_DELAY_SAMPLES + 320
    marked = rtp.build(8 | rtp.MARKER, speaker.sequence, said_last, 7, said[said_last : said_last + 160])
    speaker.stream.receive(marked, speaker.far, talk.now)
    speaker.sequence += 1
    speaker.speaks = False
    talk.go_on(0.02)
    speaker.speaks = True
    talk.go_on(0.5)
    heard = b"".join(packet.payload for packet in hearer.packets)
    assert speaker.sequence * 160 - said.find(heard[-320:]) - 320 <= DELAY_SAMPLES + 320, (
        "a new spurt catches up"
    )


def test_who_falls_silent_is_not_heard_again_later() -> None:
    """The memory of what was said is a ring of one second."""
    talk = Talk(*three())
    talk.go_on(0.5)
    for party in talk.parties[1:]:
        party.speaks = False
    talk.go_on(0.1)
    hearer = talk.parties[0]
    hearer.heard()
    talk.go_on(3.0)
    heard = hearer.heard()
    assert heard.duration_s == pytest.approx(3.0, abs=0.02)
    assert not any(abs(sample) > 8 for sample in heard.samples)
    talk.parties[1].speaks = True
    talk.go_on(0.5)
    assert hearer.heard().between(0.1).contains_tone(620, 0.99)


def test_a_source_that_begins_anew_is_heard_from_there() -> None:
    """RFC 3550 A.1: as when captures are played one after the other under one SSRC."""
    speaker, hearer, third = Party(4000, tone(440)), Party(4002, tone(600)), Party(4004, tone(800))
    talk = Talk(speaker, hearer, third)
    talk.go_on(6.0)
    speaker.sequence = 0
    talk.go_on(0.1)
    hearer.heard()
    talk.go_on(0.5)
    assert hearer.heard().contains_tone(440, 0.4)


def test_comfort_noise_and_other_payloads_are_silence() -> None:
    """RFC 3389."""
    hearer, speaker = silent(), silent()
    talk = Talk(hearer, speaker)
    for number, payload_type in enumerate((13, 18, 96, 101)):
        speaker.receive(payload_type, number, number * 160, bytes(range(20)), talk.now)
        talk.go_on(0.02)
    talk.go_on(0.2)
    assert {packet.payload for packet in hearer.packets} == {SILENCE[Codec.PCMA] * 160}


def test_who_holds_is_neither_heard_nor_spoken_to_and_the_others_talk_on() -> None:
    """RFC 3264 8.4: of `sendonly` nothing is mixed, whatever is said beside the telephone."""
    one, two, three_ = three()
    talk = Talk(one, two, three_)
    talk.go_on(0.3)
    two.connect(talk.now, receives=False)
    talk.go_on(0.1)
    for party in talk.parties:
        party.heard()
    talk.go_on(1.0)
    assert one.heard().contains_tone(1000, 0.99)
    assert three_.heard().contains_tone(440, 0.99)
    assert not two.packets
    two.connect(talk.now)
    talk.go_on(0.1)
    one.heard()
    talk.go_on(1.0)
    assert shares(one.heard()) == pytest.approx([0, 0.5, 0.5], abs=0.02)


def test_digits_and_the_verdict_of_each_leg_are_told_as_ever() -> None:
    """RFC 4733 2.5: an event is nothing to be mixed."""
    one, two, other = three()
    talk = Talk(one, two, other)
    talk.go_on(0.5)
    for number, duration in enumerate((160, 800, 800)):
        event = struct.pack("!BBH", 5, 10 if number == 0 else 0x8A, duration)
        two.receive(101, two.sequence + number, two.sequence * 160, event, talk.now)
    assert two.events.count(DigitHeard("5")) == 1
    two.sequence += 3
    talk.go_on(0.5)
    two.stream.close()
    closed = two.events[-1]
    assert isinstance(closed, StreamClosed)
    assert closed.verdict.digits == "5"
    assert (closed.verdict.packets_lost, closed.verdict.packets_refused) == (0, 0)
    assert closed.verdict.packets_received == pytest.approx(54, abs=2)
    assert closed.verdict.packets_sent == pytest.approx(51, abs=2)


def test_what_is_played_to_one_takes_the_place_of_the_mix_for_so_long() -> None:
    one, two, other = three()
    talk = Talk(one, two, other)
    talk.go_on(0.2)
    one.stream.play(3, [Tone((1500,), 0.5)], talk.now)
    one.heard()
    talk.go_on(0.4)
    assert one.heard().contains_tone(1500, 0.99)
    assert shares(two.heard().between(0.3)) == pytest.approx([0.5, 0, 0.5], abs=0.05)
    talk.go_on(0.2)
    assert one.events[-1] == Played(3)
    one.heard()
    talk.go_on(0.5)
    assert shares(one.heard()) == pytest.approx([0, 0.5, 0.5], abs=0.02)
    one.stream.send_digits("7", talk.now)
    talk.go_on(0.2)
    assert {101, 8} == {packet.payload_type for packet in one.packets}


def test_whoever_leaves_is_not_heard_any_more_and_two_may_be_bridged_again() -> None:
    one, two, other = three()
    talk = Talk(one, two, other)
    talk.go_on(0.3)
    other.stream.close()
    other.speaks = False
    talk.go_on(0.1)
    one.heard()
    talk.go_on(0.5)
    assert one.heard().contains_tone(620, 0.99)
    assert one.stream.seat is not None
    assert len(one.stream.seat.mixer.seats) == 2
    one.stream.bridge(two.stream)
    assert [party.stream.seat for party in (one, two)] == [None, None]
    for party in (one, two):
        party.heard()
    talk.go_on(0.5)
    assert one.heard().contains_tone(620, 0.99)
    assert two.heard().contains_tone(440, 0.9)
    two.stream.mix(one.stream, talk.now)
    assert (one.stream._peer, two.stream._peer) == (None, None)
    one.stream.echo()
    talk.go_on(0.1)
    one.heard()
    talk.go_on(0.5)
    assert one.heard().contains_tone(440, 0.99), "its own, because it is an echo"
    two.stream.close()
    two.stream.mix(one.stream, talk.now)
    one.stream.mix(two.stream, talk.now)
    one.stream.mix(one.stream, talk.now)
    assert [party.stream.seat for party in (one, two)] == [None, None]


def test_a_fourth_comes_in_while_the_others_talk() -> None:
    one, two, other = three()
    fourth = Party(9000, tone(1300))
    talk = Talk(one, two, other)
    talk.parties = (one, two, other, fourth)
    talk.go_on(0.3)
    fourth.stream.mix(two.stream, talk.now)
    talk.go_on(0.2)
    for party in talk.parties:
        party.heard()
    talk.go_on(1.0)
    assert shares(fourth.heard()) == pytest.approx([1 / 3] * 3, abs=0.02)
    heard = one.heard()
    assert [heard.power_at(hz) for hz in (620, 1000, 1300)] == pytest.approx([1 / 3] * 3, abs=0.02)


def test_two_mixers_know_nothing_of_each_other() -> None:
    talks = Talk(*three()), Talk(Party(4001, tone(1300)), Party(4002, tone(1500)), silent())
    for talk in talks:
        talk.go_on(1.0)
    for (party, *_), (stranger, *_) in combinations([talk.parties for talk in talks], 2):
        assert party.heard().power_at(1300) < 0.001
        assert stranger.heard().contains_tone(1500, 0.9)


async def test_in_a_worker_each_hears_the_two_others_and_not_itself() -> None:
    """The worker's own clock paces the far ends: each answers a packet with one."""
    plane, tones = WorkerPlane(HOST, workers=1), {440: Codec.PCMA, 620: Codec.PCMU, 1000: Codec.PCMA}
    await plane.start()
    phones = [await Phone.bound() for _ in tones]
    sinks = [Heard() for _ in tones]
    streams = [await plane.open(sink) for sink in sinks]
    for stream, phone, codec in zip(streams, phones, tones.values(), strict=True):
        stream.connect(phone.remote(codec), fill=False)
    for stream in streams[1:]:
        stream.mix(streams[0])

    async def talk(number: int) -> Audio:
        phone, (hz, codec), heard = phones[number], list(tones.items())[number], array("h")
        say = tone(hz, codec)
        for turn in range(60):
            packet = await phone.got()
            if turn >= 20:
                heard += decode(packet.payload, codec)
            phone.say(streams[number].local, say(turn * 160, 160), PAYLOAD_TYPES[codec])
        return Audio(heard)

    for number, heard in enumerate(await asyncio.gather(*map(talk, range(3)))):
        expected = [0 if at == number else 0.5 for at in range(3)]
        assert shares(heard) == pytest.approx(expected, abs=0.1)
    streams[0].close()
    verdict = (await sinks[0].until(StreamClosed)).verdict
    assert (verdict.packets_lost, verdict.packets_received) == (0, 60)
    with pytest.raises(ValueError, match="another process"):
        streams[1].mix(object())  # type: ignore[arg-type]  # no stream at all
    await plane.stop()
    for phone in phones:
        phone.transport.close()
