"""A call for which no channel is free: refused as the site answers at its limit, or sent elsewhere (W-10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt
from ...features.responses.policy import response_to
from ...features.responses.profiles import BUSY
from ...features.route import Overflow
from .dialler import Errand, Reached
from .ringing import NotTaken
from .session import SwitchSession

if TYPE_CHECKING:
    from ...channels.session import Party
    from ...features.responses.settings import Response
    from ...licensing.refusal import Refusal
    from ..site.administration import Administration
    from .connection import Connection
    from .switch import Switch
    from .work import Works

ALL_BUSY = Prompt("no_channel")


class Denials:
    """Refuses channels for one switch."""

    def __init__(self, switch: Switch, administration: Administration, works: Works) -> None:
        self._switch = switch
        self._administration = administration
        self._works = works

    def response_to(self, refusal: Refusal, caller: Party) -> Response | None:
        """Return how the site answers at the limit of a pool; None for another refusal."""
        responses = self._administration.directory.site.responses
        return response_to(refusal, caller, responses.profile, responses.by_pool)

    def deny(self, connection: Connection, refusal: Refusal, reached: Reached) -> None:
        """Let a caller know that what he has reached has no channel for him, or send him where such calls go."""
        response = self.response_to(refusal, connection.call.caller)
        match reached.route.overflow:
            case Overflow(number=str(number)):
                connection.work = self._works.start(self._forward(connection, refusal, number), connection)
            case Overflow():
                connection.refuse(refusal, reached.first_cause, BUSY)
            case None if response is not None and response.announces:
                connection.work = self._works.start(self._announce(connection, refusal, reached), connection)
            case None:
                connection.refuse(refusal, reached.first_cause)

    async def _announce(self, connection: Connection, refusal: Refusal, reached: Reached) -> None:
        """Say it before the call is refused; who cannot hear it yet is refused at once."""
        if await connection.alerting.speak():
            await SwitchSession(self._switch, connection, connection.call.caller).play(ALL_BUSY)
        connection.refuse(refusal, reached.first_cause)

    async def _forward(self, connection: Connection, refusal: Refusal, number: str) -> None:
        """Send the call to `number`, as a forwarding would; from there it goes to no further overflow."""
        switch, caller = self._switch, connection.call.caller
        switch.decisions.mint(
            refusal,
            f"call from {caller.number} to {connection.call.called}, which went on to {number}",
            call_id=connection.call.id,
            user=caller.user,
        )
        if not await connection.alerting.prepare():
            return
        found = await switch.find(connection, number, Errand(caller, outside=True))
        match found:
            case Reached(route, first_cause):
                found = Reached(replace(route, overflow=None), first_cause or refusal)
            case NotTaken(why, first_cause):
                found = NotTaken(why, first_cause or refusal)
            case _:
                pass
        await switch.conclude(connection, found)
