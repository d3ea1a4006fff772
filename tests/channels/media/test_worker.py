"""The worker as a process that has mishaps, and what it says on its line."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from tests.channels.media.far_end import HOST

from ringfence.channels.media import control
from ringfence.channels.media.heartbeat import Pulse
from ringfence.channels.media.plane import Measured, Recorded, StreamClosed, StreamLost
from ringfence.channels.media.verdict import Verdict

UNABLE_TO_STOP = """
import sys
from ringfence.channels.media import worker
from ringfence.channels.media.recorder import Recorder
def fail(self): raise RuntimeError("it does not stop")
Recorder.stop = fail
worker.main(sys.argv[1:])
"""


SLOW_TO_WARM_UP = """
import sys
from time import sleep
from ringfence.channels.media import worker
worker.warm_up = lambda: sleep(0.4)
worker.main(sys.argv[1:])
"""


class Line:
    """The main process's end of a worker's line: `ports` are free, `told` is what happened in its streams."""

    def __init__(self, line: socket.socket) -> None:
        self.socket = line
        self._decoder = control.Decoder()
        self.ports: list[int] = []
        self.told: list[control.Happened] = []

    def say(self, *commands: control.Command) -> None:
        self.socket.sendall(b"".join([control.encode(command) for command in commands]))

    def hear(self, count: int) -> None:
        """Listen until `count` things have happened."""
        while not self.ports or len(self.told) < count:
            for notice in self._decoder.notices(self.socket.recv(1 << 16)):
                if isinstance(notice, control.Ports):
                    self.ports.extend(notice.ports)
                else:
                    self.told.append(notice)


@contextmanager
def working(script: str) -> Iterator[tuple[Line, "subprocess.Popen[bytes]"]]:
    """A worker that `script` makes, and its line, which has told of ports."""
    ours, theirs = socket.socketpair()
    _, shared = Pulse.made()
    arguments = (str(theirs.fileno()), str(shared), HOST, "any", "4")
    worker = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        pass_fds=(theirs.fileno(), shared),
        stderr=subprocess.PIPE,
    )
    theirs.close()
    os.close(shared)
    with worker, ours:
        ours.settimeout(10)
        line = Line(ours)
        line.hear(0)
        yield line, worker
    assert worker.returncode == 0


def test_a_stream_that_cannot_even_be_closed_ends_no_other() -> None:
    """Neither by a fault of its own, nor when it is closed, nor at the end; each has its last event."""
    with working(UNABLE_TO_STOP) as (line, worker):
        line.say(*(control.Adopt(number, port) for number, port in enumerate(line.ports[:3], 1)))
        line.say(control.Record(1, Path("/nowhere/m.wav"), 1.0), control.Close(2), control.Measure(3))
        line.hear(4)
        line.socket.shutdown(socket.SHUT_WR)
        line.hear(5)
        _, faults = worker.communicate(timeout=10)
    assert line.told == [
        control.Happened(1, StreamLost(0.0)),
        control.Happened(1, StreamClosed(Verdict())),
        control.Happened(2, StreamClosed(Verdict())),
        control.Happened(3, Measured(Verdict())),
        control.Happened(3, StreamClosed(Verdict())),
    ]
    assert b"it does not stop" in faults


def test_the_first_recording_is_not_shorter_by_what_the_first_stream_takes(tmp_path: Path) -> None:
    with working(SLOW_TO_WARM_UP) as (line, _):
        record = control.Record(1, tmp_path / "m.wav", 0.3)
        line.say(control.Adopt(1, line.ports[0]), record, control.Measure(1))
        line.hear(1)
        began = monotonic()
        line.hear(2)
        assert monotonic() - began > 0.2
        assert line.told[1] == control.Happened(1, Recorded(tmp_path / "m.wav", 0.0))
