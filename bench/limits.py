"""SIPp calls from the trunk's address at the limits: what is licensed is answered, the rest refused with its reason.

Run as a script or by `main()`; the exit status is 1 if any call came out otherwise, or a channel stays occupied.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from ringfence.fixtures import sipp
from ringfence.fixtures.served import serving
from ringfence.fixtures.sipp import Load

BOX, ATTENDANT, ECHO = "08955550*100", "08955550200", "089555509900"
LOADS = (
    # scenario, load, IP channels, answered
    ("ip_channel_limit", Load(BOX, rate=100, calls=1000, hold_ms=11_000), 4, 4),
    ("ip_channel_limit", Load(BOX, rate=200, calls=2000, hold_ms=11_000), 100, 100),
    ("attendant_limit", Load(ATTENDANT, rate=100, calls=1000, hold_ms=11_000), 25, 20),
    ("uac", Load(ECHO, rate=200, calls=2000), 4, 2000),
)


def measure(scenario: str, load: Load, ip_channels: int, expected: int) -> bool:
    """Serve the small site with so many IP channels, run one load, print its line, and tell whether it went well."""
    small = (files("ringfence.fixtures") / "sites" / "small.toml").read_text(encoding="utf-8")
    with TemporaryDirectory() as room:
        site = Path(room) / "site.toml"
        site.write_text(small.replace("ip_channel = 4", f"ip_channel = {ip_channels}"), encoding="utf-8")
        with serving(site) as server:
            outcome = sipp.run(server.sip, scenario, load)
            held = len(server.get("/api/v1/channels")["leases"])
    answered = outcome.successful - outcome.refused
    good = (answered, outcome.failed, held) == (expected, 0, 0)
    print(
        f"{scenario:18} {load.calls:5} calls at {load.rate}/s on {ip_channels:3} IP channels: {answered} answered, "
        f"{outcome.refused} refused as expected, {outcome.failed} failed, {outcome.retransmissions} sent again, "
        f"{held} channels leaked: {'as it should be' if good else 'WRONG'}",
        flush=True,
    )
    return good


def main() -> int:
    """Run every load; returns the exit status."""
    return 0 if False not in [measure(*load) for load in LOADS] else 1


if __name__ == "__main__":
    sys.exit(main())
