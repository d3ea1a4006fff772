"""`make fuzz`: a bounded run of the fuzzer. Exit code 0 without a finding, 1 with one, which is saved."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from . import campaign

FINDINGS = Path(__file__).parents[2] / ".fuzz"
EVERY_S = 10.0


def main() -> int:
    """Parse the command line, run, and tell what came of it."""
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=…", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000, help="how many at most (100000)")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long at most (120)")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="what chance begins with (the time)"
    )
    parser.add_argument("--replay", type=Path, help="throw a saved finding again, and nothing else")
    given = parser.parse_args()
    if given.replay is not None:
        campaign.again(given.replay)
        print(f"{given.replay}: nothing is wrong any more")
        return 0
    print(f"seed {given.seed}: at most {given.messages:,} messages and {given.seconds:.0f} s", flush=True)
    told = 0.0

    def tell(done: int, seconds: float) -> None:
        nonlocal told
        if seconds - told >= EVERY_S:
            told = seconds
            print(f"{done:>9,} messages, {done / seconds:,.0f} a second", flush=True)

    outcome = campaign.run(given.seed, given.messages, given.seconds, tell)
    rate = outcome.messages / outcome.seconds
    print(
        f"seed {given.seed}: {outcome.messages:,} messages in {outcome.seconds:.0f} s, {rate:,.0f} a second"
    )
    said = sorted(outcome.heard.items(), key=lambda pair: -pair[1])
    print("the servers said: " + ", ".join(f"{word} × {times:,}" for word, times in said))
    if outcome.finding is None:
        print("no finding")
        return 0
    path = outcome.finding.save(FINDINGS)
    print(f"FINDING in round {outcome.finding.seed}: {outcome.finding.what}")
    print(f"saved as {path}; again: make fuzz ARGS='--replay {path}'")
    return 1


sys.exit(main())
