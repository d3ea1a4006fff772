"""Fifteen classes of bugs that made advisories for others, each a rule here: one test a rule, or more.

Where a rule has tests of its own elsewhere, the one here goes from end to end: bytes on the wire of a whole server.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.server.besieged import STRANGER, TRUNK, Besieged, besieged

from ringfence.channels.network import Address
from ringfence.server.sip.effects import LegEnded, Requested
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.message import SipSyntaxError
from ringfence.server.sip.multipart import DEEPEST, MOST_PARTS, find_part
from ringfence.server.sip.parser import parse
from ringfence.server.sip.validate import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.sip.conftest import Wire

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.30\r\ns=-\r\nc=IN IP4 127.0.0.30\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
)
ECHO = "sip:089555509900@klein.example"


@pytest.fixture
def target() -> Iterator[Besieged]:
    """A whole server, at which the trunk calls; afterwards nothing failed and nothing is left."""
    with besieged() as target:
        yield target


def request(method: str = "INVITE", *lines: str, target: str = ECHO, body: str = "", drop: str = "") -> bytes:
    """Write a request of the trunk; `lines` are more headers, `drop` names one that is left out."""
    head = [
        f"{method} {target} SIP/2.0",
        f"Via: SIP/2.0/UDP {TRUNK};branch=z9hG4bKbug{method}",
        "Max-Forwards: 70",
        "From: <sip:0731@out.example>;tag=f",
        f"To: <{target}>",
        "Call-ID: bug",
        f"CSeq: 1 {method}",
        f"Contact: <sip:0731@{TRUNK}>",
        *lines,
    ]
    if body:
        head.append("Content-Type: application/sdp")
    if not any(line.startswith("Content-Length") for line in lines):
        head.append(f"Content-Length: {len(body)}")
    kept = [line for line in head if not drop or not line.startswith(f"{drop}:")]
    return "\r\n".join([*kept, "", body]).encode()


def statuses(answers: list[bytes]) -> set[int]:
    """The final statuses among what the server sent."""
    found = [re.match(rb"SIP/2\.0 ([2-6][0-9][0-9]) ", answer) for answer in answers]
    return {int(match[1]) for match in found if match}


LISTS = {
    "headers": ["X: 1"] * 250,
    "Via": [f"Via: SIP/2.0/UDP h{number};branch=z9hG4bK{number}" for number in range(70)],
    "Contact": ["Contact: " + ", ".join(f"<sip:{number}@h>" for number in range(10))],
    "Accept": ["Accept: " + ", ".join(f"a/{number}" for number in range(33))],
    "Route": ["Route: " + ", ".join(f"<sip:{number}.h;lr>" for number in range(71))],
}


@pytest.mark.parametrize("name", LISTS)
def test_1_every_list_is_bounded(target: Besieged, name: str) -> None:
    assert statuses(target.ask(request("OPTIONS", *LISTS[name]), TRUNK)) == {400}


BAD_SDP = {
    "no formats": SDP.replace("RTP/AVP 8", "RTP/AVP"),
    "no media": SDP.split("m=", maxsplit=1)[0],
    "a bad fmtp": SDP.replace("RTP/AVP 8", "RTP/AVP 101")
    + "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 x\r\n",
    "a format that is no number": SDP.replace("RTP/AVP 8", "RTP/AVP \u0668"),
    "a port beyond all": SDP.replace("audio 4000", "audio 70000"),
    "a negative port": SDP.replace("audio 4000", "audio -1"),
    "no address": SDP.replace("c=IN IP4 127.0.0.30\r\n", ""),
    "an address without an end": SDP.replace("IP4 127.0.0.30\r\nt=", f"IP6 fe80::1%{'a' * 300}\r\nt="),
    "an rtpmap without a clock": SDP.replace("PCMA/8000", "PCMA"),
    "nothing": "v=0\r\n",
}


@pytest.mark.parametrize("name", BAD_SDP)
def test_2_a_bad_sdp_is_488_or_400_and_never_500(target: Besieged, name: str) -> None:
    """RFC 3261 21.4.26; an answer is possible to what is only strange."""
    assert statuses(target.ask(request(body=BAD_SDP[name]), TRUNK)) <= {200, 400, 488}
    assert not target.faults


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Via"])
def test_3_mandatory_headers_are_checked_before_any_use(target: Besieged, name: str) -> None:
    """RFC 3261 8.1.1: 400; without a Via nobody can be told."""
    answers = target.ask(request(drop=name, body=SDP), TRUNK)
    assert statuses(answers) == (set() if name == "Via" else {400})
    assert not target.server.switch.calls


def test_4_multiparts_are_bounded_in_depth_and_number_and_may_be_empty() -> None:
    deep, kind = SDP.encode(), "application/sdp"
    for level in range(DEEPEST + 1):
        deep = b"--b%d\r\nContent-Type: %s\r\n\r\n%s\r\n--b%d--" % (level, kind.encode(), deep, level)
        kind = f"multipart/mixed;boundary=b{level}"
        if level < DEEPEST:
            assert find_part(kind, deep, "application/sdp") == SDP.encode()
    with pytest.raises(SipSyntaxError):
        find_part(kind, deep, "application/sdp")
    many = b"--b\r\n\r\n\r\n" * (MOST_PARTS + 1) + b"--b--"
    with pytest.raises(SipSyntaxError):
        find_part("multipart/mixed;boundary=b", many, "application/sdp")
    assert find_part("multipart/mixed;boundary=b", b"--b\r\n\r\n--b--", "application/sdp") is None


@pytest.mark.parametrize(
    "lines",
    [
        ["Call-ID: again"],
        ["CSeq: 1 OPTIONS"],
        ["From: <sip:b@h>;tag=g"],
        ["To: <sip:b@h>"],
        ["Max-Forwards: 70", "Max-Forwards: 70"],
        ["Content-Length: 0", "Content-Length: 0"],
    ],
)
def test_5_single_headers_occur_once(target: Besieged, lines: list[str]) -> None:
    """RFC 3261 7.3.1."""
    assert statuses(target.ask(request("OPTIONS", *lines), TRUNK)) == {400}


def test_5_tokens_have_at_most_256_characters(target: Besieged) -> None:
    for old, new in ((b"tag=f", b"tag=" + b"f" * 257), (b"z9hG4bKbug", b"z9hG4bK" + b"b" * 257)):
        assert statuses(target.ask(request("OPTIONS").replace(old, new), TRUNK)) == {400}
    longest = request("OPTIONS").replace(b"tag=f", b"tag=" + b"f" * 256)
    assert statuses(target.ask(longest, TRUNK)) == {200}


def test_5_hosts_are_no_longer_than_names_may_be(target: Besieged) -> None:
    """RFC 1035 2.3.4; what was read of them is remembered, so longer ones would fill the memory."""
    for old in (b"Contact: <sip:0731@", b"From: <sip:0731@"):
        too_long = request("OPTIONS").replace(old, old + b"a" * 256 + b".")
        assert statuses(target.ask(too_long, TRUNK)) == {400}
    longest = request("OPTIONS").replace(b"out.example", b"a" * 255)
    assert statuses(target.ask(longest, TRUNK)) == {200}


@pytest.mark.parametrize("number", ["+5", "1_0", "\u0665", "-1", "0x5", " ", "9" * 5000, str(2**32)])
@pytest.mark.parametrize("name", ["Content-Length", "Expires", "Max-Forwards"])
def test_6_numbers_are_ascii_digits_in_range(target: Besieged, name: str, number: str) -> None:
    """`int()` takes signs, underscores and digits of every script, and raises past 4,300 digits."""
    spoilt = request("OPTIONS", f"{name}: {number}").replace(b"Max-Forwards: 70\r\n", b"")
    assert statuses(target.ask(spoilt, TRUNK)) == {400}


@pytest.mark.parametrize("before", ["\x0b", "\x0c", "\xa0", "\x00", "\u2003", "x "])
def test_7_only_space_and_tab_stand_before_a_colon(target: Besieged, before: str) -> None:
    """RFC 3261 7.3.1 and 25.1."""
    spoilt = request("OPTIONS").replace(b"Call-ID:", f"Call-ID{before}:".encode())
    assert statuses(target.ask(spoilt, TRUNK)) == {400}
    fine = request("OPTIONS").replace(b"Call-ID:", b"Call-ID \t :")
    assert statuses(target.ask(fine, TRUNK)) == {200}


@pytest.mark.parametrize("octet", [0x00, 0x01, 0x08, 0x1B, 0x1F, 0x7F])
def test_7_a_control_character_is_400(target: Besieged, octet: int) -> None:
    spoilt = request("OPTIONS", "Subject: a?b").replace(b"a?b", b"a" + bytes([octet]) + b"b")
    assert statuses(target.ask(spoilt, TRUNK)) == {400}


def test_8_what_is_cut_short_is_no_message() -> None:
    """A datagram that ends anywhere before its end is refused whole."""
    whole = request(body=SDP)
    for end in range(len(whole)):
        with pytest.raises(SipSyntaxError):
            check(parse(whole[:end]))
    check(parse(whole))


@pytest.mark.parametrize(
    "shown",
    [
        "Digest",
        'Digest username="100"',
        'Digest username="100", realm="klein.example", nonce="n", uri="sip:klein.example", response="zz"',
        'Digest username="100", realm="klein.example", nonce="n", uri="sip:klein.example", response="0a",',
        'Digest username="100", realm="klein.example", nonce="n", uri="u", response="0a", qop=auth, nc=1, cnonce="c"',
    ],
)
def test_9_authorization_has_its_own_strict_parser(target: Besieged, shown: str) -> None:
    """RFC 3261 25.1, RFC 7616 3.4: 400 for a proof that is none, and nobody is registered."""
    lines = [f"Authorization: {shown}", "X: " + "x" * 200]
    answers = target.ask(request("REGISTER", *lines, target="sip:klein.example"), STRANGER)
    assert statuses(answers) == {400}
    assert not list(target.server.registrar.accounts(0.0))


def test_10_a_dialog_is_found_as_soon_as_anybody_hears_of_it(wire: Wire) -> None:
    """RFC 3261 12.1.1: no moment lies between the response that opens it and its place in the table."""
    leg = wire.called()
    leg.ring(wire.now)
    bye = wire.request("BYE", to_tag=leg.local_tag, cseq=2)
    wire.agent.receive(bye.to_bytes(), wire.far, wire.now)
    assert wire.names(wire.take()) == [180, 200, 487]


def test_10_a_reset_connection_ends_what_waits_on_it(wire: Wire) -> None:
    """RFC 3261 8.1.3.1: as if 503 had come; no timer, task or transaction is left."""
    flow = Flow("TCP", Address("192.0.2.7", 5070), 3)
    wire.agent.open(flow)
    wire.agent.invite("sip:100@192.0.2.7", flow, from_="<sip:1@a>", to="<sip:100@a>", body=b"", now=wire.now)
    wire.take()
    wire.agent.lose(flow, wire.now)
    assert [one.status for one in wire.take_told() if isinstance(one, LegEnded)] == [503]
    assert wire.agent.is_idle


@pytest.mark.parametrize(
    "method", ["INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "INFO", "NEW"]
)
def test_11_every_method_is_authenticated_by_default(target: Besieged, method: str) -> None:
    """The whole table is in tests/server/switch/test_methods.py."""
    assert statuses(target.ask(request(method), STRANGER)) == {401}


@pytest.mark.parametrize("kind", ["message/sip", "message/sipfrag", "application/sdp", "text/plain"])
def test_11_no_body_is_a_command(target: Besieged, kind: str) -> None:
    """A request within a body is text, whatever Content-Type says of it."""
    within = request("REGISTER", target="sip:klein.example").decode()
    answers = target.ask(
        request("OPTIONS", f"Content-Type: {kind}", body="").replace(
            b"Content-Length: 0\r\n\r\n", f"Content-Length: {len(within)}\r\n\r\n{within}".encode()
        ),
        TRUNK,
    )
    assert statuses(answers) == {200}
    assert len(answers) == 1


def test_12_a_callee_who_asks_for_credentials_gets_none(wire: Wire) -> None:
    """RFC 3261 22.3; the rest is in tests/server/switch/test_identity.py and test_trunk_login.py."""
    _, invite = wire.calling()
    sent = wire.answer(invite, 407, Proxy_Authenticate='Digest realm="example.com", nonce="n"')
    assert wire.names(sent) == ["ACK"]
    assert wire.ends() == [(407, True)]


def test_14_bad_media_never_ends_signalling(target: Besieged) -> None:
    """Rule 13, whose packets are taken, is tested in tests/channels/media/test_acceptance.py."""
    answers = target.ask(request(body=SDP), TRUNK, seconds=1)
    answer = next(one for one in answers if one.startswith(b"SIP/2.0 200 "))
    port = re.search(rb"m=audio ([0-9]+) ", answer)
    tag = re.search(rb"\r\nTo: [^\r]*(;tag=[^\r;]+)", answer)
    assert port is not None
    assert tag is not None
    media = Address("127.0.0.1", int(port[1]))
    for spoilt in (
        b"",
        b"\x80",
        b"\xff" * 12,
        b"\x80\x08" + b"\x00" * 10,
        b"\x80\xe5" * 700,
        b"\x9f" + b"\x08" * 40,
    ):
        target.loop.call_soon(target.network.carry, spoilt, Address("127.0.0.30", 4000), media)
    target.ask(_inside("ACK", tag[1]), TRUNK)
    assert len(target.server.switch.calls) == 1
    assert statuses(target.ask(_inside("BYE", tag[1]), TRUNK)) == {200}
    assert not target.server.switch.calls


def _inside(method: str, tag: bytes) -> bytes:
    data = request(method).replace(f"To: <{ECHO}>".encode(), f"To: <{ECHO}>".encode() + tag)
    return data if method == "ACK" else data.replace(b"CSeq: 1", b"CSeq: 2")


def test_15_nothing_changes_before_a_proof(target: Besieged) -> None:
    """Same answers and times for unknown users are in tests/server/switch/test_guessing.py."""
    for method in ("INVITE", "REGISTER", "SUBSCRIBE", "PUBLISH"):
        before = target.server.stream.last_seq
        assert statuses(target.ask(request(method), STRANGER)) == {401}
        assert target.server.stream.last_seq == before
        assert target.server._stack.agent.is_idle


def test_15_lengths_are_unsigned_and_bounded(wire: Wire) -> None:
    """RFC 3261 20.14: a length that lies beyond the datagram is refused, what lies beyond the length is dropped."""
    for length in ("-1", "2147483648", "99999999999999999999", "1e3"):
        assert wire.names(wire.receive(request("OPTIONS", f"Content-Length: {length}"))) == [400]
    assert wire.receive(request("OPTIONS") + b"beyond") == []
    (told,) = wire.take_told()
    assert isinstance(told, Requested)
    assert told.request.body == b""
