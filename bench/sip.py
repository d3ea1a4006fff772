"""What calls and registrations cost the whole server, beside `sipp -sn uas`, which is about as cheap as SIP can be.

Everything runs in one go: CPU of the main process for each call at the highest rate at which no call fails and nothing
is sent again, a minute at full rate, and the memory of held calls and registrations. Run as
`python bench/sip.py [PART …]` with parts of `cost`, `minute` and `memory`; the exit status is 1 if a goal is missed.
What comes beyond is in `overload.py`.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ringfence.fixtures import sipp
from ringfence.fixtures.process import cpu_s, resident_mb
from ringfence.fixtures.served import Served, serving
from ringfence.fixtures.sipp import Account, Load, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.fixtures.sipp import Outcome

ROOT = "08955550"
PHONE = "127.0.0.1"
DOMAIN = "klein.example"
CALLEE = Account("101", DOMAIN, "Ben-1010-Birne", 0)
ROUNDS = 3
USERS = 5_000
TRY_S = 5
SLOWEST, FASTEST = 50, 2000


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work: its name, what SIPp does for it how often a second, the goal in CPU ms and what is aimed at."""

    name: str
    number: str
    rate: int
    reach_ms: float
    aim_ms: float
    scenario: str = "uac"
    accounts: tuple[Account, ...] = ()

    def run(self, server: str, rate: int, calls: int = 0) -> Outcome:
        """Let SIPp do it so many times, without `calls` for `TRY_S`."""
        source = PHONE if self.accounts else sipp.TRUNK_ADDRESS
        load = Load(self.number, rate, calls or rate * TRY_S)
        return sipp.run(server, self.scenario, load, source=source, accounts=self.accounts)


REGISTRATION = tuple(Account(str(10_000 + n), DOMAIN, f"secret-{n}", 5060) for n in range(USERS))
WORKS = (
    Work("answer, no media (99200)", f"{ROOT}99200", 400, 0.6, 0.35),
    Work("answer, media and events (9900)", f"{ROOT}9900", 400, 0.6, 0.35),
    Work("bridge phone to phone", f"{ROOT}101", 150, 1.5, 0.9),
    Work("voicemail: gate, lease, journal", f"{ROOT}*100", 250, 1.0, 0.6),
    Work("REGISTER with digest, the pair", "x", 800, 0.4, 0.2, "register", REGISTRATION),
)


def site(room: Path) -> Path:
    """Write the small site with so many channels that none is short, and with 5,000 more users."""
    text = (files("ringfence.fixtures") / "sites" / "small.toml").read_text(encoding="utf-8")
    text = text.replace("ip_channel = 4", "ip_channel = 4000")
    users = "".join(
        f'\n[[user]]\nname = "user{one.user}"\nlocation = "Haus"\ngroup = "Lager"\n'
        f'extension = "{one.user}"\npassword = "{one.password}"\n'
        for one in REGISTRATION
    )
    path = room / "site.toml"
    path.write_text(text.replace("\n[[trunk]]", f"{users}\n[[trunk]]", 1), encoding="utf-8")
    return path


@contextmanager
def server() -> Iterator[Served]:
    """Serve on the first core, with a registered telephone that takes every call; the load has the other core."""
    with TemporaryDirectory() as room, serving(site(Path(room))) as served:
        os.sched_setaffinity(served.pid, {0})
        port = free_port(PHONE)
        with sipp.called(PHONE, port):
            callee = Account(CALLEE.user, CALLEE.domain, CALLEE.password, port)
            sipp.run(served.sip, "register", Load("x", 10, 1), source=PHONE, accounts=(callee,))
            yield served


def ceiling() -> tuple[float, int]:
    """What SIPp answering calls costs."""
    port = free_port(PHONE)
    with sipp.called(PHONE, port) as pid:
        return cost(pid, 400, lambda rate: sipp.run(f"{PHONE}:{port}", "uac", Load("x", rate, rate * TRY_S)))


def cost(pid: int, rate: int, load: Callable[[int], Outcome]) -> tuple[float, int]:
    """CPU milliseconds of a process for each piece of work, at the highest rate without a failure or a retransmission.

    At less than that the machine is idle in between and a piece up to twice as dear: nothing stays in its caches.
    `rate` is where to begin, `load` brings that many a second for `TRY_S`.
    """
    found = 0.0, 0
    while SLOWEST <= rate <= FASTEST:
        before = cpu_s(pid)
        outcome = load(rate)
        if not outcome.failed and not outcome.retransmissions:
            found = (cpu_s(pid) - before) / (rate * TRY_S) * 1000, rate
            rate = rate * 5 // 4
        elif found[1]:
            break
        else:
            rate //= 2
    if not found[1]:
        raise RuntimeError(f"at {rate} a second {outcome.failed} failed: {outcome.errors[:500]}")
    return found


def costs() -> bool:
    """Print the ceiling and each kind of work beside it; whether every goal is reached."""
    least, rate = statistics.median_low(ceiling() for _ in range(ROUNDS))
    print(f"{'sipp -sn uas, the ceiling':34}{least:6.2f} ms, at {rate} a second", flush=True)
    reached = True
    for work in WORKS:
        with server() as served:
            load = partial(work.run, served.sip)
            found, rate = statistics.median_low(cost(served.pid, work.rate, load) for _ in range(ROUNDS))
        reached = reached and found <= work.reach_ms
        print(
            f"{work.name:34}{found:6.2f} ms  {found / least:4.1f} x the ceiling, at {rate} a second; "
            f"reach {work.reach_ms:.2f}, aim {work.aim_ms:.2f}: {judged(found, work.reach_ms, work.aim_ms)}",
            flush=True,
        )
    return reached


def judged(found: float, reach: float, aim: float) -> str:
    """Say how a figure stands; less is better."""
    return "aim met" if found <= aim else "reached" if found <= reach else "MISSED"


def minutes() -> bool:
    """A minute of calls at the rates that have to be held."""
    good = True
    for work, rate in ((WORKS[0], 1000), (WORKS[1], 600)):
        with server() as served:
            outcome = work.run(served.sip, rate, rate * 60)
            grown = resident_mb(served.pid)
        good = good and not outcome.failed
        print(
            f"{work.name:34}{rate:6} a second for 60 s: {outcome.failed} failed, {outcome.retransmissions} sent "
            f"again, {grown:.0f} MB at the end: {'held' if not outcome.failed else 'MISSED'}",
            flush=True,
        )
    return good


def memory() -> bool:
    """What a held call and a registration occupy in the main process."""
    with server() as served:
        WORKS[0].run(served.sip, 200, 400)
        call_kb = held(served, lambda: sipp.run(served.sip, "uac", Load(WORKS[0].number, 250, 1000, 8000)))
        print(
            f"a held call without media: {call_kb:.1f} KB; reach 25, aim 12: {judged(call_kb, 25, 12)}",
            flush=True,
        )
    with server() as served:
        before, began = resident_mb(served.pid), time.monotonic()
        outcome = WORKS[4].run(served.sip, 1250, USERS)
        took_s, grown_mb = time.monotonic() - began, resident_mb(served.pid) - before
    good = not outcome.failed and took_s < 5 and grown_mb < 60
    print(
        f"{USERS} registrations in {took_s:.1f} s, {grown_mb:.0f} MB more, {outcome.failed} failed; reach 5 s and "
        f"60 MB, aim 20 MB: {'reached' if good else 'MISSED'}",
        flush=True,
    )
    return good and call_kb <= 25


def held(served: Served, load: Callable[[], object]) -> float:
    """Kilobytes that each of a thousand calls occupies while all are held."""
    before = resident_mb(served.pid)
    thread = threading.Thread(target=load)
    thread.start()
    time.sleep(6)
    grown = resident_mb(served.pid) - before
    thread.join()
    return grown * 1024 / 1000


PARTS: dict[str, Callable[[], bool]] = {
    "cost": costs,
    "minute": minutes,
    "memory": memory,
}


def main(parts: list[str]) -> int:
    """Run the parts; returns the exit status."""
    os.sched_setaffinity(0, {1} if (os.cpu_count() or 1) > 1 else {0})
    return 0 if False not in [PARTS[part]() for part in parts or list(PARTS)] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
