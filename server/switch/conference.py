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
    from collections.abc import Sequence

    from ...channels.media.plane import MediaEvent
    from ..sip.message import Response
    from ..site.administration import Administration
    from .call import Call
    from .connection import Connection
    from .stream import EventStream

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

    def __init__(self, administration: Administration, stream: EventStream) -> None:
        self._administration = administration
        self._stream = stream

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
        guests = [*_others(held), *_others(active)]
        if not self._may_be_joined(held, active):
            return Refusal("conference.not_two_calls")
        parties = [active, *guests]
        if len(parties) > MOST_PARTIES:
            return Refusal("conference.full", facts={"limit": MOST_PARTIES})
        first, *rest = [party.stream for party in parties if party.stream is not None]
        if not all(first.reaches(stream) for stream in rest):
            return Refusal("media.apart")
        kept, joined = held.call, active.call
        if isinstance(active.listener, Conference):
            kept, joined = joined, kept
        for party in parties:
            if party.call is not kept:
                kept.adopt(party)
        by, devices = self._number_of(active), tuple(party.device for party in parties)
        self._stream.publish(CallConferenced(kept.id, by, devices, joined.id))
        Conference(parties).begin()
        held.listener = None
        held.hang_up()
        joined.end_if_deserted()
        return kept

    @staticmethod
    def _may_be_joined(held: Connection, active: Connection) -> bool:
        states = held.state is ConnectionState.HOLD and active.state is ConnectionState.CONNECTED
        talk_to = [_others(held), _others(active)]
        return states and all(talk_to) and all(one.is_answered for guests in talk_to for one in guests)

    def _are_of_one_user(self, one: Connection, other: Connection) -> bool:
        users = {party_of(connection, self._administration.directory).user for connection in (one, other)}
        return one.call is not other.call and len(users) == 1 and None not in users

    def _number_of(self, connection: Connection) -> str:
        return party_of(connection, self._administration.directory).number


def _others(connection: Connection) -> list[Connection]:
    """Return whom a connection talks to; nobody while a behaviour talks to it, or it is being transferred."""
    listener = connection.listener
    return listener.others(connection) if isinstance(listener, Bridge | Conference) else []
