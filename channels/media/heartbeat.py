"""Whether a media worker still comes round: it notes its beats in memory that both processes share, and its link looks.

A beat is one store into memory, without a system call and without a message that a busy event loop would read too late.
For the limits and what does not count see docs/decisions/0028-heartbeat.md.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_S = 0.1
"""How often the main process looks."""

HUNG_S = 0.65
"""A worker that has not come round for so long hangs."""

PATIENCE_S = 30.0
"""How long it may start, import, or wait for processor and disk instead."""

_BYTES = 8
_NO_BEAT = 0.0


class Pulse:
    """The shared memory: the time of the worker's latest beat, 0 while it does something that takes long."""

    def __init__(self, fd: int) -> None:
        self._memory = mmap(fd, _BYTES)
        self._view = memoryview(self._memory).cast("d")

    @classmethod
    def made(cls) -> tuple[Pulse, int]:
        """Return a new one, and the file by which another process has it, too; the caller closes that."""
        fd = os.memfd_create("heartbeat", os.MFD_CLOEXEC)
        os.ftruncate(fd, _BYTES)
        return cls(fd), fd

    @property
    def latest(self) -> float:
        """What was noted last."""
        return self._view[0]

    def beat(self, now: float) -> None:
        """Note that the loop came round at `now`."""
        self._view[0] = now

    def rest(self) -> None:
        """Note that the next beat may take long to come."""
        self._view[0] = _NO_BEAT


@dataclass(frozen=True, slots=True)
class Activity:
    """What the kernel tells of a process: its state (proc(5)), and the seconds of processor time that it has had."""

    state: str
    cpu_s: float

    @classmethod
    def of(cls, pid: int) -> Activity:
        """Read it; raises OSError when there is no such process."""
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        fields = stat.rpartition(")")[2].split()
        return cls(fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))

    @property
    def waits(self) -> bool:
        """Whether it has the processor, or waits for that or for the disk."""
        return self.state in {"R", "D"}

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped it, by a signal or as a debugger."""
        return self.state in {"T", "t"}


class Vigil:
    """Judges one worker by looks at its pulse, `LOOK_S` apart or more."""

    def __init__(self, now: float) -> None:
        self._looked_at = now
        self._beat = _NO_BEAT
        self._cpu_s: float | None = None
        self._silent_s = self._patient_s = 0.0

    def is_hung(self, now: float, beat: float, activity: Callable[[], Activity]) -> bool:
        """Look at the latest beat; where it is an old one, `activity` is asked what the worker does instead."""
        # What is more than two looks was lost by the main process: that it was stopped is no fault of the worker.
        passed_s, self._looked_at = min(now - self._looked_at, 2 * LOOK_S), now
        if beat != self._beat:
            self._beat, self._cpu_s = beat, None
            self._silent_s = self._patient_s = 0.0
            return False
        doing, before = activity(), self._cpu_s
        self._cpu_s = doing.cpu_s
        if beat != _NO_BEAT or doing.is_stopped:
            waited = doing.waits and before is not None
            self._silent_s += min(doing.cpu_s - (before or 0.0), passed_s) if waited else passed_s
        self._patient_s += passed_s
        return self._silent_s >= HUNG_S or self._patient_s >= PATIENCE_S
