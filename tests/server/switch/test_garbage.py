"""Garbage sent to a running server: no traceback, no 500, nothing kept, and OPTIONS is answered afterwards."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ..besieged import STRANGER, TRUNK, Besieged, besieged, statuses

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.30\r\ns=-\r\nc=IN IP4 127.0.0.30\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


def good(method: str, target: str, body: bytes = b"") -> bytes:
    """Write a request that the server understands."""
    content = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}" if body else "Content-Length: 0"
    return (
        f"{method} sip:{target}klein.example SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.30:5060;rport;branch=z9hG4bK{method}\r\n"
        f'Max-Forwards: 70\r\nFrom: "A" <sip:+49731@klein.example>;tag=f1\r\nTo: <sip:{target}klein.example>\r\n'
        f"Call-ID: c1@127.0.0.30\r\nCSeq: 1 {method}\r\nContact: <sip:a@127.0.0.30>\r\nSupported: timer\r\n"
        'Authorization: Digest username="100", realm="klein.example", nonce="1-1-0", uri="sip:klein.example", '
        f'response="00000000000000000000000000000000", qop=auth, nc=00000001, cnonce="c"\r\n{content}\r\n\r\n'
    ).encode() + body


GOOD = [
    good("INVITE", "089555509900@", SDP),
    good("INVITE", "08955550*100@", SDP),
    good("INVITE", "08955550100@", SDP),
    good("INVITE", "08955550200@"),
    good("REGISTER", ""),
    good("OPTIONS", "100@"),
    good("CANCEL", "089555509900@"),
    good("FOO", "100@"),
]


def throw_at(target: Besieged, data: bytes) -> list[bytes]:
    """Send it from both ends, let half a second pass, hang up what it began, and look at what came of it."""
    target.send(data, STRANGER)
    heard = target.ask(data, TRUNK, seconds=0.5)
    target.hang_up()
    target.check()
    assert 500 not in statuses(heard)
    return heard


def test_the_good_messages_are_answered() -> None:
    with besieged() as target:
        heard = [throw_at(target, data) for data in GOOD]
        assert all(heard)
        assert {200, 401, 405, 481} <= {status for answers in heard for status in statuses(answers)}


def test_bytes() -> None:
    with besieged() as target:

        @settings(max_examples=200, deadline=None)
        @given(st.binary(max_size=300))
        def throw(data: bytes) -> None:
            throw_at(target, data)

        throw()


def test_mutated_messages() -> None:
    cut = st.tuples(st.integers(0, 900), st.integers(0, 12), st.binary(max_size=6))
    with besieged() as target:

        @settings(max_examples=1000, deadline=None)
        @given(st.sampled_from(GOOD), st.lists(cut, min_size=1, max_size=3))
        def throw(data: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
            for at, length, instead in cuts:
                data = data[: at % len(data)] + instead + data[at % len(data) + length :]
            throw_at(target, data)

        throw()


def test_messages_with_a_spoilt_value() -> None:
    """Each header and each line of the SDP in turn; the length is put right, so that the rest is read."""
    spoilt = st.sampled_from(
        [
            b"",
            b" ",
            b"0",
            b"-1",
            b"4294967296",
            b"9" * 5000,
            b"\xff",
            b'"',
            b"<",
            b"a=b;c",
            b"%00",
            b"*",
            "é²".encode(),
            b"a" * 999,
        ]
    )
    with besieged() as target:

        @settings(max_examples=1000, deadline=None)
        @given(st.sampled_from(GOOD), st.integers(0, 30), spoilt)
        def throw(data: bytes, at: int, value: bytes) -> None:
            lines = data.split(b"\r\n")
            line = lines[at % len(lines)]
            mark = b": " if b": " in line else b"=" if line[1:2] == b"=" else b" "
            lines[at % len(lines)] = line.split(mark, 1)[0] + mark + value
            head, _, body = b"\r\n".join(lines).partition(b"\r\n\r\n")
            if b"Content-Length: " in head and not head.endswith(value):
                head = head.rsplit(b"Content-Length: ", 1)[0] + b"Content-Length: %d" % len(body)
            throw_at(target, head + b"\r\n\r\n" + body)

        throw()
