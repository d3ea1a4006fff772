"""Garbage sent to a running server: no traceback, no 500, nothing kept, and OPTIONS is answered afterwards."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.fixtures.leases import check_leases, check_nothing_left
from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options, Pbx
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.net.virtual import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.channels.network import Address

TORTURE = sorted((Path(__file__).parents[1] / "sip" / "rfc4475").glob("*.dat"))
STRANGER, TRUNK = "127.0.0.1", "127.0.0.30"
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.30\r\ns=-\r\nc=IN IP4 127.0.0.30\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


def good(method: str, target: str, body: bytes = b"") -> bytes:
    """Write a request that the server understands."""
    content = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}" if body else "Content-Length: 0"
    return (
        f"{method} sip:{target}klein.example SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.30:5060;rport;branch=z9hG4bK{method}\r\n"
        f'Max-Forwards: 70\r\nFrom: "A" <sip:+49731@klein.example>;tag=f1\r\nTo: <sip:{target}klein.example>\r\n'
        f"Call-ID: c1@127.0.0.30\r\nCSeq: 1 {method}\r\nContact: <sip:a@127.0.0.30>\r\nSupported: timer\r\n"
        'Authorization: Digest username="100", realm="klein.example", nonce="1-1-0", uri="sip:klein.example", '
        f'response="00000000000000000000000000000000", qop=auth, nc=00000001, cnonce="c"\r\n{content}\r\n\r\n'
    ).encode() + body


GOOD = [
    good("INVITE", "089555509900@", SDP),
    good("INVITE", "08955550*100@", SDP),
    good("INVITE", "08955550100@", SDP),
    good("INVITE", "08955550200@"),
    good("REGISTER", ""),
    good("OPTIONS", "100@"),
    good("CANCEL", "089555509900@"),
    good("FOO", "100@"),
]


class Target:
    """A server on a virtual wire, with a stranger and a trunk at the other end."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.faults: list[Any] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))
        self.logs = structlog.testing.LogCapture()
        self.network = MemoryNetwork(Random(1))
        self.answers: list[bytes] = []
        self.server = self.loop.run_until_complete(self._open())

    async def _open(self) -> Pbx:
        options = Options(seed=1, in_process=True, http_port=None, network=self.network)
        server = await Pbx.start(read_site("small"), options)
        for host in (STRANGER, TRUNK):
            for port in (5060, 5070):
                if (host, port) != (server.sip.host, server.sip.port):
                    await self.network.bind(host, port, self._receive)
        return server

    def _receive(self, data: bytes, _source: Address) -> None:
        self.answers.append(data)

    def throw(self, data: bytes) -> None:
        """Send it from both ends, let half a second pass, hang up what it began, and look at what came of it."""
        self.loop.run_until_complete(self._throw(data))
        check_leases(self.server)
        assert not self.faults
        assert not [
            entry for entry in self.logs.entries if entry["log_level"] in {"warning", "error", "critical"}
        ]
        assert not [answer for answer in self.answers if answer.startswith(b"SIP/2.0 500")]
        self.answers.clear()

    async def _throw(self, data: bytes) -> None:
        for endpoint in list(self.network.endpoints.values()):
            if endpoint.local.port == 5060 and endpoint.local != self.server.sip:
                endpoint.send(data, self.server.sip)
        await asyncio.sleep(0.5)
        for call in list(self.server.switch.calls.values()):
            call.hang_up()

    def look_back(self) -> None:
        """See that the server still answers, and that nothing is left of anything."""
        self.loop.run_until_complete(asyncio.sleep(120))
        check_nothing_left(self.server)
        assert self.server._stack.agent.is_idle
        self.answers.clear()
        self.loop.run_until_complete(self._throw(good("OPTIONS", "")))
        assert any(answer.startswith(b"SIP/2.0 200") for answer in self.answers)


@contextmanager
def running() -> Iterator[Target]:
    """Run a server, and look after it at the end."""
    configuration = structlog.get_config()
    target = Target()
    structlog.configure(processors=[target.logs])
    try:
        yield target
        target.look_back()
    finally:
        structlog.configure(**configuration)
        target.loop.run_until_complete(target.server.stop())
        target.loop.close()


def test_the_good_messages_are_answered() -> None:
    with running() as target:
        for data in GOOD:
            target.loop.run_until_complete(target._throw(data))
            assert target.answers, data
        statuses = {answer.split(b" ", 2)[1] for answer in target.answers}
        assert {b"200", b"401", b"405", b"481"} <= statuses


@pytest.mark.parametrize("path", TORTURE, ids=lambda path: path.stem)
def test_torture_messages(path: Path) -> None:
    """RFC 4475."""
    with running() as target:
        target.throw(path.read_bytes())


def test_bytes() -> None:
    with running() as target:

        @settings(max_examples=200, deadline=None)
        @given(st.binary(max_size=300))
        def throw(data: bytes) -> None:
            target.throw(data)

        throw()


def test_mutated_messages() -> None:
    cut = st.tuples(st.integers(0, 900), st.integers(0, 12), st.binary(max_size=6))
    with running() as target:

        @settings(max_examples=1000, deadline=None)
        @given(st.sampled_from(GOOD), st.lists(cut, min_size=1, max_size=3))
        def throw(data: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
            for at, length, instead in cuts:
                data = data[: at % len(data)] + instead + data[at % len(data) + length :]
            target.throw(data)

        throw()


def test_messages_with_a_spoilt_value() -> None:
    """Each header and each line of the SDP in turn; the length is put right, so that the rest is read."""
    spoilt = st.sampled_from(
        [
            b"",
            b" ",
            b"0",
            b"-1",
            b"4294967296",
            b"9" * 5000,
            b"\xff",
            b'"',
            b"<",
            b"a=b;c",
            b"%00",
            b"*",
            "é²".encode(),
            b"a" * 999,
        ]
    )
    with running() as target:

        @settings(max_examples=1000, deadline=None)
        @given(st.sampled_from(GOOD), st.integers(0, 30), spoilt)
        def throw(data: bytes, at: int, value: bytes) -> None:
            lines = data.split(b"\r\n")
            line = lines[at % len(lines)]
            mark = b": " if b": " in line else b"=" if line[1:2] == b"=" else b" "
            lines[at % len(lines)] = line.split(mark, 1)[0] + mark + value
            head, _, body = b"\r\n".join(lines).partition(b"\r\n\r\n")
            if b"Content-Length: " in head and not head.endswith(value):
                head = head.rsplit(b"Content-Length: ", 1)[0] + b"Content-Length: %d" % len(body)
            target.throw(head + b"\r\n\r\n" + body)

        throw()
