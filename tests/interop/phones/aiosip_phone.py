"""A telephone made of aiosip, told by its standard input and understood by its output, like the others here.

`python aiosip_phone.py ROOM SERVER ACCOUNT PASSWORD`: in a call it says ROOM/said.wav and writes what it hears to
ROOM/heard.wav. aiosip knows no media, so the telephone brings its own. What Python has removed since aiosip was written
is put back first; the library itself is as it was published.
"""

from __future__ import annotations

import asyncio
import collections
import collections.abc
import re
import socket
import sys
import types
import wave
from pathlib import Path
from typing import Any

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import decode, encode
from ringfence.channels.media.plane import Codec
from ringfence.channels.media.rtp import build, parse

asyncio.coroutine = types.coroutine  # type: ignore[attr-defined]
collections.MutableMapping = collections.abc.MutableMapping  # type: ignore[attr-defined]

import aiosip  # noqa: E402 - needs what is put back above
from multidict import CIMultiDict  # noqa: E402 - of aiosip

HOST, FRAME, PTIME_S = "127.0.0.1", 160, 0.02
ALAW = 8
SDP = "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"


def say(words: str) -> None:
    print(words, flush=True)


class Sound(asyncio.DatagramProtocol):
    """The media of one call: says a file in a loop and keeps what comes."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self.heard = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        packet = parse(data)
        if packet is not None:
            self.heard += packet.payload

    async def talk(self, destination: tuple[str, int]) -> None:
        for number in range(len(self._said) // FRAME):
            payload = self._said[number * FRAME : (number + 1) * FRAME]
            self.transport.sendto(build(ALAW, number, number * FRAME, 1, payload), destination)
            await asyncio.sleep(PTIME_S)


class Telephone:
    """One account; each request has a dialog of its own, as aiosip would have it."""

    def __init__(self, room: Path, server: str, user: str, password: str) -> None:
        host, _, port = server.rpartition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((HOST, 0))
            self._local: tuple[str, int] = sock.getsockname()
        self._remote = (host, int(port))
        self._room, self._user, self._password = room, user, password
        self._app = aiosip.Application(loop=asyncio.get_running_loop())
        self._sound = Sound(encode(Audio.from_wav(room / "said.wav").samples, Codec.PCMA))
        self._dialog: Any = None
        self._answer: Any = None
        self._talking: asyncio.Task[None] | None = None

    async def _dialog_with(self, number: str) -> Any:
        return await self._app.start_dialog(
            from_uri=f"sip:{self._user}@{HOST}:{self._local[1]}",
            to_uri=f"sip:{number}@{self._remote[0]}:{self._remote[1]}",
            password=self._password,
            local_addr=self._local,
            remote_addr=self._remote,
        )

    async def register(self) -> None:
        self._dialog = await self._dialog_with(self._user)  # aiosip itself holds a dialog only weakly
        answer = await self._dialog.register()
        say(f"registration {answer.status_code}")

    async def dial(self, number: str) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self._sound, local_addr=(HOST, 0))
        self._dialog = await self._dialog_with(number)
        headers = CIMultiDict({"Content-Type": "application/sdp"})
        sdp = SDP.format(HOST, transport.get_extra_info("sockname")[1])
        self._answer = await self._dialog.invite(headers=headers, sdp=sdp)
        say(f"call {self._answer.status_code}")
        self._send("ACK", self._answer.cseq)
        port = re.search(r"m=audio ([0-9]+)", self._answer.payload or "")
        if self._answer.status_code == 200 and port is not None:
            self._talking = asyncio.create_task(self._sound.talk((self._remote[0], int(port[1]))))
            say("talking")

    def _send(self, method: str, cseq: int) -> Any:
        self._dialog.cseqs[method] = cseq - 1
        headers = CIMultiDict({name: self._answer.headers[name] for name in ("From", "To")})
        return self._dialog.send_message(method, headers=headers)

    async def hang_up(self) -> None:
        answer = await self._send("BYE", self._answer.cseq + 1)
        if self._talking is not None:
            self._talking.cancel()
        say(f"bye {answer.status_code}")

    def write_down(self) -> None:
        with wave.open(str(self._room / "heard.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(decode(bytes(self._sound.heard), Codec.PCMA).tobytes())


async def main(room: Path, server: str, user: str, password: str) -> None:
    telephone = Telephone(room, server, user, password)
    await telephone.register()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, _, argument = line.strip().partition(" ")
        match command:
            case "dial":
                await telephone.dial(argument)
            case "wait":
                await asyncio.sleep(float(argument))
            case "hangup":
                await telephone.hang_up()
            case "quit":
                break
            case _:
                say(f"cannot {command}")
    telephone.write_down()


asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
