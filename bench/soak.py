"""Thousands of calls that talk, and what is left of them: files, processes, ports, leases, transactions, memory.

SIPp is caller and called telephone, with audio both ways, on the second core; the server has the first. Four kinds of
calls come at the same time, in equal parts: to the echo (9900), to a box, to an attendant and to a telephone. Run as
`python bench/soak.py [PART …]`: `calls` are 10,000 calls of one second, 100 at a time, and `long` 200 calls at a time
for ten minutes. Each part begins with a warm-up; what is left is looked at when the last transaction is over. The exit
status is 1 if a call failed, was not heard, or left something.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import TYPE_CHECKING

from ringfence.channels.media.plane import Codec, Tone
from ringfence.channels.media.tones import tone_payload
from ringfence.fixtures import sipp
from ringfence.fixtures.process import children, cpu_s, open_files, resident_mb
from ringfence.fixtures.served import Served, serving
from ringfence.fixtures.sipp import Account, Load, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT, PHONE, DOMAIN = "08955550", "127.0.0.1", "klein.example"
KINDS = {"echo": "9900", "voicemail": "*100", "attendant": "200", "bridge": "101"}
LAST_TRANSACTION_S = 35.0
GROWTH = 0.05
HEARD = 0.8
"""What of its packets a call has to be heard with: the generator may be late on a machine that others use."""
TONE = tone_payload(Tone((620,)), Codec.PCMA, 0, 8000)


@dataclass(frozen=True, slots=True)
class Part:
    """So many calls at once, each held so long, `calls` of each kind."""

    at_once: int
    hold_s: float
    calls: int
    limit_s: float


PARTS = {"calls": Part(100, 1, 2500, 180), "long": Part(200, 30, 1000, 720)}
FLURRY = Part(100, 1, 1000, 180)
"""The warm-up of every part: so many calls fill each cache of bounded size, and last longer than a transaction."""


@contextmanager
def server(room: Path) -> Iterator[Served]:
    """Serve with channels for all, on the first core, all that it writes in `room`; a telephone echoes."""
    text = (files("ringfence.fixtures") / "sites" / "small.toml").read_text(encoding="utf-8")
    text = text.replace("ip_channel = 4", "ip_channel = 500").replace(
        "auto_attendant = 1", "auto_attendant = 20"
    )
    site, port = room / "site.toml", free_port(PHONE)
    site.write_text(text, encoding="utf-8")
    os.environ["TMPDIR"] = str(room)
    os.sched_setaffinity(0, {0})
    with serving(site) as served:
        os.sched_setaffinity(0, {1 if (os.cpu_count() or 1) > 1 else 0})
        with sipp.called(PHONE, port, "-rtp_echo"):
            ben = Account("101", DOMAIN, "Ben-1010-Birne", port)
            sipp.run(served.sip, "register", Load("x", 10, 1), source=PHONE, accounts=(ben,))
            yield served


def talk(served: Served, part: Part) -> int:
    """Let all kinds of calls come; prints why some failed and returns how many."""
    each = part.at_once // len(KINDS)

    def load(number: str) -> sipp.Outcome:
        said = Load(ROOT + number, each / part.hold_s, part.calls, round(part.hold_s * 1000))
        return sipp.run(served.sip, "talk", said, said=TONE, options=("-l", str(each)))

    with ThreadPoolExecutor(len(KINDS)) as beside:
        outcomes = dict(zip(KINDS, beside.map(load, KINDS.values()), strict=True))
    for kind, one in outcomes.items():
        if one.failed:
            reasons = Counter(re.findall(r"X-License-Reason: (\S+)", one.errors))
            print(
                f"{kind}: {one.failed} of {part.calls} failed, refused by us: {dict(reasons)}; {one.errors[:300]}"
            )
    return sum(one.failed for one in outcomes.values())


def metric(served: Served, name: str) -> int:
    """One of the server's metrics."""
    found = re.search(rf"^ringfence_{re.escape(name)} (\S+)", served.fetch("/metrics").decode(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the server has no metric {name}")
    return int(float(found[1]))


def worked(served: Served) -> tuple[float, float]:
    """CPU seconds of the main process, and of the workers."""
    return cpu_s(served.pid), sum(map(cpu_s, children(served.pid)))


def standing(served: Served, room: Path) -> dict[str, float]:
    """What the server holds, once the last transaction is over and the messages are deleted."""
    time.sleep(LAST_TRANSACTION_S)
    for message in served.get("/api/v1/users/anna/voicemails"):
        served.fetch(f"/api/v1/voicemails/{message['id']}", "DELETE")
    own, workers = open_files(served.pid), children(served.pid)
    free, used = metric(served, 'rtp_ports{state="free"}'), metric(served, 'rtp_ports{state="used"}')
    return {
        "processes": 1 + len(workers),
        "files of the main process": len(own),
        "of these sockets": sum(one.startswith("socket:") for one in own),
        "files of the workers, but RTP ports": sum(len(open_files(one)) for one in workers) - free - used,
        "RTP ports used": used,
        "leases": len(served.get("/api/v1/channels")["leases"]),
        "calls": metric(served, "calls"),
        "transactions": metric(served, "sip_transactions"),
        "files on disk": sum(one.is_file() for one in room.rglob("*")),
        "MB of the main process": resident_mb(served.pid),
        **{f"MB of worker {number}": resident_mb(one) for number, one in enumerate(workers, 1)},
    }


def table(before: dict[str, float], after: dict[str, float]) -> bool:
    """Print both standings; whether nothing was left and memory has not grown."""
    good = True
    for name, now in after.items():
        was = before.get(name, 0)
        fine = now <= was * (1 + GROWTH) if name.startswith("MB") else now <= was
        good = good and fine
        print(f"{name:36}{was:9.5g}{now:9.5g}  {'as before' if fine else 'GROWN'}")
    return good


def heard(served: Served, part: Part, since: datetime) -> bool:
    """Print how many packets the journal tells of; whether every leg was heard and spoken to all the time."""
    verdicts: dict[str, list[dict[str, int]]] = {}
    page = {"before": sys.maxsize}
    while page["before"]:
        page = served.get(
            f"/api/v1/journal?limit=1000&since={since:%Y-%m-%dT%H:%M:%SZ}&before={page['before']}"
        )
        for entry in page["entries"]:
            verdicts.setdefault(entry["called"], []).extend(leg["verdict"] for leg in entry["legs"])
    due, good = part.hold_s * 50 * HEARD, True
    for called, legs in sorted(verdicts.items()):
        poor = sum(min(one["packets_received"], one["packets_sent"]) < due for one in legs)
        good = good and not poor
        received, sent, lost = (
            sum(one[f"packets_{what}"] for one in legs) for what in ("received", "sent", "lost")
        )
        print(
            f"{called:15}{len(legs):6,} legs, {received:,} packets heard, {sent:,} sent, {lost} lost; "
            f"{poor} legs with fewer than {due:.0f}"
        )
    return good


@contextmanager
def minutes(served: Served) -> Iterator[list[float]]:
    """Note the memory of all processes once a minute, in MB: what leaks grows with every one."""
    noted: list[float] = []
    ended = Event()

    def note() -> None:
        while not ended.wait(60):
            noted.append(round(sum(map(resident_mb, (served.pid, *children(served.pid)))), 1))

    thread = Thread(target=note)
    thread.start()
    try:
        yield noted
    finally:
        ended.set()
        thread.join()


def soak(name: str, part: Part) -> bool:
    """Run one part; whether all went well."""
    with TemporaryDirectory(prefix="ringfence-soak-") as folder, server(Path(folder)) as served:
        failed = talk(served, FLURRY) + talk(served, replace(part, calls=2 * part.at_once // len(KINDS)))
        before = standing(served, Path(folder))
        since = datetime.now(UTC)
        began, idle = time.monotonic(), worked(served)
        with minutes(served) as noted:
            failed += talk(served, part)
        took_s = time.monotonic() - began
        main_s, workers_s = (now - was for was, now in zip(idle, worked(served), strict=True))
        after = standing(served, Path(folder))
        print(
            f"{name}: {part.calls * len(KINDS):,} calls of {part.hold_s} s, {part.at_once} at a time, in "
            f"{took_s:.0f} s (limit {part.limit_s:.0f}); {failed} failed; {main_s / took_s:.0%} of a core "
            f"for the main process, {workers_s / took_s:.0%} for the workers; MB each minute: {noted}",
            flush=True,
        )
        nothing_left = table(before, after)
        return heard(served, part, since) and nothing_left and not failed and took_s <= part.limit_s


def main(parts: list[str]) -> int:
    """Run the parts; returns the exit status."""
    return 0 if False not in [soak(part, PARTS[part]) for part in parts or ["calls"]] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
