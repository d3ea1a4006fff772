"""An event loop whose clock jumps: when everybody waits, it is at once the time of the next timer.

For tests and simulations on the in-memory network. A thread or a socket would wait in real time, so neither may be
used; when nothing is ready and no timer runs, nobody will ever wake up again and the loop raises `DeadlockError`.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class DeadlockError(RuntimeError):
    """Every task waits for something that cannot happen."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never sleeps: what the loop would wait for is added to the clock instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise DeadlockError("nothing is ready and no timer runs: every task waits for ever")
            self.now += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A selector loop on virtual time, beginning at 0."""

    def __init__(self) -> None:
        self._virtual = _JumpingSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._virtual.now
