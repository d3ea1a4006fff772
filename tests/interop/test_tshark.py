"""Wireshark's dissectors judge what the server sends: nothing malformed, nothing to warn of, no packet out of place."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.served import Served

pytestmark = pytest.mark.needs("tshark")
CALLER = "127.0.0.30"
PATIENCE_S = 10.0
TO = "<sip:089555509901@127.0.0.1>"


class Capture:
    """Writes datagrams down as a capture file (LINKTYPE_RAW: IPv4 without a frame)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))

    def add(self, data: bytes, source: tuple[str, int], destination: tuple[str, int]) -> None:
        addresses = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
        header = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(data), 0, 0, 64, 17, 0) + addresses
        packet = header + struct.pack(">HHHH", source[1], destination[1], 8 + len(data), 0) + data
        now_s, now_ns = divmod(time.time_ns(), 1_000_000_000)
        with self.path.open("ab") as file:
            file.write(struct.pack("<IIII", now_s, now_ns // 1000, len(packet), len(packet)) + packet)


class Line:
    """A socket whose every datagram is captured."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((CALLER, 0))
        self._socket.settimeout(PATIENCE_S)
        self.local: tuple[str, int] = self._socket.getsockname()

    def send(self, text: str, destination: tuple[str, int]) -> None:
        data = text.replace("\n", "\r\n").encode()
        self._capture.add(data, self.local, destination)
        self._socket.sendto(data, destination)

    def receive(self) -> bytes:
        data, source = self._socket.recvfrom(65535)
        self._capture.add(data, source, self.local)
        return data

    def answer(self, status: int) -> str:
        while not (text := self.receive().decode()).startswith(f"SIP/2.0 {status} "):
            pass
        return text

    def close(self) -> None:
        self._socket.close()


def request(method: str, target: str, to: str, line: Line, number: int, body: str = "") -> str:
    host, port = line.local
    content = "Content-Type: application/sdp\n" if body else ""
    return (
        f"{method} {target} SIP/2.0\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK-{method}\nMax-Forwards: 70\n"
        f"From: <sip:0891234@{host}>;tag=caller\nTo: {to}\nCall-ID: judged@{host}\nCSeq: {number} {method}\n"
        f"Contact: <sip:0891234@{host}:{port}>\n{content}Content-Length: {len(body) + body.count(chr(10))}\n\n{body}"
    )


def capture_a_call(server: Served, path: Path, packets: int) -> int:
    """Call the tone of 9901 from the trunk, take so many packets, hang up, and return the port of the audio."""
    capture = Capture(path)
    signalling, audio = Line(capture), Line(capture)
    try:
        sip, port = ("127.0.0.1", server.sip_port), audio.local[1]
        offer = (
            f"v=0\no=- 1 1 IN IP4 {CALLER}\ns=-\nc=IN IP4 {CALLER}\nt=0 0\nm=audio {port} RTP/AVP 8\n"
            "a=rtpmap:8 PCMA/8000\n"
        )
        signalling.send(request("INVITE", TO.strip("<>"), TO, signalling, 1, offer), sip)
        answer = signalling.answer(200)
        to, contact = (
            re.findall(rf"^{name}: (.*)\r$", answer, re.MULTILINE)[0] for name in ("To", "Contact")
        )
        signalling.send(request("ACK", contact.strip("<>"), to, signalling, 1), sip)
        for _ in range(packets):
            audio.receive()
        signalling.send(request("BYE", contact.strip("<>"), to, signalling, 2), sip)
        signalling.answer(200)
    finally:
        signalling.close()
        audio.close()
    return port


def tshark(path: Path, sip_port: int, rtp_port: int, *arguments: str) -> str:
    decode = ("-d", f"udp.port=={sip_port},sip", "-d", f"udp.port=={rtp_port},rtp")
    run = subprocess.run(
        ["tshark", "-r", str(path), *decode, *arguments], capture_output=True, text=True, check=True
    )
    return run.stdout


def test_wireshark_finds_nothing_wrong_in_a_call(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "call.pcap"
    rtp_port = capture_a_call(served, path, packets=60)
    ports = (served.sip_port, rtp_port)
    assert len(tshark(path, *ports, "-Y", "sip").splitlines()) >= 5
    assert tshark(path, *ports, "-Y", "_ws.malformed or _ws.expert.severity >= 6291456") == ""
    streams = tshark(path, *ports, "-q", "-z", "rtp,streams")
    (stream,) = [line for line in streams.splitlines() if "g711A" in line]
    assert re.search(r"g711A\s+60\s+0 \(0\.0%\)", stream), streams
