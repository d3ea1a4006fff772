"""What becomes of new requests in overload: 503, without a transaction (RFC 3261 21.5.4), and two events for them all.

Called by the SIP door. The seconds of Retry-After differ, so that those who were turned away at once do not come back
at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...licensing.reasons import reason_for
from ...licensing.refusal import Refusal
from .events import OverloadBegan, OverloadEnded
from .explain import refusal_headers

if TYPE_CHECKING:
    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.flow import Peer
    from ..sip.message import Request
    from .stream import EventStream

OVERLOADED = Refusal("server.overloaded")
SPREAD_S: Final = 4


class Shedding:
    """Turns requests away; an overload begins with the first, and ends when none has been for a while."""

    def __init__(self, stack: SipStack, stream: EventStream, clock: Clock) -> None:
        self._stack = stack
        self._stream = stream
        self._clock = clock
        explained = [pair for pair in refusal_headers(OVERLOADED, None) if pair[0] != "Retry-After"]
        first_s = reason_for(OVERLOADED).retry_after_s or 0
        self._headers = tuple((*explained, ("Retry-After", str(first_s + more))) for more in range(SPREAD_S))
        self._shed_before = 0
        self._is_on = False

    def turn_away(self, request: Request, source: Peer) -> None:
        """Answer a request that comes at a bad time."""
        agent, load = self._stack.agent, self._stack.overload
        if not self._is_on:
            self._is_on, self._shed_before = True, load.shed
            self._stream.publish(OverloadBegan())
        load.note_shed(self._clock.now())
        agent.refuse(request, 503, source, *agent.random.choice(self._headers))
        if load.shed == self._shed_before + 1:
            agent.timers.set(load.quiet_at, self._look)

    def _look(self, now: float) -> None:
        """Tell that it is over, unless somebody was turned away since."""
        load = self._stack.overload
        if now < load.quiet_at:
            self._stack.agent.timers.set(load.quiet_at, self._look)
            return
        self._is_on = False
        self._stream.publish(OverloadEnded(load.shed - self._shed_before))
