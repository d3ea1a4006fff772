from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.server.sip.message import SipSyntaxError
from ringfence.server.sip.uri import OtherUri, SipUri, parse_uri

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = TEXT.map(str.lower).filter(lambda text: text == text.lower())
HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9]{1,8}(?:\.[a-z][a-z0-9\-]{0,6}[a-z0-9])?", fullmatch=True),
    st.ip_addresses().map(str),
)
URIS = st.builds(
    SipUri,
    st.sampled_from(["sip", "sips"]),
    st.none() | TEXT,
    HOSTS,
    st.none() | st.integers(1, 65535),
    st.dictionaries(NAMES, st.none() | TEXT, max_size=3).map(lambda found: tuple(found.items())),
    st.dictionaries(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=2).map(
        lambda found: tuple(found.items())
    ),
)


@given(URIS)
def test_what_is_written_reads_back_the_same(uri: SipUri) -> None:
    assert parse_uri(str(uri)) == uri


@given(st.text(max_size=60) | st.text("sip:@;=?&%[].a1").map(lambda text: "sip:" + text))
@example("sip:[::1")
@example("sip:a@[:::]")
@example("sip:1.2.3.999")
@example("sip:a@b:99999999999999999999999999")
def test_garbage_raises_nothing_but_syntax_errors(text: str) -> None:
    with suppress(SipSyntaxError):
        uri = parse_uri(text)
        assert parse_uri(str(uri)) == uri


EQUAL = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0:0::1]"),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;maddr=192.0.2.4"),
    ("sip:bob@biloxi.com", "tel:+4989"),
    ("tel:+4989", "sip:bob@biloxi.com"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equality_is_that_of_rfc3261_section_19_1_4(one: str, other: str) -> None:
    assert parse_uri(one).same(parse_uri(other))
    assert parse_uri(other).same(parse_uri(one))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_difference_is_that_of_rfc3261_section_19_1_4(one: str, other: str) -> None:
    assert not parse_uri(one).same(parse_uri(other))


def test_a_password_is_never_kept() -> None:
    uri = SipUri.parse("sip:anna:geheim@example.com")
    assert uri.user == "anna"
    assert "geheim" not in repr(uri) + str(uri)


@pytest.mark.parametrize(
    "text",
    [
        "", "sip:", "sip", "sip:@host", " sip:a@b", "sip:a@b ", "<sip:a@b>", "sip:a@b;lr;lr", "sip:a@b:0",
        "sip:a@b:65536", "sip:a@b:٣", "sip:a@b:+1", "sip:a@b:1_0", "sip:a@", "sip:a@@b", "sip:a b@c",
        "sip:a@b;", "sip:a@b?", "sip:a%4@b", "sip:a%ff@b", "sip:a@host..example", "sip:a@256.1.1.1",
        "sip:a@[::1", "1:x", ":x",
    ],
)  # fmt: skip
def test_malformed_uris_are_refused(text: str) -> None:
    with pytest.raises(SipSyntaxError):
        parse_uri(text)


def test_parts_are_found_unescaped_and_in_plain_form() -> None:
    uri = SipUri.parse("SIPS:%61nna@[2001:DB8::1]:5071;lr;Transport=TCP")
    assert (uri.scheme, uri.user, uri.host, uri.port) == ("sips", "anna", "2001:db8::1", 5071)
    assert uri.has_param("lr")
    assert uri.param("lr") is None
    assert uri.param("transport") == "TCP"
    assert not uri.has_param("maddr")
    assert str(uri) == "sips:anna@[2001:db8::1]:5071;lr;transport=TCP"


def test_another_scheme_is_416_where_sip_is_needed() -> None:
    assert parse_uri("TEL:+49-89;phone-context=x") == OtherUri("tel", "+49-89;phone-context=x")
    with pytest.raises(SipSyntaxError) as caught:
        SipUri.parse("tel:+4989")
    assert caught.value.status == 416
