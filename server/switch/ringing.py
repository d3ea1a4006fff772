"""Ringing a user's devices together until one answers, all refuse, the time is over, or the caller is gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..sip.uri import SipUri
from .alerting import RINGS, SESSION_PROGRESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.media.plane import MediaEvent
    from ..sip.message import Response
    from .connection import Connection

LONGEST_RING_S = 180.0
EARLY_ENDED, NOT_ACCEPTABLE, EVERYWHERE = 199, 488, 600
ELSEWHERE = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)
"""Why a device stops ringing whose call another one took: it is none that was missed (RFC 3326 2)."""
PASSED_ON = frozenset({181, 182})


@dataclass(frozen=True, slots=True)
class Taken:
    """A device answered."""

    connection: Connection


@dataclass(frozen=True, slots=True)
class NotTaken:
    """No device did; `refusal` says why, `first_cause` why the call was forwarded to where it was refused.

    `deflected_to` is where a device sends the caller instead (a 3xx, RFC 3261 8.1.3.4).
    """

    refusal: Refusal
    first_cause: Refusal | None = None
    deflected_to: SipUri | None = None


class Ringing:
    """Listens to the connections that ring for `caller` (None: nobody hears it); use it as a context manager.

    `outside` tells that a trunk is rung. On the way out whatever still rings is cancelled, also when the
    ringing itself was. So many more as are `awaited` will come, each of which says so by `has_come`.
    """

    def __init__(self, caller: Connection | None, *, outside: bool = False, awaited: int = 0) -> None:
        self._caller = caller
        self._outside = outside
        self._ringing: list[Connection] = []
        self._refusals: list[Refusal] = []
        self._outcome: asyncio.Future[Taken | NotTaken] = asyncio.get_running_loop().create_future()
        self._kept: Connection | None = None
        self._all_ring = False
        self._awaited = awaited
        self._asked: dict[Connection, Callable[[Connection], None] | None] = {}
        self.is_silent = asyncio.Event()
        """Nobody rings, and somebody is still to come."""
        self.incompatible: list[Connection] = []
        """Who refused what was offered (488)."""
        self._heard: Connection | None = None
        self._hearing: asyncio.Task[None] | None = None

    def __enter__(self) -> Ringing:
        return self

    def __exit__(self, *_: object) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
        for connection in list(self._ringing):
            if connection is not self._kept:
                connection.hang_up(headers=ELSEWHERE if self._kept is not None else ())

    def add(self, connection: Connection) -> None:
        """Let one more device ring."""
        connection.listener = self
        self._ringing.append(connection)
        self.is_silent.clear()

    def leave(self, connection: Connection, ask: Callable[[Connection], None] | None) -> None:
        """Note that a device is a number outside; whoever answers is asked first, and `confirm` says how it went."""
        self._asked[connection] = ask

    def confirm(self, connection: Connection, *, pressed: bool) -> None:
        """Let whoever was asked have the call, or take him out."""
        if pressed:
            connection.listener = self
            self._decide(Taken(connection))
        elif connection in self._ringing:
            self._ringing.remove(connection)
            self._refusals.append(Refusal("user.no_answer"))
            connection.hang_up()
            self._look()

    def has_come(self) -> None:
        """One of those that were awaited rings, or will not."""
        self._awaited -= 1
        if self._all_ring:
            self._look()
            self._let_hear()

    def _look(self) -> None:
        """See whether nobody rings any more."""
        if self._ringing or not self._all_ring:
            return
        if self._awaited:
            self.is_silent.set()
        else:
            self._decide(NotTaken(self._worst()))

    async def outcome(self, timeout_s: float) -> Taken | NotTaken:
        """Wait for an answer, the last refusal, or the time; a connection that is returned is the caller's to keep."""
        self._all_ring = True
        self._look()
        self._let_hear()
        timer = asyncio.get_running_loop().call_later(
            min(timeout_s, LONGEST_RING_S), self._decide, NotTaken(Refusal("user.no_answer"))
        )
        try:
            outcome = await self._outcome
        finally:
            timer.cancel()
        if isinstance(outcome, Taken):
            if not await self._has_answered(outcome.connection):
                return NotTaken(outcome.connection.refusal or Refusal("user.no_answer"))
            self._kept = outcome.connection
        return outcome

    async def _has_answered(self, connection: Connection) -> bool:
        """Whether a device took the call; one that picked it up is answered now."""
        caller = self._caller
        if connection.is_answered or caller is None:
            return True
        codec = caller.wanted_codec if caller.agreed is None else caller.agreed.codec
        return await connection.answer(codec=codec)

    @property
    def is_open(self) -> bool:
        """Whether somebody may pick the call up: it rings in the house for a caller, and nothing is decided."""
        return self._caller is not None and not self._outside and not self._outcome.done()

    def pick_up(self, connection: Connection) -> None:
        """Give the call to a device that picks it up; nobody else rings any more."""
        self._decide(Taken(connection))
        ringing = list(self._ringing)
        self.add(connection)
        for one in ringing:
            one.hang_up(headers=ELSEWHERE)

    def refuse(self, refusal: Refusal) -> None:
        """Note why a device could not even be rung."""
        self._refusals.append(refusal)

    def on_progress(self, connection: Connection, status: int) -> None:
        """One device rings, is forwarded or queued: the caller hears that; a fork that ended (199) is none of his.

        Early media he hears of a device that rings alone: of several none speaks for the others (RFC 3960 3.1).
        """
        caller = self._caller
        if caller is None or status == EARLY_ENDED:
            return
        if self._heard is connection:
            if status != SESSION_PROGRESS:  # what he hears goes on
                caller.alerting.ring(status, in_band=False)
        elif not self._let_hear():
            caller.alerting.ring(status if status in PASSED_ON else RINGS)

    def _let_hear(self) -> bool:
        """Let the caller hear who rings alone, if there is something to hear."""
        caller = self._caller
        if caller is None or not self._all_ring or self._awaited or len(self._ringing) != 1:
            return False
        (alone,) = self._ringing
        if alone.has_early_media and alone is not self._heard:
            self._heard = alone
            self._hearing = asyncio.get_running_loop().create_task(caller.alerting.hear(alone))
        return alone is self._heard

    def on_answered(self, connection: Connection) -> None:
        """The first to answer has the call, unless he is asked something first."""
        ask = self._asked.get(connection)
        if ask is None:
            self._decide(Taken(connection))
        elif not self._outcome.done():
            ask(connection)

    def on_direction(self, connection: Connection) -> None:
        """Nothing is agreed before the answer."""

    def on_digit(self, connection: Connection, digit: str) -> None:
        """Nobody listens yet."""

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """Early media are joined in the plane, and need no help."""

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """One device will not take it."""
        if connection in self._ringing:
            self._ringing.remove(connection)
        outside = self._outside or connection in self._asked
        if response is not None and 300 <= status < 400 and not outside:
            for contact in response.contacts:
                if isinstance(contact.uri, SipUri) and contact.uri.user:
                    self._decide(NotTaken(Refusal("call.rejected"), deflected_to=contact.uri))
                    return
        refusal = connection.refusal or _refusal_of(status, outside=self._outside)
        if status >= EVERYWHERE and connection not in self._asked:
            # RFC 3261 16.7: whoever says so speaks for all the user's devices; a network outside knows of none
            self._decide(NotTaken(refusal))
        self._refusals.append(refusal)
        if status == NOT_ACCEPTABLE:
            self.incompatible.append(connection)
        self._look()
        self._let_hear()

    def _decide(self, outcome: Taken | NotTaken) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def _worst(self) -> Refusal:
        """Busy or rejected tells the caller more than not being there."""
        for code in ("user.busy", "call.rejected", "media.lost", "media.incompatible", "user.no_answer"):
            for refusal in self._refusals:
                if refusal.reason == code:
                    return refusal
        return self._refusals[0] if self._refusals else Refusal("user.not_registered")


def _refusal_of(status: int, *, outside: bool) -> Refusal:
    """Read the final response of a device, or of a trunk's far end (`outside`)."""
    match status:
        case 486 | 600:
            return Refusal("user.busy")
        case 403 | 603:
            return Refusal("call.rejected")
        case 488 | 606 | 415:
            return Refusal("media.incompatible")
        case 480 | 487:
            return Refusal("user.no_answer")
        case 404 | 410 | 484 | 604 if outside:
            return Refusal("number.unknown")
        case _:
            return Refusal("trunk.failed" if outside else "user.not_registered")
