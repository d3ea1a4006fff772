"""How long a recompute of the licences and one question to the gate take, as medians.

Run as a script or by `main()`; the exit status is 1 if a recompute for 5,000 users takes more than 50 ms or
`may` more than 2 µs.
"""

from __future__ import annotations

import random
import statistics
import sys
import time

from ringfence.licensing.allocation import allocate
from ringfence.licensing.catalogue import FUNCTIONS, USER_LICENCES
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.gate import Gate

USERS = 5000
RECOMPUTE_LIMIT_MS = 50.0
MAY_LIMIT_US = 2.0


def recompute_ms(entitlement: Entitlement, subjects: list[Subject], rounds: int = 21) -> float:
    """Median time of one allocation."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        allocate(entitlement, subjects)
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


def main() -> int:
    """Measure, print and judge."""
    chance = random.Random(5000)
    every = frozenset(FUNCTIONS)
    subjects = [Subject(f"user{seq}", seq, f"location{seq % 7}", None, every) for seq in range(USERS)]
    chance.shuffle(subjects)
    worst_ms = worst_us = 0.0
    for seats in (USERS, USERS // 2, 0):
        entitlement = Entitlement({"server": 1, "ip_channel": 200, **dict.fromkeys(USER_LICENCES, seats)})
        took_ms = recompute_ms(entitlement, subjects)
        gate = Gate(entitlement, allocate(entitlement, subjects), subjects)
        functions = tuple(FUNCTIONS)
        questions = [(chance.choice(subjects).name, chance.choice(functions)) for _ in range(20_000)]
        first_us, again_us = may_us(gate, questions), may_us(gate, questions)
        print(
            f"{USERS} users, {seats:4} seats of each licence: recompute {took_ms:5.1f} ms, "
            f"may {first_us:.2f} µs asked first, {again_us:.2f} µs again"
        )
        worst_ms, worst_us = max(worst_ms, took_ms), max(worst_us, again_us)
    return int(worst_ms > RECOMPUTE_LIMIT_MS or worst_us > MAY_LIMIT_US)


if __name__ == "__main__":
    sys.exit(main())
