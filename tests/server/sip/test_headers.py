from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.headers import CSeq, NameAddr, Via, parse_params, split_list
from ringfence.server.sip.message import SipSyntaxError
from ringfence.server.sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS = st.from_regex(r"[a-z0-9\-.!%*_+`'~]{1,10}", fullmatch=True)
QUOTABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)
PARAMS = st.dictionaries(TOKENS, st.none() | TOKENS | QUOTABLE, max_size=3).map(
    lambda found: tuple(found.items())
)
ADDRESSES = st.builds(
    NameAddr,
    QUOTABLE,
    st.builds(SipUri, st.just("sip"), st.none() | TOKENS, st.just("example.com")),
    PARAMS,
)
VIAS = st.builds(
    Via,
    st.sampled_from(["UDP", "TCP", "TLS"]),
    st.sampled_from(["example.com", "192.0.2.1", "2001:db8::1"]),
    st.none() | st.integers(1, 65535),
    PARAMS,
)
GARBAGE = st.text(max_size=40) | st.text('SIP/2.0UDP<>":;,=@%[] \t\\ax', max_size=40)


@given(ADDRESSES)
def test_addresses_read_back_as_they_were_written(address: NameAddr) -> None:
    assert NameAddr.parse(str(address)) == address


@given(VIAS)
def test_vias_read_back_as_they_were_written(via: Via) -> None:
    assert Via.parse(str(via)) == via


@given(st.lists(ADDRESSES, min_size=1, max_size=4))
def test_lists_split_only_between_their_elements(addresses: list[NameAddr]) -> None:
    items = split_list(", ".join(map(str, addresses)))
    assert [NameAddr.parse(item) for item in items] == addresses


@given(GARBAGE)
@pytest.mark.parametrize("read", [NameAddr.parse, Via.parse, CSeq.parse, split_list, parse_params])
def test_garbage_raises_nothing_but_syntax_errors(read: Callable[[str], object], text: str) -> None:
    with suppress(SipSyntaxError):
        read(text)


@given(GARBAGE)
def test_a_broken_via_gives_a_sender_or_nothing(text: str) -> None:
    via = Via.parse_broken("SIP/2.0/UDP 192.0.2.1:99999" + text)
    assert via is None or via.host


@pytest.mark.parametrize(
    "text",
    [
        "", "sip:a@b,", '"open <sip:a@b>', "<sip:a@b", "a, b <sip:a@b>", "Müller <sip:a@b>", "< sip:a@b>",
        "*", "sip:a@b?Subject=x", "<sip:a@b>;tag=1;TAG=2", "<sip:a@b>;=1", "<sip:a@b>;tag=",
        "<sip:a@b> tag=1", '"a\x07b" <sip:a@b>',
    ],
)  # fmt: skip
def test_malformed_addresses_are_refused(text: str) -> None:
    with pytest.raises(SipSyntaxError):
        NameAddr.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/3.0/UDP a", "HTTP/2.0/UDP a", "SIP/2.0/UDP a:0",
        "SIP/2.0/UDP a:70000", "SIP/2.0/UDP a b", "SIP/2.0/UDP a;;branch=x",
        "SIP/2.0/UDP a;branch=x;branch=y", "SIP/2.0/UDP [::1",
    ],
)  # fmt: skip
def test_malformed_vias_are_refused(text: str) -> None:
    with pytest.raises(SipSyntaxError):
        Via.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "1", "INVITE", "1INVITE", "-1 INVITE", "2147483648 INVITE", "١ INVITE", "1_0 INVITE", "1 IN VITE"],
)
def test_malformed_sequence_numbers_are_refused(text: str) -> None:
    with pytest.raises(SipSyntaxError):
        CSeq.parse(text)


def test_thousands_of_digits_are_refused_not_read() -> None:
    with pytest.raises(SipSyntaxError):
        CSeq.parse("9" * 100_000 + " INVITE")


def test_via_is_completed_as_rfc3581_wants() -> None:
    via = Via.parse("SIP/2.0/UDP 10.0.0.1:5066;rport;branch=z9hG4bKx")
    assert via.has_param("rport")
    done = via.with_params(received="192.0.2.9", rport=40000)
    assert str(done) == "SIP/2.0/UDP 10.0.0.1:5066;rport=40000;branch=z9hG4bKx;received=192.0.2.9"
    assert (done.branch, done.param("rport")) == ("z9hG4bKx", "40000")


def test_a_bare_address_gives_its_parameters_to_the_header() -> None:
    address = NameAddr.parse("sip:a@b;tag=x;n")
    assert (address.tag, address.param("n"), address.has_param("n")) == ("x", None, True)
    assert str(address.with_tag("y")) == "<sip:a@b>;tag=y;n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), (";expires=60", 60), (";expires=x", 3600), (";expires=99999999999", 3600)],
)
def test_a_malformed_contact_expiry_counts_as_an_hour(text: str, seconds: int | None) -> None:
    """RFC 3261 section 20.10."""
    assert NameAddr.parse("<sip:a@b>" + text).expires_s == seconds


def test_empty_list_elements_are_refused_and_an_empty_list_is_empty() -> None:
    assert split_list(" ") == []
    for text in ("a,,b", ",a", "a,"):
        with pytest.raises(SipSyntaxError):
            split_list(text)
