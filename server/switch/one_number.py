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
from .ringing import Ringing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.session import Session
    from ...features.route import Also, Ring
    from .connection import Connection
    from .dialler import Dialler, Invitation
    from .ringing import NotTaken, Taken
    from .switch import Switch


class Gathering:
    """The ringing of one call for one user; `invitation` is for telephones of the house, `outside` makes the others."""

    def __init__(
        self,
        switch: Switch,
        dialler: Dialler,
        caller: Connection,
        invitation: Invitation,
        *,
        outside: Callable[[Leave], Invitation],
    ) -> None:
        self._switch = switch
        self._dialler = dialler
        self._call = caller.call
        self._caller = caller
        self._invitation = invitation
        self._outside = outside

    async def ring(self, route: Ring, timeout_s: float) -> Taken | NotTaken:
        """Ring until one answers, all have refused, or the time is over."""
        ringing = Ringing(self._caller, awaited=len(route.also))
        with ringing:
            for device in self._dialler.devices(*route.accounts):
                await self._dialler.add(self._call, device, self._invitation, ringing)
            async with asyncio.TaskGroup() as group:
                joining = [group.create_task(self._join(route, one, ringing)) for one in route.also]
                outcome = await ringing.outcome(timeout_s)
                for one in joining:
                    one.cancel()
        return outcome

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
                connection = await self._dialler.add(self._call, device, invitation, ringing)
                if connection is not None and isinstance(also.target, Leave):
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
