from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.credentials import (
    Algorithm,
    Challenge,
    Credentials,
    find_credentials,
    ha1,
    response_for,
)
from ringfence.server.sip.message import SipSyntaxError

QUOTABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\r\n"\\'), max_size=20)
TOKENS = st.from_regex(r"[A-Za-z0-9\-]{1,10}", fullmatch=True)
CREDENTIALS = st.builds(
    Credentials,
    username=QUOTABLE,
    realm=QUOTABLE,
    nonce=QUOTABLE,
    uri=QUOTABLE,
    response=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    algorithm=TOKENS,
    qop=st.just("auth"),
    nc=st.integers(1, 2**32 - 1),
    cnonce=QUOTABLE,
    opaque=st.none() | QUOTABLE,
)
CHALLENGES = st.builds(
    Challenge,
    realm=QUOTABLE,
    nonce=QUOTABLE,
    algorithm=TOKENS,
    qop=st.sampled_from([(), ("auth",), ("auth", "auth-int")]),
    stale=st.booleans(),
    opaque=st.none() | QUOTABLE,
)
GOOD = (
    'Digest username="100", realm="example.com", nonce="n", uri="sip:example.com", '
    'response="0123456789abcdef0123456789abcdef", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"'
)


@given(CREDENTIALS)
def test_credentials_read_back_as_they_were_written(credentials: Credentials) -> None:
    assert Credentials.parse(str(credentials)) == credentials


@given(CHALLENGES)
def test_challenges_read_back_as_they_were_written(challenge: Challenge) -> None:
    assert Challenge.parse(str(challenge)) == challenge


@given(st.text(max_size=60) | st.text('Digest username="nc=,\\ \t', max_size=60))
def test_garbage_raises_nothing_but_syntax_errors(text: str) -> None:
    for value in (text, "Digest " + text, GOOD + text):
        with suppress(SipSyntaxError):
            Credentials.parse(value)
        with suppress(SipSyntaxError):
            Challenge.parse(value)


def test_the_example_of_rfc2617_section_3_5_comes_out() -> None:
    secret = ha1("Mufasa", "testrealm@host.com", "Circle Of Life")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    response = response_for(secret, "GET", "/dir/index.html", nonce, qop="auth", nc=1, cnonce="0a4f113b")
    assert response == "6629fae49393a05397450978507c4ef1"


def test_the_examples_of_rfc7616_section_3_9_1_come_out() -> None:
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    expected = {
        Algorithm.MD5: "8ca523f5e9506fed4657c9700eebdbec",
        Algorithm.SHA_256: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    }
    for algorithm, response in expected.items():
        challenge = Challenge("http-auth@example.org", nonce, algorithm.value)
        made = challenge.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", cnonce=cnonce)
        assert made.response == response


def test_an_old_server_gets_the_answer_of_rfc2069() -> None:
    made = Challenge("r", "n", qop=()).answer("u", "p", "INVITE", "sip:a", cnonce="c", nc=7)
    assert (made.qop, made.nc, made.cnonce) == (None, 0, "")
    assert made.response == response_for(ha1("u", "r", "p"), "INVITE", "sip:a", "n")


@pytest.mark.parametrize(
    "challenge", [Challenge("r", "n", "SHA-512"), Challenge("r", "n", qop=("auth-int",))]
)
def test_a_challenge_that_is_not_spoken_is_not_answered(challenge: Challenge) -> None:
    with pytest.raises(SipSyntaxError):
        challenge.answer("u", "p", "INVITE", "sip:a", cnonce="c")


def test_another_scheme_is_no_digest_and_no_error() -> None:
    """RFC 4475 section 3.3.11 (regaut01)."""
    assert Credentials.parse("NoOneKnowsThisScheme opaque-data=here") is None
    assert Challenge.parse("Basic realm=x") is None


def test_a_qop_without_count_and_client_nonce_is_an_echo_of_the_challenge() -> None:
    """As aiosip sends it; its response is that of RFC 2069."""
    shown = Credentials.parse(GOOD.replace(', nc=00000001, cnonce="c"', ""))
    assert shown is not None
    assert (shown.qop, shown.nc, shown.cnonce) == (None, 0, "")


def test_the_credentials_of_our_realm_are_found_among_others() -> None:
    other = GOOD.replace("example.com", "elsewhere.example")
    found = find_credentials(["Basic abc", other, GOOD], "example.com")
    assert found is not None
    assert found.realm == "example.com"
    assert find_credentials([other], "example.com") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('username="100"', "username=100"), ('username="100", ', ""), ('nonce="n", ', ""),
        ('uri="sip:example.com", ', ""), ('realm="example.com", ', ""), ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=00000000"), (", nc=00000001", ""), ("nc=00000001", "nc=0000000g"),
        (', cnonce="c"', ""), ("qop=auth", "qop="), ("qop=auth", "qop=auth, qop=auth"),
        ("0123456789abcdef0", "0123456789abcdeF0"), ('response="', 'response="x'), ('"100"', '"100'),
        ("MD5,", "MD5,,"), ("MD5,", "MD5"), ('"100"', '"' + "x" * 300 + '"'),
        ('cnonce="c"', 'cnonce="c",'), ("Digest ", "Digest  ,"),
        ('cnonce="c"', 'cnonce="c"' + "".join(f", p{i}=x" for i in range(40))),
        ("algorithm=MD5", 'algorithm="M D"'),
    ],
)  # fmt: skip
def test_malformed_credentials_are_refused(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(SipSyntaxError) as caught:
        Credentials.parse(GOOD.replace(old, new, 1))
    assert caught.value.status == 400
