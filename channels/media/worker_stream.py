"""A stream that a worker carries, seen from the event loop: its verbs become commands, and events come back."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from . import control
from .plane import Recorded, StreamClosed, StreamLost
from .prompts import require_prompts
from .recording import rescued
from .telephone_event import event_codes
from .verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..network import Address
    from .plane import MediaEvent, MediaStream, Playable, Remote
    from .worker_link import WorkerLink


class WorkerStream:
    """A stream in the worker; keeps `MediaStream`."""

    def __init__(
        self, link: WorkerLink, number: int, local: Address, sink: Callable[[MediaEvent], None]
    ) -> None:
        self._link = link
        self._number = number
        self._local = local
        self._sink = sink
        self._tokens = count(1)
        self._closed = False
        self._recordings: list[Path] = []

    @property
    def local(self) -> Address:
        """Where the far end sends its RTP."""
        return self._local

    @property
    def link(self) -> WorkerLink:
        """The worker that carries it."""
        return self._link

    @property
    def number(self) -> int:
        """Its name in the control protocol."""
        return self._number

    def tell(self, event: MediaEvent) -> None:
        """Hand an event to the owner; after `close` only what closing brings."""
        if isinstance(event, StreamClosed):
            self._closed = True
        elif isinstance(event, Recorded):
            self._recordings.remove(event.path)
        if not self._closed or isinstance(event, (Recorded, StreamClosed)):
            self._sink(event)

    def lose(self) -> None:
        """Tell that the worker is gone, and what it had recorded."""
        self.tell(StreamLost(0.0))
        for path in [*self._recordings]:
            self.tell(Recorded(path, rescued(path)))
        self.tell(StreamClosed(Verdict()))

    def connect(self, remote: Remote, *, fill: bool, listen: bool = False) -> None:
        """See `MediaStream.connect`."""
        self._link.send(control.Connect(self._number, remote, fill, listen))

    def play(self, playables: Sequence[Playable]) -> int:
        """See `MediaStream.play`; raises ValueError for a prompt that does not exist."""
        require_prompts(playables)
        token = next(self._tokens)
        self._link.send(control.Play(self._number, token, tuple(playables)))
        return token

    def stop_playing(self) -> None:
        """See `MediaStream.stop_playing`."""
        self._link.send(control.StopPlaying(self._number))

    def record(self, path: Path, max_s: float) -> None:
        """See `MediaStream.record`."""
        path = path.absolute()
        self._recordings.append(path)
        self._link.send(control.Record(self._number, path, max_s))

    def stop_recording(self) -> None:
        """See `MediaStream.stop_recording`."""
        self._link.send(control.StopRecording(self._number))

    def echo(self) -> None:
        """See `MediaStream.echo`."""
        self._link.send(control.Echo(self._number))

    def bridge(self, other: MediaStream | None) -> None:
        """See `MediaStream.bridge`; raises ValueError for a stream of another plane."""
        if other is None:
            self._link.send(control.Bridge(self._number, None))
        else:
            self._link.send(control.Bridge(self._number, self._number_of(other)))

    def mix(self, other: MediaStream) -> None:
        """See `MediaStream.mix`; raises ValueError for a stream of another plane."""
        self._link.send(control.Mix(self._number, self._number_of(other)))

    def _number_of(self, other: MediaStream) -> int:
        if isinstance(other, WorkerStream) and self.reaches(other):
            return other.number
        raise ValueError(f"{other!r} is in another process: join streams of the same worker")

    def reaches(self, other: MediaStream) -> bool:
        """See `MediaStream.reaches`: whether one worker carries both."""
        return isinstance(other, WorkerStream) and other.link is self._link

    def send_digits(self, digits: str) -> None:
        """See `MediaStream.send_digits`; raises ValueError for what is no DTMF digit."""
        event_codes(digits)
        self._link.send(control.SendDigits(self._number, digits))

    def watch(self, silent_s: float | None) -> None:
        """See `MediaStream.watch`."""
        self._link.send(control.Watch(self._number, silent_s))

    def measure(self) -> None:
        """See `MediaStream.measure`."""
        self._link.send(control.Measure(self._number))

    def close(self) -> None:
        """See `MediaStream.close`."""
        if not self._closed:
            self._closed = True
            self._link.close_stream(self._number, self._local.port)
