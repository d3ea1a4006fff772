from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.digest import Algorithm, Challenge, Credentials, Nonces, Verdict, ha1

REALM = "example.com"
URI = "sip:example.com"
PASSWORD = "geheim"
SECRET = ha1("100", REALM, PASSWORD)
SOURCE = "192.0.2.7"
NOBODY = ha1("nobody", REALM, "no password")


def nonces(*, lifetime_s: float = 300, most: int = 100) -> Nonces:
    return Nonces(Random(1), lifetime_s=lifetime_s, most=most)


def credentials(nonce: str, *, nc: int = 1, password: str = PASSWORD, uri: str = URI) -> Credentials:
    return Challenge(REALM, nonce).answer("100", password, "REGISTER", uri, cnonce="c", nc=nc)


def verdict(
    server: Nonces, shown: Credentials, now: float = 0.0, secret: str = SECRET, uri: str = URI
) -> Verdict:
    return server.verify(shown, "REGISTER", uri, secret, now, source=SOURCE)


def test_the_right_password_passes_and_a_wrong_one_does_not() -> None:
    server = nonces()
    assert verdict(server, credentials(server.mint(0, SOURCE))) is Verdict.OK
    assert verdict(server, credentials(server.mint(0, SOURCE), password="x")) is Verdict.WRONG
    assert verdict(server, credentials(server.mint(0, SOURCE)), secret=NOBODY) is Verdict.WRONG


def test_each_challenge_has_its_own_nonce() -> None:
    server = nonces()
    assert len({server.mint(0, SOURCE) for _ in range(100)}) == 100


@given(st.lists(st.integers(1, 150), max_size=60))
def test_no_count_is_taken_twice_and_no_fresh_one_within_the_window_refused(counts: list[int]) -> None:
    """RFC 7616 section 3.3."""
    server = nonces()
    nonce = server.mint(0, SOURCE)
    seen: set[int] = set()
    for nc in counts:
        told = verdict(server, credentials(nonce, nc=nc))
        if nc in seen or nc <= max(seen, default=0) - 64:
            assert told is Verdict.REPLAY
        else:
            assert told is Verdict.OK
            seen.add(nc)


def test_an_old_nonce_is_stale_whatever_the_password() -> None:
    """RFC 7616 section 3.3: `stale` tells of the nonce; a guess with an old one learns nothing by it."""
    server = nonces(lifetime_s=300)
    nonce = server.mint(10, SOURCE)
    assert verdict(server, credentials(nonce), now=309.9) is Verdict.OK
    assert verdict(server, credentials(nonce, nc=2), now=310) is Verdict.STALE
    assert verdict(server, credentials(nonce, nc=2, password="x"), now=310) is Verdict.STALE


@pytest.mark.parametrize("nonce", ["", "x", "0-1-" + "0" * 32, "0-1", "-1-1-" + "0" * 32])
def test_a_nonce_of_somebody_else_is_stale(nonce: str) -> None:
    assert verdict(nonces(), credentials(nonce)) is Verdict.STALE


def test_a_nonce_of_a_former_run_is_stale() -> None:
    nonce = Nonces(Random(2)).mint(0, SOURCE)
    assert verdict(nonces(), credentials(nonce)) is Verdict.STALE


def test_a_nonce_cannot_be_made_younger() -> None:
    server = nonces(lifetime_s=300)
    _, serial, mac = server.mint(0, SOURCE).split("-")
    assert verdict(server, credentials(f"{400_000:x}-{serial}-{mac}"), now=400) is Verdict.STALE


def test_without_qop_a_nonce_is_good_once() -> None:
    server = nonces()
    nonce = server.mint(0, SOURCE)
    old = Challenge(REALM, nonce, qop=()).answer("100", "geheim", "REGISTER", URI, cnonce="")
    assert [verdict(server, old), verdict(server, old)] == [Verdict.OK, Verdict.REPLAY]
    assert verdict(server, credentials(nonce, nc=5)) is Verdict.REPLAY
    used = server.mint(0, SOURCE)
    assert verdict(server, credentials(used)) is Verdict.OK
    assert verdict(server, replace(old, nonce=used)) is Verdict.WRONG


@pytest.mark.parametrize(
    ("claimed", "told"),
    [
        ("sip:example.com", Verdict.OK),
        ("sip:EXAMPLE.com", Verdict.OK),
        ("sip:other.example", Verdict.WRONG),
        ("sip:example.com:5060", Verdict.WRONG),
        ("sip:example.com;transport=UDP", Verdict.OK),
        ("sip:101@example.com", Verdict.WRONG),
        ("not a uri", Verdict.WRONG),
    ],
)
def test_the_uri_is_that_of_the_request(claimed: str, told: Verdict) -> None:
    """RFC 7616 section 3.4.6, compared as RFC 3261 section 19.1.4 does."""
    server = nonces()
    assert verdict(server, credentials(server.mint(0, SOURCE), uri=claimed)) is told


@pytest.mark.parametrize(
    ("claimed", "told"),
    [
        ("sip:example.com", Verdict.OK),
        ("sip:other.example", Verdict.WRONG),
        ("sips:example.com", Verdict.WRONG),
        ("sip:9901@example.com", Verdict.OK),
        ("sip:9902@example.com", Verdict.WRONG),
        ("sip:9901@example.com;transport=udp", Verdict.WRONG),
    ],
)
def test_the_uri_may_name_the_host_alone(claimed: str, told: Verdict) -> None:
    """As pyVoIP does in every request; a user that is named has to be the one that is asked for."""
    server = nonces()
    shown = credentials(server.mint(0, SOURCE), uri=claimed)
    assert verdict(server, shown, uri="sip:9901@example.com") is told


def test_method_algorithm_and_qop_are_part_of_the_proof() -> None:
    server = nonces()
    shown = credentials(server.mint(0, SOURCE))
    assert server.verify(shown, "INVITE", URI, SECRET, 0, source=SOURCE) is Verdict.WRONG
    assert verdict(server, replace(shown, qop="auth-int")) is Verdict.WRONG
    assert verdict(server, shown) is Verdict.OK


def test_a_nonce_is_good_for_its_algorithm_alone() -> None:
    """RFC 8760 section 2.3: each algorithm has a challenge of its own."""
    server = nonces()
    nonce = server.mint(0, SOURCE, Algorithm.SHA_256)
    secret = ha1("100", REALM, PASSWORD, Algorithm.SHA_256)
    weaker = credentials(nonce)
    assert verdict(server, weaker) is Verdict.STALE
    shown = Challenge(REALM, nonce, "SHA-256").answer("100", PASSWORD, "REGISTER", URI, cnonce="c")
    told = server.verify(shown, "REGISTER", URI, secret, 0, source=SOURCE, algorithm=Algorithm.SHA_256)
    assert told is Verdict.OK


def test_a_nonce_is_good_for_its_source_alone() -> None:
    """Who spoofs an address has no nonce for it, and so cannot have that address banned for guessing."""
    server = nonces()
    shown = credentials(server.mint(0, "198.51.100.9"), password="x")
    assert verdict(server, shown) is Verdict.STALE


def test_challenges_and_wrong_guesses_leave_nothing_behind() -> None:
    server = nonces()
    for _ in range(200):
        assert verdict(server, credentials(server.mint(0, SOURCE), password="x")) is Verdict.WRONG
    assert len(server) == 0


def test_expired_nonces_are_forgotten() -> None:
    server = nonces(lifetime_s=300)
    for second in range(10):
        assert verdict(server, credentials(server.mint(second, SOURCE)), now=second) is Verdict.OK
    assert len(server) == 10
    assert verdict(server, credentials(server.mint(1000, SOURCE)), now=1000) is Verdict.OK
    assert len(server) == 1


@given(st.lists(st.integers(0, 19), max_size=60))
def test_a_full_table_forgets_but_never_accepts_a_replay(uses: list[int]) -> None:
    server = nonces(most=4)
    minted = [server.mint(0, SOURCE) for _ in range(20)]
    accepted: set[int] = set()
    for index in uses:
        told = verdict(server, credentials(minted[index]))
        assert (told is Verdict.OK) <= (index not in accepted)
        if told is Verdict.OK:
            accepted.add(index)
        assert len(server) <= 4
