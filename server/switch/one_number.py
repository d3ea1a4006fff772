"""Several telephones of a user that ring in an order: what comes later joins the ringing of the first ones.

The first to answer has the call, whichever it is. A mobile softphone that sleeps is woken by an event, which a webhook
carries; see docs/decisions/0042-softphone-mobile.md and 0043-one-number.md.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ...channels.session import Party
from ...features.one_number.confirming import confirm
from ...features.route import Leave
from .events import MobileWoken
from .ringing import Ringing, Taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.session import Session
    from ...features.route import Also, Ring
    from .call import Call
    from .connection import Connection
    from .dialler import Dialler
    from .invitation import Device, Invitation
    from .ringing import NotTaken
    from .switch import Switch


class Gathering:
    """The ringing of one call for one user; `caller` None hears nothing of it.

    `invitation` is for telephones of the house, `outside` makes the others.
    """

    def __init__(
        self,
        switch: Switch,
        dialler: Dialler,
        call: Call,
        caller: Connection | None,
        invitation: Invitation,
        *,
        outside: Callable[[Leave], Invitation],
    ) -> None:
        self._switch = switch
        self._dialler = dialler
        self._call = call
        self._caller = caller
        self._invitation = invitation
        self._outside = outside
        self._rung: dict[Connection, Device] = {}

    async def ring(self, route: Ring, timeout_s: float) -> Taken | NotTaken:
        """Ring until one answers, all have refused, or the time is over."""
        ringing = Ringing(self._caller, awaited=len(route.also))
        with ringing:
            for device in self._dialler.devices(*route.accounts):
                await self._add(device, self._invitation, ringing)
            async with asyncio.TaskGroup() as group:
                joining = [group.create_task(self._join(route, one, ringing)) for one in route.also]
                outcome = await ringing.outcome(timeout_s)
                for one in joining:
                    one.cancel()
        if isinstance(outcome, Taken) or outcome.refusal.reason != "media.incompatible":
            return outcome
        return await self._ring_otherwise(ringing, outcome, timeout_s)

    async def _ring_otherwise(
        self, ringing: Ringing, outcome: NotTaken, timeout_s: float
    ) -> Taken | NotTaken:
        """Ring telephones of the house that refused to be offered keys, or to be offered none, the other way."""
        refused = [self._rung[one] for one in ringing.incompatible if one in self._rung]
        again = [one for one in refused if self._switch.encryption.turn(one.peer, *one.others)]
        if not again:
            return outcome
        anew = Ringing(self._caller)
        taken, _ = await self._dialler.ring_together(self._call, again, self._invitation, anew, timeout_s)
        return taken

    async def _add(self, device: Device, invitation: Invitation, ringing: Ringing) -> Connection | None:
        """Let one device ring."""
        connection = await self._dialler.add(self._call, device, invitation, ringing)
        if connection is not None and invitation is self._invitation:
            self._rung[connection] = device
        return connection

    async def _join(self, route: Ring, also: Also, ringing: Ringing) -> None:
        """Let one more ring, when it is its turn."""
        try:
            if also.after_s:
                with suppress(TimeoutError):
                    async with asyncio.timeout(also.after_s):
                        await ringing.is_silent.wait()
            if isinstance(also.target, Leave):
                invitation, devices = self._outside(also.target), await self._dialler.far_end(also.target)
            else:
                if also.wake_s is not None:
                    await self._wake(route.user, also.target, also.wake_s)
                invitation, devices = self._invitation, self._dialler.devices(also.target)
            for device in devices:
                connection = await self._add(device, invitation, ringing)
                if connection is not None and isinstance(also.target, Leave):
                    number, trunk = also.target.number, also.target.trunk
                    connection.party = Party(number, user=route.user, trunk=trunk)
                    ask = partial(self._ask, ringing, also.target, also.confirm) if also.confirm else None
                    ringing.leave(connection, ask)
        finally:
            ringing.has_come()

    async def _wake(self, user: str, account: str, wait_s: float) -> None:
        """Have a mobile softphone woken, and wait until it has registered; the caller hears it ringing meanwhile."""
        if self._dialler.devices(account):
            return
        caller = self._call.caller
        name = "" if caller.private else caller.name
        self._switch.stream.publish(MobileWoken(self._call.id, user, account, caller.shown, name))
        if self._caller is not None:
            self._caller.alerting.ring()
        with suppress(TimeoutError):
            await self._switch.stream.until(lambda: bool(self._dialler.devices(account)), wait_s)

    def _ask(self, ringing: Ringing, number: Leave, digit: str, connection: Connection) -> None:
        """Ask whoever has answered at a number outside to press a digit."""

        async def ask(session: Session) -> None:
            pressed = False
            try:
                pressed = await confirm(session, digit)
            finally:
                ringing.confirm(connection, pressed=pressed)

        self._switch.run(connection, ask, Party(number.number, trunk=number.trunk))
