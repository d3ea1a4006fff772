from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.server.sip.message import REASON_PHRASES, Request, Response, SipSyntaxError
from ringfence.server.sip.parser import parse
from ringfence.server.sip.validate import check

INVITE = (
    b"INVITE sip:9900@192.0.2.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKa, SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKb\r\n"
    b"v: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc\r\n"
    b"Max-Forwards: 70\r\n"
    b"f: <sip:100@example.com>;tag=a1\r\n"
    b"t: <sip:9900@example.com>\r\n"
    b"i: c1@192.0.2.7\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Record-Route: <sip:192.0.2.8;lr>\r\n"
    b"Timestamp: 54\r\n"
    b"m: <sip:100@192.0.2.7>\r\n"
    b"Require: 100rel, timer\r\n"
    b"c: Application / SDP ;charset=utf-8\r\n"
    b"l: 3\r\n\r\nabc-surplus"
)
ANSWER_ECHO = [
    ("Via", "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKa, SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKb"),
    ("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc"),
    ("From", "<sip:100@example.com>;tag=a1"),
]


def invite() -> Request:
    message = parse(INVITE)
    assert isinstance(message, Request)
    return message


def test_an_invite_is_read_typed() -> None:
    request = invite()
    assert (request.method, request.uri, str(request.request_uri)) == (
        "INVITE",
        "sip:9900@192.0.2.1",
        "sip:9900@192.0.2.1",
    )
    assert [via.branch for via in request.vias] == ["z9hG4bKa", "z9hG4bKb", "z9hG4bKc"]
    assert request.via.branch == "z9hG4bKa"
    assert (request.from_.tag, request.to.tag) == ("a1", None)
    assert (request.call_id, request.cseq.number, request.cseq.method) == ("c1@192.0.2.7", 1, "INVITE")
    assert (request.max_forwards, request.expires) == (70, None)
    assert (request.content_type, request.require) == ("application/sdp", ["100rel", "timer"])
    assert [str(contact.uri) for contact in request.contacts] == ["sip:100@192.0.2.7"]
    assert not request.contact_star


@pytest.mark.parametrize(
    ("accept", "takes"),
    [
        ([], True),
        (["application/sdp"], True),
        (["text/plain", "Application / SDP ;q=0.5"], True),
        (["application/*"], True),
        (["text/plain, */*;q=0.1"], True),
        ([""], False),
        (["text/*, application/sdpx"], False),
    ],
)
def test_accept_says_which_bodies_the_sender_takes(accept: list[str], takes: bool) -> None:
    """RFC 3261 section 20.1."""
    request = invite()
    for value in accept:
        request.add("accept", value)
    assert request.accepts("application/sdp") is takes


def test_what_follows_the_announced_body_is_dropped() -> None:
    """RFC 3261 section 18.3."""
    assert invite().body == b"abc"


def test_a_response_echoes_what_section_8_2_6_2_says_and_tags_the_to() -> None:
    response = invite().respond(200, to_tag="b1")
    assert response.headers == [
        *ANSWER_ECHO,
        ("To", "<sip:9900@example.com>;tag=b1"),
        ("Call-ID", "c1@192.0.2.7"),
        ("CSeq", "1 INVITE"),
        ("Record-Route", "<sip:192.0.2.8;lr>"),
    ]
    assert (response.status, response.reason) == (200, "OK")


def test_only_a_100_echoes_the_timestamp_and_only_answers_of_a_dialog_the_route() -> None:
    names = {status: [name for name, _ in invite().respond(status).headers] for status in (100, 180, 486)}
    assert ("Timestamp" in names[100], "Record-Route" in names[100]) == (True, False)
    assert ("Timestamp" in names[180], "Record-Route" in names[180]) == (False, True)
    assert ("Timestamp" in names[486], "Record-Route" in names[486]) == (False, False)


def test_a_tag_that_is_there_stays() -> None:
    request = invite()
    request.set("to", "<sip:9900@example.com;tag=no>;tag=x")
    assert request.respond(200, to_tag="b1").to.tag == "x"
    request.set("to", "<sip:9900@example.com;tag=no>")
    assert request.respond(200, to_tag="b1").to.tag == "b1"


def test_changing_a_header_forgets_its_typed_value() -> None:
    request = invite()
    assert request.to.tag is None
    request.set("to", "<sip:9900@example.com>;tag=z")
    assert request.to.tag == "z"
    assert request.cseq.number == 1
    request.remove("cseq")
    with pytest.raises(SipSyntaxError, match="CSeq is missing"):
        _ = request.cseq
    request.add("CSEQ", "2 INVITE")
    assert request.cseq.number == 2
    request.prepend("via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtop")
    assert request.via.branch == "z9hG4bKtop"


def test_set_keeps_the_place_of_the_first_and_leaves_one() -> None:
    request = invite()
    request.set("via", "SIP/2.0/UDP a;branch=z9hG4bKn")
    assert request.headers[0] == ("Via", "SIP/2.0/UDP a;branch=z9hG4bKn")
    assert len(request.all("via")) == 1


def test_the_topmost_via_alone_is_replaced_in_a_list() -> None:
    request = invite()
    request.replace_via(request.via.with_params(received="192.0.2.70"))
    assert [via.param("received") for via in request.vias] == ["192.0.2.70", None, None]
    assert request.via.param("received") == "192.0.2.70"
    empty = Request("OPTIONS", "sip:a")
    empty.replace_via(request.via)
    assert empty.via == request.via


def test_content_length_is_counted_when_written() -> None:
    request = Request("MESSAGE", "sip:a@b", [("l", "99"), ("content-type", "text/plain")], "ä".encode())
    assert (
        request.to_bytes()
        == b"MESSAGE sip:a@b SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n\xc3\xa4"
    )
    assert Response(486).to_bytes() == b"SIP/2.0 486 Busy Here\r\nContent-Length: 0\r\n\r\n"
    assert Response(299, "Fine").to_bytes().startswith(b"SIP/2.0 299 Fine\r\n")


@pytest.mark.parametrize("value", ["a\r\nInjected: 1", "a\nb", "a\rb"])
def test_a_line_break_in_a_value_is_never_sent(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        Request("OPTIONS", "sip:a", [("Subject", value)]).to_bytes()


def test_star_is_no_address() -> None:
    request = Request("REGISTER", "sip:a", [("Contact", "*")])
    assert request.contact_star
    assert request.contacts == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Max-Forwards: 70", b"Max-Forwards\xa0: 70"),
        (b"Max-Forwards: 70", b"Max-Forwards 70"),
        (b"Max-Forwards: 70", b": 70"),
        (b"Max-Forwards: 70", b"Subject: a\x07b"),
        (b"Max-Forwards: 70", b"Subject: a\x00b"),
        (b"Max-Forwards: 70", b"Subject: \xff\xfe"),
        (b"Max-Forwards: 70", b"Subject: a\nb: c"),
        (b"Max-Forwards: 70", b"Subject: a\rb"),
        (b"Max-Forwards: 70", b"X: y\r\n" * 300 + b"Max-Forwards: 70"),
        (b"l: 3", b"l: 12"),
        (b"l: 3", b"l: +3"),
        (b"l: 3", b"l: 3\r\nContent-Length: 3"),
        (b"SIP/2.0\r\nVia", b"SIP/2.0 \r\nVia"),
        (b"INVITE sip", b"INVITE  sip"),
        (b"\r\n\r\nabc", b"\r\nabc"),
    ],
)
def test_a_broken_request_whose_sender_is_known_can_be_answered(old: bytes, new: bytes) -> None:
    with pytest.raises(SipSyntaxError) as caught:
        parse(INVITE.replace(old, new, 1))
    assert caught.value.status == 400
    assert caught.value.request is not None
    assert caught.value.request.respond(400).to_bytes().endswith(b"\r\n\r\n")


def test_a_broken_ack_is_never_answered() -> None:
    with pytest.raises(SipSyntaxError) as caught:
        parse(INVITE.replace(b"INVITE", b"ACK").replace(b"l: 3", b"l: 300"))
    assert caught.value.request is None


def test_a_request_whose_sender_is_unreadable_is_not_answered() -> None:
    with pytest.raises(SipSyntaxError) as caught:
        parse(b"OPTIONS sip:a SIP/2.0\r\nVia: nonsense\r\nl: 4\r\n\r\n")
    assert caught.value.request is None


def test_a_foreign_version_is_505() -> None:
    with pytest.raises(SipSyntaxError) as caught:
        parse(INVITE.replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1))
    assert caught.value.status == 505


@pytest.mark.parametrize(
    "line", [b"SIP/2.0 99 x", b"SIP/2.0 700 x", b"SIP/2.0 0200 x", b"SIP/2.1 200 OK", b"SIP/2.0 200"]
)
def test_a_broken_status_line_is_refused(line: bytes) -> None:
    with pytest.raises(SipSyntaxError):
        parse(line + b"\r\n\r\n")


@given(st.binary(max_size=200))
@example(b"")
@example(b"\r\n\r\n")
@example(b":\r\n\r\n")
@example(b"SIP/2.0 200 \r\n\r\n")
def test_garbage_raises_nothing_but_syntax_errors(data: bytes) -> None:
    with suppress(SipSyntaxError):
        check(parse(data))


@given(st.integers(0, len(INVITE)), st.binary(max_size=4), st.integers(0, 8))
def test_a_bitten_invite_raises_nothing_but_syntax_errors(at: int, put: bytes, cut: int) -> None:
    try:
        message = parse(INVITE[:at] + put + INVITE[at + cut :])
        check(message)
    except SipSyntaxError as error:
        if error.request is not None:
            error.request.respond(error.status, to_tag="t").to_bytes()
    else:
        assert isinstance(message, Request)
        check(parse(message.to_bytes()))
        assert message.respond(200, to_tag="t").to_bytes()


def test_every_class_of_answers_has_names() -> None:
    assert {status // 100 for status in REASON_PHRASES} == {1, 2, 3, 4, 5, 6}
    assert Response(999).reason == ""
