from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.grammar import (
    SipSyntaxError,
    bracketed,
    host_name,
    is_token,
    number,
    quote,
    unquote,
)


@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_numbers_are_decimal_digits_and_may_have_leading_zeros(value: int, zeros: int) -> None:
    assert number("0" * zeros + str(value), "Expires", 2**32 - 1) == value


@pytest.mark.parametrize(
    "text", ["", "-1", "+5", "1_0", "٣", "²", " 1", "1 ", "0x1", "11", "9" * 5000, "1.0"]
)
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(SipSyntaxError, match="Max-Forwards"):
        number(text, "Max-Forwards", 10)


@given(st.text(st.characters(exclude_characters="\r\n")))
def test_quoting_loses_nothing(text: str) -> None:
    assert unquote(quote(text)) == text


def test_a_line_break_never_gets_into_a_quoted_string() -> None:
    assert quote("a\r\nVia: x") == '"a  Via: x"'


def test_tokens_are_ascii_without_separators() -> None:
    assert is_token("z9hG4bK-.!%*_+`'~")
    assert not any(map(is_token, ("", "a b", "ä", "a@b", "a:b")))


def test_hosts_come_out_in_one_plain_form() -> None:
    assert host_name("Host.EXAMPLE") == "host.example"
    assert host_name("[2001:DB8:0::1]") == "2001:db8::1"
    assert bracketed("2001:db8::1") == "[2001:db8::1]"
    assert bracketed("192.0.2.1") == "192.0.2.1"
