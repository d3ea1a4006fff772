"""What the media plane tells of its workers: frozen values, for the event stream of the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaWorkerEnded:
    """A media worker ended unasked, and its `streams` with it.

    `status` is its exit status, negative for a signal; `hung` tells that it was killed because it did not come round.
    """

    pid: int
    status: int
    hung: bool
    streams: int


@dataclass(frozen=True, slots=True)
class MediaWorkerRestarted:
    """Another one has taken its place."""

    pid: int


@dataclass(frozen=True, slots=True)
class MediaWorkerGivenUp:
    """Nobody takes its place: that one, or those before it there, ended `ends` times within `within_s`."""

    ends: int
    within_s: float


WorkerEvent = MediaWorkerEnded | MediaWorkerRestarted | MediaWorkerGivenUp
