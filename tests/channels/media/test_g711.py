"""G.711 against the formulas of the ITU-T software library (G.191), written down here a second time."""

from array import array
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media import g711
from ringfence.channels.media.plane import Codec

ALL_CODES = bytes(range(256))
ALL_SAMPLES = range(-32768, 32768)


def itu_alaw_compress(sample: int) -> int:
    value = (~sample if sample < 0 else sample) >> 4
    if value > 15:
        exponent = 1
        while value > 31:
            value >>= 1
            exponent += 1
        value = value - 16 + (exponent << 4)
    if sample >= 0:
        value |= 0x80
    return value ^ 0x55


def itu_alaw_expand(code: int) -> int:
    bits = (code ^ 0x55) & 0x7F
    exponent, mantissa = bits >> 4, bits & 0x0F
    if exponent > 0:
        mantissa += 16
    mantissa = (mantissa << 4) + 8
    if exponent > 1:
        mantissa <<= exponent - 1
    return mantissa if code > 127 else -mantissa


def itu_ulaw_compress(sample: int) -> int:
    magnitude = ((~sample if sample < 0 else sample) >> 2) + 33
    magnitude = min(magnitude, 0x1FFF)
    segment, rest = 1, magnitude >> 6
    while rest:
        segment += 1
        rest >>= 1
    code = (8 - segment) << 4 | 0x0F - (magnitude >> segment & 0x0F)
    return code | 0x80 if sample >= 0 else code


def itu_ulaw_expand(code: int) -> int:
    inverted = ~code
    exponent, mantissa = inverted >> 4 & 7, inverted & 0x0F
    step = 4 << exponent + 1
    value = (0x80 << exponent) + step * mantissa + step // 2 - 4 * 33
    return -value if code < 0x80 else value


@pytest.mark.parametrize(
    ("codec", "compress"), [(Codec.PCMA, itu_alaw_compress), (Codec.PCMU, itu_ulaw_compress)]
)
def test_every_sample_is_encoded_as_the_itu_does(codec: Codec, compress: Callable[[int], int]) -> None:
    assert g711.encode(ALL_SAMPLES, codec) == bytes(map(compress, ALL_SAMPLES))


@pytest.mark.parametrize(("codec", "expand"), [(Codec.PCMA, itu_alaw_expand), (Codec.PCMU, itu_ulaw_expand)])
def test_every_code_is_decoded_as_the_itu_does(codec: Codec, expand: Callable[[int], int]) -> None:
    assert list(g711.decode(ALL_CODES, codec)) == list(map(expand, range(256)))


@pytest.mark.parametrize("codec", list(g711.PAYLOAD_TYPES))
def test_what_is_decoded_encodes_to_the_same_code(codec: Codec) -> None:
    twice = g711.encode(g711.decode(ALL_CODES, codec), codec)
    negative_zero = {0x7F: 0xFF} if codec is Codec.PCMU else {}
    assert list(twice) == [negative_zero.get(code, code) for code in ALL_CODES]


@pytest.mark.parametrize("codec", list(g711.PAYLOAD_TYPES))
def test_translation_is_decoding_and_encoding_in_the_other_law(codec: Codec) -> None:
    other = Codec.PCMU if codec is Codec.PCMA else Codec.PCMA
    assert g711.translate(ALL_CODES, codec) == g711.encode(g711.decode(ALL_CODES, codec), other)


@pytest.mark.parametrize("codec", list(g711.PAYLOAD_TYPES))
def test_the_silence_byte_is_the_quietest_positive_level(codec: Codec) -> None:
    assert g711.decode(g711.SILENCE[codec], codec)[0] in {0, 8}


@given(st.lists(st.integers(-32768, 32767), max_size=400), st.sampled_from(sorted(g711.PAYLOAD_TYPES)))
def test_encoding_errs_by_at_most_half_a_step_of_the_segment(samples: list[int], codec: Codec) -> None:
    heard = g711.decode(g711.encode(samples, codec), codec)
    for said, got in zip(samples, heard, strict=True):
        assert abs(said - got) <= max(16, abs(said) // 16, abs(said) - 31900)


def test_pcm_is_little_endian_as_a_wav_file_holds_it() -> None:
    assert g711.decode_to_pcm(b"\x2a", Codec.PCMA) == array("h", [-32256]).tobytes() == b"\x00\x82"
