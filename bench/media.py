"""How much RTP one media worker carries: CPU a packet and the number of streams that stay clean, on loopback.

Run as `python bench/media.py [STREAMS …]`; each step holds its two-way G.711 streams for a few seconds. The caller is a
process of its own, so that its work is not the worker's.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.channels.media.plane import Codec, Remote, StreamClosed
from ringfence.channels.media.worker_plane import WorkerPlane
from ringfence.channels.network import Address
from ringfence.fixtures.process import cpu_s

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ringfence.channels.media.plane import MediaEvent
    from ringfence.channels.media.worker_stream import WorkerStream

SECONDS = 4.0
PTIME_S = 0.02
HOST = "127.0.0.1"


def caller(pipe: Connection, count: int) -> None:
    """Send a packet every ptime from each of `count` sockets, count what comes back and how late it was sent."""
    lines = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for line in lines:
        line.bind((HOST, 0))
        line.setblocking(False)
    pipe.send([line.getsockname()[1] for line in lines])
    ports = pipe.recv()
    payload = bytes(range(160))
    sent = received = 0
    began = time.monotonic()
    frames = int(SECONDS / PTIME_S)
    for frame in range(frames + 10):
        for number, line in enumerate(lines):
            due = began + (frame + number / count) * PTIME_S
            if number % 16 == 0 and (ahead := due - time.monotonic()) > 0:
                time.sleep(ahead)
            if frame < frames:
                header = struct.pack("!BBHII", 0x80, 8, frame, frame * 160, number)
                line.sendto(header + payload, (HOST, ports[number]))
                sent += 1
            try:
                line.recv(2048)
                received += 1
            except BlockingIOError:
                pass
    pipe.send((sent, received))


async def measure(kind: str, count: int, folder: Path) -> None:
    """Hold `count` streams of `kind`: `echo`, `energy` (the same, measured), or `record` (a tone out, recorded)."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=caller, args=(theirs, count))
    process.start()
    plane = WorkerPlane(HOST, range(30000, 50000), workers=1)
    await plane.start()
    closed: list[StreamClosed] = []

    def sink(event: MediaEvent) -> None:
        if isinstance(event, StreamClosed):
            closed.append(event)

    streams: list[WorkerStream] = [await plane.open(sink) for _ in range(count)]
    for number, (stream, port) in enumerate(zip(streams, await asyncio.to_thread(ours.recv), strict=True)):
        remote = Remote(Address(HOST, port), HOST, Codec.PCMA, energy=kind == "energy")
        stream.connect(remote, fill=kind == "record")
        if kind == "record":
            stream.record(folder / f"{number}.wav", 60)
        else:
            stream.echo()
    await asyncio.sleep(0.2)
    before = cpu_s(plane.pid or 0)
    began = time.monotonic()
    ours.send([stream.local.port for stream in streams])
    sent, received = await asyncio.to_thread(ours.recv)
    used, lasted = cpu_s(plane.pid or 0) - before, time.monotonic() - began
    for stream in streams:
        stream.close()
    await plane.stop()
    await asyncio.to_thread(process.join)
    heard = sum(event.verdict.packets_received for event in closed)
    told = sum(event.verdict.packets_sent for event in closed)
    print(
        f"{kind:7}{count:6} streams  heard {heard / sent:7.2%}  returned {received / sent:7.2%}  "
        f"{used / lasted:5.0%} of a core  {used / (heard + told) * 1e6:5.1f} µs a packet"
    )


def main(counts: list[int]) -> None:
    """Run each kind with each number of streams."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("echo", "energy", "record"):
            for count in counts:
                asyncio.run(measure(kind, count, Path(folder)))


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [100, 500, 1000])
