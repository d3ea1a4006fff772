"""SIP.js under Node registers, calls and is called over WebSocket, plain and secure, as a page would (RFC 7118)."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.needs import leave_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.fixtures.served import Served

pytestmark = pytest.mark.needs("node")
PAGES = Path(__file__).parent / "pages"
PATIENCE_S = 20.0


class SipJs:
    """One telephone of SIP.js, told by lines and answering by events; it trusts the authority in the file `trusted`."""

    def __init__(self, url: str, account: str, password: str, trusted: Path | None = None) -> None:
        command = ["node", str(PAGES / "telephone.mjs"), url, account, "klein.example", password]
        environment = os.environ | ({"NODE_EXTRA_CA_CERTS": str(trusted)} if trusted is not None else {})
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._events: Queue[dict[str, Any]] = Queue()
        self._reader = Thread(target=self._read)
        self._reader.start()
        self.tells("connected")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))

    def do(self, *words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()

    def tells(self, event: str) -> dict[str, Any]:
        """Wait for an event; what comes before it is passed over."""
        while True:
            told = self._events.get(timeout=PATIENCE_S)
            if told["event"] == event:
                return told

    def quit(self) -> None:
        with self._process:
            try:
                self.do("quit")
                assert self._process.wait(PATIENCE_S) == 0
            finally:
                self._process.kill()
                self._reader.join()


Pages = Callable[..., SipJs]


@pytest.fixture
def page(served: Served) -> Iterator[Pages]:
    """Start telephones; afterwards they quit."""
    if not (PAGES / "node_modules" / "sip.js").exists():
        leave_out("SIP.js is not on this machine: `make test` installs it where there is npm")
    started: list[SipJs] = []

    def start(account: str, password: str, trusted: Path | None = None) -> SipJs:
        scheme = "ws" if trusted is None else "wss"
        url = f"{scheme}{served.http.removeprefix('http')}/sip"
        started.append(SipJs(url, account, password, trusted))
        return started[-1]

    yield start
    for one in started:
        one.quit()


def test_a_page_registers_calls_and_hangs_up(page: Pages, served: Served) -> None:
    anna = page("100", "Anna-1000-Apfel")
    anna.do("register")
    anna.tells("registered")
    anna.do("dial", "9900")
    assert "m=audio" in anna.tells("description")["sdp"]
    anna.tells("established")
    anna.do("hangup")
    anna.tells("terminated")
    anna.do("dial", "99404")
    assert anna.tells("rejected")["status"] == 404
    anna.do("unregister")
    anna.tells("unregistered")
    assert served.get("/api/v1/calls") == []


@pytest.mark.parametrize("who_ends", ["caller", "called"])
def test_a_page_is_called_over_the_socket_by_which_it_registered(page: Pages, who_ends: str) -> None:
    anna, ben = page("100", "Anna-1000-Apfel"), page("101", "Ben-1010-Birne")
    ben.do("register")
    ben.tells("registered")
    anna.do("dial", "101")
    assert ben.tells("rings")["from"] == "100"
    ben.do("answer")
    anna.tells("established")
    ben.tells("established")
    (anna if who_ends == "caller" else ben).do("hangup")
    anna.tells("terminated")
    ben.tells("terminated")


def test_pages_with_a_secure_and_a_plain_socket_call_each_other(
    page: Pages, served: Served, tmp_path: Path
) -> None:
    """RFC 7118 5.2; the page trusts the certificate that the server made for itself."""
    certificate = tmp_path / "certificate.pem"
    host, port = served.http.removeprefix("http://").split(":")
    certificate.write_text(ssl.get_server_certificate((host, int(port))), encoding="ascii")
    anna, ben = page("100", "Anna-1000-Apfel", certificate), page("101", "Ben-1010-Birne")
    for one in (anna, ben):
        one.do("register")
        one.tells("registered")
    for caller, called, number in ((anna, ben, "101"), (ben, anna, "100")):
        caller.do("dial", number)
        called.tells("rings")
        called.do("answer")
        caller.tells("established")
        called.do("hangup")
        caller.tells("terminated")


def test_a_page_refuses_and_the_caller_hears_it(page: Pages) -> None:
    anna, ben = page("100", "Anna-1000-Apfel"), page("101", "Ben-1010-Birne")
    ben.do("register")
    ben.tells("registered")
    anna.do("dial", "101")
    ben.tells("rings")
    ben.do("refuse")
    assert anna.tells("rejected")["status"] == 480


def test_a_wrong_password_is_refused(page: Pages) -> None:
    anna = page("100", "wrong")
    anna.do("register")
    assert anna.tells("rejected")["status"] == 401
