"""RTP parsing, RFC 3550 section 5.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media import rtp

PLAIN = rtp.build(8, 7, 160, 0xDEADBEEF, b"payload")


@given(
    st.booleans(),
    st.sampled_from([0, 8, 13, 96, 101, 127]),
    st.integers(0, 0xFFFF),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=480),
)
def test_what_is_built_is_parsed_back(
    marker: bool, payload_type: int, sequence: int, stamp: int, ssrc: int, payload: bytes
) -> None:
    data = rtp.build(payload_type | rtp.MARKER if marker else payload_type, sequence, stamp, ssrc, payload)
    assert rtp.parse(data) == rtp.Packet(marker, payload_type, sequence, stamp, ssrc, payload)


@given(st.binary(max_size=64))
def test_no_bytes_raise(data: bytes) -> None:
    rtp.parse(data)
    rtp.parse(b"\xbf" + data)


def test_contributing_sources_extension_and_padding_are_taken_off() -> None:
    header = bytes([0x80 | 0x20 | 0x10 | 2]) + PLAIN[1:12]
    data = header + b"C" * 8 + b"\xbe\xde\x00\x01" + b"X" * 4 + b"payload" + b"\x00\x00\x03"
    packet = rtp.parse(data)
    assert packet is not None
    assert packet.payload == b"payload"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN[:11],
        b"\x40" + PLAIN[1:],
        b"\xc0" + PLAIN[1:],
        b"\x8f" + PLAIN[1:],
        b"\x90" + PLAIN[1:12] + b"\xbe\xde\x00\x09",
        b"\x90" + PLAIN[1:12] + b"\xbe\xde",
        b"\xa0" + PLAIN[1:12] + b"ab\x00",
        b"\xa0" + PLAIN[1:12] + b"ab\x04",
        PLAIN + bytes(rtp.MAX_BYTES),
    ],
    ids=[
        "empty", "short", "version 1", "version 3", "sources past the end", "extension past the end",
        "half an extension", "padding of 0", "padding past the payload", "too long",
    ],
)  # fmt: skip
def test_what_is_no_packet_is_none(data: bytes) -> None:
    assert rtp.parse(data) is None


@pytest.mark.parametrize("kind", [200, 201, 202, 203, 204])
def test_rtcp_on_the_same_port_is_no_rtp(kind: int) -> None:
    """RFC 5761 section 4."""
    assert rtp.parse(bytes([0x80, kind]) + PLAIN[2:]) is None
