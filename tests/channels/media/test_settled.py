"""A far end that keeps sending is heard by a socket of its own, on the same port, which takes nothing from nobody."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.channels.media.far_end import HOST, Heard, Phone

from ringfence.channels.media.plane import Measured, Music, StreamClosed
from ringfence.channels.media.stream import SETTLES_AFTER
from ringfence.channels.media.worker_plane import WorkerPlane
from ringfence.channels.media.worker_stream import WorkerStream

LONG = SETTLES_AFTER[1] + 1


class Call:
    """A stream that returns what its telephone says."""

    def __init__(self, stream: WorkerStream, heard: Heard, phone: Phone) -> None:
        self.stream, self.heard, self.phone = stream, heard, phone
        self.port = stream.local.port

    async def talk(self, packets: int) -> None:
        """Say a packet after the other, and hear it."""
        for _ in range(packets):
            self.phone.say(self.stream.local)
            await self.phone.got()

    def sockets(self) -> list[int]:
        """The far ends' ports of the sockets on the stream's port, 0 where it is anybody's."""
        lines = [line.split() for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]]
        ends = [(int(line[1].split(":")[1], 16), int(line[2].split(":")[1], 16)) for line in lines]
        return sorted(theirs for ours, theirs in ends if ours == self.port)

    async def closed(self) -> StreamClosed:
        self.stream.close()
        return await self.heard.until(StreamClosed)


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    plane, heard, phone = WorkerPlane(HOST), Heard(), await Phone.bound()
    await plane.start()
    stream = await plane.open(heard)
    assert isinstance(stream, WorkerStream)
    stream.connect(phone.remote(), fill=False)
    stream.echo()
    yield Call(stream, heard, phone)
    await plane.stop()
    phone.transport.close()


async def test_who_keeps_sending_has_a_socket_and_strangers_are_refused_and_counted_all_the_same(
    call: Call,
) -> None:
    await call.talk(1)
    assert call.sockets() == [0]
    await call.talk(LONG)
    assert call.sockets() == [0, call.phone.address.port]
    stranger = await Phone.bound()
    for _ in range(3):
        stranger.say(call.stream.local)
    await call.talk(5)
    stranger.say(call.stream.local)
    await call.talk(1)
    verdict = (await call.closed()).verdict
    assert (verdict.packets_received, verdict.packets_refused, verdict.packets_lost) == (LONG + 7, 4, 0)
    assert stranger.packets.empty()
    stranger.transport.close()
    assert call.sockets() == [0]


async def test_what_waits_while_the_socket_is_made_is_heard_once_and_in_its_turn(call: Call) -> None:
    for _ in range(2 * LONG):
        call.phone.say(call.stream.local)
    echoed = [(await call.phone.got()).sequence for _ in range(2 * LONG)]
    assert [(one - echoed[0]) % 2**16 for one in echoed] == list(range(2 * LONG))
    verdict = (await call.closed()).verdict
    assert (verdict.packets_reordered, verdict.packets_lost, verdict.packets_duplicate) == (0, 0, 0)


async def test_a_far_end_that_moves_is_heard_where_it_goes_and_has_its_socket_there(call: Call) -> None:
    """RFC 3264, 8."""
    await call.talk(LONG)
    before, call.phone = call.phone, await Phone.bound()
    call.stream.connect(call.phone.remote(), fill=False)
    call.stream.measure()
    await call.heard.until(Measured)
    assert call.sockets() == [0]
    await call.talk(LONG)
    assert call.sockets() == [0, call.phone.address.port]
    before.say(call.stream.local)
    await call.talk(1)
    assert (await call.closed()).verdict.packets_refused == 1
    before.transport.close()
    call.phone.transport.close()


async def test_a_telephone_that_was_away_for_a_moment_is_sent_to_at_once(call: Call) -> None:
    """Meanwhile the kernel tells that its port is refused, which must not lose it the next packet."""
    await call.talk(LONG)
    call.phone.transport.close()
    call.stream.play([Music()])
    await asyncio.to_thread(_until_refused, call.phone.address.port)
    loop, back = asyncio.get_running_loop(), Phone()
    await loop.create_datagram_endpoint(lambda: back, (HOST, call.phone.address.port))
    first, second = await back.got(), await back.got()
    assert (second.sequence - first.sequence) % 2**16 == 1
    back.transport.close()


def _until_refused(port: int) -> None:
    """Return when somebody who sends to `port` has been told that nobody is there."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect((HOST, port))
        probe.settimeout(0.05)
        for _ in range(100):
            try:
                probe.send(b"?")
                probe.recv(1)
            except TimeoutError:  # it is about to close
                continue
            except ConnectionRefusedError:
                return
    raise TimeoutError


async def test_nobody_else_can_have_the_port(call: Call) -> None:
    await call.talk(LONG)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind((HOST, call.port))
