"""TCP connections as flows, on loopback (RFC 3261 18, RFC 5626)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import TYPE_CHECKING

import pytest
import structlog

from ringfence.channels.network import Address
from ringfence.server.net.certificate import CertificateError
from ringfence.server.net.stack import SipStack
from ringfence.server.net.streams import StreamLimits, Streams
from ringfence.server.net.udp import UdpNetwork
from ringfence.server.sip.agent import Agent
from ringfence.server.sip.effects import Effect, FlowLost, LegAnswered, LegConfirmed, LegEnded, Requested
from ringfence.server.sip.flow import Flow

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

PATIENCE_S = 10.0
DEFAULT = StreamLimits()
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Office:
    """A server that answers every OPTIONS and takes every call; `kept` are the flows that it says it needs."""

    def __init__(self, limits: StreamLimits) -> None:
        self.told: list[Effect] = []
        self.told_more = asyncio.Event()
        self.kept: set[Flow] = set()
        self.stack = SipStack(self.handle)
        self.streams = Streams(self.stack, lambda: self.kept, limits)
        self.stack.dial = self.streams.dial
        self.local = Address("", 0)

    async def open(self) -> None:
        await self.stack.start(UdpNetwork(), "127.0.0.1", 0, lambda local: Agent(local, Random(1)))
        self.local = self.streams.listen("127.0.0.1", 0)
        self.stack.agent.reach.serve("TCP", self.local)

    def handle(self, effect: Effect) -> None:
        if isinstance(effect, FlowLost):
            return
        self.told.append(effect)
        self.told_more.set()
        agent = self.stack.agent
        if isinstance(effect, Requested) and effect.request.method == "INVITE":
            now = self.streams.now()
            leg = agent.incoming(agent.accept(effect.request, effect.source), effect.source, now)
            leg.answer(b"", now)
        elif isinstance(effect, Requested):
            agent.refuse(effect.request, 200, effect.source)

    async def connect(self, local_addr: tuple[str, int] | None = None) -> Ends:
        return await asyncio.open_connection(self.local.host, self.local.port, local_addr=local_addr)

    async def until_connections_are(self, count: int) -> None:
        """Let the loop go round until so many connections are open."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.streams.connections) != count:  # noqa: ASYNC110 - the real loop has to go round
                await asyncio.sleep(0)


@asynccontextmanager
async def office(limits: StreamLimits = DEFAULT) -> AsyncIterator[Office]:
    one = Office(limits)
    await one.open()
    try:
        yield one
    finally:
        await one.streams.stop()
        one.stack.stop()


def options(call: str = "c1", length: str = "Content-Length: 0\r\n") -> bytes:
    return (
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK"
        f"{call}\r\nMax-Forwards: 70\r\nFrom: <sip:a@b.example>;tag=1\r\nTo: <sip:b.example>\r\n"
        f"Call-ID: {call}\r\nCSeq: 1 OPTIONS\r\n{length}\r\n"
    ).encode()


async def read_one(ends: Ends) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await ends[0].readuntil(b"\r\n\r\n")


async def is_closed(ends: Ends) -> bool:
    """Read to the end of the stream, which must come."""
    async with asyncio.timeout(PATIENCE_S):
        with suppress(ConnectionError):
            await ends[0].read()
    ends[1].close()
    return True


async def test_several_messages_in_a_segment_are_answered_in_order() -> None:
    async with office() as here:
        ends = await here.connect()
        ends[1].write(options("c1") + options("c2") + options("c3")[:50])
        assert b"Call-ID: c1" in await read_one(ends)
        assert b"Call-ID: c2" in await read_one(ends)
        ends[1].write(options("c3")[50:])
        assert b"Call-ID: c3" in await read_one(ends)
        ends[1].close()
        await here.until_connections_are(0)
        assert here.stack.agent.flows == set()


async def test_a_ping_gets_a_pong() -> None:
    """RFC 5626 4.4.1."""
    async with office() as here:
        ends = await here.connect()
        ends[1].write(b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            assert await ends[0].readexactly(2) == b"\r\n"
        ends[1].write(options()[:30])
        ends[1].write(options()[30:] + b"\r\n\r\n")
        assert (await read_one(ends)).startswith(b"\r\nSIP/2.0 200 ")
        ends[1].close()


async def test_a_message_without_content_length_is_400_and_the_end() -> None:
    """RFC 3261 18.3, 20.14: where the next message begins is unknown."""
    async with office() as here:
        ends = await here.connect()
        ends[1].write(options(length="") + options("c2"))
        assert (await read_one(ends)).startswith(b"SIP/2.0 400 ")
        assert await is_closed(ends)
        assert here.told == []


async def test_a_connection_that_says_nothing_or_too_slowly_is_closed() -> None:
    """Neither octets that trickle nor pings before the first message make it last longer."""
    async with office() as here:
        limits = here.streams.limits
        silent, pinging, trickling, honest = [await here.connect() for _ in range(4)]
        await here.until_connections_are(4)
        start = here.streams.now()
        pinging[1].write(b"\r\n\r\n")
        trickling[1].write(options()[:20])
        honest[1].write(options())
        await read_one(honest)
        async with asyncio.timeout(PATIENCE_S):
            await pinging[0].readexactly(2)
        here.streams.sweep(start + limits.message_s - 1)
        assert len(here.streams.connections) == 4
        here.streams.sweep(start + limits.message_s + 1)
        for ends in (silent, pinging, trickling):
            assert await is_closed(ends)
        await here.until_connections_are(1)
        honest[1].close()


async def test_a_second_message_that_takes_too_long_is_cut_off_too() -> None:
    async with office() as here:
        ends = await here.connect()
        ends[1].write(options() + options("c2")[:50])
        await read_one(ends)
        here.streams.sweep(here.streams.now() + here.streams.limits.message_s + 1)
        assert await is_closed(ends)


async def test_an_idle_connection_is_closed_unless_its_flow_is_needed() -> None:
    """A registered telephone may be silent for as long as it is registered (RFC 5626)."""
    async with office() as here:
        idle, needed = [await here.connect() for _ in range(2)]
        for ends in (idle, needed):
            ends[1].write(options())
            await read_one(ends)
        sources = [one.source for one in here.told if isinstance(one, Requested)]
        assert isinstance(sources[1], Flow)
        here.kept.add(sources[1])
        now = here.streams.now()
        here.streams.sweep(now + here.streams.limits.idle_s + 1)
        assert await is_closed(idle)
        needed[1].write(options("c2"))
        assert b"Call-ID: c2" in await read_one(needed)
        needed[1].close()


async def test_connections_have_a_limit_in_all_and_for_one_source() -> None:
    async with office(StreamLimits(connections=3, from_one_source=2)) as here:
        kept = [await here.connect(("127.0.0.5", 0)) for _ in range(2)]
        await here.until_connections_are(2)
        assert await is_closed(await here.connect(("127.0.0.5", 0)))
        kept.append(await here.connect(("127.0.0.6", 0)))
        await here.until_connections_are(3)
        assert await is_closed(await here.connect(("127.0.0.7", 0)))
        kept.pop()[1].close()
        await here.until_connections_are(2)
        kept.append(await here.connect(("127.0.0.7", 0)))
        await here.until_connections_are(3)
        for ends in kept:
            ends[1].write(options())
            assert (await read_one(ends)).startswith(b"SIP/2.0 200 ")
            ends[1].close()


async def test_who_does_not_read_what_he_is_sent_is_cut_off() -> None:
    """Sixteen megabytes are more than the kernel keeps for a reader that is slow."""
    async with office(StreamLimits(unsent_octets=1000)) as here:
        deaf = await here.connect()
        await here.until_connections_are(1)
        (connection,) = here.streams.connections
        for _ in range(256):
            connection.send(bytes(65536))
        await here.until_connections_are(0)
        deaf[1].close()


async def test_a_call_over_a_flow_of_our_own() -> None:
    """RFC 3261 18.1.1: the connection is opened once, and the far end's answers and requests come by it."""
    async with office() as calling, office() as called:
        agent, flow = calling.stack.agent, Flow("TCP", called.local)
        for count in (1, 2):
            agent.invite(
                f"sip:a@{called.local};transport=tcp", flow, from_="<sip:b@b.example>", to="<sip:a@b.example>",
                body=b"", now=calling.streams.now(),
            )  # fmt: skip
            calling.stack.flush()
            async with asyncio.timeout(PATIENCE_S):
                while sum(isinstance(one, LegAnswered) for one in calling.told) < count:
                    calling.told_more.clear()
                    await calling.told_more.wait()
        assert len(calling.streams.connections) == len(called.streams.connections) == 1
        (source,) = {one.source for one in called.told if isinstance(one, Requested)}
        assert isinstance(source, Flow)
        assert source.number > 0
        assert called.stack.agent.flows_in_use() == {source}
        assert calling.stack.agent.flows_in_use() == {flow}


async def test_a_flow_that_cannot_be_opened_ends_the_call_at_once() -> None:
    """RFC 3261 8.1.3.1 and 18.4."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        flow = Flow("TCP", Address(*held.getsockname()))
        async with office() as calling:
            calling.stack.agent.invite(
                f"sip:a@{flow.remote};transport=tcp", flow, from_="<sip:b@b.example>", to="<sip:a@b.example>",
                body=b"", now=calling.streams.now(),
            )  # fmt: skip
            calling.stack.flush()
            async with asyncio.timeout(PATIENCE_S):
                await calling.told_more.wait()
            assert [one.status for one in calling.told if isinstance(one, LegEnded)] == [503]
            assert calling.streams.connections == set()


async def test_a_thousand_slow_connections_are_shed_while_options_is_answered() -> None:
    """Each has begun a header block and goes on octet by octet."""
    async with office() as here:
        slow = [await here.connect() for _ in range(1000)]
        await here.until_connections_are(1000)
        start = here.streams.now()
        for ends in slow:
            ends[1].write(b"INVITE sip:a")
        honest = await here.connect()
        for number in range(10):
            for ends in slow:
                ends[1].write(b"a")
            honest[1].write(options(f"c{number}"))
            assert (await read_one(honest)).startswith(b"SIP/2.0 200 ")
        here.streams.sweep(start + here.streams.limits.message_s + 1)
        await here.until_connections_are(1)
        honest[1].write(options("again"))
        assert (await read_one(honest)).startswith(b"SIP/2.0 200 ")
        for ends in (*slow, honest):
            ends[1].close()


@pytest.mark.parametrize("failure", [CertificateError("broken"), FileNotFoundError("deleted")])
async def test_without_a_certificate_a_connection_is_closed_and_forgotten(failure: Exception) -> None:
    async def tls() -> ssl.SSLContext:
        raise failure

    async with office() as here:
        here.local = here.streams.listen("127.0.0.1", 0, tls)
        with structlog.testing.capture_logs() as logs:
            assert await is_closed(await here.connect())
            await here.until_connections_are(0)
        assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == [
            "sip.certificate_failed"
        ]


async def test_a_port_in_use_is_an_error() -> None:
    async with office() as here:
        with pytest.raises(OSError, match="in use"):
            here.streams.listen(here.local.host, here.local.port)


async def test_stopping_closes_every_connection_after_what_waits() -> None:
    async with office() as here:
        ends = await here.connect()
        await here.until_connections_are(1)
        (connection,) = here.streams.connections
        connection.send(b"last words")
        await here.streams.stop()
        async with asyncio.timeout(PATIENCE_S):
            assert await ends[0].read() == b"last words"
        ends[1].close()


@pytest.mark.parametrize("tcp", [True, False], ids=["tcp", "udp alone"])
async def test_a_large_call_is_made_by_tcp_or_where_that_is_refused_by_udp(tcp: bool) -> None:
    """RFC 3261 18.1.1: one call in either way."""
    async with office() as calling, office() as called:
        port = called.stack.agent.local.port
        if tcp:
            called.streams.listen("127.0.0.1", port)
        far = Address("127.0.0.1", port)
        calling.stack.agent.invite(
            f"sip:a@{far}", far, from_="<sip:b@b.example>", to="<sip:a@b.example>",
            body=b"v=0\r\n".ljust(2000), now=calling.streams.now(),
        )  # fmt: skip
        calling.stack.flush()
        async with asyncio.timeout(PATIENCE_S):
            while not any(isinstance(one, LegConfirmed) for one in called.told):
                called.told_more.clear()
                await called.told_more.wait()
        assert [type(one) for one in calling.told] == [LegAnswered]
        requested = [one for one in called.told if isinstance(one, Requested)]
        assert [isinstance(one.source, Flow) for one in requested] == [tcp]
        assert requested[0].request.via.transport == ("TCP" if tcp else "UDP")
