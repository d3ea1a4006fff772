"""G.711, A-law and µ-law: decode, encode and translate whole payloads by table.

The tables are computed from the segment formulas of ITU-T G.711 (G.191 keeps the same in C). Streams, recordings,
tones and prompts all convert here. Samples are signed 16-bit integers at 8 kHz.
"""

from __future__ import annotations

import sys
from array import array
from functools import cache
from typing import TYPE_CHECKING

from .plane import Codec

if TYPE_CHECKING:
    from collections.abc import Iterable

SAMPLE_RATE_HZ = 8000

PAYLOAD_TYPES = {Codec.PCMU: 0, Codec.PCMA: 8}
"""The static payload types of RFC 3551, table 4."""

CODECS = {payload_type: codec for codec, payload_type in PAYLOAD_TYPES.items()}

SILENCE = {Codec.PCMA: b"\xd5", Codec.PCMU: b"\xff"}
"""The byte that stands for no sound."""


def _expand_alaw(code: int) -> int:
    bits = code ^ 0x55
    segment, step = bits >> 4 & 7, bits & 15
    magnitude = (step << 4) + 8 if segment == 0 else (step << 4) + 0x108 << segment - 1
    return magnitude if bits & 0x80 else -magnitude


def _compress_alaw(sample: int) -> int:
    magnitude = (sample if sample >= 0 else ~sample) >> 4
    segment = max(0, magnitude.bit_length() - 4)
    code = segment << 4 | magnitude >> max(0, segment - 1) & 15
    return (code | 0x80 if sample >= 0 else code) ^ 0x55


def _expand_ulaw(code: int) -> int:
    bits = ~code
    magnitude = (((bits & 15) << 3) + 0x84 << (bits >> 4 & 7)) - 0x84
    return -magnitude if bits & 0x80 else magnitude


def _compress_ulaw(sample: int) -> int:
    magnitude = min(((sample if sample >= 0 else ~sample) >> 2) + 33, 0x1FFF)
    segment = magnitude.bit_length() - 6
    code = segment << 4 | magnitude >> segment + 1 & 15
    return ~(code if sample >= 0 else code | 0x80) & 0xFF


_EXPAND = {
    Codec.PCMA: tuple(map(_expand_alaw, range(256))),
    Codec.PCMU: tuple(map(_expand_ulaw, range(256))),
}
_LOW_BYTES = {codec: bytes(level & 0xFF for level in levels) for codec, levels in _EXPAND.items()}
_HIGH_BYTES = {codec: bytes(level >> 8 & 0xFF for level in levels) for codec, levels in _EXPAND.items()}
_TRANSLATE = {
    Codec.PCMA: bytes(map(_compress_ulaw, _EXPAND[Codec.PCMA])),
    Codec.PCMU: bytes(map(_compress_alaw, _EXPAND[Codec.PCMU])),
}

# A-law looks at the upper 12 bits of a sample, µ-law at the upper 14: one table entry for each of these values, the
# negative half behind the positive one, so that a negative index finds its entry.
_SHIFT = {Codec.PCMA: 4, Codec.PCMU: 2}


@cache
def _compressed(codec: Codec) -> bytes:
    shift = _SHIFT[codec]
    compress = _compress_alaw if codec is Codec.PCMA else _compress_ulaw
    half = 0x8000 >> shift
    return bytes(compress(value << shift) for value in (*range(half), *range(-half, 0)))


def decode(payload: bytes | bytearray, codec: Codec) -> array[int]:
    """Return the samples of `payload`."""
    samples = array("h", bytes(decode_to_pcm(payload, codec)))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def decode_to_pcm(payload: bytes | bytearray, codec: Codec) -> bytearray:
    """Return the samples of `payload` as 16-bit little-endian integers, as a WAV file holds them."""
    pcm = bytearray(2 * len(payload))
    pcm[0::2] = payload.translate(_LOW_BYTES[codec])
    pcm[1::2] = payload.translate(_HIGH_BYTES[codec])
    return pcm


def encode(samples: Iterable[int], codec: Codec) -> bytes:
    """Return `samples`, each within 16 bits, as a payload of `codec`."""
    table, shift = _compressed(codec), _SHIFT[codec]
    return bytes([table[sample >> shift] for sample in samples])


def translate(payload: bytes, source: Codec) -> bytes:
    """Return `payload` of `source` in the other law."""
    return payload.translate(_TRANSLATE[source])
