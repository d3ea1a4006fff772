"""SRTP contexts: known answers, rollover, replay, and keys that change (RFC 3711)."""

from __future__ import annotations

from base64 import b64encode
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.channels.media.reference_srtp import MASTER_KEY, MASTER_SALT, Reference, derive, keystream

from ringfence.channels.media import rtcp, rtp
from ringfence.channels.media.outgoing import Outgoing
from ringfence.channels.media.srtp import MOST_SOURCES, Keys, Srtp, Suite

if TYPE_CHECKING:
    from ringfence.channels.media.acceptance import Source

pytestmark = pytest.mark.needs("pylibsrtp")
FAR: Source = ("10.0.0.5", 4000)
RFC_KEY = b64encode(MASTER_KEY + MASTER_SALT).decode()
AES = [Suite.AES_80, Suite.AES_32]


def key(suite: Suite, filling: int) -> str:
    return b64encode(bytes([filling]) * suite.key_bytes).decode()


def packet(sequence: int, payload: bytes = b"spoken", ssrc: int = 0xCAFEBABE) -> bytes:
    return rtp.build(8, sequence, sequence * 160, ssrc, payload)


class End:
    """The contexts of one end, and what it has sent."""

    def __init__(self, suite: Suite, ours: str, theirs: str) -> None:
        self.sent: list[bytes] = []
        self.outgoing = Outgoing(Random(1))
        self.srtp = Srtp(Keys(suite, ours, theirs), lambda data, _: self.sent.append(data), self.outgoing)

    def send(self, *packets: bytes) -> list[bytes]:
        before = len(self.sent)
        for one in packets:
            self.srtp.transmit(one, FAR)
        return self.sent[before:]


def pair(suite: Suite = Suite.AES_80) -> tuple[End, End]:
    return End(suite, key(suite, 1), key(suite, 2)), End(suite, key(suite, 2), key(suite, 1))


# -- known answers -----------------------------------------------------------------------------------------------------


def test_the_reference_has_the_key_stream_of_b_2() -> None:
    """RFC 3711 B.2."""
    session_key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
    session_salt = bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD")
    stream = keystream(session_key, session_salt, 16 * 0xFF02)
    assert stream[:32].hex() == "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
    assert stream[-32:].hex() == "362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44"


@pytest.mark.parametrize(
    ("label", "derived"),
    [
        (0, "C61E7A93744F39EE10734AFE3FF7A087"),
        (2, "30CBBC08863D8C85D49DB34A9AE1"),
        (1, ("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF722709863"
            "71C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2")),
    ],
)  # fmt: skip
def test_the_reference_has_the_keys_of_b_3(label: int, derived: str) -> None:
    """RFC 3711 B.3: cipher key, cipher salt, authentication key."""
    assert derive(MASTER_KEY, MASTER_SALT, label, len(derived) // 2).hex() == derived.lower()


@pytest.mark.parametrize("suite", AES)
def test_packets_are_sealed_and_opened_as_the_rfc_says(suite: Suite) -> None:
    """RFC 3711 3.1, 4.1.1, 4.2 and 4.3.1 by the key of B.3; RFC 4568 6.2.1 and 6.2.2 for the tags."""
    end, reference = End(suite, RFC_KEY, RFC_KEY), Reference.of(suite, RFC_KEY)
    plain = packet(0x1234, bytes([0xAB]) * 16)
    assert end.send(plain) == [reference.seal(plain)]
    assert end.srtp.open(reference.seal(plain)) == plain


@pytest.mark.parametrize("suite", AES)
def test_reports_are_sealed_and_opened_as_the_rfc_says(suite: Suite) -> None:
    """RFC 3711 3.4: encrypted, numbered, and with a tag of 80 bits also where packets have 32 (RFC 4568 6.2.2)."""
    end, reference = End(suite, RFC_KEY, RFC_KEY), Reference.of(suite, RFC_KEY)
    report = rtcp.report(0xCAFEBABE, None, (), b"name")
    sealed = [end.srtp.seal_report(report) for _ in range(2)]
    first = int.from_bytes(sealed[0][-14:-10], "big") & 0x7FFFFFFF
    assert sealed == [reference.seal_report(report, index) for index in (first, first + 1)]
    assert end.srtp.open_report(reference.seal_report(report, 7)) == report


@pytest.mark.parametrize("suite", Suite)
def test_two_ends_understand_each_other_and_nobody_else(suite: Suite) -> None:
    """RFC 4568 6.2, RFC 7714; of each suite a packet that was touched is not opened (RFC 3711 3.3)."""
    one, other = pair(suite)
    (sealed,) = one.send(packet(1))
    assert b"spoken" not in sealed
    touched = sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]
    assert (other.srtp.open(touched), other.srtp.unauthentic) == (None, 1)
    assert other.srtp.open(sealed) == packet(1)
    report = rtcp.report(1, None, (), b"name")
    assert other.srtp.open_report(one.srtp.seal_report(report)) == report
    assert other.srtp.open_report(report) is None


# -- index and replay --------------------------------------------------------------------------------------------------


def test_the_rollover_counter_counts_on_both_sides_of_a_wrap() -> None:
    """RFC 3711 3.3.1: also a packet from before the wrap that comes after it."""
    end, reference = End(Suite.AES_80, RFC_KEY, RFC_KEY), Reference.of(Suite.AES_80, RFC_KEY)
    plain = {sequence: packet(sequence) for sequence in (65530, 65534, 65535, 0, 1)}
    rollovers = {0: 1, 1: 1}
    sealed = {sequence: reference.seal(one, rollovers.get(sequence, 0)) for sequence, one in plain.items()}
    assert end.send(*plain.values()) == list(sealed.values())
    for sequence in (65530, 65534, 0, 65535, 1):
        assert end.srtp.open(sealed[sequence]) == plain[sequence], sequence


def test_late_packets_are_opened_and_replayed_ones_are_not() -> None:
    """RFC 3711 3.3.2: the window; a duplicate is none that was forged."""
    one, other = pair()
    sealed = one.send(*map(packet, range(400)))
    for number in (0, 100, 50, 399, 300):
        assert other.srtp.open(sealed[number]) == packet(number), number
    assert [other.srtp.open(sealed[number]) for number in (399, 300)] == [None, None]
    assert (other.srtp.replayed, other.srtp.unauthentic) == (2, 0)
    assert other.srtp.open(sealed[200]) is None, "it is older than the window"
    assert (other.srtp.replayed, other.srtp.unauthentic) == (2, 1)


def test_a_forged_packet_does_not_move_the_index() -> None:
    """RFC 3711 3.3: rollover counter and window are updated only by what was authentic."""
    one, other = pair()
    first, second = one.send(packet(10), packet(11))
    assert other.srtp.open(first) == packet(10)
    for sequence in (11, 5000, 40000, 65535, 0):
        assert other.srtp.open(packet(sequence, bytes(20))) is None
    assert other.srtp.open(second) == packet(11)
    assert other.srtp.unauthentic == 5


def test_what_is_no_packet_is_not_opened() -> None:
    """Of what is no RTP at all, as STUN is, nothing is left; it is not authentic either way, but not counted so."""
    _, other = pair()
    packets = (b"\x80", b"\x80\x08", b"\x80\xc8", b"\x80\xc9\0\1\0\0\0\1", b"\x80" + bytes(3000))
    for data in packets:
        assert (other.srtp.open(data), other.srtp.open_report(data)) == (None, None), data
    for data in (b"", bytes(12), b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)):
        assert (other.srtp.open(data), other.srtp.open_report(data)) == (b"", b""), data
    assert other.srtp.unauthentic == 2 * len(packets)


def test_no_packet_is_sent_with_an_index_that_was_used() -> None:
    """RFC 3711 9.1: a key stream that is used twice gives both texts away."""
    one, other = pair()
    assert len(one.send(packet(5), packet(4), packet(5, b"others"), packet(4))) == 2
    assert [other.srtp.open(one) for one in one.sent] == [packet(5), packet(4)]


def test_a_relayed_source_that_began_anew_goes_on_in_our_count() -> None:
    one, _ = pair()
    source = rtp.Packet(False, 8, 1000, 0, 77, b"spoken")
    for sequence in (1000, 1001, 200, 201, 202):
        one.send(one.outgoing.relayed(source._replace(sequence=sequence), 8, b"spoken", now=1.0))
    numbers = [int.from_bytes(data[2:4], "big") for data in one.sent]
    assert [number - numbers[0] for number in numbers] == [0, 1, 2, 3]


def test_a_far_end_has_not_more_sources_than_are_followed() -> None:
    one, other = pair()
    sealed = one.send(*(packet(1, ssrc=number) for number in range(MOST_SOURCES + 1)))
    opened = [other.srtp.open(data) for data in sealed]
    assert [data is None for data in opened] == [False] * MOST_SOURCES + [True]


# -- keys that change --------------------------------------------------------------------------------------------------


def test_the_same_keys_again_leave_the_contexts_as_they_are() -> None:
    """RFC 3264 8: a hold is no new key; the rollover counter goes on."""
    end, reference = End(Suite.AES_80, RFC_KEY, RFC_KEY), Reference.of(Suite.AES_80, RFC_KEY)
    end.send(packet(65535), packet(0))
    end.srtp.open(reference.seal(packet(65535)))
    end.srtp.renew(Keys(Suite.AES_80, RFC_KEY, RFC_KEY))
    assert end.send(packet(1)) == [reference.seal(packet(1), rollovers=1)]
    assert end.srtp.open(reference.seal(packet(1), rollovers=1)) == packet(1)


def test_what_is_under_way_with_the_last_key_is_understood_until_the_new_one_is_used() -> None:
    one, other = pair()
    sealed = one.send(packet(1), packet(2), packet(3))
    assert other.srtp.open(sealed[0]) == packet(1)
    new = key(Suite.AES_32, 3)
    other.srtp.renew(Keys(Suite.AES_32, key(Suite.AES_32, 2), new))
    one.srtp.renew(Keys(Suite.AES_32, new, key(Suite.AES_32, 2)))
    assert other.srtp.open(sealed[1]) == packet(2)
    (fresh,) = one.send(packet(4))
    assert other.srtp.open(fresh) == packet(4)
    assert other.srtp.open(sealed[2]) is None
    assert (other.srtp.suite, other.srtp.unauthentic) == (Suite.AES_32, 1)


def test_keys_are_not_shown() -> None:
    assert repr(Keys(Suite.AES_80, "ours", "theirs")) == f"Keys(suite={Suite.AES_80!r})"
