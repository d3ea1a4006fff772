"""The IPv6 torture messages of RFC 5118: what a parser and a strict check must make of each (section 4).

What a whole server answers to them stands in `tests/server/switch/test_torture.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.server.sip.message import Request, SipSyntaxError
from ringfence.server.sip.parser import parse
from ringfence.server.sip.sdp import Sdp
from ringfence.server.sip.uri import SipUri
from ringfence.server.sip.validate import check

MESSAGES = Path(__file__).parent / "rfc5118"
BROKEN = "ipv6-bad"
VALID = sorted({path.stem for path in MESSAGES.glob("*.dat")} - {BROKEN})


def valid_request(name: str) -> Request:
    message = parse((MESSAGES / f"{name}.dat").read_bytes())
    check(message)
    assert isinstance(message, Request)
    return message


def target(name: str) -> SipUri:
    uri = valid_request(name).request_uri
    assert isinstance(uri, SipUri)
    return uri


@pytest.mark.parametrize("name", VALID)
def test_valid_messages_pass_and_survive_being_written_again(name: str) -> None:
    request = valid_request(name)
    again = parse(request.to_bytes())
    check(again)
    assert isinstance(again, Request)
    assert again.request_uri == request.request_uri
    assert again.vias == request.vias
    assert again.body == request.body


def test_an_address_without_brackets_is_refused_in_a_form_that_can_be_answered() -> None:
    """Section 4.2."""
    with pytest.raises(SipSyntaxError) as caught:
        check(parse((MESSAGES / f"{BROKEN}.dat").read_bytes()))
    assert caught.value.status == 400
    assert caught.value.request is not None
    assert caught.value.request.via.host == "2001:db8::9:1"


def test_an_address_is_read_in_request_uri_via_and_contact() -> None:
    """Section 4.1."""
    request = valid_request("ipv6-good")
    assert request.request_uri == SipUri("sip", None, "2001:db8::10")
    assert (request.via.host, request.via.port) == ("2001:db8::9:1", None)
    assert [str(contact) for contact in request.contacts] == ['"Caller" <sip:caller@[2001:db8::1]>']


def test_what_stands_inside_the_brackets_is_address_and_what_follows_them_is_port() -> None:
    """Sections 4.3 and 4.4."""
    assert (target("port-ambiguous").host, target("port-ambiguous").port) == ("2001:db8::10:5070", None)
    assert (target("port-unambiguous").host, target("port-unambiguous").port) == ("2001:db8::10", 5070)


@pytest.mark.parametrize(
    ("name", "received"),
    [
        ("via-received-param-with-delim", "[2001:db8::9:255]"),
        ("via-received-param-no-delim", "2001:db8::9:255"),
    ],
)
def test_received_stands_with_and_without_brackets(name: str, received: str) -> None:
    """Section 4.5."""
    assert valid_request(name).via.param("received") == received


def test_both_kinds_of_address_stand_among_the_vias() -> None:
    """Section 4.7."""
    assert [(via.transport, via.host, via.port) for via in valid_request("mult-ip-in-header").vias] == [
        ("UDP", "2001:db8::9:1", 6050),
        ("UDP", "192.0.2.1", None),
        ("TCP", "2001:db8::9:255", None),
    ]


@pytest.mark.parametrize(
    ("name", "session_host", "media_hosts"),
    [
        ("ipv6-in-sdp", "2001:db8::20", [None, None]),  # 4.6
        ("mult-ip-in-sdp", None, ["192.0.2.1", "2001:db8::1"]),  # 4.8
        ("ipv4-mapped-ipv6", "::ffff:c000:202", [None, None]),  # 4.9
    ],
)
def test_session_descriptions_have_addresses_of_both_kinds(
    name: str, session_host: str | None, media_hosts: list[str | None]
) -> None:
    """Sections 4.6, 4.8 and 4.9."""
    sdp = Sdp.parse(valid_request(name).body)
    assert sdp.host == session_host
    assert [media.host for media in sdp.media] == media_hosts


def test_mapped_addresses_are_read() -> None:
    """Section 4.9: as an address, however it is written."""
    request = valid_request("ipv4-mapped-ipv6")
    assert [(via.host, via.port) for via in request.vias] == [
        ("::ffff:c000:20a", 19823),
        ("::ffff:c000:202", None),
    ]


def test_three_colons_before_an_embedded_address_are_taken_for_two() -> None:
    """Section 4.10: the grammar of RFC 3261 has one too many, and both must be taken."""
    assert target("ipv6-bug-abnf-3-colons") == target("ipv6-correct-abnf-2-colons")
    assert target("ipv6-bug-abnf-3-colons").host == "2001:db8::c000:201"


@pytest.mark.parametrize("host", ["2001:db8:::1", "2001:db8::::192.0.2.1", "2001:db8::1:::192.0.2.1"])
def test_three_colons_anywhere_else_are_none(host: str) -> None:
    with pytest.raises(SipSyntaxError):
        SipUri.parse(f"sip:user@[{host}]")
