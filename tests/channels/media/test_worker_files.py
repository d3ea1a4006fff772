"""What a media worker has open: its ports, and nothing that a stream left."""

import asyncio
from itertools import count
from pathlib import Path

from tests.channels.media.far_end import HOST, Heard, Phone
from tests.channels.media.test_workers import free_range

from ringfence.channels.media.plane import Recorded, StreamClosed, StreamStarted
from ringfence.channels.media.worker_plane import WorkerPlane
from ringfence.fixtures.process import open_files

STREAMS = 100


async def test_streams_that_come_and_go_leave_no_file_open(tmp_path: Path) -> None:
    plane = WorkerPlane(HOST, free_range(2 * STREAMS), stock=STREAMS)
    await plane.start()
    phone, numbers = await Phone.bound(), count()

    async def talk() -> None:
        heard = Heard()
        stream = await plane.open(heard)
        stream.connect(phone.remote(), fill=False)
        stream.record(tmp_path / f"{next(numbers)}.wav", 10)
        phone.say(stream.local)
        await heard.until(StreamStarted)
        stream.close()
        await heard.until(Recorded)
        await heard.until(StreamClosed)

    async with asyncio.timeout(20):
        while plane.ports.free + plane.ports.used < STREAMS:
            await talk()
        assert plane.pid is not None
        before = open_files(plane.pid)
        for _ in range(3):
            await asyncio.gather(*(talk() for _ in range(20)))
        assert len(open_files(plane.pid)) == len(before)
    phone.transport.close()
    await plane.stop()
