"""Our registration at somebody else's registrar (RFC 3261 section 10.2), on a virtual wire."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.authorize import Authorizer
from ringfence.server.sip.credentials import Challenge, Credentials
from ringfence.server.sip.digest import Nonces, Verdict, ha1
from ringfence.server.sip.message import Request
from ringfence.server.sip.registration import Registered, Registration, Unregistered
from ringfence.server.sip.uri import SipUri

if TYPE_CHECKING:
    from .conftest import Wire

Told = list[Registered | Unregistered]


def registering(wire: Wire) -> tuple[Registration, Told]:
    told: Told = []
    registration = Registration(
        wire.agent,
        SipUri.parse("sip:192.0.2.7:5070"),
        (wire.far,),
        account="firma",
        authorize=Authorizer("firma", "geheim", Random(1)),
        random=Random(1),
        told=told.append,
    )
    registration.start(wire.now)
    return registration, told


def asked(wire: Wire) -> Request:
    messages = wire.take()
    assert wire.names(messages) == ["REGISTER"]
    assert isinstance(messages[0], Request)
    return messages[0]


def asked_again(wire: Wire, request: Request, status: int, **headers: str) -> Request:
    """Answer a REGISTER, and return the one that follows at once."""
    (again,) = wire.answer(request, status, **headers)
    assert isinstance(again, Request)
    assert again.cseq.number == request.cseq.number + 1
    return again


def accept(wire: Wire, request: Request, expires_s: int) -> None:
    wire.answer(request, 200, contact=f"{request.get('contact')};expires={expires_s}")


def next_asked(wire: Wire, seconds: float) -> tuple[float, Request]:
    """Let time pass until the next REGISTER that is no repetition; return when it came."""
    when, request = wire.pass_time(seconds)[0]
    assert isinstance(request, Request)
    return when, request


def test_it_registers_and_refreshes_before_the_time_is_over(wire: Wire) -> None:
    """RFC 3261 10.2.4 and 10.2.7: same Call-ID, CSeq one higher; the registrar's time counts."""
    registration, told = registering(wire)
    first = asked(wire)
    assert (first.uri, first.get("to"), first.get("expires")) == (
        "sip:192.0.2.7:5070",
        "<sip:firma@192.0.2.7>",
        "3600",
    )
    assert first.get("contact") == "<sip:firma@192.0.2.1:5060>"
    assert first.get("authorization") is None
    accept(wire, first, 600)
    assert registration.is_registered
    when, second = next_asked(wire, 590)
    assert when == 600 - 32
    assert (second.call_id, second.cseq.number) == (first.call_id, first.cseq.number + 1)
    accept(wire, second, 20)
    assert next_asked(wire, 19)[0] == 10
    assert told == [Registered(600)]


@pytest.mark.parametrize(("status", "name"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
def test_a_challenge_is_answered_with_the_trunk_s_account(wire: Wire, status: int, name: str) -> None:
    """RFC 3261 22.2; a stale nonce once more, a third challenge is a failure."""
    registration, told = registering(wire)
    nonces = Nonces(Random(1))
    request = asked(wire)
    for stale in (False, True):
        challenge = str(Challenge("amt", nonces.mint(0.0, "192.0.2.1"), stale=stale))
        request = asked_again(wire, request, status, **{name: challenge})
        credentials = Credentials.parse(
            request.get("authorization") or request.get("proxy-authorization") or ""
        )
        assert credentials is not None
        secret = ha1("firma", "amt", "geheim")
        verdict = nonces.verify(credentials, "REGISTER", request.uri, secret, 1.0, source="192.0.2.1")
        assert verdict is Verdict.OK
    assert wire.answer(request, status, **{name: challenge}) == []
    assert told == [Unregistered(status)]
    assert not registration.is_registered


def test_a_challenge_that_is_none_is_a_failure(wire: Wire) -> None:
    _, told = registering(wire)
    wire.answer(asked(wire), 401, WWW_Authenticate='Digest realm="amt", nonce=')
    assert told == [Unregistered(401)]


def test_each_failure_is_waited_for_longer(wire: Wire) -> None:
    """RFC 5626 4.5: from 30 seconds, doubled up to half an hour, less by chance; Retry-After may lengthen it."""
    _, told = registering(wire)
    request = asked(wire)
    waits = []
    for _ in range(9):
        wire.answer(request, 403)
        failed_at = wire.now
        while not (sent := wire.pass_time(1)):
            pass
        waits.append(wire.now - failed_at)
        _, again = sent[0]
        assert isinstance(again, Request)
        request = again
    assert all(
        longest / 2 <= wait_s <= longest + 1
        for wait_s, longest in zip(waits, (30, 60, 120, 240, 480, 960, 1800, 1800, 1800), strict=True)
    )
    wire.answer(request, 503, Retry_After="1799 (maintenance)")
    assert next_asked(wire, 1801)[0] >= 1799
    assert told == [*[Unregistered(403)] * 9, Unregistered(503)]


def test_nobody_answers(wire: Wire) -> None:
    """RFC 3261 17.1.2.2: timer F; afterwards it is tried again, and success forgets the failures."""
    registration, told = registering(wire)
    wire.pass_time(32)
    assert told == [Unregistered(408)]
    _, request = next_asked(wire, 30)
    accept(wire, request, 3600)
    assert registration.is_registered
    assert told[1:] == [Registered(3600)]


def test_too_brief_is_asked_for_longer(wire: Wire) -> None:
    """RFC 3261 10.2.8."""
    _, told = registering(wire)
    longer = asked_again(wire, asked(wire), 423, Min_Expires="7200")
    assert longer.get("expires") == "7200"
    wire.answer(longer, 423, Min_Expires="7200")
    assert told == [Unregistered(423)]


def test_a_registrar_that_grants_nothing_has_not_registered_us(wire: Wire) -> None:
    registration, told = registering(wire)
    accept(wire, asked(wire), 0)
    assert not registration.is_registered
    assert told == [Unregistered(200)]


def test_the_end_takes_it_back(wire: Wire) -> None:
    """RFC 3261 10.2.2: Expires 0, challenged as any other; nothing is asked afterwards."""
    registration, told = registering(wire)
    accept(wire, asked(wire), 3600)
    registration.stop(wire.now)
    leaving = asked(wire)
    assert leaving.get("expires") == "0"
    leaving = asked_again(wire, leaving, 401, WWW_Authenticate=str(Challenge("amt", "n")))
    assert (leaving.get("expires"), leaving.get("authorization") is None) == ("0", False)
    wire.answer(leaving, 200)
    assert told == [Registered(3600), Unregistered(0)]
    assert wire.pass_time(4000) == []
    assert wire.agent.is_idle
