"""Who is who, seen from outside: digest, registrar and escaped names (RFC 3261 10, 19.1.4 and 22, RFC 7616)."""

from __future__ import annotations

import pytest
from tests.server.besieged import authorized

from ringfence.server.sip.credentials import ha1, response_for
from ringfence.server.sip.message import Request

from .outsider import DOMAIN, INACTIVE, PASSWORDS, Outsider, again

ESCAPED = "%31%30%30"

# -- digest ----------------------------------------------------------------------------------------------------


def test_a_replay_is_refused(phone: Outsider) -> None:
    """RFC 7616 3.3: whoever saw the credentials on the way cannot use them, not even for the same request."""
    request = phone.write("REGISTER")
    challenge = phone.challenge(request)
    seen = authorized(request, challenge, "100", PASSWORDS["100"])
    assert phone.ask(again(seen)).status == 200
    assert phone.ask(again(seen)).status in {401, 482}, "as a replay, or as merged (8.2.2.2)"
    answer = phone.ask(again(seen).replace(b"Call-ID: ", b"Call-ID: other-"))
    assert (answer.status, "stale=true" in (answer.get("www-authenticate") or "")) == (401, True)


def test_requests_of_one_moment_have_nonces_of_their_own(phone: Outsider) -> None:
    """Hardening: a nonce for each challenge, not for each second."""
    assert len({phone.challenge(phone.write("REGISTER")).nonce for _ in range(20)}) == 20


URIS = {
    "itself": (f"sip:{INACTIVE}@{DOMAIN}", True),
    "itself, escaped": (f"sip:%39%39200@{DOMAIN}", True),
    "itself, host in capitals": (f"sip:{INACTIVE}@{DOMAIN.upper()}", True),
    "its host alone": (f"sip:{DOMAIN}", True),
    "its host alone, as pyVoIP writes it": (f"sip:{DOMAIN};transport=UDP", True),
    "another user": (f"sip:101@{DOMAIN}", False),
    "a user in capitals": (f"sip:{INACTIVE}A@{DOMAIN}", False),
    "another host": (f"sip:{INACTIVE}@elsewhere.example", False),
    "another host alone": ("sip:elsewhere.example", False),
    "another port": (f"sip:{INACTIVE}@{DOMAIN}:5070", False),
    "another scheme": (f"sips:{INACTIVE}@{DOMAIN}", False),
    "the host alone by another scheme": (f"sips:{DOMAIN}", False),
    "an empty user": (f"sip:@{DOMAIN}", False),
    "no URI": (INACTIVE, False),
}


@pytest.mark.parametrize("name", URIS)
def test_the_digest_uri_is_that_of_the_request(phone: Outsider, name: str) -> None:
    """RFC 7616 3.4.6: a proof for one target is none for another; old clients may name the host alone."""
    claimed, is_taken = URIS[name]
    request = phone.write("MESSAGE", INACTIVE)
    shown = phone.challenge(request).answer("100", PASSWORDS["100"], "MESSAGE", claimed, cnonce="c")
    start, _, rest = request.partition(b"\r\n")
    answer = phone.ask(again(start + f"\r\nAuthorization: {shown}\r\n".encode() + rest))
    assert (answer.status == 401) is not is_taken


def test_qop_without_counts_is_good_once(phone: Outsider) -> None:
    """RFC 7616 3.4.1: aiosip repeats the qop of the challenge and computes without it, as RFC 2069 did."""
    request = phone.write("REGISTER")
    challenge = phone.challenge(request)
    uri = f"sip:{DOMAIN}"
    proof = response_for(ha1("100", DOMAIN, PASSWORDS["100"]), "REGISTER", uri, challenge.nonce)
    line = (
        f'Authorization: Digest username="100", realm="{DOMAIN}", nonce="{challenge.nonce}", uri="{uri}", '
        f'response="{proof}", algorithm=MD5, qop=auth'
    )
    shown = request.replace(b"\r\nVia", f"\r\n{line}\r\nVia".encode(), 1)
    assert phone.ask(again(shown)).status == 200
    assert phone.ask(again(shown).replace(b"Call-ID: ", b"Call-ID: other-")).status == 401


def test_an_unknown_account_and_a_wrong_password_are_told_alike(stranger: Outsider) -> None:
    """Hardening rule 15."""
    told = []
    for account in ("101", "nobody-is-called-so"):
        request = stranger.write("REGISTER", account=account)
        answer = stranger.ask(
            again(authorized(request, stranger.challenge(request), account, "a wrong password"))
        )
        told.append((answer.status, answer.reason, [name for name, _ in answer.headers]))
    assert told[0] == told[1]
    assert told[0][0] == 401


def test_the_fifth_guess_waits_for_its_answer(stranger: Outsider) -> None:
    """Hardening: 300 guesses in a second are not to be had; the rest is in tests/server/switch/test_guessing.py."""
    for _ in range(4):
        request = stranger.write("REGISTER")
        assert (
            stranger.ask(again(authorized(request, stranger.challenge(request), "100", "guess"))).status
            == 401
        )
    request = stranger.write("REGISTER")
    fifth = authorized(request, stranger.challenge(request), "100", "guess")
    assert stranger.hears_nothing_of(again(fifth))


# -- registrar -------------------------------------------------------------------------------------------------


def contacts(one: Outsider, account: str = "100") -> list[int | None]:
    """The ports that an account is registered at."""
    request = one.write("REGISTER", account=account).split(b"\r\n")
    asking = b"\r\n".join(line for line in request if not line.startswith(b"Contact"))
    answer = one.prove(asking, account)
    assert answer.status == 200
    return [getattr(contact.uri, "port", None) for contact in answer.contacts]


def test_an_older_cseq_removes_nothing(phone: Outsider) -> None:
    """RFC 3261 10.3 step 7."""
    assert phone.prove(phone.write("REGISTER", call="order", cseq=10)).status == 200
    for cseq in (8, 9):
        leaving = phone.write("REGISTER", "", "Expires: 0", call="order", cseq=cseq)
        own = f"Contact: <sip:100@{phone.host}:{phone.port}>".encode()
        assert phone.prove(leaving.replace(own, b"Contact: *") if cseq == 8 else leaving).status == 500
    assert phone.port in contacts(phone)
    assert phone.prove(phone.write("REGISTER", "", "Expires: 0", call="order", cseq=11)).status == 200
    assert phone.port not in contacts(phone)


def test_an_escaped_user_is_the_plain_one(phone: Outsider, other: Outsider, trunk: Outsider) -> None:
    """RFC 3261 19.1.4: in the registrar, in authentication and in routing."""
    plain, escaped = b"sip:100@", f"sip:{ESCAPED}@".encode()
    registered = phone.prove(phone.write("REGISTER").replace(plain, escaped))
    assert registered.status == 200
    assert phone.port in contacts(other)
    invite = trunk.write("INVITE", f"08955550{ESCAPED}", body=trunk.sdp())
    trunk.say(invite)
    rung = phone.hear()
    assert isinstance(rung, Request)
    assert rung.method == "INVITE"
    trunk.say(
        invite.replace(b"INVITE", b"CANCEL").partition(b"\r\nContent-Type")[0]
        + b"\r\nContent-Length: 0\r\n\r\n"
    )
    leaving = phone.write("REGISTER", "", "Expires: 0").replace(plain, escaped)
    assert phone.prove(leaving).status == 200
    assert phone.port not in contacts(other)


def test_other_domains_are_not_served(phone: Outsider) -> None:
    """RFC 3261 10.3 step 5 and 16.5: neither their accounts nor their users are here."""
    ours = f"To: <sip:100@{DOMAIN}>".encode()
    registered = phone.prove(phone.write("REGISTER").replace(ours, b"To: <sip:100@elsewhere.example>"))
    assert registered.status == 404
    assert phone.prove(phone.write("REGISTER", target="sip:elsewhere.example")).status == 404
    for method in ("INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS"):
        assert phone.prove(phone.write(method, target="sip:100@elsewhere.example")).status == 404


def test_nobody_registers_for_somebody_else(phone: Outsider) -> None:
    """RFC 3261 10.3 step 4: 403, whoever is in From."""
    request = phone.write("REGISTER", account="101")
    challenge = phone.challenge(request)
    assert phone.ask(again(authorized(request, challenge, "100", PASSWORDS["100"]))).status == 403
    assert phone.port not in contacts(phone, "101")
