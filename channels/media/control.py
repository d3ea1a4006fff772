"""What the main process and a media worker say to each other, one way each: commands down, notices up.

A message is one line of JSON on their private socket pair. `worker_link` speaks it on the main side, `worker` on the
other; neither ever waits for an answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from ..network import Address
from . import plane
from .srtp import Keys, Suite
from .verdict import Energy, RemoteReport, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from .plane import MediaEvent, Playable, Remote


@dataclass(frozen=True, slots=True)
class Adopt:
    """A stream begins on a port that the worker had reported."""

    stream: int
    port: int


@dataclass(frozen=True, slots=True)
class Connect:
    """`MediaStream.connect`."""

    stream: int
    remote: Remote
    fill: bool
    listen: bool


@dataclass(frozen=True, slots=True)
class Play:
    """`MediaStream.play`, with the token that the main side chose."""

    stream: int
    token: int
    playables: tuple[Playable, ...]


@dataclass(frozen=True, slots=True)
class StopPlaying:
    """`MediaStream.stop_playing`."""

    stream: int


@dataclass(frozen=True, slots=True)
class Record:
    """`MediaStream.record`."""

    stream: int
    path: Path
    max_s: float


@dataclass(frozen=True, slots=True)
class StopRecording:
    """`MediaStream.stop_recording`."""

    stream: int


@dataclass(frozen=True, slots=True)
class Echo:
    """`MediaStream.echo`."""

    stream: int


@dataclass(frozen=True, slots=True)
class Bridge:
    """`MediaStream.bridge`."""

    stream: int
    other: int | None


@dataclass(frozen=True, slots=True)
class Mix:
    """`MediaStream.mix`."""

    stream: int
    other: int


@dataclass(frozen=True, slots=True)
class SendDigits:
    """`MediaStream.send_digits`."""

    stream: int
    digits: str


@dataclass(frozen=True, slots=True)
class Watch:
    """`MediaStream.watch`."""

    stream: int
    silent_s: float | None


@dataclass(frozen=True, slots=True)
class Measure:
    """`MediaStream.measure`."""

    stream: int


@dataclass(frozen=True, slots=True)
class Close:
    """`MediaStream.close`."""

    stream: int


Verb: TypeAlias = (
    Connect | Play | StopPlaying | Record | StopRecording | Echo | Bridge | Mix | SendDigits | Watch
)
Command: TypeAlias = Adopt | Verb | Measure | Close


@dataclass(frozen=True, slots=True)
class Ports:
    """These ports are bound and free; `more` tells whether others can still be opened."""

    ports: tuple[int, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a stream."""

    stream: int
    event: MediaEvent


Notice: TypeAlias = Ports | Happened

_VALUES: tuple[Callable[..., object], ...] = (
    *(
        Adopt,
        Connect,
        Play,
        StopPlaying,
        Record,
        StopRecording,
        Echo,
        Bridge,
        Mix,
        SendDigits,
        Watch,
        Measure,
        Close,
    ),
    *(Ports, Happened),
    *(Suite, Keys),
    *(plane.Codec, Address, plane.Remote, plane.Prompt, plane.Tone, plane.Clip, plane.Silence, plane.Music),
    *(plane.StreamStarted, plane.DigitHeard, plane.Played, plane.DigitsSent, plane.Recorded),
    *(plane.StreamLost, plane.Measured, plane.StreamClosed, RemoteReport, Energy, Verdict, Path),
)
_BY_NAME: dict[str, Callable[..., object]] = {getattr(value, "__name__", ""): value for value in _VALUES}

_FIELDS: dict[type, tuple[str, ...]] = {
    value: tuple(field.name for field in fields(value))
    for value in _VALUES
    if isinstance(value, type) and is_dataclass(value)
}


def encode(message: Command | Notice) -> bytes:
    """Return `message` as one line."""
    return json.dumps(_pack(message), separators=(",", ":")).encode() + b"\n"


def _pack(value: object) -> object:
    kind = type(value)
    names = _FIELDS.get(kind)
    if names is not None:
        return [kind.__name__, *[_pack(getattr(value, name)) for name in names]]
    if kind is tuple:
        return [_pack(item) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, StrEnum):
        return [kind.__name__, value.value]
    return ["Path", str(value)] if isinstance(value, Path) else value


def _unpack(value: object) -> object:
    if not isinstance(value, list):
        return value
    if value and isinstance(value[0], str):
        return _BY_NAME[value[0]](*map(_unpack, value[1:]))
    return tuple(map(_unpack, value))


class Decoder:
    """Cuts what arrives into lines and gives their messages."""

    def __init__(self) -> None:
        self._rest = b""

    def _lines(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def commands(self, data: bytes) -> list[Command]:
        """Return the commands that `data` completes."""
        return [cast("Command", _unpack(json.loads(line))) for line in self._lines(data)]

    def notices(self, data: bytes) -> list[Notice]:
        """Return the notices that `data` completes."""
        return [cast("Notice", _unpack(json.loads(line))) for line in self._lines(data)]
