"""The strict check: mandatory and single headers, numbers, bounds (RFC 3261 sections 8.1.1, 20, 25)."""

from __future__ import annotations

import pytest

from ringfence.server.sip.message import Request, Response, SipSyntaxError
from ringfence.server.sip.validate import check

HEADERS = {
    "Via": "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKa",
    "From": "<sip:100@example.com>;tag=a",
    "To": "<sip:101@example.com>",
    "Call-ID": "c1@192.0.2.7",
    "CSeq": "1 OPTIONS",
    "Max-Forwards": "70",
}


def options(*more: tuple[str, str], uri: str = "sip:101@example.com", **changed: str) -> Request:
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changed.items()}
    return Request("OPTIONS", uri, [*headers.items(), *more])


def without(name: str) -> Request:
    request = options()
    request.remove(name)
    return request


def refusal(message: Request | Response) -> SipSyntaxError:
    with pytest.raises(SipSyntaxError) as caught:
        check(message)
    return caught.value


def test_a_plain_request_passes() -> None:
    check(options())


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_mandatory_headers_are_asked_for(name: str) -> None:
    error = refusal(without(name))
    assert (error.status, error.what) == (400, f"{name} is missing")
    assert (error.request is None) == (name == "Via")


def test_max_forwards_may_be_missing_for_rfc2543_clients() -> None:
    check(without("Max-Forwards"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("From", "<sip:a@b>;tag=b"), ("To", "<sip:a@b>"), ("Call-ID", "c2"), ("CSeq", "2 OPTIONS"),
        ("Max-Forwards", "1"), ("Content-Type", "text/plain"), ("Expires", "1"), ("Subject", "x"),
    ],
)  # fmt: skip
def test_single_headers_stand_once(name: str, value: str) -> None:
    error = refusal(options((name, value), (name, value)))
    assert "too often" in error.what
    assert error.request is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Max-Forwards", "256"), ("Max-Forwards", "-1"), ("Max-Forwards", "٣"), ("Max-Forwards", "9" * 5000),
        ("Expires", "4294967296"), ("Expires", "1_0"), ("Min-Expires", "+5"), ("RSeq", "x"),
        ("Date", "Fri, 01 Jan 2010 16:00:00 EST"), ("Call-ID", "a@b@c"), ("Call-ID", "a b"),
        ("Call-ID", "x" * 257), ("CSeq", "1 " + "X" * 257), ("From", f"<sip:a@b>;tag={'x' * 257}"),
        ("From", '<sip:a@b>;tag="a b"'), ("Via", f"SIP/2.0/UDP a;branch={'x' * 257}"),
        ("Via", 'SIP/2.0/UDP a;branch="a b"'), ("Via", "SIP/2.0/UDP a:0"), ("Allow", "INVITE,,BYE"),
        ("Require", ""), ("Supported", "a b"), ("Content-Type", "text"), ("Event", ""), ("Contact", ""),
        ("Contact", "<sip:a@b"), ("Contact", "*"), ("Route", "sip:a@b"), ("Route", ""),
        ("Record-Route", "sip:a@b"), ("Refer-To", "<sip:a@b> x"), ("Authorization", "Digest"),
        ("Timestamp", "x"), ("Accept", "text/plain;;q=1"), ("Content-Disposition", "a b"),
        ("Reply-To", "*"), ("MIME-Version", "1"),
    ],
)  # fmt: skip
def test_malformed_values_are_refused(name: str, value: str) -> None:
    error = refusal(options(**{name.replace("-", "_"): value}))
    assert error.status == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"), ("Supported", ""), ("Allow", ""), ("Accept", ""),
        ("Accept", "application/sdp;level=1, */*;q=0.5"), ("Content-Type", 'text/plain; charset="utf-8"'),
        ("Call-ID", 'a<>:\\"/[]?{}~'), ("Timestamp", "54.5 .3"), ("Session-Expires", "1800;refresher=uac"),
        ("Route", "<sip:a;lr>, <sip:b;lr>"), ("Contact", '"a, b" <sip:a@b>, sip:c@d'), ("Expires", "0"),
        ("Authorization", "NoOneKnowsThisScheme opaque-data=here"), ("Refer-To", "sip:a@b"),
        ("X-Any", ";;,,"),
    ],
)  # fmt: skip
def test_unusual_but_right_values_pass(name: str, value: str) -> None:
    check(options(**{name.replace("-", "_"): value}))


@pytest.mark.parametrize(
    ("name", "item", "most"),
    [
        ("Via", "SIP/2.0/UDP a;branch=z9hG4bKa", 69),
        ("Contact", "<sip:a@b>", 10),
        ("Accept", "text/plain", 32),
        ("Route", "<sip:a;lr>", 70),
        ("Supported", "timer", 256),
    ],
)
def test_lists_are_bounded_in_one_header_or_in_many(name: str, item: str, most: int) -> None:
    check(options((name, ", ".join([item] * most))))
    refusal(options((name, ", ".join([item] * (most + 1)))))
    refusal(options(*[(name, item)] * (most + 1)))


def test_the_sequence_method_is_that_of_the_request() -> None:
    assert "CSeq" in refusal(options(CSeq="1 INVITE")).what
    assert "CSeq" in refusal(options(CSeq="1 options")).what


@pytest.mark.parametrize("uri", ["sip:a@b?Subject=x", "sip:a@b;method=INVITE", "<sip:a@b>", "sip:a b", ""])
def test_the_request_uri_is_a_bare_address(uri: str) -> None:
    """RFC 3261 section 19.1.1, table 1."""
    assert refusal(options(uri=uri)).status == 400


def test_a_body_says_what_it_is() -> None:
    """RFC 3261 section 20.15."""
    request = options()
    request.body = b"x"
    assert "Content-Type" in refusal(request).what
    request.add("content-type", "text/plain")
    check(request)


def test_star_stands_alone_and_only_in_a_registration() -> None:
    """RFC 3261 section 10.2.2."""
    register = Request("REGISTER", "sip:b", (HEADERS | {"CSeq": "1 REGISTER", "Contact": "*"}).items())
    check(register)
    register.add("contact", "<sip:a@b>")
    refusal(register)


def test_an_invite_has_one_contact() -> None:
    """RFC 3261 section 8.1.1.8."""
    invite = Request("INVITE", "sip:a@b", (HEADERS | {"CSeq": "1 INVITE", "Contact": "<sip:a@b>"}).items())
    check(invite)
    invite.add("contact", "<sip:c@d>")
    refusal(invite)


def test_a_broken_via_still_tells_whom_to_answer() -> None:
    error = refusal(options(Via="SIP/2.0/UDP 192.0.2.15:5070;;branch=z9hG4bKq;,"))
    assert error.request is not None
    assert (error.request.via.host, error.request.via.port) == ("192.0.2.15", 5070)
    assert error.request.via.branch == "z9hG4bKq"


def test_a_response_is_for_us_only_with_one_via() -> None:
    """RFC 3261 section 8.1.3.3."""
    response = Response(200, None, HEADERS.items())
    check(response)
    response.add("via", HEADERS["Via"])
    assert refusal(response).request is None
