"""A whole server on a virtual wire that everything is thrown at: garbage, torture messages and the fuzzer use it.

What the server sends is seen wherever it goes; after each throw nothing may be wrong, at the end nothing may be left.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import structlog

from ringfence.channels.network import Address
from ringfence.fixtures.leases import check_leases, check_nothing_left
from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options, Pbx
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.net.virtual import VirtualLoop
from ringfence.server.sip.credentials import Challenge
from ringfence.server.sip.message import Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

STRANGER, TRUNK = Address("127.0.0.1", 5060), Address("127.0.0.30", 5060)
AFTERWARDS_S = 120.0
"""Whatever was begun is over by then, once it has been hung up: 64 x T1 for the BYE and its transaction, and more."""

EXPECTED = {"sip.connection_failed"}
"""Warnings that whoever names a Contact at which nobody listens brings about."""


class Tapped(MemoryNetwork):
    """A network that writes down what is sent from one address, and whereto."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.tapped: Address | None = None
        self.heard: list[tuple[bytes, Address]] = []

    def carry(self, data: bytes, source: Address, destination: Address) -> None:
        """Deliver it as ever."""
        if source == self.tapped:
            self.heard.append((data, destination))
        super().carry(data, source, destination)


class Besieged:
    """One server and the logs, faults and messages that come out of it."""

    def __init__(self, site: str = "small", seed: int = 1) -> None:
        self.loop = VirtualLoop()
        self.faults: list[Any] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))
        self.logs = structlog.testing.LogCapture()
        self.network = Tapped(Random(seed))
        self.server = self.loop.run_until_complete(self._open(site, seed))
        self.network.tapped = self.server.sip

    async def _open(self, site: str, seed: int) -> Pbx:
        options = Options(seed=seed, in_process=True, http_port=None, network=self.network)
        return await Pbx.start(read_site(site), options)

    def send(self, data: bytes, source: Address = STRANGER) -> None:
        """Send one datagram; it arrives when time passes."""
        self.loop.call_soon(self.network.endpoints[self.server.sip].receive, data, source)

    def pass_time(self, seconds: float) -> list[bytes]:
        """Let virtual time pass; return what the server sent."""
        self.loop.run_until_complete(asyncio.sleep(seconds))
        heard, self.network.heard = self.network.heard, []
        return [data for data, _ in heard]

    def ask(self, data: bytes, source: Address = STRANGER, seconds: float = 0.3) -> list[bytes]:
        """Send one datagram and return what the server sends at once."""
        self.send(data, source)
        return self.pass_time(seconds)

    def ask_as(self, account: str, password: str, data: bytes) -> list[bytes]:
        """Send a request, answer the challenge that comes by adding one header, and return what comes then."""
        answers = self.ask(data)
        challenge = challenge_of(answers[0]) if answers else None
        return answers if challenge is None else self.ask(authorized(data, challenge, account, password))

    def hang_up(self) -> None:
        """Hang up whatever is talking or ringing."""
        self.loop.run_until_complete(self._hang_up())

    async def _hang_up(self) -> None:
        for call in list(self.server.switch.calls.values()):
            call.hang_up()

    def check(self) -> None:
        """See that the lease rule holds, and that nothing failed or was worth a warning."""
        check_leases(self.server)
        for fault in self.faults:
            raise fault.get("exception") or AssertionError(fault["message"])
        loud = [
            entry
            for entry in self.logs.entries
            if entry["log_level"] in {"warning", "error", "critical"} and entry["event"] not in EXPECTED
        ]
        assert not loud, loud

    def answers_options(self) -> bool:
        """Ask the server itself whether it is there."""
        host = self.server.sip.host
        answers = self.ask(
            f"OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/UDP {STRANGER};branch=z9hG4bKalive\r\nMax-Forwards: 70\r\n"
            f"From: <sip:a@{host}>;tag=a\r\nTo: <sip:{host}>\r\nCall-ID: alive\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        return any(answer.startswith(b"SIP/2.0 200 ") for answer in answers)

    def look_back(self) -> None:
        """See that the server still answers, and that nothing is left of anything."""
        self.hang_up()
        self.pass_time(AFTERWARDS_S)
        self.check()
        check_nothing_left(self.server)
        assert self.server._stack.agent.is_idle
        assert self.answers_options()


def challenge_of(answer: bytes) -> Challenge | None:
    """Read the challenge in a response, if there is one."""
    response = parse(answer)
    if not isinstance(response, Response) or response.status != 401:
        return None
    return Challenge.parse(response.get("www-authenticate") or "")


def authorized(data: bytes, challenge: Challenge, account: str, password: str) -> bytes:
    """Add credentials to a request, byte for byte the same otherwise."""
    start_line, _, rest = data.partition(b"\r\n")
    method, uri, _ = start_line.decode().split(" ")
    credentials = challenge.answer(account, password, method, uri, cnonce="c")
    return start_line + f"\r\nAuthorization: {credentials}\r\n".encode() + rest


def statuses(answers: list[bytes]) -> list[int]:
    """Return the status of each response among what was heard."""
    return [int(answer[8:11]) for answer in answers if answer.startswith(b"SIP/2.0 ")]


@contextmanager
def besieged(site: str = "small", seed: int = 1) -> Iterator[Besieged]:
    """Run a server, and look after it at the end."""
    configuration = structlog.get_config()
    target = Besieged(site, seed)
    structlog.configure(processors=[target.logs])
    try:
        yield target
        target.look_back()
    finally:
        structlog.configure(**configuration)
        target.loop.run_until_complete(target.server.stop())
        target.loop.close()
