"""When a server has more to do than it can: new work is turned away, so that what is under way goes on.

Two things tell of it: datagrams that have waited for long when their turn comes, and timers that fire late. Either
counts only if it goes on: one pause of the machine is no load, and neither is a socket in which something waits all
the time, as long as it does not wait for long. The shell notes both; the door asks before it takes a new request.

Where so much comes that not even turning away keeps up, what asks for new work is dropped unread: after `RESENT_S` it
has been sent again in any case, and one of the two is enough to answer.
"""

from __future__ import annotations

from math import inf
from typing import Final

LATE_S: Final = 0.25
PATIENCE_S: Final = 0.25
RESENT_S: Final = 0.5
"""When a client sends again what has no answer (T1, RFC 3261 17.1.1.1); the first two together are no more."""
BRIEF_S: Final = 0.1
RELIEF_S: Final = 0.5
QUIET_S: Final = 1.0
_NEW_WORK: Final = (b"INVITE ", b"REGISTER ", b"SUBSCRIBE ", b"MESSAGE ", b"PUBLISH ")


class Overload:
    """The load of one server; `shed` counts the requests that were turned away, `dropped` those that were not read.

    What begins with one of `spared` is always read.

    Once some were, they are as soon as datagrams wait for `BRIEF_S`, until none was for `QUIET_S`: as much is taken
    then as can be done, and it is done in time.
    """

    def __init__(self) -> None:
        self._waited_s = 0.0
        self._waits_since: float | None = None
        self._late_since: float | None = None
        self._relieved_at = 0.0
        self._shed_at = -inf
        self._drops = False
        self.spared: tuple[bytes, ...] = ()
        self.shed = 0
        self.dropped = 0

    def note_wait(self, waited_s: float, now: float) -> None:
        """The datagram in hand has waited so long; 0 when none waits any more."""
        self._waited_s = waited_s
        if waited_s <= LATE_S:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = now
        if waited_s > RESENT_S:
            self._drops = True
        elif waited_s <= BRIEF_S:
            self._drops = False

    def drops(self, datagram: bytes) -> bool:
        """Whether a datagram is to be dropped unread, which is counted."""
        if self._drops and datagram.startswith(_NEW_WORK) and not datagram.startswith(self.spared):
            self.dropped += 1
            return True
        return False

    def note_timer(self, due: float, now: float) -> None:
        """A timer that was due then fires now."""
        if now - due <= LATE_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since > PATIENCE_S:
            self._relieved_at = now + RELIEF_S

    def note_shed(self, now: float) -> None:
        """A request was turned away."""
        self.shed += 1
        self._shed_at = now

    def is_over(self, now: float) -> bool:
        """Whether new work has to be turned away."""
        if now < self._relieved_at:
            return True
        if now < self.quiet_at:
            return self._waited_s > BRIEF_S
        return self._waits_since is not None and now - self._waits_since > PATIENCE_S

    @property
    def quiet_at(self) -> float:
        """When the overload is a thing of the past, if nothing more is turned away."""
        return self._shed_at + QUIET_S
