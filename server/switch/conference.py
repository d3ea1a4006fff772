"""Conferences: a user joins two calls of his, one held and one not, and all in them talk with one another.

Whoever joins them needs one leg from then on: the held one ends. See docs/decisions/0030-conference.md.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...channels.media.plane import DigitHeard, StreamLost
from ...licensing.refusal import Refusal
from ..sip.sdp import Direction
from .bridge import Bridge
from .connection_state import ConnectionState
from .events import CallConferenced
from .party import party_of
from .pressed_keys import PressedKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ...channels.media.plane import MediaEvent
    from ..sip.message import Response
    from ..site.administration import Administration
    from .call import Call
    from .connection import Connection
    from .switch import Switch
    from .work import Works

MOST_PARTIES = 8
"""So many telephones talk with one another at most, whoever joined them included."""


class Conference:
    """Listens to all from now on; `begin` lets them hear one another. The last two have an ordinary bridge again."""

    def __init__(self, parties: Sequence[Connection]) -> None:
        self._parties = list(parties)
        self._keys = {party: PressedKeys() for party in parties}
        for party in self._parties:
            party.listener = self

    def begin(self) -> None:
        """Mix the streams; whoever was held is held no longer."""
        for party in self._parties:
            party.go_quiet()
        first, *others = [party.stream for party in self._parties if party.stream is not None]
        for stream in others:
            stream.mix(first)
        for party in self._parties:
            party.renegotiation.follow(Direction.SENDRECV)
            party.watch()

    def others(self, connection: Connection) -> list[Connection]:
        """Return with whom a connection talks."""
        return [party for party in self._parties if party is not connection]

    def on_progress(self, connection: Connection, status: int) -> None:
        """Nothing rings any more."""

    def on_answered(self, connection: Connection) -> None:
        """The caller's ACK came, perhaps with his answer; the stream goes by it."""

    def on_direction(self, connection: Connection) -> None:
        """Who holds is out of the mix, which the plane knows by itself; the others talk on."""

    def on_digit(self, connection: Connection, digit: str) -> None:
        """A digit by INFO is heard by all others as one of RFC 4733, or as a tone."""
        self._press(connection, digit, by_info=True)

    def _press(self, connection: Connection, digit: str, *, by_info: bool) -> None:
        """Let the others have a digit: in the mix there is nothing of it."""
        if self._keys[connection].is_new(digit, asyncio.get_running_loop().time(), by_info=by_info):
            for party in self.others(connection):
                if party.stream is not None:
                    party.stream.send_digits(digit)

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """Digits and silence."""
        match event:
            case DigitHeard(digit):
                self._press(connection, digit, by_info=False)
            case StreamLost():
                connection.refuse(Refusal("media.lost"))
            case _:
                pass

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """Whoever it was, the others talk on."""
        self._parties.remove(connection)
        if len(self._parties) == 2:
            Bridge(*self._parties).begin()


class Conferences:
    """Those of one switch."""

    def __init__(self, switch: Switch, administration: Administration, works: Works) -> None:
        self._switch = switch
        self._administration = administration
        self._works = works

    def join_calls(self, one: Call, other: Call) -> Call | Refusal:
        """Join two calls in which the same user takes part, as `join` does."""
        pairs = [(mine, his) for mine in one.connections for his in other.connections]
        own = [pair for pair in pairs if self._are_of_one_user(*pair)]
        refusal = Refusal("conference.other_user")
        for pair in own:
            joined = self.join(*pair)
            if not isinstance(joined, Refusal):
                return joined
            refusal = joined
        return refusal

    def join(self, one: Connection, other: Connection) -> Call | Refusal:
        """Join the calls of two connections of one user, one held and one not; the held connection ends.

        Returns the call that all are in then: that of a conference if there is one, else the held one. The other
        one ends.
        """
        if not self._are_of_one_user(one, other):
            return Refusal("conference.other_user")
        held, active = (one, other) if one.state is ConnectionState.HOLD else (other, one)
        if held.state is not ConnectionState.HOLD or active.state is not ConnectionState.CONNECTED:
            return Refusal("conference.not_two_calls")
        return self.bring_together(held, active)

    def by_code(self, connection: Connection) -> None:
        """Let a device that has dialled the code talk with all whom it holds; the legs that hold them end."""
        held = held_by(connection.device, self._switch.connections.values())
        size = 1 + sum(len(others_of(one)) for one in held)
        if len(held) < 2 or not isinstance(held[-1].listener, Bridge):
            connection.refuse(Refusal("conference.not_two_calls"))
        elif size > MOST_PARTIES:
            connection.refuse(Refusal("conference.full", facts={"limit": MOST_PARTIES}))
        else:
            connection.work = self._works.start(self._gather(connection, held[-1].listener, held), connection)

    async def _gather(self, connection: Connection, bridge: Bridge, held: list[Connection]) -> None:
        """Take the place of the last leg, then join the others; what has changed meanwhile stays as it is."""
        *further, last = held
        other = bridge.other(last)
        connection.renegotiation.follow(other.wanted)
        codec = other.agreed.codec if other.agreed is not None else None
        if not await connection.answer(codec=codec):
            return
        if last.is_over or last.listener is not bridge:
            connection.refuse(Refusal("conference.not_two_calls"))
            return
        ours, theirs = connection.stream, other.stream
        if ours is not None and theirs is not None and not ours.reaches(theirs):
            connection.refuse(Refusal("media.apart"))
            return
        connection.go_into(last.call)
        Bridge(connection, other).begin()
        last.listener = None
        last.hang_up()
        for one in further:
            self.bring_together(one, connection)

    def by_referral(self, connection: Connection, tell: Callable[[], None]) -> Call | Refusal:
        """Join the call in which a device asks for it with its conference, or else with the call that it holds.

        `tell` lets the device know, as long as it has its legs.
        """
        own = [one for one in self._switch.connections.values() if one.device == connection.device]
        conferring = [one for one in own if isinstance(one.listener, Conference)]
        if conferring:
            return self.bring_together(connection, conferring[0], tell)
        held = [one for one in held_by(connection.device, own) if one is not connection]
        return (
            self.bring_together(held[-1], connection, tell) if held else Refusal("conference.not_two_calls")
        )

    def bring_together(
        self, leaving: Connection, staying: Connection, tell: Callable[[], None] = lambda: None
    ) -> Call | Refusal:
        """Let all with whom two connections of one user talk hear one another, and the one that stays; see `join`."""
        met = others_of(leaving), others_of(staying)
        guests = [*met[0], *met[1]]
        if not all(met) or leaving.is_over or not all(one.is_answered for one in guests):
            return Refusal("conference.not_two_calls")
        parties = [staying, *guests]
        if len(parties) > MOST_PARTIES:
            return Refusal("conference.full", facts={"limit": MOST_PARTIES})
        first, *rest = [party.stream for party in parties if party.stream is not None]
        if not all(first.reaches(stream) for stream in rest):
            return Refusal("media.apart")
        kept, joined = leaving.call, staying.call
        if isinstance(staying.listener, Conference):
            kept, joined = joined, kept
        for party in parties:
            if party.call is not kept:
                kept.adopt(party)
        by, devices = self._number_of(staying), tuple(party.device for party in parties)
        self._switch.stream.publish(CallConferenced(kept.id, by, devices, joined.id))
        Conference(parties).begin()
        tell()
        leaving.listener = None
        leaving.hang_up()
        joined.end_if_deserted()
        return kept

    def _are_of_one_user(self, one: Connection, other: Connection) -> bool:
        users = {party_of(connection, self._administration.directory).user for connection in (one, other)}
        return one.call is not other.call and len(users) == 1 and None not in users

    def _number_of(self, connection: Connection) -> str:
        return party_of(connection, self._administration.directory).number


def others_of(connection: Connection) -> list[Connection]:
    """Return whom a connection talks to; nobody while a behaviour talks to it, or it is being transferred."""
    listener = connection.listener
    return listener.others(connection) if isinstance(listener, Bridge | Conference) else []


def held_by(device: str, connections: Iterable[Connection]) -> list[Connection]:
    """Return the connections by which a device holds others, those in conferences before those in calls of two."""
    held = [
        one
        for one in connections
        if one.device == device and one.state is ConnectionState.HOLD and others_of(one)
    ]
    return sorted(held, key=lambda one: isinstance(one.listener, Bridge))
