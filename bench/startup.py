"""How long from the start of the process to the first answered OPTIONS, and how much memory the idle server holds.

Run as a script or by `main()`; the exit status is 1 if the median of five starts takes more than 1.0 s, or the main
process holds 100 MB or more.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ringfence.fixtures.process import resident_mb

STARTS = 5
START_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 100.0
PATIENCE_S = 30.0
COMMAND = (
    str(Path(sys.executable).with_name("ringfence")),
    "serve",
    "--json",
    "--http-port",
    "0",
    "--sips-port",
    "0",
    "--sip-port",
)


def free_port() -> int:
    """A SIP port that nobody holds, known before the server starts."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def options(line: socket.socket, port: int, number: int) -> bytes:
    """Write an OPTIONS to the server itself, which is answered without a challenge."""
    host, own = line.getsockname()
    return (
        f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{own};branch=z9hG4bK-{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:bench@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1:{port}>\r\n"
        f"Call-ID: start-{number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def start_once() -> tuple[float, float, float]:
    """Seconds to the first answer and to the ready line, and the megabytes of the idle main process."""
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(0.005)
        begin = time.perf_counter()
        with subprocess.Popen([*COMMAND, str(port)], stdout=subprocess.PIPE) as process:
            try:
                answered_s = first_answer(line, port, process, begin)
                ready = process.stdout.readline() if process.stdout is not None else b""
                ready_s = time.perf_counter() - begin
                if json.loads(ready)["event"] != "ready":
                    raise RuntimeError(f"the server said {ready!r}")
                return answered_s, ready_s, resident_mb(process.pid)
            finally:
                process.terminate()


def first_answer(line: socket.socket, port: int, process: subprocess.Popen[bytes], begin: float) -> float:
    """Ask until somebody answers with a 200, and say when that was."""
    number = 0
    while process.poll() is None and time.perf_counter() - begin < PATIENCE_S:
        number += 1
        line.sendto(options(line, port, number), ("127.0.0.1", port))
        try:
            if line.recv(65535).startswith(b"SIP/2.0 200"):
                return time.perf_counter() - begin
        except (TimeoutError, ConnectionError):
            continue
    raise TimeoutError(f"no OPTIONS was answered; the exit code of the server is {process.poll()}")


def main() -> int:
    """Measure, print and judge."""
    starts = [start_once() for _ in range(STARTS)]
    answered_s, ready_s, memory_mb = (statistics.median(column) for column in zip(*starts, strict=True))
    print(
        f"first OPTIONS answered after {answered_s:.2f} s, ready after {ready_s:.2f} s, "
        f"idle main process {memory_mb:.0f} MB (medians of {STARTS})"
    )
    return int(answered_s > START_LIMIT_S or memory_mb >= MEMORY_LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
