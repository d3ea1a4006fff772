"""The messages between the main process and a worker."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media import control
from ringfence.channels.media.plane import (
    Clip,
    Codec,
    DigitHeard,
    DigitsSent,
    Measured,
    Music,
    Played,
    Prompt,
    Recorded,
    Remote,
    Silence,
    StreamClosed,
    StreamLost,
    StreamStarted,
    Tone,
)
from ringfence.channels.media.srtp import Keys, Suite
from ringfence.channels.media.verdict import Energy, RemoteReport, Verdict
from ringfence.channels.network import Address

VERDICT = Verdict(
    Codec.PCMU,
    20,
    3,
    2,
    1,
    digits="4#",
    remote=RemoteReport(1, 0.5, 2.0, None),
    energy=Energy(-9.5, -3.0, 0.25, (440,)),
    encryption=Suite.GCM_256,
    packets_unauthentic=2,
)
PATH = Path("/tmp/a folder/ä\n\udc80.wav")
COMMANDS: list[control.Command] = [
    control.Adopt(1, 20000),
    control.Connect(
        1, Remote(Address("::1", 4000), "::1", Codec.PCMU, 30, 101, receives=False), fill=True, listen=False
    ),
    control.Connect(
        1,
        Remote(
            Address("10.0.0.1", 4000), "10.0.0.1", Codec.PCMA, keys=Keys(Suite.AES_80, "b3Vycw==", "dGhlaXJz")
        ),
        fill=False,
        listen=True,
    ),
    control.Play(1, 2, (Prompt("menu"), Tone((425, 440), None, (0.5, 0.5)), Clip(PATH), Silence(0.5))),
    control.Play(1, 3, ()),
    control.Play(1, 4, (Music(), Music(2.5))),
    control.StopPlaying(1),
    control.Record(1, PATH, 60.0),
    control.StopRecording(1),
    control.Echo(1),
    control.Bridge(1, None),
    control.Bridge(1, 2),
    control.Mix(1, 2),
    control.SendDigits(1, "12#"),
    control.Watch(1, None),
    control.Watch(1, 60.0),
    control.Measure(1),
    control.Close(1),
]
NOTICES: list[control.Notice] = [
    control.Ports((20000, 20002), more=True),
    control.Ports((), more=False),
    *(
        control.Happened(1, event)
        for event in (
            StreamStarted(), DigitHeard("#"), Played(2), DigitsSent(), Recorded(PATH, 1.5), StreamLost(60.0),
            Measured(Verdict()), StreamClosed(VERDICT),
        )
    ),
]  # fmt: skip


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(st.integers(1, 400))
def test_messages_arrive_whole_however_the_socket_cuts_them(size: int) -> None:
    commands, notices = control.Decoder(), control.Decoder()
    down = b"".join(map(control.encode, COMMANDS))
    up = b"".join(map(control.encode, NOTICES))
    assert [command for piece in pieces(down, size) for command in commands.commands(piece)] == COMMANDS
    assert [notice for piece in pieces(up, size) for notice in notices.notices(piece)] == NOTICES
