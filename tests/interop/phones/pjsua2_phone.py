"""A telephone made of PJSIP (pjsua2), told by its standard input and understood by its output, like the others here.

`python pjsua2_phone.py ROOM SERVER ACCOUNT PASSWORD TRANSPORT`: it says ROOM/said.wav and writes what it hears to
ROOM/heard.wav.
"""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path

import pjsua2 as pj

ANSWERS = {"answer": 200, "refuse": 486}


def say(words: str) -> None:
    print(words, flush=True)


class Call(pj.Call):
    """One call, joined to the files of its account."""

    def __init__(self, account: Account, call_id: int = -1) -> None:
        super().__init__(account, call_id)
        self._account = account
        self._held = False

    def onCallState(self, prm: pj.OnCallStateParam) -> None:  # noqa: N802 - PJSIP's name
        info = self.getInfo()
        say(f"call {info.stateText} {info.lastStatusCode}")
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self._account.call = None

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:  # noqa: N802 - PJSIP's name
        info = self.getInfo()  # has to live as long as its list is used
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(index)
                self._account.said.startTransmit(audio)
                audio.startTransmit(self._account.heard)
                say("taken back" if self._held else f"talking {self.getStreamInfo(index).codecName}")
            elif media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD:
                self._held = True
                say("held")


class Account(pj.Account):
    """One registered account with its files and its one call."""

    def __init__(self, room: Path) -> None:
        super().__init__()
        self.call: Call | None = None
        self.said = pj.AudioMediaPlayer()
        self.said.createPlayer(str(room / "said.wav"))
        self.heard = pj.AudioMediaRecorder()
        self.heard.createRecorder(str(room / "heard.wav"))

    def onRegState(self, prm: pj.OnRegStateParam) -> None:  # noqa: N802 - PJSIP's name
        say(f"registration {prm.code} expires {prm.expiration}")

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:  # noqa: N802 - PJSIP's name
        self.call = Call(self, prm.callId)
        ringing = pj.CallOpParam()
        ringing.statusCode = 180
        self.call.answer(ringing)
        say("rings")


def start(room: Path, transport: str) -> pj.Endpoint:
    """Start PJSIP on the loopback, without threads and without a sound card."""
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.medConfig.clockRate = config.medConfig.sndClockRate = 8000
    config.medConfig.noVad = True
    config.medConfig.ecTailLen = 0
    config.logConfig.consoleLevel = 1
    config.logConfig.filename = str(room / "pjsua2.log")
    endpoint.libInit(config)
    endpoint.audDevManager().setNullDev()
    local = pj.TransportConfig()
    local.boundAddress = local.publicAddress = "127.0.0.1"
    kind = pj.PJSIP_TRANSPORT_TCP if transport == "tcp" else pj.PJSIP_TRANSPORT_UDP
    endpoint.transportCreate(kind, local)
    endpoint.libStart()
    return endpoint


def register(room: Path, server: str, user: str, password: str, transport: str) -> Account:
    settings = pj.AccountConfig()
    settings.idUri = f"sip:{user}@{server.rpartition(':')[0]}"
    settings.regConfig.registrarUri = f"sip:{server};transport={transport}"
    settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
    settings.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    account = Account(room)
    account.create(settings)
    return account


def obey(account: Account, command: str, target: str) -> None:
    """Do what is said with the one call."""
    operation = pj.CallOpParam(True)
    if command == "dial":
        account.call = Call(account)
        account.call.makeCall(target, operation)
        return
    call = account.call
    if call is None:
        say("no call")
        return
    match command:
        case "answer" | "refuse":
            operation.statusCode = ANSWERS[command]
            call.answer(operation)
        case "hold":
            call.setHold(operation)
        case "resume":
            operation.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(operation)
        case "hangup":
            call.hangup(pj.CallOpParam())
        case _:
            say(f"cannot {command}")


def main(room: Path, server: str, user: str, password: str, transport: str) -> None:
    endpoint = start(room, transport)
    account = register(room, server, user, password, transport)
    rest_until = 0.0
    lines: list[str] = []
    while True:
        endpoint.libHandleEvents(10)
        if select.select([0], [], [], 0)[0]:
            lines += os.read(0, 4096).decode().splitlines() or ["quit"]
        if not lines or time.monotonic() < rest_until:
            continue
        command, _, argument = lines.pop(0).partition(" ")
        if command == "quit":
            break
        if command == "wait":
            rest_until = time.monotonic() + float(argument)
        else:
            obey(account, command, f"sip:{argument}@{server};transport={transport}")
    account.shutdown()
    endpoint.libDestroy()


main(Path(sys.argv[1]), *sys.argv[2:])
