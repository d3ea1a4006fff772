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
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
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
    """So many calls at once, each held so long, and how many of each kind before and after the first look."""

    at_once: int
    hold_s: float
    warm_up: int
    calls: int
    limit_s: float


PARTS = {
    "calls": Part(at_once=100, hold_s=1, warm_up=1000, calls=2500, limit_s=180),
    "long": Part(at_once=200, hold_s=30, warm_up=150, calls=1000, limit_s=720),
}


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


def talk(served: Served, part: Part, calls: int) -> int:
    """Let all kinds of calls come, `calls` of each; prints what became of them and returns how many failed."""
    each = part.at_once // len(KINDS)

    def load(number: str) -> sipp.Outcome:
        said = Load(ROOT + number, each / part.hold_s, calls, round(part.hold_s * 1000))
        return sipp.run(served.sip, "talk", said, said=TONE, options=("-l", str(each)))

    with ThreadPoolExecutor(len(KINDS)) as beside:
        outcomes = dict(zip(KINDS, beside.map(load, KINDS.values()), strict=True))
    for kind, one in outcomes.items():
        if one.failed:
            reasons = Counter(re.findall(r"X-License-Reason: (\S+)", one.errors))
            print(
                f"{kind}: {one.failed} of {calls} failed, refused by us: {dict(reasons)}; {one.errors[:300]}"
            )
    return sum(one.failed for one in outcomes.values())


def metric(served: Served, name: str) -> int:
    """One of the server's metrics."""
    found = re.search(rf"^ringfence_{re.escape(name)} (\S+)", served.fetch("/metrics").decode(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the server has no metric {name}")
    return int(float(found[1]))


def cpu_all(served: Served) -> float:
    """CPU seconds of the server with its workers."""
    return sum(cpu_s(pid) for pid in (served.pid, *children(served.pid)))


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


def heard(served: Served, part: Part) -> bool:
    """Print how many packets the journal tells of; whether every leg was heard and spoken to all the time."""
    legs: dict[str, list[tuple[int, int]]] = {}
    before, path = None, "/api/v1/journal?limit=1000"
    while page := served.get(path if before is None else f"{path}&before={before}"):
        for entry in page["entries"]:
            told = [
                (leg["verdict"]["packets_received"], leg["verdict"]["packets_sent"]) for leg in entry["legs"]
            ]
            legs.setdefault(str(entry["called"]), []).extend(told)
        before = page["before"]
        if before is None:
            break
    due, good = part.hold_s * 50 * HEARD, True
    for called, both in sorted(legs.items()):
        poor = sum(min(one) < due for one in both)
        good = good and not poor
        print(
            f"{called:36}{len(both)} legs, {sum(one[0] for one in both):,} packets heard, "
            f"{sum(one[1] for one in both):,} sent; {poor} legs with fewer than {due:.0f}"
        )
    return good


def soak(name: str, part: Part) -> bool:
    """Run one part; whether all went well."""
    with TemporaryDirectory(prefix="ringfence-soak-") as folder, server(Path(folder)) as served:
        failed = talk(served, part, part.warm_up)
        before = standing(served, Path(folder))
        began, worked_s = time.monotonic(), cpu_all(served)
        failed += talk(served, part, part.calls)
        took_s = time.monotonic() - began
        worked_s = cpu_all(served) - worked_s
        after = standing(served, Path(folder))
        print(
            f"{name}: {part.calls * len(KINDS):,} calls of {part.hold_s} s, {part.at_once} at a time, in "
            f"{took_s:.0f} s (limit {part.limit_s:.0f}); {failed} failed; {worked_s / took_s:.0%} of a core",
            flush=True,
        )
        nothing_left = table(before, after)
        return heard(served, part) and nothing_left and not failed and took_s <= part.limit_s


def main(parts: list[str]) -> int:
    """Run the parts; returns the exit status."""
    return 0 if False not in [soak(part, PARTS[part]) for part in parts or ["calls"]] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
