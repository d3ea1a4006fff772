"""The border between the switch and whatever carries RTP.

The switch holds one `MediaStream` for each leg with audio, gives it one-way commands and hears `MediaEvent`s back.
Two planes keep this Protocol: `worker_plane` (a process of its own, real time) and `inline_plane` (on the event
loop over any `Network`, virtual time and scripted phones).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ..network import Address
    from .srtp import Keys
    from .verdict import Verdict


class Codec(StrEnum):
    """The payload formats that a stream speaks, by their RTP encoding name (RFC 3551)."""

    PCMA = "PCMA"
    PCMU = "PCMU"
    G722 = "G722"

    __hash__ = str.__hash__  # that of an Enum is a function in Python, and tables are asked for each packet


@dataclass(frozen=True, slots=True)
class Remote:
    """What SDP agreed for the far end of a stream.

    `address` is where SDP asks for RTP; `signalling_host` is where its signalling came from. Packets are accepted from
    either host, the port is learnt once within the first five packets, and nothing is sent to an address that is
    not `signalling_host` before it has sent itself. `dtmf_payload` is the telephone-event payload type (RFC 4733) or
    None. `sends` and `receives` are the far end's directions (RFC 3264). `rtcp` is where it hears reports (RFC 3605),
    None for nowhere; with `rtcp_mux` they share the port of the RTP (RFC 5761). `energy` has loudness and tones
    measured. With `keys` all RTP and RTCP is SRTP and SRTCP (RFC 3711). While it `holds`, what plays and what is
    recorded waits, and that it is silent is not told.
    """

    address: Address
    signalling_host: str
    codec: Codec
    ptime_ms: int = 20
    dtmf_payload: int | None = None
    sends: bool = True
    receives: bool = True
    rtcp: Address | None = None
    rtcp_mux: bool = False
    energy: bool = False
    keys: Keys | None = None
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A ready announcement: the name of a block in `fixtures/prompts/LANGUAGE.toml`.

    Without `language` a session says it in its own, and a stream in English.
    """

    name: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Tone:
    """One or more sine waves at once; `duration_s` None sounds until the stream is told otherwise.

    `cadence_s` holds seconds on, off, on, off …; empty is a continuous tone. `level_dbm0` is that of each wave.
    """

    frequencies_hz: tuple[int, ...]
    duration_s: float | None = None
    cadence_s: tuple[float, ...] = ()
    level_dbm0: float = -10.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A mono 16-bit 8 kHz WAV file, for instance a recorded message."""

    path: Path


@dataclass(frozen=True, slots=True)
class Silence:
    """A pause of `duration_s` between two playables."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Music:
    """The music on hold (`fixtures/music`), over and over; `duration_s` None until the stream is told otherwise."""

    duration_s: float | None = None


Playable = Prompt | Tone | Clip | Silence | Music


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The first acceptable packet of the far end has come."""


@dataclass(frozen=True, slots=True)
class DigitHeard:
    """One DTMF digit was pressed, told by an event (RFC 4733) or a tone; reported once, at its beginning."""

    digit: str


@dataclass(frozen=True, slots=True)
class Played:
    """Everything of one `play` was sent; `token` is what `play` returned. Not reported for a play that was replaced."""

    token: int


@dataclass(frozen=True, slots=True)
class DigitsSent:
    """All digits of `send_digits` are on the wire."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording is closed and whole on disk; `duration_s` is its length in seconds, 0 when there may be no file."""

    path: Path
    duration_s: float


@dataclass(frozen=True, slots=True)
class StreamLost:
    """Nothing acceptable came for the time given to `watch`."""

    silent_s: float


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """The stream is gone; the last event of every stream."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Measured:
    """How the stream has fared up to now, because `measure` asked."""

    verdict: Verdict


MediaEvent = (
    StreamStarted | DigitHeard | Played | DigitsSent | Recorded | StreamLost | Measured | StreamClosed
)


class NoStreamError(Exception):
    """The plane has no stream to give; `reason` is the code of the refusal."""

    reason: ClassVar[str]


class PortsExhaustedError(NoStreamError):
    """Every RTP port of the plane is in use."""

    reason = "media.ports.exhausted"


class PlaneFailedError(NoStreamError):
    """The worker of the plane ended again and again, and is started no more."""

    reason = "media.failed"


@dataclass(frozen=True, slots=True)
class PortUse:
    """How many RTP ports are bound and wait for a stream, and how many have one or rest after one."""

    free: int
    used: int


class MediaStream(Protocol):
    """One RTP endpoint. All methods return at once; what they bring about is told by events."""

    @property
    def local(self) -> Address:
        """Where the far end sends its RTP."""
        ...

    def connect(self, remote: Remote, *, fill: bool, listen: bool = False) -> None:
        """Begin, or after a re-INVITE continue, towards `remote`.

        With `fill` a packet goes out every ptime from now on, silence where nothing plays; without it only what is
        played, bridged or echoed is sent. With `listen` digits are heard as tones, too, if `remote` has no telephone
        events.
        """
        ...

    def play(self, playables: Sequence[Playable]) -> int:
        """Replace what plays now by `playables`, one after the other; the token names this play in `Played`."""
        ...

    def stop_playing(self) -> None:
        """Fall silent; the play that is cut short is not reported."""
        ...

    def record(self, path: Path, max_s: float) -> None:
        """Write what is heard to `path` as mono 16-bit 8 kHz WAV, by RTP timestamp: what was lost is silence.

        Ends after `max_s` seconds, by `stop_recording` or by `close`, each time with one `Recorded`.
        """
        ...

    def stop_recording(self) -> None:
        """End the recording, if one runs."""
        ...

    def echo(self) -> None:
        """Return each packet to its sender and send nothing else; ends what plays."""
        ...

    def bridge(self, other: MediaStream | None) -> None:
        """Relay to and from `other`, translating codec and telephone-event payload type; ends what plays.

        None ends the bridge for both.
        """
        ...

    def mix(self, other: MediaStream) -> None:
        """Hear the sum of `other` and of all with whom that is mixed already, and be heard by each of them.

        Ends what both were bridged with and what plays; `bridge` and `close` leave the others to themselves. A far end
        that does not receive is not heard either. Digits are not mixed.
        """
        ...

    def reaches(self, other: MediaStream) -> bool:
        """Whether `bridge` or `mix` can join it with `other`: both have to be of one process."""
        ...

    def send_digits(self, digits: str) -> None:
        """Send RFC 4733 events, 100 ms each with 60 ms between; `digits` are of 0-9, A-D, * and #."""
        ...

    def watch(self, silent_s: float | None) -> None:
        """Report `StreamLost` once when nothing acceptable came for `silent_s` seconds; None ends the watch."""
        ...

    def measure(self) -> None:
        """Report `Measured`."""
        ...

    def close(self) -> None:
        """Send nothing more, close the recording and give the port back."""
        ...


class MediaPlane(Protocol):
    """Where streams come from."""

    @property
    def has_failed(self) -> bool:
        """Whether there will be no more streams until the server is started anew."""
        ...

    @property
    def ports(self) -> PortUse:
        """What the RTP ports do now."""
        ...

    async def start(self) -> None:
        """Open the sockets; return once streams can be opened."""
        ...

    async def open(
        self,
        sink: Callable[[MediaEvent], None],
        near: Callable[[], Iterable[MediaStream]] | None = None,
    ) -> MediaStream:
        """Hand out a stream with a bound port, without a round trip to a worker.

        `near`, asked where it matters, gives streams with which it may have to be bridged: it `reaches` the first.
        Raises `PortsExhaustedError` when no port is left, and `PlaneFailedError` when the plane has failed.
        """
        ...

    async def stop(self) -> None:
        """Close every stream and end the plane's process, if it has one."""
        ...
