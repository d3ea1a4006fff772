"""A telephone made of pyVoIP, told by its standard input and understood by its output, like the others here.

`python pyvoip_phone.py ROOM SERVER ACCOUNT PASSWORD`: it says ROOM/said.wav, answers whoever calls, and writes what it
hears to ROOM/heard.wav when it is quit.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
import wave
from pathlib import Path

from pyVoIP.VoIP import CallState, VoIPCall, VoIPPhone

FRAME = 160


def say(words: str) -> None:
    print(words, flush=True)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Telephone:
    """One phone with its files and its one call; pyVoIP's audio is unsigned, of eight bits."""

    def __init__(self, room: Path, server: str, user: str, password: str) -> None:
        self._room = room
        with wave.open(str(room / "said.wav"), "rb") as file:
            samples = file.readframes(file.getnframes())
        self._said = bytes(samples[at] ^ 0x80 for at in range(1, len(samples), 2))
        self._heard = bytearray()
        self.call: VoIPCall | None = None
        host, _, port = server.rpartition(":")
        rtp = free_port()
        self.phone = VoIPPhone(
            host, int(port), user, password, callCallback=self._called, myIP="127.0.0.1", sipPort=free_port(),
            rtpPortLow=rtp, rtpPortHigh=rtp,
        )  # fmt: skip

    def _called(self, call: VoIPCall) -> None:
        say("rings")
        call.answer()
        self.talk(call)

    def talk(self, call: VoIPCall) -> None:
        """Talk and listen until it is over."""
        self.call = call
        while call.state is CallState.DIALING:
            time.sleep(0.02)
        say(f"call {call.state.value}")
        if call.state is CallState.ANSWERED:
            call.write_audio(self._said)
        while call.state is CallState.ANSWERED:
            self._heard += call.read_audio(FRAME, blocking=True)
        say("call over")

    def quit(self) -> None:
        """Leave, and write down what was heard."""
        self.phone.stop()
        with wave.open(str(self._room / "heard.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"".join(bytes((0, octet ^ 0x80)) for octet in self._heard))


def main(room: Path, server: str, user: str, password: str) -> None:
    telephone = Telephone(room, server, user, password)
    telephone.phone.start()
    deadline = time.monotonic() + 10
    while telephone.phone.get_status().value == "REGISTERING" and time.monotonic() < deadline:
        time.sleep(0.05)
    say(f"phone {telephone.phone.get_status().value}")
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        match command:
            case "dial":
                call = telephone.phone.call(argument)
                threading.Thread(target=telephone.talk, args=(call,), daemon=True).start()
            case "wait":
                time.sleep(float(argument))
            case "hangup" if telephone.call is not None:
                telephone.call.hangup()
            case "quit":
                break
            case _:
                say(f"cannot {command}")
    telephone.quit()


main(Path(sys.argv[1]), *sys.argv[2:])
