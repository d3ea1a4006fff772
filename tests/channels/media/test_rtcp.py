"""RTCP packets (RFC 3550, section 6): what is built is read back, and what is malformed is nothing at all."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media import rtcp, rtp
from ringfence.channels.media.rtcp import Block, Compound, Sending

SENDING = Sending(0x0000_1234_8000_0000, 48_000, 300, 48_000)
BLOCK = Block(77, 25, 12, 0x1_0203, 40, 0x1234_8000, 65_536)
NAME = b"0123456789abcdef"
REPORT = rtcp.report(7, SENDING, [BLOCK], NAME)


@pytest.mark.parametrize("sending", [SENDING, None])
@pytest.mark.parametrize("blocks", [(), (BLOCK,), (BLOCK, BLOCK)])
def test_a_report_is_read_back(sending: Sending | None, blocks: tuple[Block, ...]) -> None:
    """Sections 6.4.1 and 6.4.2."""
    data = rtcp.report(7, sending, blocks, NAME)
    assert rtcp.parse(data) == Compound(7, sending, blocks)
    assert rtcp.parse(data + rtcp.goodbye(7)) == Compound(7, sending, blocks)
    assert len(data) % 4 == 0
    assert rtp.parse(data) is None  # RFC 5761, 4: it can share a port with RTP


def test_a_report_carries_the_name_of_its_source() -> None:
    """Section 6.5.1: SDES with CNAME is in every compound packet, ended by a zero and padded to 32 bits."""
    sdes = REPORT[52:]
    assert struct.unpack("!BBHIBB", sdes[:10]) == (0x81, 202, len(sdes) // 4 - 1, 7, 1, len(NAME))
    assert sdes[10:26] == NAME
    assert set(sdes[26:]) == {0}


def test_lost_packets_may_be_fewer_than_none() -> None:
    """Section 6.4.1: duplicates make the cumulative number negative; it is signed, of 24 bits."""
    data = bytearray(REPORT)
    data[33:36] = b"\xff\xff\xfe"
    compound = rtcp.parse(bytes(data))
    assert compound is not None
    assert compound.blocks[0].lost == -2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REPORT[:7],
        REPORT[:-1],
        REPORT + b"\x80",
        b"\x40" + REPORT[1:],  # another version
        b"\xa1" + REPORT[1:],  # padding anywhere but at the end
        b"\x9f" + REPORT[1:],  # more blocks than there is room for
        REPORT[:2] + b"\xff\xff" + REPORT[4:],  # longer than it is
        REPORT[52:],  # SDES first
        rtcp.goodbye(7),
        rtp.build(8, 1, 160, 7, b"\xd5" * 160),
        REPORT * 30,  # longer than any datagram of ours
    ],
)
def test_what_is_malformed_is_nothing(data: bytes) -> None:
    """Appendix A.2."""
    assert rtcp.parse(data) is None


@given(st.binary(max_size=200), st.integers(0, 51), st.binary(max_size=8))
def test_no_datagram_does_harm(junk: bytes, at: int, patch: bytes) -> None:
    rtcp.parse(junk)
    rtcp.parse(b"\x81\xc8" + junk)
    rtcp.parse(REPORT[:at] + patch + REPORT[at + len(patch) :])
