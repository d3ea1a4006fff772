"""SIP.js under Node registers, calls and is called over WebSocket, as a page in a browser would (RFC 7118)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import leave_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.fixtures.served import Served

pytestmark = pytest.mark.interop("node")
PAGES = Path(__file__).parent / "pages"
PATIENCE_S = 20.0


class SipJs:
    """One telephone of SIP.js, told by lines and answering by events."""

    def __init__(self, url: str, account: str, password: str) -> None:
        command = ["node", str(PAGES / "telephone.mjs"), url, account, "klein.example", password]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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


@pytest.fixture
def page(served: Served) -> Iterator[Callable[[str, str], SipJs]]:
    """Start telephones; afterwards they quit."""
    if not (PAGES / "node_modules" / "sip.js").exists():
        leave_out("SIP.js is not on this machine: `make test` installs it where there is npm")
    started: list[SipJs] = []

    def start(account: str, password: str) -> SipJs:
        started.append(SipJs(served.http.replace("http", "ws", 1) + "/sip", account, password))
        return started[-1]

    yield start
    for one in started:
        one.quit()


def test_a_page_registers_calls_and_hangs_up(page: Callable[[str, str], SipJs], served: Served) -> None:
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
def test_a_page_is_called_over_the_socket_by_which_it_registered(
    page: Callable[[str, str], SipJs], who_ends: str
) -> None:
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


def test_a_page_refuses_and_the_caller_hears_it(page: Callable[[str, str], SipJs]) -> None:
    anna, ben = page("100", "Anna-1000-Apfel"), page("101", "Ben-1010-Birne")
    ben.do("register")
    ben.tells("registered")
    anna.do("dial", "101")
    ben.tells("rings")
    ben.do("refuse")
    assert anna.tells("rejected")["status"] == 480


def test_a_wrong_password_is_refused(page: Callable[[str, str], SipJs]) -> None:
    anna = page("100", "wrong")
    anna.do("register")
    assert anna.tells("rejected")["status"] == 401
