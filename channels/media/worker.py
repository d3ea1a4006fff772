"""The media worker: a process of one thread that carries the RTP of many streams and decides nothing.

`worker_link` starts it as `python -m ringfence.channels.media.worker FD PULSE HOST PORTS STOCK` with one end of a
socket pair as FD, and the memory of its heartbeat as PULSE. It ends when the other end closes, however that came, and
ignores the terminal's Ctrl-C.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from functools import partial
from heapq import heappop, heappush, heapreplace
from random import Random
from select import EPOLLIN, EPOLLOUT, epoll
from time import monotonic
from typing import TYPE_CHECKING, assert_never

from . import control
from .early import EARLY_S
from .heartbeat import Pulse
from .inband import InbandDigits
from .line import Line, Settled
from .plane import StreamClosed, StreamLost
from .port_stock import PortStock
from .prompts import warm_up
from .stream import Stream
from .verdict import Verdict

if TYPE_CHECKING:
    from .acceptance import Source
    from .control import Command, Verb
    from .plane import MediaEvent

MAX_SLEEP_S = 0.2
"""Even when idle the worker comes round this often."""
LOOK_AROUND_S = 0.5
"""How often it looks whether its parent lives."""
WARM_UP_AFTER_S = 2.0
"""The decoder of prompts is imported with the first stream, or after so long: not while the server still starts."""

_EVENTS_AT_ONCE = 256
_CONTROL_BYTES = 1 << 18


class Worker:
    """The loop of the process: sockets, deadlines, and the line to the main process."""

    def __init__(self, line: socket.socket, stock: PortStock, pulse: Pulse) -> None:
        self._control = line
        self._pulse = pulse
        self._stock = stock
        self._parent = os.getppid()
        self._rng = Random()  # noqa: S311 - SSRCs and phases, not secrets
        self._epoll = epoll()
        self._lines: dict[int, Line | Settled] = {}
        self._free: dict[int, Line] = {}
        self._streams: dict[int, Line] = {}
        self._due: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []
        self._inband = InbandDigits()
        self._decoder = control.Decoder()
        self._out = bytearray()
        self._blocked = False
        self._told_more = True
        self._ending = False
        line.setblocking(False)
        self._epoll.register(line, EPOLLIN)

    def end(self) -> None:
        """Leave `run` soon, recordings closed; a signal handler may call it."""
        self._ending = True

    def run(self) -> None:
        """Work until the main process is gone or `end` was called."""
        self._top_up(monotonic())
        self._flush()
        lines = self._lines
        control_fd, parent_at, warm_at = self._control.fileno(), 0.0, monotonic() + WARM_UP_AFTER_S
        while not self._ending:
            events = self._epoll.poll(self._timeout_s(), _EVENTS_AT_ONCE)
            now = monotonic()
            self._pulse.beat(now)
            for fd, mask in events:
                if fd == control_fd:
                    self._serve_control(mask, now)
            for fd, _ in events:
                line = lines.get(fd)
                if line is not None:
                    try:
                        line.read(now)
                    except Exception as error:  # noqa: BLE001 - the fault of one stream must not end the others
                        self._drop(line, error)
            self._tick(now)
            self._inband.tick(now)
            if self._stock.wants(now):
                self._top_up(now)
            if self._out and not self._blocked:
                self._flush()
            if now >= parent_at:
                parent_at = now + LOOK_AROUND_S
                self._look_around(idle=now >= warm_at)
        self._shut_down()

    def _look_around(self, *, idle: bool) -> None:
        if idle:
            self._warm_up()
        if os.getppid() != self._parent:
            self.end()

    def _warm_up(self) -> None:
        self._pulse.rest()  # a cold disk may take seconds
        warm_up()
        self._pulse.beat(monotonic())

    def _timeout_s(self) -> float:
        now, listen_at = monotonic(), self._inband.next_deadline()
        at = self._heap[0][0] if self._heap else now + MAX_SLEEP_S
        if listen_at is not None:
            at = min(at, listen_at)
        return min(MAX_SLEEP_S, max(0.0, at - now))

    # Deadlines: a heap of (time, stream); an entry counts only while it is the stream's latest.

    def _schedule(self, number: int, stream: Stream) -> None:
        deadline, due = stream.next_deadline(), self._due.get(number)
        if deadline is None:
            self._due.pop(number, None)
        elif due is None or deadline < due:
            self._due[number] = deadline
            heappush(self._heap, (deadline, number))

    def _wake(self, line: Line) -> None:
        if line.stream is not None:
            self._schedule(line.number, line.stream)

    def _tick(self, now: float) -> None:
        heap, due = self._heap, self._due
        while heap and heap[0][0] <= now:
            entry = heap[0]
            at, number = entry
            if due.get(number) != at:
                heappop(heap)
                continue
            line = self._streams[number]
            try:
                deadline = line.tick(now)
            except Exception as error:  # noqa: BLE001 - see `run`
                self._drop(line, error)
                continue
            if deadline is None:
                due.pop(number, None)
            else:
                due[number] = deadline
                if heap[0] is entry:
                    heapreplace(heap, (deadline, number))
                else:
                    heappush(heap, (deadline, number))

    # The line to the main process.

    def _serve_control(self, mask: int, now: float) -> None:
        if mask & EPOLLOUT:
            self._flush()
        if not mask & ~EPOLLOUT:
            return
        try:
            data = self._control.recv(_CONTROL_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end()
        for command in self._decoder.commands(data):
            self._obey(command, now)
            now = monotonic()  # the first stream's warming up has taken a while
            self._pulse.beat(now)

    def _obey(self, command: Command, now: float) -> None:
        if isinstance(command, control.Adopt):
            self._adopt(command.stream, command.port, now)
            return
        line = self._streams.get(command.stream)
        if line is None or line.stream is None:
            return
        try:
            if isinstance(command, control.Close):
                self._close(line, now)
            elif isinstance(command, control.Measure):
                line.stream.measure()
            else:
                self._apply(command, line.stream, now)
                self._schedule(command.stream, line.stream)
        except Exception as error:  # noqa: BLE001 - see `run`
            self._drop(line, error)

    def _apply(self, verb: Verb, stream: Stream, now: float) -> None:
        match verb:
            case control.Connect(_, remote, fill, listen):
                stream.connect(remote, fill=fill, listen=listen, now=now)
            case control.Play(_, token, playables):
                stream.play(token, playables, now)
            case control.StopPlaying():
                stream.stop_playing()
            case control.Record(_, path, max_s):
                stream.record(path, max_s, now)
            case control.StopRecording():
                stream.stop_recording()
            case control.Echo():
                stream.echo()
            case control.Bridge() | control.Mix():
                self._join(verb, stream, now)
            case control.SendDigits(_, digits):
                stream.send_digits(digits, now)
            case control.Watch(_, silent_s):
                stream.watch(silent_s, now)
            case never:
                assert_never(never)

    def _join(self, verb: control.Bridge | control.Mix, stream: Stream, now: float) -> None:
        line = None if verb.other is None else self._streams.get(verb.other)
        other = None if line is None else line.stream
        if isinstance(verb, control.Bridge):
            stream.bridge(other)
        elif line is not None and other is not None:
            stream.mix(other, now)
            self._schedule(line.number, other)

    def _tell(self, number: int, event: MediaEvent) -> None:
        self._out += control.encode(control.Happened(number, event))

    def _flush(self) -> None:
        try:
            sent = self._control.send(self._out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.end()
            return
        del self._out[:sent]
        blocked = bool(self._out)
        if blocked != self._blocked:
            self._blocked = blocked
            self._epoll.modify(self._control, EPOLLIN | EPOLLOUT if blocked else EPOLLIN)

    # Ports and streams.

    def _top_up(self, now: float) -> None:
        opened, rested = self._stock.top_up(now)
        for line in map(Line, opened):
            self._lines[line.socket.fileno()] = line
            self._free[line.port] = line
            self._epoll.register(line.socket, EPOLLIN)
        for port in rested:
            self._free[port].receive = self._free[port].keep
        ports = (*(line.getsockname()[1] for line in opened), *rested)
        if ports or self._stock.more != self._told_more:
            self._told_more = self._stock.more
            self._out += control.encode(control.Ports(ports, self._told_more))

    def _adopt(self, number: int, port: int, now: float) -> None:
        self._warm_up()
        line = self._free.pop(port)
        self._stock.take()
        line.number = number
        transmit_control = partial(self._transmit_control, line)
        tell, woken = partial(self._tell, number), partial(self._wake, line)
        line.stream = Stream(
            line.transmit,
            tell,
            self._rng,
            self._inband,
            transmit_control,
            woken=woken,
            settle=partial(self._settle, line),
        )
        line.receive = line.stream.receive
        for data, source, came_at in line.early:
            if now - came_at <= EARLY_S:
                line.receive(data, source, came_at)
        line.early.clear()
        self._streams[number] = line

    def _settle(self, line: Line, source: Source | None) -> None:
        """Hear and send by a socket that is connected to `source`, or again by the line's own one alone."""
        if line.settled is not None:
            del self._lines[line.settled.fd]
            line.settled.socket.close()
            line.settled = None
        if source is not None and line.stream is not None:
            try:
                settled = Settled(line, line.stream, source)
            except OSError:  # then all goes on as before
                return
            settled.take_over(monotonic())
            line.settled = self._lines[settled.fd] = settled
            self._epoll.register(settled.fd, EPOLLIN)

    def _transmit_control(self, line: Line, data: bytes, destination: Source) -> None:
        """Send from the port above the stream's; it is opened by the first report, so that a short call needs none."""
        if line.control is None:
            opened = self._stock.beside(line.port)
            if opened is None or line.stream is None:
                return
            line.control = Line(opened)
            line.control.number, line.control.receive = line.number, line.stream.receive_control
            self._lines[opened.fileno()] = line.control
            self._epoll.register(opened, EPOLLIN)
        try:
            line.control.socket.sendto(data, destination)
        except OSError:
            return

    def _close(self, line: Line, now: float) -> None:
        """End a stream, and say so even if its machine cannot."""
        try:
            if line.stream is not None:
                line.stream.close()
            self._settle(line, None)
        except Exception as error:  # noqa: BLE001 - see `run`
            sys.excepthook(type(error), error, error.__traceback__)
            self._tell(line.number, StreamClosed(Verdict()))
        if line.control is not None:
            del self._lines[line.control.socket.fileno()]
            line.control.socket.close()
            line.control = None
        del self._streams[line.number]
        self._due.pop(line.number, None)
        line.stream = line.receive = None
        self._free[line.port] = line
        self._stock.give_back(line.port, now)

    def _drop(self, failed: Line | Settled, error: Exception) -> None:
        """End one stream whose machine failed, and say so on standard error."""
        sys.excepthook(type(error), error, error.__traceback__)
        line = self._streams[failed.number]
        if line.stream is not None:
            self._tell(line.number, StreamLost(0.0))
            self._close(line, monotonic())

    def _shut_down(self) -> None:
        self._pulse.rest()
        for line in list(self._streams.values()):
            self._close(line, monotonic())
        self._control.settimeout(1.0)
        try:
            self._control.sendall(self._out)
        except OSError:
            return


def main(arguments: list[str]) -> None:
    """Run a worker with the arguments of its command line."""
    fd, pulse, host, ports, stock = arguments
    bounds = None if ports == "any" else range(*map(int, ports.split(":")))
    line = socket.socket(fileno=int(fd))
    worker = Worker(line, PortStock(host, bounds, int(stock)), Pulse(int(pulse)))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's products are small
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: worker.end())
    worker.run()


if __name__ == "__main__":
    main(sys.argv[1:])
