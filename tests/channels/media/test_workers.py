"""Several media workers: each with ports of its own, those who talk to each other in the same one."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from functools import partial
from itertools import pairwise

import pytest
from tests.channels.media.far_end import HOST, VOICE, Heard, Phone

from ringfence.channels.media import worker_plane
from ringfence.channels.media.plane import Played, PortsExhaustedError, Silence, StreamClosed, StreamStarted
from ringfence.channels.media.worker_plane import LEAST_PORTS, WorkerPlane, slices
from ringfence.channels.media.worker_stream import WorkerStream


def free_range(count: int) -> range:
    """So many ports that were free a moment ago, from an even one on."""
    while True:
        with ExitStack() as stack:
            probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            probe.bind((HOST, 0))
            start = probe.getsockname()[1] + 1 & ~1
            probe.close()
            try:
                for port in range(start, start + count):
                    stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((HOST, port))
            except (OSError, OverflowError):
                continue
            return range(start, start + count)


@pytest.fixture
async def plane(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WorkerPlane]:
    """Two workers of two streams each."""
    monkeypatch.setattr(worker_plane, "LEAST_PORTS", 4)
    monkeypatch.setattr(worker_plane, "SPARE_PORTS", 0)
    plane = WorkerPlane(HOST, free_range(8), workers=2)
    await plane.start()
    async with asyncio.timeout(30):
        yield plane
    await plane.stop()


async def four(plane: WorkerPlane) -> list[WorkerStream]:
    return [await plane.open(Heard()) for _ in range(4)]


@pytest.mark.parametrize("start", [20000, 20001])
@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_slices_are_the_whole_range_and_part_no_port_from_the_one_above(start: int, most: int) -> None:
    """RFC 3550 11: RTP has the even port, RTCP the odd one above."""
    ports = range(start, start + 2000)
    cut = [one for one in slices(ports, most) if one is not None]
    assert [port for one in cut for port in one] == list(ports)
    assert len(cut) == most
    assert all(one.start % 2 == 0 for one in cut[1:])
    assert max(map(len, cut)) - min(map(len, cut)) <= 3


def test_a_small_range_has_fewer_workers() -> None:
    small = range(20000, 20000 + LEAST_PORTS)
    assert slices(small, 8) == [small]
    assert len(slices(range(20000, 20000 + 2 * LEAST_PORTS), 8)) == 2
    assert slices(range(20000, 20002), 8) == [range(20000, 20002)]
    assert slices(None, 3) == [None] * 3


async def test_when_the_ports_of_one_worker_are_used_up_another_one_is_started(plane: WorkerPlane) -> None:
    streams = await four(plane)
    first, second = streams[0].link, streams[2].link
    assert [stream.link for stream in streams] == [first, first, second, second]
    assert first.pid != second.pid
    ports = [stream.local.port for stream in streams]
    assert all(one < other for one, other in pairwise(ports))
    with pytest.raises(PortsExhaustedError):
        await plane.open(Heard())


async def test_who_may_talk_to_each_other_is_in_one_worker_and_hears_each_other(plane: WorkerPlane) -> None:
    one, _, other = [await plane.open(Heard()) for _ in range(3)]
    started = Heard()
    beside = await plane.open(started, lambda: [other, one])
    assert (beside.reaches(other), beside.reaches(one)) == (True, False)
    phones = [await Phone.bound(), await Phone.bound()]
    for stream, phone in zip((other, beside), phones, strict=True):
        stream.connect(phone.remote(), fill=False)
    beside.bridge(other)
    phones[0].say(other.local)
    phones[1].say(beside.local)
    await started.until(StreamStarted)
    phones[1].say(beside.local)
    assert (await phones[0].got()).payload == VOICE
    for phone in phones:
        phone.transport.close()


async def test_the_last_ports_are_kept_for_those_who_join_somebody(
    plane: WorkerPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call whose first leg took the last port of a worker would find none for the second."""
    monkeypatch.setattr(worker_plane, "SPARE_PORTS", 1)
    one, other = [await plane.open(Heard()) for _ in range(2)]
    assert not other.reaches(one)
    for stream in (one, other):
        assert (await plane.open(Heard(), partial(iter, [stream]))).reaches(stream)


async def test_a_port_is_waited_for_rather_than_taken_of_another_worker(plane: WorkerPlane) -> None:
    streams = await four(plane)
    streams[1].close()
    streams[2].close()
    again = await plane.open(Heard(), lambda: [streams[0]])
    assert again.reaches(streams[0])


async def test_when_one_worker_dies_the_streams_of_the_other_go_on(plane: WorkerPlane) -> None:
    heard = [Heard() for _ in range(3)]
    kept, _, lost = [await plane.open(sink) for sink in heard]
    assert lost.link.pid is not None
    os.kill(lost.link.pid, signal.SIGKILL)
    await heard[2].until(StreamClosed)
    phone = await Phone.bound()
    kept.connect(phone.remote(), fill=False)
    kept.play([Silence(0.02)])
    assert isinstance(await heard[0].until(Played), Played)
    again = await plane.open(Heard(), lambda: [lost])
    assert again.link not in (kept.link, lost.link)
    phone.transport.close()


async def test_with_many_streams_another_worker_takes_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_plane, "MANY_STREAMS", 2)
    plane, phone = WorkerPlane(HOST, workers=2), await Phone.bound()
    await plane.start()
    first = await plane.open(Heard())
    stream = first
    async with asyncio.timeout(20):
        while stream.link is first.link:
            stream = await plane.open(heard := Heard())
            stream.connect(phone.remote(), fill=False)
            stream.play([Silence(0.02)])
            await heard.until(Played)
    assert (await plane.open(Heard())).link is stream.link, "it has fewer"
    await plane.stop()
    phone.transport.close()
