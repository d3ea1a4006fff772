"""The torture messages of RFC 4475: what a parser and a strict check must make of each (sections 3.1 to 3.4).

What only an agent can refuse (a scheme, an extension, a body type that it does not know) is valid here; what a whole
server answers stands in `tests/server/switch/test_torture.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.server.sip.message import Request, Response, SipSyntaxError
from ringfence.server.sip.parser import parse
from ringfence.server.sip.uri import OtherUri, SipUri
from ringfence.server.sip.validate import check

MESSAGES = Path(__file__).parent / "rfc4475"

VALID = (
    "wsinv", "intmeth", "esc01", "escnull", "esc02", "lwsdisp", "longreq", "dblreq", "semiuri", "transports",
    "mpart01", "unreason", "noreason",  # 3.1.1
    "badbranch",  # 3.2.1
    "unkscm", "novelsc", "unksm2", "bext01", "invut", "regaut01", "sdp01", "zeromf", "cparam01", "cparam02",
    "regescrt",  # 3.3
    "inv2543",  # 3.4.1
)  # fmt: skip
ANSWERED_400 = (
    "badinv01", "clerr", "ncl", "scalar02", "quotbal", "ltgtruri", "lwsruri", "lwsstart", "trws", "escruri",
    "baddate", "regbadct", "badaspec", "baddn", "mismatch01", "mismatch02",  # 3.1.2
    "insuf", "multi01", "mcl01",  # 3.3
)  # fmt: skip
ANSWERED_505 = ("badvers",)
DROPPED = ("scalarlg", "bigcode", "bcast")


def read(name: str) -> bytes:
    return (MESSAGES / f"{name}.dat").read_bytes()


def valid_request(name: str) -> Request:
    message = parse(read(name))
    check(message)
    assert isinstance(message, Request)
    return message


def test_every_message_of_the_rfc_has_a_verdict() -> None:
    names = [*VALID, *ANSWERED_400, *ANSWERED_505, *DROPPED]
    assert len(names) == 49
    assert sorted(names) == sorted(path.stem for path in MESSAGES.glob("*.dat"))


@pytest.mark.parametrize("name", VALID)
def test_valid_messages_pass_and_survive_being_written_again(name: str) -> None:
    message = parse(read(name))
    check(message)
    again = parse(message.to_bytes())
    check(again)
    assert [pair for pair in again.headers if pair[0] != "Content-Length"] == [
        pair for pair in message.headers if pair[0] != "Content-Length"
    ]
    assert again.body == message.body


@pytest.mark.parametrize(
    ("name", "status"), [*((name, 400) for name in ANSWERED_400), *((name, 505) for name in ANSWERED_505)]
)
def test_broken_requests_are_refused_in_a_form_that_can_be_answered(name: str, status: int) -> None:
    with pytest.raises(SipSyntaxError) as caught:
        check(parse(read(name)))
    assert caught.value.status == status
    assert caught.value.request is not None
    answer = caught.value.request.respond(status, to_tag="t1")
    assert answer.to_bytes().startswith(f"SIP/2.0 {status} ".encode())
    assert caught.value.request.via.host


@pytest.mark.parametrize("name", DROPPED)
def test_broken_responses_are_dropped(name: str) -> None:
    with pytest.raises(SipSyntaxError) as caught:
        check(parse(read(name)))
    assert caught.value.request is None


def test_wsinv_is_read_whole_through_folds_and_odd_spaces() -> None:
    request = valid_request("wsinv")
    assert (request.method, request.max_forwards, request.cseq.number) == ("INVITE", 68, 9)
    assert [(via.transport, via.host, via.branch) for via in request.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert request.from_.display_name == 'J Rosenberg \\"'
    assert (request.from_.tag, request.to.tag) == ("98asjd8", "1918181833n")
    assert request.get("subject") == ""
    assert request.get("newfangledheader") == "newfangled value continued newfangled value"
    (contact,) = request.contacts
    assert contact.display_name == 'Quoted string ""'
    assert contact.params == (("newparam", "newvalue"), ("secondparam", None), ("q", "0.33"))
    assert len(request.body) == 150


def test_intmeth_keeps_every_unusual_character() -> None:
    request = valid_request("intmeth")
    assert request.method == request.cseq.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert isinstance(request.request_uri, SipUri)
    assert request.request_uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert request.to.display_name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert request.from_.tag == "_token~1'+`*%!-."
    assert request.from_.param("fromparam''~+*_!.-%") == "работающий"


def test_esc01_unescapes_users_and_parameters_but_takes_no_address_out_of_a_user() -> None:
    request = valid_request("esc01")
    assert isinstance(request.request_uri, SipUri)
    assert (request.request_uri.user, request.request_uri.host) == ("sips:user@example.com", "example.net")
    (contact,) = request.contacts
    assert isinstance(contact.uri, SipUri)
    assert contact.uri.params == (("lr", None), ("name", "value%41"))


def test_esc02_takes_no_escape_for_a_letter_outside_of_uris() -> None:
    request = valid_request("esc02")
    assert request.method == "RE%47IST%45R"
    assert request.to.display_name == "%Z%45"
    assert len(request.contacts) == 2


def test_escnull_keeps_null_octets_in_users() -> None:
    users = [
        contact.uri.user for contact in valid_request("escnull").contacts if isinstance(contact.uri, SipUri)
    ]
    assert users == ["\0", "\0\0"]


def test_dblreq_reads_only_the_first_request_of_a_datagram() -> None:
    request = valid_request("dblreq")
    assert (request.method, request.body) == ("REGISTER", b"")


def test_cparams_belong_to_the_header_outside_and_to_the_uri_inside_brackets() -> None:
    (bare,) = valid_request("cparam01").contacts
    (bracketed,) = valid_request("cparam02").contacts
    assert bare.params == (("unknownparam", None),)
    assert isinstance(bracketed.uri, SipUri)
    assert (bracketed.params, bracketed.uri.params) == ((), (("unknownparam", None),))


def test_regescrt_keeps_headers_in_a_contact() -> None:
    (contact,) = valid_request("regescrt").contacts
    assert isinstance(contact.uri, SipUri)
    assert contact.uri.headers == (("route", "<sip:sip.example.com>"),)


@pytest.mark.parametrize(("name", "scheme"), [("unkscm", "nobodyknowsthisscheme"), ("novelsc", "soap.beep")])
def test_other_schemes_are_read_for_the_416_of_the_agent(name: str, scheme: str) -> None:
    uri = valid_request(name).request_uri
    assert isinstance(uri, OtherUri)
    assert uri.scheme == scheme


def test_reason_phrases_may_be_empty_or_in_any_script() -> None:
    empty, cyrillic = parse(read("noreason")), parse(read("unreason"))
    assert isinstance(empty, Response)
    assert isinstance(cyrillic, Response)
    assert empty.reason == ""
    assert cyrillic.reason.startswith("= 2**3 * 5**2 но сто")
