from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_ten_thousand_calls_that_nobody_carries_on_end_by_timer_and_leave_nothing() -> None:
    """RFC 3261 13.3.1.4 (no ACK), 13.3.1.1 and 9.1 (ringing for ever): within 500 s, memory as before within 5 %."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.half_open", "10000"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["legs"] >= 10_000
    for what in ("objects", "blocks"):
        assert told["after"][what] <= 1.05 * told["before"][what], (what, told)
