"""INVITE with Replaces (RFC 3891 section 3): a device comes into a call in the place of another one.

Of a call that stands only another device of the same user takes that place; one that rings may be picked up by every
account of the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..sip.sdp import SdpError
from .bridge import Bridge
from .events import CallPickedUp
from .party import party_of
from .pickup import Pickups, ringing_of
from .transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from ...channels.session import Party
    from ..sip.leg import Leg
    from ..sip.refer import Replaces
    from ..site.administration import Administration
    from .connection import Connection
    from .ringing import Ringing
    from .switch import Switch
    from .work import Works

GONE, BUSY = 481, 486


class Replacements:
    """Those of one switch."""

    def __init__(self, switch: Switch, administration: Administration, works: Works, random: Random) -> None:
        self._switch = switch
        self._administration = administration
        self._works = works
        self.pickups = Pickups(switch, random)

    def take(self, leg: Leg, caller: Party, replaces: Replaces, offer: bytes) -> None:
        """Take an INVITE with Replaces; what may not be replaced is not there (481)."""
        named = self.pickups.named(replaces.dialog.call_id)
        replaced = named or self._switch.transfers.connection_of(replaces)
        ringing = ringing_of(replaced) if replaced is not None else None
        now = self._switch.clock.now()
        if replaced is None or caller.user is None:
            leg.refuse(GONE, now)
        elif ringing is not None:
            self._pick_up(leg, caller, replaced, ringing, offer)
        elif replaced.is_answered and (replaces.early_only or named is not None):
            leg.refuse(BUSY, now)
        elif (bridge := self._bridge_of(replaced, caller)) is not None:
            connection = self._arrive(leg, caller, replaced, offer)
            if connection is not None:
                work = self._take_place(connection, replaced, bridge)
                connection.work = self._works.start(work, connection)
        else:
            leg.refuse(GONE, now)

    def _bridge_of(self, replaced: Connection, caller: Party) -> Bridge | None:
        """Return the bridge in which a device of the same user talks."""
        bridge = replaced.listener
        if not replaced.is_answered or not isinstance(bridge, Bridge) or isinstance(bridge, Transfer):
            return None
        return bridge if party_of(replaced, self._administration.directory).user == caller.user else None

    def _arrive(self, leg: Leg, caller: Party, replaced: Connection, offer: bytes) -> Connection | None:
        """Let a device into the call; None for one that has to be refused, and is."""
        switch = self._switch
        connection = switch.new_connection(replaced.call, caller.number, incoming=True)
        connection.party = caller
        connection.begin(leg)
        refusal = switch.router.refuses_caller(caller, replaced.call.called)
        try:
            connection.take_offer(offer)
        except SdpError as error:
            refusal = Refusal(error.reason)
        if refusal is not None:
            connection.refuse(refusal)
            return None
        return connection

    def _pick_up(self, leg: Leg, caller: Party, replaced: Connection, ringing: Ringing, offer: bytes) -> None:
        """Give a call that rings to who picks it up; what the device occupied (L-72) is his now."""
        connection = self._arrive(leg, caller, replaced, offer)
        if connection is None:
            return
        self._give(connection, caller, replaced, ringing)

    def pick_up_one(self, connection: Connection, by: Party, users: Collection[str]) -> None:
        """Give a device that has dialled a code the call that rings longest at one of `users`, if one does."""
        for replaced in self._switch.connections.values():
            ringing = ringing_of(replaced)
            user = party_of(replaced, self._administration.directory).user
            if (
                ringing is None
                or user not in users
                or by.number in (replaced.device, replaced.call.caller.number)
            ):
                continue
            connection.go_into(replaced.call)
            self._give(connection, by, replaced, ringing)
            return
        connection.refuse(Refusal("pickup.nothing_rings"))

    def _give(self, connection: Connection, by: Party, replaced: Connection, ringing: Ringing) -> None:
        switch, occupied = self._switch, tuple(lease.pool.key for lease in replaced.leases)
        ringing.pick_up(connection)
        switch.stream.publish(CallPickedUp(connection.call.id, by.number, replaced.device))
        leases = switch.pools.take(occupied, connection, switch.clock.now())
        if isinstance(leases, Refusal):
            connection.refuse(leases)
        else:
            connection.leases.occupy(leases)

    @staticmethod
    async def _take_place(connection: Connection, replaced: Connection, bridge: Bridge) -> None:
        other = bridge.other(replaced)
        codec = other.agreed.codec if other.agreed is not None else None
        connection.renegotiation.follow(other.wanted)
        if not await connection.answer(codec=codec):
            return
        if replaced.is_over or replaced.listener is not bridge or other.listener is not bridge:
            connection.hang_up()
            return
        Bridge(connection, other).begin()
        replaced.listener = None
        replaced.hang_up()
