"""No amplification: what is answered without proof is at most three times what was asked (RFC 3261 26.3.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.network import Address
from ringfence.server.sip.amplification import MOST_GROWTH, bounded
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

SHORT = (
    b"OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP b;branch=z9hG4bK1\r\nf:<sip:c>;tag=d\r\nt:<sip:a>\r\ni:e\r\n"
    b"CSeq:1 OPTIONS\r\n\r\n"
)
CHALLENGE = ("WWW-Authenticate", 'Digest realm="r", nonce="' + "n" * 80 + '"')
OTHER = ("WWW-Authenticate", 'Digest realm="r", nonce="' + "o" * 80 + '", algorithm=SHA-256')


def answer(*headers: tuple[str, str]) -> Response:
    request = parse(SHORT)
    assert isinstance(request, Request)
    response = request.respond(401, to_tag="t")
    for name, value in headers:
        response.add(name, value)
    return response


def test_what_fits_stays_as_it_is() -> None:
    response = answer(CHALLENGE)
    assert bounded(response, len(SHORT)) == response.to_bytes()


def test_explanations_go_first_and_then_the_weaker_wishes() -> None:
    """RFC 8760 2.4: the first challenge is the preferred one."""
    full = answer(CHALLENGE, OTHER, ("Warning", "x" * 200))
    size = len(answer(CHALLENGE, OTHER).to_bytes())
    kept = bounded(full, -(-size // MOST_GROWTH))
    assert kept is not None
    told = parse(kept)
    assert told.all("www-authenticate") == [CHALLENGE[1], OTHER[1]]
    assert told.get("warning") is None
    shorter = bounded(answer(CHALLENGE, OTHER), (size - 1) // MOST_GROWTH)
    assert shorter is not None
    assert parse(shorter).all("www-authenticate") == [CHALLENGE[1]]


def test_what_is_too_much_still_is_not_said() -> None:
    assert bounded(answer(CHALLENGE), 60) is None


@given(st.integers(1, 400), st.lists(st.sampled_from([CHALLENGE, OTHER, ("Allow", "INVITE")]), max_size=5))
def test_no_answer_is_longer_than_three_times_the_request(size: int, headers: list[tuple[str, str]]) -> None:
    data = bounded(answer(*headers), size)
    assert data is None or len(data) <= MOST_GROWTH * size


def test_who_has_a_connection_is_no_forged_address(wire: Wire) -> None:
    """RFC 5626: a flow has proved that somebody is there; he gets the whole answer."""
    request = parse(SHORT)
    assert isinstance(request, Request)
    long = ("Warning", "x" * 1000)
    wire.agent.refuse(request, 400, wire.far, long)
    wire.agent.refuse(request, 400, Flow("TCP", Address("192.0.2.7", 5070), 1), long)
    short, whole = wire.take()
    assert (short.get("warning"), whole.get("warning")) == (None, long[1])


def test_an_answer_may_wait(wire: Wire) -> None:
    """A delayed 401 holds no transaction and no task: a timer of the agent sends its bytes."""
    request = parse(SHORT)
    assert isinstance(request, Request)
    wire.agent.refuse(request, 401, wire.far, CHALLENGE, at=wire.now + 2.0)
    assert wire.agent.is_idle
    assert wire.pass_time(1.9) == []
    assert [(round(when, 3), wire.names([one])) for when, one in wire.pass_time(1.0)] == [(0.1, [401])]
