"""What a server that takes calls has not imported: what its first use brings (see docs/decisions/0006)."""

from __future__ import annotations

import subprocess
import sys

LATE = {
    "aiosmtplib",
    "alembic",
    "cryptography",
    "dns",
    "jinja2",
    "numpy",
    "phonenumbers",
    "prometheus_client",
    "pylibsrtp",
    "rich",
    "soundfile",
    "soxr",
}
SCRIPT = f"""
import asyncio, sys
from ringfence.server.cli.logs import LogLevel, configure
configure(LogLevel.INFO)
from ringfence.server.app import Options, Pbx
from ringfence.server.site.site import Site

async def main():
    pbx = await Pbx.start(Site.sample(), Options(seed=1))
    print(sorted({LATE!r} & {{name.partition(".")[0] for name in sys.modules}}))
    print([name for name in sys.modules if name.startswith(("ringfence.server.phones", "ringfence.server.hooks.c"))])
    await pbx.stop()

asyncio.run(main())
"""


def test_a_server_that_is_ready_has_imported_nothing_that_only_some_use() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]
