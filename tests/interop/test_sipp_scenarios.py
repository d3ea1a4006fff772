"""SIPp's own scenarios, and some of ours, against a served Ringfence: each ends with exit code 0 and no failed call."""

from __future__ import annotations

import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures import sipp
from ringfence.fixtures.sipp import TRUNK_ADDRESS, Account, Load, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.fixtures.served import Served

pytestmark = pytest.mark.needs("sipp")
PHONES = "127.0.0.1"
ROOT, DOMAIN = "08955550", "klein.example"
PASSWORDS = {"100": "Anna-1000-Apfel", "101": "Ben-1010-Birne", "102": "Clara-1020-Kirsche"}
PATIENCE_S = 30
CALLS = 5


def account(user: str, port: int = 5060) -> Account:
    return Account(user, DOMAIN, PASSWORDS[user], port)


def register(served: Served, user: str, port: int) -> None:
    """Register a SIPp that listens on `port` as the telephone of `user`."""
    outcome = sipp.run(
        served.sip, "register", Load(user, 1, 1), source=PHONES, accounts=[account(user, port)]
    )
    assert (outcome.successful, outcome.failed) == (1, 0), outcome.errors


def nothing_is_left(served: Served) -> bool:
    return not served.get("/api/v1/calls") and not served.get("/api/v1/channels")["leases"]


@pytest.mark.parametrize("number", ["9900", "99200"])
def test_uac_calls_a_test_number(served: Served, number: str) -> None:
    outcome = sipp.run(served.sip, "uac", Load(ROOT + number, rate=50, calls=100, hold_ms=50))
    assert (outcome.successful, outcome.failed, outcome.retransmissions) == (100, 0, 0), outcome.errors
    assert nothing_is_left(served)


def test_uac_calls_uas_through_the_server(served: Served) -> None:
    """`-sn uas` is the registered telephone of 101: both ends of a bridged call are SIPp."""
    port = free_port(PHONES)
    with sipp.called(PHONES, port):
        register(served, "101", port)
        outcome = sipp.run(served.sip, "uac", Load(f"{ROOT}101", rate=20, calls=60, hold_ms=100))
    assert (outcome.successful, outcome.failed) == (60, 0), outcome.errors
    assert nothing_is_left(served)


def test_accounts_call_with_digest(served: Served) -> None:
    """REGISTER and INVITE with `[authentication]` of MD5 (RFC 3261 22.4): of three accounts in turn."""
    accounts = [account(user) for user in PASSWORDS]
    for scenario in ("register", "call_with_digest"):
        outcome = sipp.run(served.sip, scenario, Load("9900", 20, 30, 50), source=PHONES, accounts=accounts)
        assert (outcome.successful, outcome.failed) == (30, 0), outcome.errors
    assert nothing_is_left(served)


def test_calls_that_are_given_up_while_they_ring_get_487(served: Served) -> None:
    """RFC 3261 9.2, 15.1.2."""
    outcome = sipp.run(served.sip, "cancel", Load(f"{ROOT}9902", rate=50, calls=100, hold_ms=100))
    assert (outcome.successful, outcome.failed, outcome.retransmissions) == (100, 0, 0), outcome.errors
    assert nothing_is_left(served)


def test_a_cancelled_call_stops_the_telephone_that_rings(served: Served) -> None:
    """The telephone is a socket here: INVITE, 180, and then a CANCEL has to come (RFC 3261 16.10)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telephone:
        telephone.bind((PHONES, 0))
        telephone.settimeout(PATIENCE_S)
        register(served, "101", telephone.getsockname()[1])
        with ThreadPoolExecutor(1) as beside:
            call = beside.submit(sipp.run, served.sip, "cancel", Load(f"{ROOT}101", 1, 1, hold_ms=200))
            invite, server = telephone.recvfrom(65_535)
            telephone.sendto(echoed(invite, "180 Ringing"), server)
            while not (cancel := telephone.recvfrom(65_535)[0]).startswith(b"CANCEL "):
                assert cancel.startswith(b"INVITE "), cancel
            telephone.sendto(echoed(cancel, "200 OK"), server)
            telephone.sendto(echoed(invite, "487 Request Terminated"), server)
            outcome = call.result()
    assert (outcome.successful, outcome.failed) == (1, 0), outcome.errors
    assert nothing_is_left(served)


def test_calls_are_held_and_taken_back(served: Served) -> None:
    """RFC 3264 8.4: the direction of each answer is looked at by the scenario."""
    outcome = sipp.run(served.sip, "reinvite", Load(f"{ROOT}9900", rate=50, calls=100, hold_ms=100))
    assert (outcome.successful, outcome.failed, outcome.retransmissions) == (100, 0, 0), outcome.errors
    assert nothing_is_left(served)


@pytest.mark.parametrize("number", ["9900", "101"])
def test_lost_packets_are_made_up_for(served: Served, number: str) -> None:
    """RFC 3261 17: SIPp throws every tenth message away, on both sides of the bridge where there is one."""
    port = free_port(PHONES)
    with sipp.called(PHONES, port):
        register(served, "101", port)
        load = Load(ROOT + number, rate=20, calls=100, hold_ms=100)
        outcome = sipp.run(served.sip, "uac", load, options=("-lost", "10"))
    assert (outcome.successful, outcome.failed) == (100, 0), outcome.errors
    assert outcome.retransmissions > 0


def test_third_party_call_control_joins_two_calls(served: Served, tmp_path: Path) -> None:
    """RFC 3725 flow I: the offer in our 200 of the one call goes into the INVITE of the other, and its answer back."""
    controllers = third_party(served, tmp_path, f"{ROOT}9900", f"{ROOT}9901")
    assert controllers == [0, 0]
    assert nothing_is_left(served)


def test_third_party_call_control_joins_two_telephones(served: Served, tmp_path: Path) -> None:
    """The same with SIPp's emulators of A and B as the registered telephones of 100 and 101."""
    ports = free_port(PHONES), free_port(PHONES)
    with (
        running(tmp_path, None, "3pcc-A", PHONES, port=ports[0]) as a,
        running(tmp_path, None, "3pcc-B", PHONES, port=ports[1]) as b,
    ):
        register(served, "100", ports[0])
        register(served, "101", ports[1])
        assert third_party(served, tmp_path, f"{ROOT}100", f"{ROOT}101") == [0, 0]
        assert [a.wait(PATIENCE_S), b.wait(PATIENCE_S)] == [0, 0]
    assert nothing_is_left(served)


def third_party(served: Served, room: Path, one: str, other: str) -> list[int]:
    """Let SIPp's controllers A and B join `one` and `other`; returns their exit codes."""
    port = free_port(PHONES)
    twin = ("-3pcc", f"{PHONES}:{port}")
    with running(room, served.sip, "3pcc-C-B", TRUNK_ADDRESS, "-s", other, *twin) as b:
        while b.poll() is None and f":{port:04X} " not in Path("/proc/net/tcp").read_text():
            time.sleep(0.01)
        with running(room, served.sip, "3pcc-C-A", TRUNK_ADDRESS, "-s", one, *twin) as a:
            return [process.wait(PATIENCE_S) for process in (a, b)]


@contextmanager
def running(
    room: Path, server: str | None, scenario: str, host: str, *options: str, port: int = 0
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a SIPp of a few calls beside the test; without `server` it is called."""
    port = port or free_port(host)
    command = ["sipp", "-sn", scenario, "-i", host, "-p", port, "-mp", port + 1, "-m", CALLS, "-r", CALLS]
    command += [*options, "-timeout", PATIENCE_S, "-timeout_error", "-nostdin", *([server] if server else [])]
    with subprocess.Popen([str(word) for word in command], cwd=room, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def echoed(request: bytes, status: str) -> bytes:
    """Write a response of a telephone without media."""
    lines = [
        line
        for line in request.decode().split("\r\n")
        if line.split(":")[0] in {"Via", "From", "Call-ID", "CSeq"}
    ]
    to = next(line for line in request.decode().split("\r\n") if line.startswith("To:"))
    tag = "" if ";tag=" in to else ";tag=telephone"
    return "\r\n".join([f"SIP/2.0 {status}", *lines, to + tag, "Content-Length: 0", "", ""]).encode()
