"""A user takes his own call along: to the telephone at which he dials the code, or to one that is rung for it.

The far end keeps its leg and its stream; it gets a re-INVITE where its media have to be others, and else nothing.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from .bridge import Bridge
from .connection_state import ConnectionState
from .events import CallPulled
from .party import party_of
from .ringing import ELSEWHERE, Taken
from .transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...channels.session import Party
    from ...features.route import Ring
    from ..site.administration import Administration
    from .call import Call
    from .connection import Connection
    from .dialler import Dialler
    from .switch import Switch
    from .work import Works

NOTHING = Refusal("pull.nothing")
RINGS_S = 30.0


class Pulls:
    """Those of one switch; the function `one_number` is asked for."""

    def __init__(
        self, switch: Switch, administration: Administration, dialler: Dialler, works: Works
    ) -> None:
        self._switch = switch
        self._administration = administration
        self._dialler = dialler
        self._works = works

    def take(self, connection: Connection, by: Party) -> None:
        """Give the user's call to the device that has dialled the code."""
        refusal = self._refuses(by.user)
        own = None if refusal is not None else self._call_of(by.user, self._switch.connections.values())
        if own is None:
            connection.refuse(refusal or NOTHING)
            return
        dialled = connection.call
        own.call.adopt(connection)
        dialled.end_if_deserted()
        connection.work = self._works.start(self._arrive(connection, own), connection)

    async def _arrive(self, connection: Connection, own: Connection) -> None:
        bridge = _bridge_of(own)
        if bridge is None:
            connection.refuse(NOTHING)
            return
        other = bridge.other(own)
        connection.renegotiation.follow(other.wanted)
        if await connection.answer(codec=other.agreed.codec if other.agreed is not None else None):
            refusal = self._replace(own, connection, bridge)
            if refusal is not None:
                connection.refuse(refusal)

    async def fetch(self, call: Call, to: str) -> Refusal | None:
        """Let the call of a user who talks in it go on at `to`, an account or a number of his; returns why not."""
        found = self._found(call, to)
        if found is None:
            return NOTHING
        own, bridge, route = found
        refusal = route if isinstance(route, Refusal) else self._refuses(route.user)
        if isinstance(route, Refusal) or refusal is not None:
            return refusal
        other = bridge.other(own)
        outcome: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        other.work = self._works.start(self._fetch(route, own, bridge, outcome), other)
        other.work.when_done(partial(_settle, outcome, NOTHING))
        return await outcome

    async def _fetch(
        self, route: Ring, own: Connection, bridge: Bridge, outcome: asyncio.Future[Refusal | None]
    ) -> None:
        """Ring until it is taken, or the far end is gone, which ends this task."""
        found = await self._dialler.bring(route, bridge.other(own), RINGS_S)
        if not isinstance(found, Taken):
            _settle(outcome, found.refusal)
            return
        found.connection.renegotiation.follow(bridge.other(own).wanted)
        refusal = self._replace(own, found.connection, bridge)
        if refusal is not None:
            found.connection.refuse(refusal)
        _settle(outcome, refusal)

    def _replace(self, own: Connection, new: Connection, bridge: Bridge) -> Refusal | None:
        """Let the new device talk in the place of the other one; says why that cannot be."""
        other = bridge.other(own)
        if new.is_over or own.listener is not bridge or other.listener is not bridge:
            return NOTHING
        if new.stream is not None and other.stream is not None and not new.stream.reaches(other.stream):
            return Refusal("media.apart")
        Bridge(new, other).begin()
        own.listener = None
        own.hang_up(headers=ELSEWHERE)
        self._switch.stream.publish(CallPulled(new.call.id, new.device, own.device))
        return None

    def _refuses(self, user: str | None) -> Refusal | None:
        if user is None:
            return NOTHING
        answer = self._administration.gate.may(user, "one_number")
        return answer if isinstance(answer, Refusal) else None

    def _found(self, call: Call, to: str) -> tuple[Connection, Bridge, Ring | Refusal] | None:
        """Find who talks in a call and has a telephone `to` beside the one at which he does."""
        directory = self._administration.directory
        for own in reversed(call.connections):
            user, bridge = directory.by_name(party_of(own, directory).user or ""), _bridge_of(own)
            if user is not None and bridge is not None and own.device != to:
                route = self._switch.router.one_device(user, to)
                if route is not None:
                    return own, bridge, route
        return None

    def _call_of(self, user: str | None, among: Iterable[Connection]) -> Connection | None:
        """Return where a user talks: an active call before one that is held, and the latest of these."""
        directory = self._administration.directory
        own = [one for one in among if _bridge_of(one) is not None and party_of(one, directory).user == user]
        active = [one for one in own if one.state is ConnectionState.CONNECTED]
        return next(reversed(active or own), None)


def _settle(outcome: asyncio.Future[Refusal | None], refusal: Refusal | None) -> None:
    """Tell how it went, for the first time; who asked may be gone."""
    if not outcome.done():
        outcome.set_result(refusal)


def _bridge_of(connection: Connection) -> Bridge | None:
    """Return the bridge in which a device talks to somebody; a transfer under way is none."""
    bridge = connection.listener
    if not connection.is_answered or not isinstance(bridge, Bridge) or isinstance(bridge, Transfer):
        return None
    return bridge
