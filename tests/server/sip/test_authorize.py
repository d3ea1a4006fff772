"""Whose challenges are answered with an account, and whose are not (RFC 3261 22.3, hardening rule 12)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.authorize import Authorizer
from ringfence.server.sip.message import Request, Response

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

OURS, OTHER = 'Digest realm="amt", nonce="n"', 'Digest realm="callee", nonce="n"'
ELSEWHERE = "<sip:100@203.0.113.9>"


def answered(realm: str | None, *challenges: str, status: int = 401) -> tuple[str, str] | None:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    response = Response(status, headers=[(name, challenge) for challenge in challenges])
    return Authorizer("firma", "geheim", Random(1), realm)(response, Request("INVITE", "sip:1@192.0.2.7"))


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenge_of_another_realm_gets_no_credentials(status: int) -> None:
    assert answered("amt", OTHER, status=status) is None
    assert answered("Amt", OURS, status=status) is None, (
        "a realm is compared as it is written (RFC 3261 22.1)"
    )


def test_the_own_realm_is_found_among_others() -> None:
    header = answered("amt", OTHER, OURS)
    assert header is not None
    assert 'realm="amt"' in header[1]


def test_without_a_realm_whoever_is_asked_may_name_his() -> None:
    header = answered(None, OTHER, OURS)
    assert header is not None
    assert 'realm="callee"' in header[1]


def test_a_contact_at_another_host_is_shown_no_credentials(wire: Wire) -> None:
    """Whoever the call leads to beyond the trunk gets neither those of the INVITE in the ACK nor new ones for a BYE."""
    leg = wire.agent.invite(
        "sip:9@192.0.2.7", wire.far, from_="<sip:1@a.example>", to="<sip:9@a.example>", body=wire.offer,
        now=wire.now, authorize=Authorizer("firma", "geheim", Random(1)),
    )  # fmt: skip
    (first,) = wire.take()
    assert isinstance(first, Request)
    second = wire.answer(first, 407, Proxy_Authenticate=OURS)[-1]
    assert isinstance(second, Request)
    assert second.get("proxy-authorization") is not None
    (ack,) = wire.answer(second, 200, contact=ELSEWHERE)
    assert ack.get("proxy-authorization") is None
    leg.hang_up(wire.now)
    (bye,) = wire.take()
    assert isinstance(bye, Request)
    assert wire.answer(bye, 407, Proxy_Authenticate=OURS) == []


def test_a_challenge_inside_the_call_is_answered_to_the_host_of_the_account(wire: Wire) -> None:
    leg = wire.agent.invite(
        "sip:9@192.0.2.7", wire.far, from_="<sip:1@a.example>", to="<sip:9@a.example>", body=wire.offer,
        now=wire.now, authorize=Authorizer("firma", "geheim", Random(1)),
    )  # fmt: skip
    (invite,) = wire.take()
    assert isinstance(invite, Request)
    wire.answer(invite, 200)
    leg.hang_up(wire.now)
    (bye,) = wire.take()
    assert isinstance(bye, Request)
    (again,) = wire.answer(bye, 407, Proxy_Authenticate=OURS)
    assert isinstance(again, Request)
    assert again.method == "BYE"
    assert again.get("proxy-authorization") is not None
