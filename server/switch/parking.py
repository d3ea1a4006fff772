"""Parked calls: who waits in which slot, with music, until somebody takes him or whoever parked him is rung back.

To the licences it is nothing: no channel is taken, and a leg that occupies one keeps it (L-71, L-73). See
docs/decisions/0041-parking.md.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ...channels.media.plane import Music, StreamLost
from ...features.parking.behaviour import tell_slot
from ...features.route import Final
from ...licensing.refusal import Refusal
from ..sip.sdp import Direction
from .bridge import Bridge
from .conference import held_by
from .dialler import Errand, Reached
from .events import CallParked, CallUnparked
from .ringing import NotTaken, Taken
from .transfer import Transfer

if TYPE_CHECKING:
    from ...channels.media.plane import MediaEvent
    from ...channels.session import Party
    from ...features.parking.settings import Parking
    from ..sip.message import Response
    from ..site.administration import Administration
    from .connection import Connection
    from .dialler import Dialler
    from .switch import Switch
    from .work import Work, Works

MOST_RECALLS = 3
"""So often whoever parked a call is rung back in vain before it ends."""


@dataclass(slots=True)
class Waiting:
    """One call in its slot; `by` parked it at the time `since_s` of the server's clock."""

    slot: str
    connection: Connection
    by: Party
    since_s: float
    recalls: int = 0
    timer: asyncio.TimerHandle | None = None
    recall: Work | None = None
    is_promised: bool = False


class Parkings:
    """The slots of one switch; `waiting` is what is in them. It listens to whoever waits."""

    def __init__(
        self, switch: Switch, administration: Administration, dialler: Dialler, works: Works
    ) -> None:
        self._switch = switch
        self._administration = administration
        self._dialler = dialler
        self._works = works
        self.waiting: dict[str, Waiting] = {}

    @property
    def _settings(self) -> Parking:
        return self._administration.directory.site.parking

    # -- what devices and applications ask for -----------------------------------------------------------------

    def by_code(self, connection: Connection, by: Party, slot: str | None) -> None:
        """Carry out a code that a device has dialled: take who waits in the slot, or park whom the device holds."""
        waiting = self.waiting.get(slot or "")
        if waiting is not None:
            connection.work = self._works.start(self._retrieve(connection, by, waiting), connection)
            return
        held = held_by(connection.device, self._switch.connections.values())
        talks = [(one, one.listener) for one in held if isinstance(one.listener, Bridge)]
        if not talks:
            connection.refuse(Refusal("park.no_call"))
            return
        own, bridge = talks[-1]
        parked = self.park(bridge.other(own), by, slot)
        if isinstance(parked, Refusal):
            connection.refuse(parked)
            return
        own.listener = None
        own.hang_up()
        self._switch.run(connection, partial(tell_slot, slot=parked), by)

    def park_other(self, own: Connection, slot: str | None) -> str | Refusal:
        """Park whom a device talks to, as an application asks, and let the device go; returns the slot."""
        bridge = own.listener
        if not isinstance(bridge, Bridge) or isinstance(bridge, Transfer) or not own.is_answered:
            return Refusal("park.no_call")
        parked = self.park(bridge.other(own), self._switch.transfers.party_of(own), slot)
        if not isinstance(parked, Refusal):
            own.listener = None
            own.hang_up()
        return parked

    def park(self, connection: Connection, by: Party, slot: str | None) -> str | Refusal:
        """Let a device wait in a slot, None for the first that is free; whom it talked to is the caller's to let go."""
        free = [name for name in self._settings.names if name not in self.waiting]
        if not free or (slot is not None and slot not in free):
            return Refusal("park.full", facts={} if slot is None else {"slot": slot})
        if isinstance(connection.listener, Bridge):
            connection.listener.speak_by_the_plane()
        waiting = Waiting(slot or free[0], connection, by, self._switch.clock.now())
        self.waiting[waiting.slot] = waiting
        connection.listener = Parked(self, waiting)
        connection.renegotiation.follow(Direction.SENDRECV)
        self._let_wait(waiting)
        self._switch.stream.publish(
            CallParked(connection.call.id, by.number, connection.device, waiting.slot)
        )
        return waiting.slot

    # -- waiting -----------------------------------------------------------------------------------------------

    def _let_wait(self, waiting: Waiting) -> None:
        connection = waiting.connection
        if connection.stream is not None:
            if connection.media.hold_music:
                connection.stream.play((Music(),))
            else:
                connection.stream.stop_playing()
        later = asyncio.get_running_loop().call_later
        waiting.timer = later(self._settings.after_s, self._begin_recall, waiting)

    def free(self, waiting: Waiting, by: str | None) -> None:
        """Empty a slot: `by` has taken the call, None when it is over."""
        if self.waiting.get(waiting.slot) is not waiting:
            return
        del self.waiting[waiting.slot]
        if waiting.timer is not None:
            waiting.timer.cancel()
        self._switch.stream.publish(CallUnparked(waiting.connection.call.id, by, waiting.slot))

    # -- the end of it -----------------------------------------------------------------------------------------

    async def _retrieve(self, connection: Connection, by: Party, waiting: Waiting) -> None:
        """Let a device talk to who waits; the first to ask gets him."""
        parked = waiting.connection
        if waiting.is_promised or self.waiting.get(waiting.slot) is not waiting:
            connection.refuse(Refusal("park.no_call"))
            return
        waiting.is_promised = True
        connection.go_into(parked.call)  # before it has a stream, which has to be where theirs is
        try:
            connection.renegotiation.follow(parked.wanted)
            codec = parked.agreed.codec if parked.agreed is not None else None
            is_answered = await connection.answer(codec=codec)
        finally:
            waiting.is_promised = False
        if not is_answered:
            return
        if self.waiting.get(waiting.slot) is not waiting:
            connection.hang_up()
            return
        ours, theirs = connection.stream, parked.stream
        if ours is not None and theirs is not None and not ours.reaches(theirs):
            connection.refuse(Refusal("media.apart"))
            return
        self.free(waiting, by.number)
        Bridge(connection, parked).begin()
        if waiting.recall is not None:
            waiting.recall.leg_is_over()

    def _begin_recall(self, waiting: Waiting) -> None:
        waiting.timer = None
        waiting.recall = self._works.start(self._recall(waiting), waiting.connection)
        waiting.connection.work = waiting.recall

    async def _recall(self, waiting: Waiting) -> None:
        """Ring whoever parked the call; if nobody takes it, it waits on, but not for ever."""
        switch, parked = self._switch, waiting.connection
        party = switch.transfers.party_of(parked)
        route = switch.router.route(party, waiting.by.number, forwarded=True)
        found = await self._dialler.find(parked, route, Errand(party))
        match found:
            case Taken(connection):
                self.free(waiting, connection.device)
                Bridge(parked, connection).begin()
                return
            case Reached(answer):
                leases = switch.lease_missing(parked, answer.occupies)
                if not isinstance(leases, Refusal):
                    parked.leases.occupy(leases)
                    self.free(waiting, waiting.by.number)
                    switch.run(parked, answer.behaviour, party)
                    return
                refusal = leases
            case NotTaken(refusal):
                pass
            case Final():
                refusal = Refusal("call.rejected")
        waiting.recalls += 1
        if waiting.recalls >= MOST_RECALLS:
            parked.refuse(refusal)
        else:
            self._let_wait(waiting)


class Parked:
    """Listens to whoever waits in a slot."""

    def __init__(self, parkings: Parkings, waiting: Waiting) -> None:
        self._parkings = parkings
        self._waiting = waiting

    def on_progress(self, connection: Connection, status: int) -> None:
        """Nothing rings for him but in a recall, which has its own listener."""

    def on_answered(self, connection: Connection) -> None:
        """His ACK came."""

    def on_direction(self, connection: Connection) -> None:
        """He holds, or speaks again: there is nobody to tell."""

    def on_digit(self, connection: Connection, digit: str) -> None:
        """Nobody listens."""

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """Whoever occupies a channel and has fallen silent holds it no longer."""
        if isinstance(event, StreamLost):
            connection.refuse(Refusal("media.lost"))

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """He has given up."""
        self._parkings.free(self._waiting, None)
