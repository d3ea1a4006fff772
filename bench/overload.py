"""More calls than the server can carry: it turns away what is too much, answers OPTIONS meanwhile, and recovers.

SIPp calls the number that answers without media, from the trunk's address, at rising rates. Meanwhile somebody else
asks OPTIONS ten times a second. The exit status is 1 if an OPTIONS took longer than a second, or if a call that comes
two seconds after the flood is turned away.
"""

from __future__ import annotations

import re
import socket
import sys
import time
from importlib.resources import files
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread

from ringfence.fixtures import sipp
from ringfence.fixtures.served import Served, serving
from ringfence.fixtures.sipp import Load

RATES, SECONDS = (500, 1000, 2000), 8
INACTIVE = "0895555099200"
OBSERVER, LONGEST_S, RECOVERED_AFTER_S = "127.0.0.40", 1.0, 2.0


class Observer:
    """Asks OPTIONS ten times a second; `took_s` are the times of the answers, the longest possible where none came."""

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._server = (host, int(port))
        self._ended = Event()
        self._thread = Thread(target=self._ask)
        self.took_s: list[float] = []

    def __enter__(self) -> Observer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((OBSERVER, 0))
            sock.settimeout(LONGEST_S * 3)
            own = f"{OBSERVER}:{sock.getsockname()[1]}"
            number = 0
            while not self._ended.wait(0.1):
                number += 1
                sent_at = time.monotonic()
                sock.sendto(_options(own, number), self._server)
                try:
                    while f"z9hG4bK{number};".encode() not in sock.recv(65535):
                        pass
                except TimeoutError:
                    pass
                self.took_s.append(time.monotonic() - sent_at)


def _options(own: str, number: int) -> bytes:
    return (
        f"OPTIONS sip:klein.example SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{number};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:observer@klein.example>;tag=o{number}\r\nTo: <sip:klein.example>\r\n"
        f"Call-ID: {number}@{OBSERVER}\r\nCSeq: {number} OPTIONS\r\nUser-Agent: observer\r\n"
        "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def _shed(server: Served) -> int:
    found = re.search(rb"^ringfence_sip_shed_total ([0-9.e+]+)", server.fetch("/metrics"), re.MULTILINE)
    return int(float(found[1])) if found else -1


def measure(server: Served, rate: int) -> bool:
    """Flood at one rate, print its line, and tell whether it went well."""
    before = _shed(server)
    with Observer(server.sip) as observer:
        began = time.monotonic()
        flood = sipp.run(server.sip, "uac", Load(INACTIVE, rate, rate * SECONDS))
        took_s = time.monotonic() - began
        time.sleep(RECOVERED_AFTER_S)
        after = sipp.run(server.sip, "uac", Load(INACTIVE, 10, 10))
    longest = max(observer.took_s)
    good = longest <= LONGEST_S and after.failed == 0
    print(
        f"{rate:5} calls/s for {took_s:4.1f} s: {flood.successful} carried, {flood.failed} failed, "
        f"{_shed(server) - before} turned away, {flood.retransmissions} sent again; OPTIONS median "
        f"{median(observer.took_s) * 1000:.0f} ms, longest {longest * 1000:.0f} ms; {after.failed} of 10 refused "
        f"afterwards: {'as it should be' if good else 'WRONG'}",
        flush=True,
    )
    return good


def main() -> int:
    """Run every rate; returns the exit status."""
    small = files("ringfence.fixtures") / "sites" / "small.toml"
    with TemporaryDirectory() as room:
        site = Path(room) / "site.toml"
        site.write_text(small.read_text(encoding="utf-8"), encoding="utf-8")
        with serving(site) as server:
            return 0 if False not in [measure(server, rate) for rate in RATES] else 1


if __name__ == "__main__":
    sys.exit(main())
