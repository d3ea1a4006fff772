"""Digits in the bodies of INFO."""

from __future__ import annotations

import pytest

from ringfence.server.sip.grammar import SipSyntaxError
from ringfence.server.sip.info_digits import FLASH, read_digit, write_digit


@pytest.mark.parametrize("digit", "0123456789*#ABCD")
def test_what_is_written_is_read(digit: str) -> None:
    assert read_digit(write_digit(digit)) == digit


@pytest.mark.parametrize(
    ("body", "digit"),
    [
        (b"Duration=100\r\nSignal=3\r\n", "3"),
        (b"signal = d", "D"),
        (b"Signal=12\r\n", "A"),
        (b"Signal=15\n", "D"),
        (b"Signal=16", FLASH),
        (b"10", "*"),
        (b" 7\r\n", "7"),
    ],
)
def test_telephones_write_digits_in_their_ways(body: bytes, digit: str) -> None:
    """Also by the number of the event in RFC 4733."""
    assert read_digit(body) == digit


@pytest.mark.parametrize(
    "body", [b"", b"Signal=", b"Signal=x", b"Signal=99", b"Signal=123", b"Duration=5", b"\xff", b"1 2", b"A5"]
)
def test_anything_else_is_no_digit(body: bytes) -> None:
    with pytest.raises(SipSyntaxError):
        read_digit(body)
