"""The worker as a process whose stream machines fail, and what it says on its line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.channels.media.far_end import HOST

from ringfence.channels.media import control
from ringfence.channels.media.heartbeat import Pulse
from ringfence.channels.media.plane import Measured, StreamClosed, StreamLost
from ringfence.channels.media.verdict import Verdict

UNABLE_TO_STOP = """
import sys
from ringfence.channels.media import worker
from ringfence.channels.media.recorder import Recorder
def fail(self): raise RuntimeError("it does not stop")
Recorder.stop = fail
worker.main(sys.argv[1:])
"""


def test_a_stream_that_cannot_even_be_closed_ends_no_other() -> None:
    """Neither by a fault of its own, nor when it is closed, nor at the end; each has its last event."""
    ours, theirs = socket.socketpair()
    _, shared = Pulse.made()
    arguments = (str(theirs.fileno()), str(shared), HOST, "any", "4")
    worker = subprocess.Popen(
        [sys.executable, "-c", UNABLE_TO_STOP, *arguments],
        pass_fds=(theirs.fileno(), shared),
        stderr=subprocess.PIPE,
    )
    theirs.close()
    os.close(shared)
    decoder, ports, told = control.Decoder(), list[int](), list[control.Happened]()

    def hear(count: int) -> None:
        while not ports or len(told) < count:
            for notice in decoder.notices(ours.recv(1 << 16)):
                if isinstance(notice, control.Ports):
                    ports.extend(notice.ports)
                else:
                    told.append(notice)

    with ours, worker:
        ours.settimeout(10)
        hear(0)
        commands: list[control.Command] = [
            *(control.Adopt(number, port) for number, port in enumerate(ports[:3], 1)),
            *(control.Record(1, Path("/nowhere/m.wav"), 1.0), control.Close(2), control.Measure(3)),
        ]
        ours.sendall(b"".join([control.encode(command) for command in commands]))
        hear(4)
        ours.shutdown(socket.SHUT_WR)
        hear(5)
        _, faults = worker.communicate(timeout=10)
    assert told == [
        control.Happened(1, StreamLost(0.0)),
        control.Happened(1, StreamClosed(Verdict())),
        control.Happened(2, StreamClosed(Verdict())),
        control.Happened(3, Measured(Verdict())),
        control.Happened(3, StreamClosed(Verdict())),
    ]
    assert b"it does not stop" in faults
    assert worker.returncode == 0
