"""What comes from the network stays a word in logs, problems and events: no line is forged, no terminal driven.

A whole server, its real log on standard error, its real HTTP door, and callers whose names hold line feeds, ESC, NUL
and U+2028 as far as SIP lets them: escaped by `%` in URIs and by a backslash in names (RFC 3261 25.1).
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from ringfence.server.sip.message import Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = str(files("ringfence") / "fixtures" / "sites" / "small.toml")
TRUNK = "127.0.0.30"
HOSTILE = "\n\r\x1b[31m\x00\x7f\u2028"
IN_URI = "%0A%0D%1B%5B31m%00%7F%E2%80%A8"
IN_NAME = "\\\x1b[31m\\\x00\\\x7f\u2028"


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    ports = ("--sip-port=0", "--sips-port=0", "--http-port=0")
    line = [
        str(Path(sys.executable).with_name("ringfence")),
        "serve",
        "--json",
        *ports,
        "--log-level=info",
        SMALL,
    ]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
        process.kill()


def request(method: str, own: str, user: str) -> bytes:
    """Write a request of a caller who puts everything he can into every field that is shown to anybody."""
    return (
        f"{method} sip:{user}@klein.example SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{method}\r\n"
        f'Max-Forwards: 70\r\nFrom: "Eve{IN_NAME}" <sip:{IN_URI}@out.example>;tag=f\r\n'
        f"To: <sip:{user}@klein.example>\r\nCall-ID: esc-{method}@[]{{}}<>\r\nCSeq: 1 {method}\r\n"
        f"Contact: <sip:{IN_URI}@{own}>\r\nUser-Agent: Evil\u2028\u2029 \u0085\r\nSubject: {IN_NAME}\r\n"
        f"P-Asserted-Identity: <sip:{IN_URI}@out.example>\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def call(sip: str, user: str) -> Response:
    """Call from the trunk and return the final answer."""
    host, _, port = sip.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((TRUNK, 0))
        sock.settimeout(10)
        own = f"{TRUNK}:{sock.getsockname()[1]}"
        sock.sendto(request("INVITE", own, user), (host, int(port)))
        while True:
            answer = parse(sock.recv(65535))
            if isinstance(answer, Response) and answer.status >= 200:
                return answer


def ask(ready: dict[str, Any], path: str) -> bytes:
    """Return the body that the HTTP door answers, be it a problem."""
    wanted = Request(ready["http"] + path, headers={"Authorization": f"Bearer {ready['token']}"})  # noqa: S310 - our own
    try:
        with urlopen(wanted, timeout=10) as answer:  # noqa: S310 - our own
            return bytes(answer.read())
    except HTTPError as error:
        return error.read()


def test_hostile_names_stay_words(server: tuple[subprocess.Popen[str], dict[str, Any]]) -> None:
    process, ready = server
    answer = call(ready["sip"], f"0895555077{IN_URI}")
    assert (answer.status, answer.get("x-license-reason")) == (404, "number.unknown")
    decision = answer.get("x-license-decision")
    bodies = [
        ask(ready, f"/api/v1/decisions/{decision}"),
        ask(ready, f"/api/v1/decisions/{IN_URI}"),
        ask(ready, f"/api/v1/users/{IN_URI}"),
        ask(ready, "/api/v1/journal"),
        ask(ready, "/metrics"),
    ]
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert HOSTILE in json.loads(bodies[0])["what"]
    assert HOSTILE in json.loads(bodies[1])["detail"]
    for body in bodies[:4]:
        assert body.decode().isprintable()
    lines = log.splitlines()
    assert lines == log.split("\n")[:-1]
    assert all(line.isascii() and line.isprintable() for line in lines)
    told = [json.loads(line) for line in lines]
    assert [one["event"] for one in told] == ["call.started", "call.refused", "call.ended"]
    assert told[0]["called"].endswith(HOSTILE)
    assert HOSTILE in told[0]["caller"]
