"""A stream is cut into messages, however it arrives (RFC 3261 18.3, RFC 5626 4.4.1)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.framing import MOST_HEAD, PONG, Framing
from ringfence.server.sip.message import SipSyntaxError
from ringfence.server.sip.parser import MOST_BODY, parse

PING = PONG * 2
HEAD = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n"
LENGTHS = [
    "Content-Length: {}",
    "content-length:{}",
    "l: {}",
    "L :\t{}",
    "Content-Length \t: {} ",
    "l:\r\n {}",
]


def message(body: bytes = b"", written: str = "Content-Length: {}", more: bytes = b"") -> bytes:
    return HEAD + written.format(len(body)).encode() + b"\r\n" + more + b"\r\n" + body


def fed(*pieces: bytes) -> tuple[list[bytes], int, Framing]:
    framing, messages, pings = Framing(), [], 0
    for piece in pieces:
        messages += framing.feed(piece)
        pings += framing.pings
    return messages, pings, framing


bodies = st.one_of(
    st.binary(max_size=40), st.sampled_from([b"\r\n", b"\r\n\r\n", PING + HEAD, b"l: 3\r\n\r\n"])
)
whole = st.builds(
    message, bodies, st.sampled_from(LENGTHS), st.sampled_from([b"", b"Subject: a\r\n l: 9\r\n"])
)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), whole), max_size=6),
    st.lists(st.integers(0, 2000), max_size=12),
)
def test_any_split_of_any_sequence_gives_the_same_messages(
    parts: list[tuple[int, bool, bytes]], cuts: list[int]
) -> None:
    """Keep-alives and single line ends (RFC 3261 7.5) may stand before each message; bodies may look like either."""
    stream = b"".join(PING * pings + PONG * single + data for pings, single, data in parts)
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    messages, pings, framing = fed(*(stream[a:b] for a, b in pairwise(edges)))
    assert messages == [data for _, _, data in parts]
    assert pings == sum(count for count, _, _ in parts)
    assert not framing.is_broken
    assert not framing.is_inside


def test_octet_by_octet_is_the_same_as_in_one_segment() -> None:
    stream = PING + message(b"hello") + message() + PING + message(b"\r\n\r\n")
    pieces = [stream[i : i + 1] for i in range(len(stream))]
    assert fed(*pieces)[:2] == fed(stream)[:2] == ([message(b"hello"), message(), message(b"\r\n\r\n")], 2)


def test_white_space_before_the_colon_does_not_desynchronise() -> None:
    """RFC 3261 25.1: HCOLON allows it; a stack that misses it takes the body for the next message."""
    first = message(b"BYE sip:a SIP/2.0\r\n\r\n", "Content-Length : {}")
    assert fed(first + message())[0] == [first, message()]


def test_a_message_that_has_begun_is_told() -> None:
    framing = Framing()
    assert framing.feed(HEAD) == []
    assert framing.is_inside
    framing.feed(b"l: 4\r\n\r\nabc")
    assert framing.is_inside
    assert len(framing.feed(b"d")) == 1
    assert not framing.is_inside


def test_a_single_line_end_is_no_ping() -> None:
    """It is the pong to ours, or stands before a message."""
    assert fed(PONG, message(), PONG, message())[1] == 0
    assert fed(PONG, b"\r", b"\n")[1] == 1


@pytest.mark.parametrize(
    "written",
    [
        "Subject: none",
        "Content-Length: +5",
        "Content-Length: 5, 5",
        "Content-Length: 5\r\nl: 6",
        "Content-Length: 5 \r\nContent-Length: 5",
        "Content-Length: 99999999999999999999",
        "Content-Length: five",
        "Content-Length:",
        "Content-Length\x0b: 5",
        "Subject: a\r\n Content-Length: 5",
    ],
)
def test_a_length_that_cannot_be_believed_ends_the_stream(written: str) -> None:
    """RFC 3261 20.14: it must be there; two of them are how messages are smuggled."""
    messages, _, framing = fed(message(b"", written) + b"hello" + message())
    assert messages == [message(b"", written)]
    assert framing.is_broken
    assert framing.feed(message()) == []


def test_headers_have_a_limit() -> None:
    fits = HEAD + b"S: " + b"a" * (MOST_HEAD - len(HEAD) - 13) + b"\r\nl: 0\r\n\r\n"
    assert len(fits) == MOST_HEAD
    assert fed(fits)[0] == [fits]
    longer = fits.replace(b"S: ", b"S: a")
    assert fed(longer)[2].is_broken
    assert fed(*(b"a" * 1000 for _ in range(65)))[2].is_inside
    for pieces in ([b"a" * MOST_HEAD], [b"a" * 1000] * 66):
        messages, _, framing = fed(*pieces)
        assert (messages, framing.is_broken, framing.is_inside) == ([], True, False)


def test_a_message_has_a_limit() -> None:
    most = message(b"a" * MOST_BODY)
    assert fed(most)[0] == [most]
    messages, _, framing = fed(message(b"", f"Content-Length: {MOST_BODY + 1}"))
    assert len(messages) == 1
    assert framing.is_broken
    with pytest.raises(SipSyntaxError) as caught:
        parse(messages[0])
    assert caught.value.status == 513, "RFC 3261 21.5.7"


@given(st.lists(st.one_of(st.binary(max_size=200), whole, st.sampled_from([PING, HEAD, b"\r\n\r\n"]))))
def test_whatever_comes_is_cut_without_an_error_and_nothing_is_invented(pieces: list[bytes]) -> None:
    messages, _, _ = fed(*pieces)
    rest = b"".join(pieces)
    for one in messages:
        before, found, rest = rest.partition(one)
        assert found, "a message is a piece of the stream, in order"
        assert before == PONG * (len(before) // 2), "only line ends are passed over"
