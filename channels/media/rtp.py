"""RTP packets (RFC 3550, section 5.1): a strict, bounded parser and a builder.

Streams parse everything that reaches their port here; what is no RTP version 2 packet, or RTCP that shares the port
(RFC 5761, section 4), is None and never half a packet.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

MAX_BYTES = 1500
"""No datagram longer than this is looked at."""

MARKER = 0x80
"""The marker bit, as it stands beside the payload type."""

MAX_MISORDER = 100
"""A sequence number further behind than this is a new beginning of its source, not a late packet (A.1)."""

COMFORT_NOISE = 13
"""The static payload type of RFC 3389: its sender is silent, and says how the silence would sound."""

RTCP_PAYLOAD_TYPES = range(64, 96)
"""What looks like these is RTCP, and never RTP (RFC 5761, section 4)."""

_FIRST_RTCP, _BEYOND_RTCP = RTCP_PAYLOAD_TYPES.start, RTCP_PAYLOAD_TYPES.stop

_HEADER = Struct("!BBHII")
_HEADER_BYTES = _HEADER.size
_unpack, _pack = _HEADER.unpack_from, _HEADER.pack
_PLAIN = 0x80  # version 2; no padding, extension or contributing source
_new = tuple.__new__
_PADDING, _EXTENSION, _SOURCES = 0x20, 0x10, 0x0F


class Packet(NamedTuple):
    """What a receiver needs of one packet; a tuple because one is made for each packet of each call."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Packet | None:
    """Return the packet in `data`, without padding, extension and contributing sources; None if it is not RTP."""
    if not _HEADER_BYTES <= len(data) <= MAX_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _unpack(data)
    payload_type = second & 0x7F
    if _FIRST_RTCP <= payload_type < _BEYOND_RTCP:
        return None
    if first == _PLAIN:
        payload = data[12:]
    elif first >> 6 == 2 and (bounds := _payload_bounds(data, first)) is not None:
        payload = data[bounds[0] : bounds[1]]
    else:
        return None
    # As `Packet(…)`, which takes three times as long.
    return _new(Packet, (second > 0x7F, payload_type, sequence, timestamp, ssrc, payload))


def _payload_bounds(data: bytes, first: int) -> tuple[int, int] | None:
    start, end = _HEADER_BYTES + 4 * (first & _SOURCES), len(data)
    if first & _EXTENSION:
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & _PADDING:
        if data[-1] == 0:
            return None
        end -= data[-1]
    return (start, end) if start <= end else None


def is_newer(sequence: int, latest: int) -> bool:
    """Tell whether a packet of the same source comes behind the one of `latest`, or its source began anew (A.1)."""
    return 0 < (sequence - latest) & 0xFFFF < 0x10000 - MAX_MISORDER


def build(payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> bytes:
    """Return a packet; `payload_type` may carry `MARKER`."""
    return _pack(_PLAIN, payload_type, sequence, timestamp, ssrc) + payload
