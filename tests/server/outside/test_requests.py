"""RFC 3261 by the letter, at a server in a process of its own: requests, and the order in which they are refused."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from .outsider import DOMAIN, INACTIVE, Outsider, again

if TYPE_CHECKING:
    from ringfence.fixtures.served import Served

# -- syntax comes before everything else -----------------------------------------------------------------------

MALFORMED = {
    "no Call-ID": ("Call-ID: ", "X-Call-ID: ", 400),
    "two From": ("Max-Forwards: 70", f"From: <sip:a@{DOMAIN}>;tag=g", 400),
    "CSeq of another method": (" INVITE\r\nContact", " BYE\r\nContact", 400),
    "a CSeq beyond 31 bits": ("CSeq: 1 ", "CSeq: 2147483648 ", 400),
    "Max-Forwards no number": ("Max-Forwards: 70", "Max-Forwards: many", 400),
    "an open quote": ("From: <", 'From: "nobody <', 400),
    "more body than there is": ("Content-Length: 0", "Content-Length: 10", 400),
    "headers in the Request-URI": (f"nobody@{DOMAIN} SIP", f"nobody@{DOMAIN}?Subject=x SIP", 400),
    "another version": ("SIP/2.0\r\nVia", "SIP/7.0\r\nVia", 505),
    "an unknown scheme": (f"sip:nobody@{DOMAIN} SIP", "nobodyKnowsThisScheme:x SIP", 416),
    "sips: by UDP": ("sip:nobody", "sips:nobody", 403),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_invite_of_an_unknown_user_is_told_so_and_not_challenged(
    stranger: Outsider, name: str
) -> None:
    """RFC 3261 8.2 and 16.3, hardening: 400 and not 401; 26.2.2 for sips:."""
    before, after, status = MALFORMED[name]
    invite = stranger.write("INVITE", "nobody", account="nobody").decode()
    assert before in invite
    assert stranger.ask(invite.replace(before, after, 1).encode()).status == status


def test_a_well_formed_invite_of_an_unknown_user_is_challenged(stranger: Outsider) -> None:
    assert stranger.ask(stranger.write("INVITE", "nobody", account="nobody")).status == 401


def test_refusals_come_in_the_order_of_rfc_3261_8_2(phone: Outsider) -> None:
    """Syntax, scheme, proof, method, extensions, whose URI it is, and the body last; the least is left at the end."""
    wrong = [
        ("Max-Forwards: 70", "Max-Forwards: x", 400),
        ("sip:100@elsewhere.example SIP", "urn:nobody SIP", 416),
        ("INVITE", "Invite", 405),
        ("Contact:", "Require: nothing-known\r\nContact:", 420),
        (f"sip:100@{DOMAIN} SIP", "sip:100@elsewhere.example SIP", 404),
        ("application/sdp", "text/plain", 415),
    ]
    for begin, (_, _, status) in enumerate(wrong):
        text = phone.write("INVITE", "100", body=phone.sdp()).decode()
        for before, after, _ in sorted(wrong[begin:], key=lambda one: one[2] == 416):
            text = text.replace(before, after)
        answer = phone.ask(text.encode()) if status in {400, 416} else phone.prove(text.encode())
        assert answer.status == status, text
        match answer.status:
            case 405:
                assert "INVITE" in answer.values("allow")
            case 420:
                assert answer.values("unsupported") == ["nothing-known"]
            case 415:
                assert answer.values("accept") == ["application/sdp"]


# -- methods ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["invite", "Register", "oPTIONS", "FOO"])
def test_a_method_is_another_one_in_other_letters(phone: Outsider, trunk: Outsider, method: str) -> None:
    """RFC 3261 7.1 and 8.2.1: methods are told apart by case; 405 names those that there are."""
    by_trunk = trunk.ask(trunk.write(method, f"08955550{INACTIVE}"))
    by_account = phone.prove(phone.write(method, INACTIVE))
    for answer in (by_trunk, by_account):
        assert answer.status == 405
        assert {"INVITE", "BYE", "OPTIONS"} <= set(answer.values("allow"))


def test_a_second_bye_finds_no_dialog(trunk: Outsider) -> None:
    """RFC 3261 15.1.2: the first ends it and its repetition is answered again; another one gets 481."""
    _, answer = trunk.call(INACTIVE)
    assert answer.status == 200
    bye = trunk.inside("BYE", answer, cseq=2)
    assert [trunk.ask(bye).status, trunk.ask(bye).status] == [200, 200]
    assert trunk.ask(trunk.inside("BYE", answer, cseq=3)).status == 481


@pytest.mark.parametrize(
    "method", ["BYE", "UPDATE", "INFO", "PRACK", "NOTIFY", "INVITE", "REFER", "SUBSCRIBE"]
)
def test_a_dialog_that_never_was_is_481(trunk: Outsider, method: str) -> None:
    """RFC 3261 12.2.2."""
    assert trunk.ask(trunk.write(method, INACTIVE, to_tag="never")).status == 481


def test_the_last_hop_goes_no_further(phone: Outsider, trunk: Outsider) -> None:
    """RFC 3261 16.3: Max-Forwards 0 is 483, and each hop counts down."""
    phone.register("101")
    assert trunk.ask(trunk.write("INVITE", "08955550101", hops=0, body=trunk.sdp())).status == 483
    invite = trunk.write("INVITE", "08955550101", hops=1, body=trunk.sdp())
    trunk.say(invite)
    rung = phone.hear()
    assert rung.max_forwards == 0
    cancel = invite.replace(b"INVITE", b"CANCEL").partition(b"\r\nContent-Type")[0]
    trunk.say(cancel + b"\r\nContent-Length: 0\r\n\r\n")
    while (answer := trunk.hear()).cseq.method != "CANCEL":
        pass
    assert answer.to.tag


def test_options_tells_what_the_server_can_do(stranger: Outsider, phone: Outsider, trunk: Outsider) -> None:
    """RFC 3261 11.2; and a number that is nobody's is 404, as it would be for an INVITE."""
    number = f"08955550{INACTIVE}"
    itself, user = stranger.ask(stranger.write("OPTIONS")), phone.prove(phone.write("OPTIONS", "101"))
    for answer in (itself, user, trunk.ask(trunk.write("OPTIONS", number))):
        assert answer.status == 200
        assert {"INVITE", "OPTIONS"} <= set(answer.values("allow"))
        assert {"100rel", "replaces", "timer"} <= set(answer.values("supported"))
        told = [answer.get(f"accept{of}") for of in ("", "-encoding", "-language")]
        assert told == ["application/sdp", "identity", "en"]
    assert phone.prove(phone.write("OPTIONS", "nobody")).status == 404
    assert trunk.ask(trunk.write("OPTIONS", "0731")).status == 404
    assert trunk.ask(trunk.write("OPTIONS", "08955550777")).status == 404


@pytest.mark.parametrize(
    ("handling", "status"), [("", 415), (";handling=required", 415), (";handling=optional", 200)]
)
def test_a_body_that_is_not_understood_may_be_passed_over_where_it_is_optional(
    trunk: Outsider, handling: str, status: int
) -> None:
    """RFC 3261 8.2.3: the INVITE is then one without an offer."""
    lines = ("Content-Type: text/plain", f"Content-Disposition: render{handling}")
    invite = trunk.write("INVITE", f"08955550{INACTIVE}", *lines, body="hello")
    answer = trunk.ask(invite)
    assert answer.status == status
    trunk.say(trunk.inside("ACK", answer, cseq=1))
    if status == 200:
        assert answer.body.startswith(b"v=0"), "it makes the offer (13.2.1)"
        assert trunk.ask(trunk.inside("BYE", answer, cseq=2)).status == 200


def test_a_package_that_is_not_known_names_those_that_are(phone: Outsider) -> None:
    """RFC 6665 7.2: 489 with Allow-Events."""
    answer = phone.prove(phone.write("SUBSCRIBE", "100", "Event: weather"))
    assert (answer.status, "dialog" in answer.values("allow-events")) == (489, True)


# -- headers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_folded_headers_are_read(stranger: Outsider, served: Served, transport: str) -> None:
    """RFC 3261 7.3.1: every header may go on in the next line, CSeq and Content-Length too."""
    text = stranger.write("OPTIONS").decode().replace("UDP", transport)
    head, _, _ = text.partition("\r\n\r\n")
    start, *headers = head.split("\r\n")
    folded = [header.replace(": ", ":\r\n \t", 1).replace(" OPTIONS", "\r\n\tOPTIONS") for header in headers]
    data = "\r\n".join([start, *folded, "", ""]).encode()
    if transport == "UDP":
        assert stranger.ask(data).status == 200
    else:
        with connected(served) as tcp:
            tcp.sendall(data + data)
            assert read(tcp).count(b"SIP/2.0 200 ") == 2


def test_one_header_and_names_in_any_case_and_short_forms(stranger: Outsider) -> None:
    """RFC 3261 7.3.1 and 7.3.3."""
    text = stranger.write("OPTIONS").decode()
    for name, written in (("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("CSeq", "cSEQ \t")):
        text = text.replace(f"\r\n{name}:", f"\r\n{written}:")
    assert stranger.ask(text.encode()).status == 200


# -- what is not answered --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [100, 180, 200, 401, 407, 302, 503])
def test_a_response_that_nobody_asked_for_is_dropped(stranger: Outsider, status: int) -> None:
    """RFC 3261 18.1.2: it matches no transaction."""
    request = stranger.write("INVITE", "100").partition(b"\r\n")[2]
    assert stranger.hears_nothing_of(f"SIP/2.0 {status} Yes\r\n".encode() + request)


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\r\n", b"\0\0\0\0", b"", b"GET / HTTP/1.1\r\n\r\n"])
def test_keep_alives_and_what_is_no_sip_are_dropped(stranger: Outsider, data: bytes) -> None:
    """RFC 5626 4.4 has a pong on connections alone."""
    assert stranger.hears_nothing_of(data)


@pytest.mark.parametrize("spoilt", [False, True])
def test_an_ack_is_never_answered(stranger: Outsider, *, spoilt: bool) -> None:
    """RFC 3261 17: whatever is wrong with it."""
    ack = stranger.write("ACK", "nobody", to_tag="x")
    assert stranger.hears_nothing_of(ack.replace(b"CSeq: 1 ", b"CSeq: x ") if spoilt else ack)


def test_a_ping_on_a_connection_gets_its_pong(served: Served, stranger: Outsider) -> None:
    """RFC 5626 4.4.1; `Content-Length : 0` says where the message ends as well (RFC 3261 7.3.1)."""
    with connected(served) as tcp:
        tcp.sendall(b"\r\n\r\n")
        assert tcp.recv(100) == b"\r\n"
        options = stranger.write("OPTIONS").replace(b"UDP", b"TCP").replace(b"Length:", b"Length :")
        tcp.sendall(options + b"\r\n\r\n" + again(options))
        heard = read(tcp)
        assert heard.count(b"SIP/2.0 200 ") == 2
        assert heard.startswith(b"\r\nSIP/2.0 200 ")


def connected(served: Served) -> socket.socket:
    host, _, port = served.sip.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def read(tcp: socket.socket) -> bytes:
    """Say that nothing more comes, and read what is answered to the end."""
    tcp.shutdown(socket.SHUT_WR)
    heard = b""
    while data := tcp.recv(65535):
        heard += data
    return heard
