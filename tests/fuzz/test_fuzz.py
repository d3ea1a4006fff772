"""A bounded sample of the fuzzer, and that it would find something (RFC 3261 8.2, hardening rules 1 to 15)."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.agent import Agent
from ringfence.server.sip.framing import Framing
from ringfence.server.sip.headers import Via

from ..server.besieged import besieged
from . import campaign
from .grammar import METHODS, Grammar, Place
from .mutation import Mutator, with_length
from .siege import Siege
from .ways import WAYS, Thrown, Ways, cut

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE, PATIENCE_S = 8_000, 600.0
OPTIONS = (
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP WAY;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
    b"From: <sip:a@b.example>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def test_a_sample_of_messages_finds_nothing() -> None:
    """The servers have to be reached by it: they take and place calls, and end them."""
    outcome = campaign.run(4, SAMPLE, PATIENCE_S)
    assert outcome.finding is None, outcome.finding.what
    assert {"INVITE", "ACK", "BYE", "CANCEL"} <= outcome.heard.keys()
    assert {"180", "200", "400", "401", "405", "415", "481", "488"} <= outcome.heard.keys()


def test_a_siege_can_be_repeated() -> None:
    """From one seed comes one run, byte for byte."""
    one, other = Siege("again"), Siege("again")
    one.run(600)
    other.run(600)
    assert one.thrown == other.thrown
    assert one.heard == other.heard


def test_what_fails_in_a_server_is_found_saved_and_thrown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a fault of the server")

    with monkeypatch.context() as patch:
        patch.setattr(Agent, "_receive_cancel", fail)
        found = campaign.run(1, 4_000, PATIENCE_S).finding
        assert found is not None
        assert "a fault of the server" in found.what
        path = found.save(tmp_path)
        with pytest.raises(ZeroDivisionError):
            campaign.again(path)
    campaign.again(path)


def test_what_fails_in_a_parser_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Via, "__str__", lambda self: f"SIP/2.0/UDP {self.host}")
        found = campaign.run(1, 4_000, PATIENCE_S).finding
        assert found is not None
        path = found.save(tmp_path)
        with pytest.raises(AssertionError):
            campaign.again(path)
    campaign.again(path)


def test_what_fails_in_framing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the end of the headers that is overlooked when it comes in two pieces."""
    feed = Framing.feed

    def forgetful(self: Framing, data: bytes) -> list[bytes]:
        self._searched = len(self._buffer) + 3
        return feed(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Framing, "feed", forgetful)
        patch.setattr(campaign, "_siege_round", lambda *_: None)
        found = campaign.run(1, 4_000, PATIENCE_S).finding
        assert found is not None
        path = found.save(tmp_path)
        with pytest.raises(AssertionError):
            campaign.again(path)
    campaign.again(path)


def test_each_way_carries_what_is_thrown_and_brings_back_what_is_said() -> None:
    """By datagram, in the pieces of a connection, and in the frames of a WebSocket."""
    with besieged() as target:
        ways = Ways(target)
        sources = {way: Address("192.0.2.7", 5060 + place) for place, way in enumerate(sorted(set(WAYS)))}
        for way, source in sources.items():
            data = OPTIONS.replace(b"WAY", str(source).encode())
            for piece in cut(data, way, Random(1)):
                target.loop.run_until_complete(ways.carry(Thrown(0.0, source, piece, way)))
        target.loop.run_until_complete(asyncio.sleep(1))
        said = {source: data.split(b" ")[1] for data, source in target.network.heard}
        assert said == dict.fromkeys(sources.values(), b"200")
        assert len(target.server._stack.agent.flows) == 2
        target.loop.run_until_complete(ways.close())
        assert not target.server._stack.agent.flows


def test_sieges_speak_in_every_way() -> None:
    assert {way for seed in range(8) for way in Siege(str(seed))._way.values()} == set(WAYS)


def test_most_of_what_the_grammar_writes_is_right() -> None:
    random = Random(1)
    grammar = Grammar(random)
    for method in METHODS:
        data = grammar.request(method, Place())
        assert data.startswith(method.encode() + b" ")
        assert b"\r\n\r\n" in data


def test_a_mutator_is_led_by_its_chance_alone() -> None:
    data = Grammar(Random(1)).request("INVITE", Place())
    spoilt = [Mutator(Random(seed)).mutate(data) for seed in range(200)]
    assert spoilt == [Mutator(Random(seed)).mutate(data) for seed in range(200)]
    assert len(set(spoilt)) > 150


def test_the_length_is_put_right() -> None:
    assert with_length(b"A\r\nContent-Length: 7\r\n\r\nabc") == b"A\r\nContent-Length: 3\r\n\r\nabc"
    assert with_length(b"A\r\nl : 7\r\nB: c\r\n\r\n") == b"A\r\nl : 0\r\nB: c\r\n\r\n"
