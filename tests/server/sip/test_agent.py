"""What an agent does with whatever arrives: RFC 3261 sections 8, 17.2.3 and 18, RFC 3581."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringfence.channels.network import Address
from ringfence.server.sip.agent import Agent
from ringfence.server.sip.effects import Requested, RequestedInside, Responded, Send, Unanswered
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

TORTURE = sorted((Path(__file__).parent / "rfc4475").glob("*.dat"))
NATTED = Address("198.51.100.9", 40123)


def refuse_all(wire: Wire, status: int = 401) -> list[Request | Response]:
    for effect in wire.take_told():
        if isinstance(effect, Requested):
            wire.agent.refuse(effect.request, status, effect.source)
    wire.collect()
    return [message for _, message, _ in wire.sent]


# -- where responses go ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("via", "destination", "received", "rport"),
    [
        ("192.0.2.7:5070;rport", NATTED, "198.51.100.9", "40123"),
        ("192.0.2.7:5070", Address("198.51.100.9", 5070), "198.51.100.9", None),
        ("192.0.2.7", Address("198.51.100.9", 5060), "198.51.100.9", None),
        ("phone.example:5071", Address("198.51.100.9", 5071), "198.51.100.9", None),
        ("198.51.100.9:5071", Address("198.51.100.9", 5071), None, None),
        ("198.51.100.9:5071;received=203.0.113.1", Address("198.51.100.9", 5071), "203.0.113.1", None),
        ("198.51.100.9:5071;received=203.0.113.1;rport", NATTED, "198.51.100.9", "40123"),
    ],
)
def test_responses_go_back_to_the_source(
    wire: Wire, via: str, destination: Address, received: str | None, rport: str | None
) -> None:
    """RFC 3261 18.2.1 and 18.2.2, RFC 3581 4: with `rport` to the very port, else to that of sent-by."""
    wire.agent.receive(wire.request("OPTIONS", via=via).to_bytes(), NATTED, wire.now)
    refuse_all(wire)
    ((_, response, sent_to),) = wire.sent
    assert sent_to == destination
    assert (response.via.param("received"), response.via.param("rport")) == (received, rport)


def test_what_a_transaction_sends_goes_there_as_well(wire: Wire) -> None:
    wire.agent.receive(wire.request("INVITE").to_bytes(), NATTED, wire.now)
    requested = wire.take_told()[0]
    assert isinstance(requested, Requested)
    wire.agent.incoming(wire.agent.accept(requested.request, requested.source), NATTED, wire.now).ring(
        wire.now
    )
    wire.collect()
    assert [destination for _, _, destination in wire.sent] == [NATTED]


# -- which transaction a request belongs to: RFC 3261 17.2.3 ---------------------------------------------------


def test_branch_sent_by_and_method_name_a_transaction(wire: Wire) -> None:
    wire.called()
    branch = wire.request("INVITE").via.branch
    wire.receive(wire.request("INVITE", branch=branch, call="other"))
    assert wire.take_told() == [], "the branch alone decides"
    wire.receive(wire.request("INVITE", branch=branch, call="other", via="192.0.2.8:5070"))
    wire.receive(wire.request("OPTIONS", branch=branch, call="other"))
    assert [type(one) for one in wire.take_told()] == [Requested, Requested]


@pytest.mark.parametrize("branch", ["old", "1", "z9hG4b"])
def test_without_the_magic_cookie_a_transaction_is_found_as_in_rfc_2543(wire: Wire, branch: str) -> None:
    def invite(call: str = "c1", from_tag: str = "f1") -> Request:
        return wire.request("INVITE", branch=branch, call=call, from_tag=from_tag)

    wire.receive(invite())
    requested = wire.take_told()[0]
    assert isinstance(requested, Requested)
    leg = wire.agent.incoming(wire.agent.accept(requested.request, requested.source), wire.far, wire.now)
    wire.receive(invite())
    assert wire.take_told() == []
    wire.receive(invite(call="c2"))
    wire.receive(invite(from_tag="f2"))
    assert [type(one) for one in wire.take_told()] == [Requested, Requested]
    leg.refuse(486, wire.now)
    wire.take()
    assert wire.receive(wire.request("ACK", branch=branch, to_tag=leg.local_tag)) == []
    assert wire.pass_time(10) == [], "the ACK found its INVITE"


def test_cancel_finds_an_invite_without_the_magic_cookie(wire: Wire) -> None:
    wire.receive(wire.request("INVITE", branch="old"))
    requested = wire.take_told()[0]
    assert isinstance(requested, Requested)
    wire.agent.incoming(wire.agent.accept(requested.request, requested.source), wire.far, wire.now)
    assert wire.names(wire.receive(wire.request("CANCEL", branch="old"))) == [200, 487]


def test_a_request_that_came_by_two_ways_gets_482(wire: Wire) -> None:
    """RFC 3261 8.2.2.2."""
    leg = wire.called()
    assert wire.names(wire.receive(wire.request("INVITE", branch="z9hG4bKother"))) == [482]
    wire.receive(wire.request("INVITE", branch="z9hG4bKnext", cseq=2))
    assert [type(one) for one in wire.take_told()] == [Requested]
    leg.refuse(486, wire.now)
    wire.pass_time(60)
    assert wire.ends() == [(486, False)]
    assert wire.agent.is_idle
    wire.receive(wire.request("INVITE", branch="z9hG4bKlater"))
    assert [type(one) for one in wire.take_told()] == [Requested]


# -- answers without a transaction -----------------------------------------------------------------------------


@pytest.mark.parametrize("to_tag", ["", "known-to-nobody"])
def test_an_ack_is_never_answered(wire: Wire, to_tag: str) -> None:
    assert wire.receive(wire.request("ACK", to_tag=to_tag)) == []
    broken = wire.request("ACK", to_tag=to_tag)
    broken.set("cseq", "nonsense")
    assert wire.receive(broken) == []
    assert wire.take_told() == []


def test_repetitions_of_a_refused_request_get_equal_answers(wire: Wire) -> None:
    """RFC 3261 8.2.7: the To tag is the same, yet another for another request or agent; nothing is kept."""
    answers = []
    for _ in range(2):
        wire.receive(wire.request("INVITE"))
        answers.append(refuse_all(wire)[0])
        wire.sent.clear()
    assert answers[0].to_bytes() == answers[1].to_bytes()
    assert answers[0].to.tag
    wire.receive(wire.request("INVITE", cseq=2))
    assert refuse_all(wire)[0].to.tag != answers[0].to.tag
    assert wire.agent.is_idle
    other = Agent(wire.us, Random(2))
    request = parse(wire.request("INVITE").to_bytes())
    assert isinstance(request, Request)
    other.refuse(request, 401, wire.far)
    (send,) = other.take_effects()
    assert isinstance(send, Send)
    assert parse(send.data).to.tag != answers[0].to.tag


def test_a_broken_request_gets_the_same_400_each_time(wire: Wire) -> None:
    broken = wire.request("OPTIONS")
    broken.set("max-forwards", "seventy")
    first, second = wire.receive(broken), wire.receive(broken)
    assert wire.names(first) == [400]
    assert first[0].to_bytes() == second[0].to_bytes()
    assert first[0].via.param("rport") == "5070"


def test_a_broken_request_without_call_id_or_branch_gets_400(wire: Wire) -> None:
    broken = wire.request("OPTIONS")
    broken.remove("call-id")
    broken.set("via", "SIP/2.0/UDP 192.0.2.7:5070")
    assert wire.names(wire.receive(broken)) == [400]


def test_a_request_inside_an_unknown_dialog_gets_481(wire: Wire) -> None:
    """RFC 3261 12.2.2."""
    assert wire.names(wire.receive(wire.request("BYE", to_tag="nobody"))) == [481]
    assert wire.names(wire.receive(wire.request("INVITE", to_tag="nobody"))) == [481]


# -- what is dropped -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b"\r\n" * 50, b"\0", b"\x00\x01\x00\x00!\x12\xa4B"]
)
def test_keep_alives_are_ignored(wire: Wire, data: bytes) -> None:
    assert wire.receive(data) == []
    assert wire.take_told() == []


def test_a_response_to_nothing_is_ignored(wire: Wire) -> None:
    for status in (100, 200, 486):
        assert wire.receive(wire.request("INVITE").respond(status, to_tag="x")) == []
    assert wire.take_told() == []


def test_a_response_with_a_via_of_others_is_ignored(wire: Wire) -> None:
    """RFC 3261 8.1.3.3: more than one Via means that it is for somebody else."""
    _, invite = wire.calling()
    response = invite.respond(200, to_tag="x")
    response.add("via", "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKx")
    assert wire.receive(response) == []
    assert wire.take_told() == []


# -- sending ---------------------------------------------------------------------------------------------------


def test_requests_of_an_owner_are_told_to_it(wire: Wire) -> None:
    request = wire.request("OPTIONS")
    request.remove("via")
    owner = object()
    transaction = wire.agent.send(request, wire.far, owner, wire.now)
    (sent,) = wire.take()
    assert sent.via.branch is not None
    assert (sent.via.host, sent.via.port, sent.via.has_param("rport")) == ("192.0.2.1", 5060, True)
    wire.receive(transaction.request.respond(200, to_tag="x"))
    (told,) = wire.take_told()
    assert isinstance(told, Responded)
    assert (told.transaction.owner, told.response.status) == (owner, 200)


def test_nobody_is_told_of_a_request_without_an_owner(wire: Wire) -> None:
    for method in ("OPTIONS", "MESSAGE"):
        request = wire.request(method)
        request.remove("via")
        transaction = wire.agent.send(request, wire.far, None, wire.now)
        if method == "OPTIONS":
            wire.receive(transaction.request.respond(200, to_tag="x"))
    wire.pass_time(60)
    assert not any(isinstance(one, (Responded, Unanswered)) for one in wire.take_told())
    assert wire.agent.is_idle


def test_two_agents_with_one_seed_write_the_same(wire: Wire) -> None:
    def invite(seed: int) -> bytes:
        agent = Agent(wire.us, Random(seed))
        agent.invite(
            "sip:a@192.0.2.7", wire.far, from_="<sip:b@b.example>", to="<sip:a@b.example>", body=b"", now=0
        )
        (send,) = agent.take_effects()
        assert isinstance(send, Send)
        return send.data

    assert invite(1) == invite(1)
    assert invite(1) != invite(2)


# -- garbage ---------------------------------------------------------------------------------------------------


def survives(data: bytes) -> list[int]:
    """Let an agent in the middle of two calls take `data` and end them, and return the statuses of its answers."""
    agent, far = Agent(Address("192.0.2.1", 5060), Random(1)), Address("192.0.2.7", 5070)
    agent.receive(GOOD[0], far, 0.0)
    (requested,) = agent.take_effects()
    assert isinstance(requested, Requested)
    leg = agent.incoming(agent.accept(requested.request, far), far, 0.0)
    leg.answer(b"", 0.0)
    agent.invite("sip:a@192.0.2.7", far, from_="<sip:b@b.example>", to="<sip:a@b.example>", body=b"", now=0.0)
    agent.take_effects()
    agent.receive(data.replace(b"OURTAG", leg.local_tag.encode()), far, 1.0)
    answers = []
    for effect in agent.take_effects():
        if isinstance(effect, Send):
            version, status, _ = effect.data.split(b" ", 2)
            if version == b"SIP/2.0":
                answers.append(int(status))
        elif isinstance(effect, Requested):
            agent.refuse(effect.request, 404, effect.source)
        elif isinstance(effect, RequestedInside):
            effect.transaction.respond(effect.transaction.request.respond(405), 1.0)
    for now in (2.0, 40.0, 80.0, 120.0):
        leg.hang_up(now)
        agent.expire(now)
        agent.take_effects()
    assert agent.is_idle
    return answers


def _good(method: str, tag: str, cseq: int) -> bytes:
    return (
        f"{method} sip:9900@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5070;rport;branch=z9hG4bK{method}{cseq}\r\n"
        f'Max-Forwards: 70\r\nRoute: <sip:192.0.2.1;lr>\r\nFrom: "A" <sip:100@example.com>;tag=f1\r\n'
        f"To: <sip:9900@example.com>{tag}\r\nCall-ID: c1@192.0.2.7\r\nCSeq: {cseq} {method}\r\n"
        "Contact: <sip:100@192.0.2.7:5070>\r\nRecord-Route: <sip:192.0.2.7:5070;lr>\r\nExpires: 60\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


GOOD = [
    _good("INVITE", "", 1),
    *(
        _good(method, ";tag=OURTAG", cseq)
        for method, cseq in [("ACK", 1), ("BYE", 2), ("INVITE", 2), ("INFO", 2)]
    ),
    _good("CANCEL", "", 1),
    _good("OPTIONS", "", 5),
    b"SIP/2.0 200 OK\r\n" + _good("INVITE", ";tag=x", 1).split(b"\r\n", 1)[1],
]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_never_raise(data: bytes) -> None:
    assert survives(data) == []


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(GOOD),
    st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 12), st.binary(max_size=6)), min_size=1, max_size=4
    ),
)
@example(GOOD[6], [(45, 36, b"")])
def test_mutated_messages_never_raise(good: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    data = good
    for at, length, instead in cuts:
        data = data[:at] + instead + data[at + length :]
    survives(data)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(GOOD),
    st.integers(0, 14),
    st.sampled_from([b"", b"\xff\xfe", b"\0", b"\r", b"%s" * 9, b'"', b"<"]),
)
def test_messages_with_a_spoilt_line_never_raise(good: bytes, line: int, spoilt: bytes) -> None:
    lines = good.split(b"\r\n")
    name, colon, _ = lines[min(line, len(lines) - 1)].partition(b":")
    lines[min(line, len(lines) - 1)] = name + colon + spoilt
    survives(b"\r\n".join(lines))


@pytest.mark.parametrize("path", TORTURE, ids=lambda path: path.stem)
def test_the_torture_messages_never_raise(path: Path) -> None:
    """RFC 4475."""
    survives(path.read_bytes())
