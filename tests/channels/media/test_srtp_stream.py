"""Streams whose far end speaks SRTP: what they send, take and refuse, and what a bridge makes of it."""

from __future__ import annotations

from base64 import b64encode
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.channels.media.clocked import Clocked

from ringfence.channels.media import rtcp, rtp
from ringfence.channels.media.g711 import PAYLOAD_TYPES, encode, translate
from ringfence.channels.media.inband import InbandDigits
from ringfence.channels.media.outgoing import Outgoing
from ringfence.channels.media.plane import (
    Codec,
    DigitHeard,
    MediaEvent,
    Remote,
    StreamStarted,
    Tone,
)
from ringfence.channels.media.srtp import Keys, Srtp, Suite
from ringfence.channels.media.stream import Stream
from ringfence.channels.network import Address

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.channels.media.acceptance import Source

pytestmark = pytest.mark.needs("pylibsrtp")
FAR: Source = ("10.0.0.5", 4000)
MOVED: Source = ("10.0.0.5", 4444)
STRANGER: Source = ("203.0.113.9", 4000)
OURS, THEIRS, NEW = (b64encode(bytes([one]) * 30).decode() for one in (1, 2, 3))
KEYS = Keys(Suite.AES_80, OURS, THEIRS)
VOICE = encode(range(-8000, 8000, 100), Codec.PCMA)
FOUR = b"\x04\x0a\x00\xa0"


class Leg(Clocked):
    """A stream, and its far end, which has the keys of `keys` the other way round, or none."""

    def __init__(self, keys: Keys | None = KEYS, *, mux: bool = True, codec: Codec = Codec.PCMA) -> None:
        self.now = 100.0
        self.events: list[MediaEvent] = []
        self.wire: list[tuple[bytes, Source]] = []
        self.beside: list[bytes] = []
        self.stream = Stream(
            lambda data, to: self.wire.append((data, to)),
            self.events.append,
            Random(1),
            InbandDigits(),
            lambda data, _: self.beside.append(data),
        )
        self.remote = Remote(
            Address(*FAR),
            FAR[0],
            codec,
            dtmf_payload=101,
            rtcp=Address(FAR[0], 4001),
            rtcp_mux=mux,
            keys=keys,
        )
        self._sealed: list[bytes] = []
        self.sequence = 0
        self.far: Srtp | None = None
        if keys is not None:
            swapped = Keys(keys.suite, keys.theirs, keys.ours)
            self.far = Srtp(swapped, lambda data, _: self._sealed.append(data), Outgoing(Random(2)))
        self.connect()

    def connect(self) -> None:
        self.stream.connect(self.remote, fill=False, now=self.now)

    def next(self, payload: bytes = VOICE, payload_type: int = 8) -> bytes:
        """What the far end sends next, as it is on the wire."""
        self.sequence += 1
        data = rtp.build(payload_type, self.sequence, self.sequence * 160, 77, payload)
        if self.far is None:
            return data
        self.far.transmit(data, FAR)
        return self._sealed[-1]

    def take(self, *packets: bytes, source: Source = FAR) -> None:
        for data in packets:
            self.stream.receive(data, source, self.now)

    @property
    def heard(self) -> list[rtp.Packet]:
        """What the far end makes of the packets that it got; ask once, since it takes no packet twice."""
        plain = [data if self.far is None else self.far.open(data) for data, _ in self.wire]
        return [packet for data in plain if data is not None and (packet := rtp.parse(data)) is not None]


def test_a_far_end_hears_and_is_heard_by_its_keys(tmp_path: Path) -> None:
    leg = Leg()
    leg.stream.play(1, [Tone((440,), 0.2)], leg.now)
    leg.take(*(leg.next() for _ in range(5)), leg.next(FOUR, 101))
    leg.pass_time(0.3)
    assert len(leg.heard) == 10
    assert all(rtp.parse(data) is None or VOICE not in data for data, _ in leg.wire)
    assert DigitHeard("4") in leg.events
    verdict = leg.verdict
    assert (verdict.encryption, verdict.packets_received, verdict.packets_unauthentic) == (Suite.AES_80, 6, 0)


def test_what_is_not_authentic_neither_begins_a_stream_nor_moves_it() -> None:
    """RFC 3711 3.3 before the acceptance rule: who has not the key cannot have the port learnt."""
    leg = Leg()
    leg.stream.echo()
    plain = rtp.build(8, 9, 9, 77, VOICE)
    leg.take(plain, plain + bytes(10), source=MOVED)
    assert not leg.events
    leg.take(leg.next())
    assert (len(leg.events), isinstance(leg.events[0], StreamStarted)) == (1, True)
    assert [to for _, to in leg.wire] == [FAR]
    verdict = leg.verdict
    assert (verdict.packets_received, verdict.packets_refused, verdict.packets_unauthentic) == (1, 0, 2)


def test_what_is_no_rtp_is_refused_as_ever() -> None:
    """Linphone asks by STUN (RFC 8489), with keys or without."""
    for mux in (True, False):
        leg = Leg(mux=mux)
        stun = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
        leg.take(stun)
        leg.stream.receive_control(stun, (FAR[0], 4001), leg.now)
        verdict = leg.verdict
        assert (verdict.packets_refused, verdict.packets_unauthentic) == (2, 0)


def test_a_copy_from_a_wrong_source_does_not_make_the_packet_a_replay() -> None:
    leg = Leg()
    data = leg.next()
    leg.take(data, source=STRANGER)
    leg.take(data)
    verdict = leg.verdict
    assert (verdict.packets_received, verdict.packets_refused, verdict.packets_duplicate) == (1, 1, 0)


def test_late_and_duplicate_packets_count_as_without_encryption() -> None:
    """RFC 3711 3.3.2: the window tells duplicates apart, and the verdict is the same."""
    verdicts = []
    for keys in (KEYS, None):
        leg = Leg(keys)
        first, second, third, _, last = (leg.next() for _ in range(5))
        leg.take(first, third, second, third, third, last)
        verdict = leg.verdict
        verdicts.append(
            (
                verdict.packets_received,
                verdict.packets_lost,
                verdict.packets_reordered,
                verdict.packets_duplicate,
                verdict.loss,
            )
        )
    assert verdicts == [(6, 1, 1, 2, 0.2)] * 2


@pytest.mark.parametrize("codec", [Codec.PCMA, Codec.PCMU])
@pytest.mark.parametrize("keys", [None, Keys(Suite.AES_32, NEW, OURS)])
def test_a_bridge_encrypts_and_decrypts_between_both_ends(keys: Keys | None, codec: Codec) -> None:
    """Between SRTP and RTP, and between two keys, translating codecs as always."""
    one, other = Leg(), Leg(keys, codec=codec)
    one.stream.bridge(other.stream)
    spoken = VOICE if codec is Codec.PCMA else translate(VOICE, Codec.PCMA)
    one.take(one.next(), one.next(), one.next(FOUR, 101))
    other.take(other.next(spoken, PAYLOAD_TYPES[codec]), other.next(FOUR, 101))
    assert [packet.payload for packet in other.heard] == [spoken, spoken, FOUR]
    assert [packet.payload for packet in one.heard] == [
        translate(spoken, codec) if codec is Codec.PCMU else VOICE,
        FOUR,
    ]


def test_packets_that_overtake_the_keys_are_opened_with_them() -> None:
    leg = Leg()
    fresh = Stream(lambda *_: None, leg.events.append, Random(3), InbandDigits())
    fresh.receive(leg.next(), FAR, leg.now)
    fresh.connect(leg.remote, fill=False, now=leg.now)
    fresh.tick(leg.now)
    assert isinstance(leg.events[0], StreamStarted)


@pytest.mark.parametrize("mux", [True, False])
def test_reports_are_srtcp_both_ways(mux: bool) -> None:
    """RFC 3711 3.4, and RFC 5761 4 where they share the port."""
    leg = Leg(mux=mux)
    leg.stream.play(1, [Tone((440,), 0.1)], leg.now)
    leg.pass_time(5)
    assert leg.far is not None
    reports = [data for data, _ in leg.wire if 192 <= data[1] < 224] if mux else leg.beside
    assert reports
    assert all(rtcp.parse(data) is None for data in reports)
    opened = leg.far.open_report(reports[0])
    assert opened is not None
    told = rtcp.parse(opened)
    assert told is not None
    assert told.sending is not None
    assert told.sending.packets == 5
    block = rtcp.Block(told.ssrc, 0, 2, 5, 0, 0, 0)
    answer = rtcp.report(77, None, (block,), b"far")
    take = leg.take if mux else lambda data: leg.stream.receive_control(data, (FAR[0], 4001), leg.now)
    take(answer)
    take(leg.far.seal_report(answer))
    verdict = leg.verdict
    assert verdict.remote is not None
    assert (verdict.remote.packets_lost, verdict.packets_unauthentic, verdict.packets_refused) == (2, 1, 0)


@pytest.mark.needs("G722")
def test_g722_is_encrypted_as_all_else() -> None:
    """The order of coder and cipher: also when keys come to a stream that speaks G.722 already."""
    leg = Leg(codec=Codec.G722)
    leg.stream.play(1, [Tone((440,), 0.1)], leg.now)
    leg.pass_time(0.2)
    assert [packet.payload_type & 0x7F for packet in leg.heard] == [9] * 5


def test_the_end_of_encryption_and_its_return_with_another_key() -> None:
    """RFC 3264 8: an offer may change all of it."""
    leg = Leg()
    leg.take(leg.next())
    encrypted, leg.remote = leg.remote, Leg(None).remote
    leg.connect()
    leg.take(rtp.build(8, 2, 320, 77, VOICE))
    leg.remote = encrypted
    leg.connect()
    leg.sequence = 2
    leg.take(rtp.build(8, 3, 480, 77, VOICE), leg.next())
    verdict = leg.verdict
    assert (verdict.packets_received, verdict.packets_unauthentic) == (3, 1)
