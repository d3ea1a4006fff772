"""How long a recompute of the licences and one question to the gate take, as medians, and whether the rules hold.

Run as a script or by `main()`; the exit status is 1 if a recompute for 100,000 users takes more than 1.5 s, grows
faster than their number, or takes more than 50 ms for 5,000; if `may` takes more than 1 µs; or if allocation or what-if
differs from the slow reference on any of 10,000 random sites.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ringfence.licensing.allocation import allocate
from ringfence.licensing.catalogue import DEALT_LICENCES, FUNCTIONS
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.gate import Gate
from ringfence.licensing.modes import Grace, Modes, Tolerance
from ringfence.licensing.order import BY_SEQUENCE, ServiceOrder

SIZES = (5_000, 20_000, 100_000)
LIMITS_MS = {5_000: 50.0, 100_000: 1_500.0}
MOST_GROWTH = 2.5
"""How much longer a user may take among 100,000 than among 5,000, which the caches of a processor hold."""
MAY_LIMIT_US = 1.0
NOW = datetime(2026, 7, 1, tzinfo=UTC)
TESTS = Path(__file__).parent.parent / "tests" / "licensing" / "test_against_reference.py"


@dataclass(frozen=True, slots=True)
class Load:
    """A site of so many users, each with every function, and its order of service."""

    name: str
    entitlement: Entitlement
    subjects: list[Subject]
    order: ServiceOrder


def loads(users: int) -> list[Load]:
    """The same users with plenty, with half of the seats, with none, and half with contingents and reservations."""
    chance = random.Random(users)
    every = frozenset(FUNCTIONS)
    subjects = [Subject(f"user{seq}", seq, f"location{seq % 7}", None, every) for seq in range(users)]
    chance.shuffle(subjects)
    order = ServiceOrder(
        {key: tuple(f"user{seq}" for seq in range(users - 100, users)) for key in DEALT_LICENCES},
        {f"location{place}": dict.fromkeys(DEALT_LICENCES, users // 20) for place in range(4)},
    )
    cases = ("all", users, BY_SEQUENCE), ("half", users // 2, BY_SEQUENCE), ("none", 0, BY_SEQUENCE)
    return [
        Load(
            name,
            Entitlement({"server": 1, "ip_channel": 200, **dict.fromkeys(DEALT_LICENCES, seats)}),
            subjects,
            one,
        )
        for name, seats, one in (*cases, ("half, contingents", users // 2, order))
    ]


def recompute_ms(load: Load, rounds: int = 5) -> float:
    """Median time of one allocation."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        allocate(load.entitlement, load.subjects, load.order)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e3


def may_us(gate: Gate, questions: list[tuple[str, str]]) -> float:
    """Median time of one question, the clock's own reading included."""
    times = []
    for user, function in questions:
        begin = time.perf_counter()
        gate.may(user, function)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


def measure_gate(load: Load) -> float:
    """Ask 20,000 questions twice, with every pool in grace; return the time of one asked again."""
    chance = random.Random(len(load.subjects))
    allocation = allocate(load.entitlement, load.subjects, load.order)
    tolerance = Tolerance(Modes(Grace(14, 10)), {}, NOW)
    gate = Gate(load.entitlement, allocation, load.subjects, tolerance)
    functions = tuple(FUNCTIONS)
    questions = [(chance.choice(load.subjects).name, chance.choice(functions)) for _ in range(20_000)]
    first_us, again_us = may_us(gate, questions), may_us(gate, questions)
    print(f"may, seats for {load.name:17}: {first_us:5.2f} µs asked first, {again_us:.2f} µs again")
    return again_us


def compare_with_reference(sites: int) -> bool:
    """Run the comparison of the tests on so many random sites."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS)]
    run = subprocess.run(
        command,
        env={**os.environ, "RINGFENCE_EXAMPLES": str(sites)},
        capture_output=True,
        text=True,
        check=False,
    )
    agreed = run.returncode == 0
    verdict = "agree with the reference" if agreed else "DIFFER from the reference:\n" + run.stdout
    print(f"{sites} random sites {verdict} ({time.perf_counter() - begin:.0f} s)")
    return agreed


def main() -> int:
    """Measure, print and judge."""
    good = True
    print(f"recompute, {'seats for':17}  " + "".join(f"{users:>9} users" for users in SIZES))
    table = [[recompute_ms(load) for load in loads(users)] for users in SIZES]
    for row, load in enumerate(loads(SIZES[0])):
        times = [column[row] for column in table]
        growth = times[-1] / times[0] / (SIZES[-1] / SIZES[0])
        print(
            f"           {load.name:17}  "
            + "".join(f"{took:12.1f} ms" for took in times)
            + f"  growth {growth:.2f}"
        )
        good = good and growth <= MOST_GROWTH
        good = good and all(
            took <= LIMITS_MS.get(users, took) for users, took in zip(SIZES, times, strict=True)
        )
    for load in loads(SIZES[0]):
        good = measure_gate(load) <= MAY_LIMIT_US and good
    return int(not (compare_with_reference(10_000) and good))


if __name__ == "__main__":
    sys.exit(main())
