"""How much RTP one media worker carries on loopback, and what a packet costs it, beside a generator and sink in C.

Each run holds two-way G.711 streams for some seconds; what is printed are medians. `media_far_end.c` is the other end:
it is compiled here, sends speech and hears as many packets as the worker, and tells which came over 10 ms late by the
kernel's stamps. Kinds of streams: `bare` returns each packet, `verdicts` also measures loudness and tones and listens
for digits, `recorded` sends on its own and records what it hears. At last 1,000 recorded streams are held on two cores,
while the main process answers 50 calls a second. Run as `python bench/media.py [--seconds S] [--runs N] [STREAMS …]`;
the exit status is 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ringfence.channels.media.plane import Codec, Measured, Prompt, Remote, StreamClosed, Tone
from ringfence.channels.media.prompts import prompt_payload
from ringfence.channels.media.worker_plane import WorkerPlane
from ringfence.channels.network import Address
from ringfence.fixtures import sipp
from ringfence.fixtures.process import cpu_s, resident_mb
from ringfence.fixtures.sipp import Load
from ringfence.server.app import Options, Pbx
from ringfence.server.site.site import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.channels.media.plane import MediaEvent, MediaStream
    from ringfence.fixtures.sipp import Outcome

HOST = "127.0.0.1"
PORTS = range(30000, 50000)
COUNTS = (200, 400, 800, 1200)
STEP, MOST = 200, 3000
HELD, CALLS_PER_S = 1000, 50
CLEAN = 0.001
"""Streams are held while no larger share of their packets is lost, or late by over 10 ms."""

SETTLE_S = 1.7
SOUND = "speech.alaw"
ECHO = "089555509900"
KINDS = {"bare": 8.0, "verdicts": 12.0, "recorded": None}
"""What is held, and the CPU microseconds that a packet may cost."""

MOST_KB = 60.0


@dataclass(frozen=True, slots=True)
class Held:
    """One run: the shares of packets late and lost, the worst delay, the share that the far end sent late, the cost."""

    late: float
    lost: float
    worst_ms: float
    far_late: float
    core: float
    packet_us: float
    far_us: float
    resident_mb: float

    @property
    def is_clean(self) -> bool:
        """Whether the streams were held."""
        return self.late + self.lost < CLEAN


class FarEnd:
    """The program in C with so many sockets, see there."""

    def __init__(self, program: Path, kind: str, count: int, seconds: float) -> None:
        self.seconds = seconds
        what = "own" if kind == "recorded" else "echo"
        self._command = (str(program), str(count), str(seconds), what, str(program.with_name(SOUND)))

    async def start(self) -> list[int]:
        """Start it and return its ports."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, limit=1 << 20
        )
        return [int(port) for port in (await self._read()).split()]

    async def talk(self, ports: Sequence[int]) -> list[float]:
        """Let it talk to these ports, and return what it tells at the end."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, ports)).encode() + b"\n")
        told = [float(figure) for figure in (await self._read()).split()]
        await self._process.wait()
        return told

    async def _read(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode()


async def hold(plane: WorkerPlane, far: FarEnd, kind: str, room: Path) -> Held:
    """Hold a stream of `kind` for each socket of the far end."""
    closed: list[StreamClosed] = []
    ready, over = asyncio.Event(), asyncio.Event()

    def sink(event: MediaEvent) -> None:
        if isinstance(event, Measured):
            ready.set()
        elif isinstance(event, StreamClosed):
            closed.append(event)
            if len(closed) == len(theirs):
                over.set()

    theirs = await far.start()
    streams: list[MediaStream] = [await plane.open(sink) for _ in theirs]
    for number, (stream, port) in enumerate(zip(streams, theirs, strict=True)):
        listens = kind == "verdicts"
        remote = Remote(
            Address(HOST, port), HOST, Codec.PCMA, dtmf_payload=None if listens else 101, energy=listens
        )
        stream.connect(remote, fill=kind == "recorded", listen=listens)
        if kind == "recorded":
            stream.play([Tone((425,))])
            stream.record(room / f"{number}.wav", 600)
        else:
            stream.echo()
    streams[-1].measure()
    await ready.wait()
    pid, loop = plane.pid or 0, asyncio.get_running_loop()
    talk = asyncio.create_task(far.talk([stream.local.port for stream in streams]))
    await asyncio.sleep(SETTLE_S)  # first packets cost imports, and sockets of their own
    used_s, began = cpu_s(pid), loop.time()
    await asyncio.sleep(far.seconds - SETTLE_S)
    used_s, lasted_s = cpu_s(pid) - used_s, loop.time() - began
    sent, received, judged, missing, late, worst_ms, far_late, far_s = await talk
    memory = resident_mb(pid)
    for stream in streams:
        stream.close()
    await over.wait()
    heard = sum(event.verdict.packets_received for event in closed)
    # An echo that was not heard is missing already; one's own packets say nothing of those that were not heard.
    unheard = (sent - heard) / sent if kind == "recorded" else 0.0
    return Held(
        late / judged,
        missing / judged + unheard,
        worst_ms,
        far_late / sent,
        used_s / lasted_s,
        used_s / (max(1.0, heard + received) * lasted_s / far.seconds) * 1e6,
        far_s / (sent + received) * 1e6,
        memory,
    )


async def alone(program: Path, kind: str, count: int, seconds: float) -> Held:
    """Hold so many streams of `kind` in a worker of its own."""
    plane = WorkerPlane(HOST, PORTS, workers=1)
    await plane.start()
    with TemporaryDirectory() as room:
        held = await hold(plane, FarEnd(program, kind, count, seconds), kind, Path(room))
        await plane.stop()
    return held


async def beside_calls(program: Path, seconds: float) -> tuple[Held, Outcome]:
    """Hold recorded streams in the worker of a server that answers calls meanwhile, all on two cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    site = Site.sample("small")
    pbx = await Pbx.start(site, Options(rtp_ports=PORTS, http_port=None))
    load = Load(ECHO, CALLS_PER_S, round(CALLS_PER_S * (seconds + 2)), hold_ms=1000)
    calls = asyncio.create_task(asyncio.to_thread(sipp.run, str(pbx.sip), "uac", load))
    assert isinstance(pbx.plane, WorkerPlane)
    with TemporaryDirectory() as room:
        far = FarEnd(program, "recorded", HELD, seconds)
        held = await hold(pbx.plane, far, "recorded", Path(room))
    outcome = await calls
    await pbx.stop()
    return held, outcome


def middle(runs: Sequence[Held]) -> Held:
    """The median of each figure."""
    return Held(*(median(getattr(run, name) for run in runs) for name in Held.__slots__))


def show(kind: str, count: int, held: Held) -> None:
    """Print a line."""
    doubt = f"; the far end itself sent {held.far_late:.2%} late" if held.far_late >= CLEAN else ""
    print(
        f"{kind:9}{count:5} streams  late {held.late:7.3%}  lost {held.lost:7.3%}  worst {held.worst_ms:6.1f} ms  "
        f"{held.core:4.0%} of a core  {held.packet_us:5.2f} µs a packet (C {held.far_us:.2f}: "
        f"{held.packet_us / held.far_us:.1f} times)  {held.resident_mb:4.0f} MB{doubt}",
        flush=True,
    )


def judge(goal: str, figure: str, *, reached: bool) -> bool:
    """Print a goal and how it came out."""
    print(f"{goal}: {figure}: {'reached' if reached else 'MISSED'}", flush=True)
    return reached


def growth(program: Path, counts: Sequence[int], runs: int, seconds: float) -> list[bool]:
    """Hold each kind with each number of streams; judge cost and memory."""
    goals = []
    few, many = min(counts), max(counts)
    judged = max((count for count in counts if count <= HELD), default=few)
    for kind, most_us in KINDS.items():
        found = {}
        for count in counts:
            found[count] = middle([asyncio.run(alone(program, kind, count, seconds)) for _ in range(runs)])
            show(kind, count, found[count])
        if most_us is None:
            continue
        cost, is_clean = found[judged].packet_us, found[judged].is_clean
        figure = f"{cost:.2f} with {judged} streams" + ("" if is_clean else ", which were not held")
        reached = is_clean and cost <= most_us
        goals.append(judge(f"{kind}: at most {most_us:g} µs a packet", figure, reached=reached))
        if few < many:
            ratio = found[many].packet_us / found[few].packet_us
            print(f"{kind}: a packet costs {ratio:.2f} times as much with {many} streams as with {few}")
            kb = (found[many].resident_mb - found[few].resident_mb) * 1024 / (many - few)
            goals.append(
                judge(f"{kind}: at most {MOST_KB:g} KB a stream", f"{kb:.1f}", reached=kb <= MOST_KB)
            )
    return goals


def capacity(program: Path, runs: int, seconds: float) -> bool:
    """Hold more and more recorded streams as long as they are clean."""
    clean = 0
    for count in range(HELD, MOST, STEP):
        held = middle([asyncio.run(alone(program, "recorded", count, seconds)) for _ in range(runs)])
        show("recorded", count, held)
        if not held.is_clean:
            break
        clean = count
    return judge(
        f"recorded: {HELD} streams with less than {CLEAN:.1%} late or lost",
        f"{clean or 'fewer than ' + str(HELD)} held, in steps of {STEP}",
        reached=clean >= HELD,
    )


def main() -> int:
    """Run all; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4.0, help="how long streams are held, at least 1")
    parser.add_argument("--runs", type=int, default=3, help="of how many runs the median is taken")
    parser.add_argument("counts", metavar="STREAMS", type=int, nargs="*", default=COUNTS)
    asked = parser.parse_args()
    compiler, source = shutil.which("cc"), Path(__file__).with_name("media_far_end.c")
    if compiler is None:
        print(
            "Nothing is measured: the far end is in C, and there is no cc; on Debian: apt-get install gcc libc6-dev"
        )
        return 1
    with TemporaryDirectory() as room:
        program = Path(room) / "far_end"
        program.with_name(SOUND).write_bytes(prompt_payload(Prompt("greeting", "de"), Codec.PCMA))
        subprocess.run([compiler, "-O2", "-Wall", "-o", program, source], check=True)
        goals = growth(program, asked.counts, asked.runs, asked.seconds)
        goals.append(capacity(program, asked.runs, asked.seconds))
        runs = [asyncio.run(beside_calls(program, asked.seconds)) for _ in range(asked.runs)]
    held, failed = middle([one for one, _ in runs]), sum(outcome.failed for _, outcome in runs)
    again = sum(outcome.retransmissions for _, outcome in runs)
    show("beside", HELD, held)
    figure = f"{held.late + held.lost:.3%}; {failed} calls failed, {again} messages sent again"
    goal = f"recorded: {HELD} streams held while {CALLS_PER_S} calls/s are answered on the same two cores"
    goals.append(judge(goal, figure, reached=held.is_clean and not failed))
    return 0 if all(goals) else 1


if __name__ == "__main__":
    sys.exit(main())
