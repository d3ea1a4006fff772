"""RTCP packets (RFC 3550, section 6): a strict, bounded reader of what a far end reports, and builders.

`reporter` speaks it for a stream. A compound packet is read completely or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from .rtp import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, GOODBYE = 200, 201, 202, 203

_VERSION = 0x80
_PADDING = 0x20
_COUNT = 0x1F
_HEAD = Struct("!BBH")
_SSRC = Struct("!I")
_SENDER = Struct("!IIIII")
_BLOCK = Struct("!IIIIII")
_CNAME = 1
_MOST_LOST = 0x7FFFFF


@dataclass(frozen=True, slots=True)
class Sending:
    """What a sender report tells of its sender (6.4.1): `ntp` has 32 bits of seconds and 32 of their fraction."""

    ntp: int
    stamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Block:
    """One reception report block (6.4.1); `last_report` and `since` count 1/65536 of a second."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    since: int


@dataclass(frozen=True, slots=True)
class Compound:
    """What was read: the sender report of `ssrc`, if there was one, and all blocks."""

    ssrc: int
    sending: Sending | None
    blocks: tuple[Block, ...]


def parse(data: bytes) -> Compound | None:
    """Read a compound packet; None if it is none by the checks of appendix A.2."""
    size = len(data)
    if not 8 <= size <= MAX_BYTES or data[1] not in (SENDER_REPORT, RECEIVER_REPORT):
        return None
    at, blocks = 0, list[Block]()
    ssrc = _SSRC.unpack_from(data, 4)[0]
    sending: Sending | None = None
    while at < size:
        if size - at < _HEAD.size:
            return None
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 * (words + 1)
        padded = first & _PADDING != 0
        if first & 0xC0 != _VERSION or end > size or (padded and end < size):
            return None
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            begin = at + 8 + (_SENDER.size if kind == SENDER_REPORT else 0)
            stop = begin + _BLOCK.size * (first & _COUNT)
            if stop > end:
                return None
            if kind == SENDER_REPORT and sending is None:
                high, low, *rest = _SENDER.unpack_from(data, at + 8)
                sending = Sending(high << 32 | low, *rest)
            blocks += [_block(data, place) for place in range(begin, stop, _BLOCK.size)]
        at = end
    return Compound(ssrc, sending, tuple(blocks))


def _block(data: bytes, at: int) -> Block:
    ssrc, losses, *rest = _BLOCK.unpack_from(data, at)
    lost = losses & 0xFFFFFF
    return Block(ssrc, losses >> 24, lost - 0x1000000 if lost > _MOST_LOST else lost, *rest)


def report(ssrc: int, sending: Sending | None, blocks: Sequence[Block], name: bytes) -> bytes:
    """Build a sender report, or without `sending` a receiver report, and the CNAME that must go with it (6.1)."""
    body = _SSRC.pack(ssrc)
    if sending is not None:
        body += _SENDER.pack(
            sending.ntp >> 32, sending.ntp & 0xFFFFFFFF, sending.stamp, sending.packets, sending.octets
        )
    for one in blocks:
        losses = one.fraction_lost << 24 | min(one.lost, _MOST_LOST)
        body += _BLOCK.pack(one.ssrc, losses, one.highest, one.jitter, one.last_report, one.since)
    kind = RECEIVER_REPORT if sending is None else SENDER_REPORT
    item = bytes((_CNAME, len(name))) + name + b"\0"
    chunk = _SSRC.pack(ssrc) + item.ljust((len(item) + 3) & ~3, b"\0")
    return _packet(kind, len(blocks), body) + _packet(DESCRIPTION, 1, chunk)


def goodbye(ssrc: int) -> bytes:
    """Build the BYE that stands behind the last report (6.6)."""
    return _packet(GOODBYE, 1, _SSRC.pack(ssrc))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(_VERSION | count, kind, len(body) // 4) + body
