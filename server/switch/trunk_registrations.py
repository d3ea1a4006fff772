"""The registrations of trunks whose far end wants one (`register = true`), from the server's start to its end."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from ..sip.authorize import Authorizer
from ..sip.flow import address_of
from ..sip.registration import Registered, Registration, Unregistered
from ..sip.uri import SipUri
from .events import TrunkRegistered, TrunkUnregistered

if TYPE_CHECKING:
    from random import Random

    from ..clock import Clock
    from ..net.stack import SipStack
    from ..site.site import Trunk
    from .stream import EventStream

PATIENCE_S: Final = 2.0
"""How long the end of the server waits for the far ends to answer."""


class TrunkRegistrations:
    """One for each trunk that wants it."""

    def __init__(self, stack: SipStack, stream: EventStream, clock: Clock, random: Random) -> None:
        self._stack = stack
        self._stream = stream
        self._clock = clock
        self._random = random
        self._registrations: dict[str, Registration] = {}

    @property
    def registered(self) -> dict[str, bool]:
        """Whether each trunk is registered now, by its name."""
        return {name: one.is_registered for name, one in self._registrations.items()}

    def start(self, trunks: tuple[Trunk, ...]) -> None:
        """Register each trunk that wants it; the SIP stack must have started."""
        for trunk in trunks:
            destination = address_of(trunk.uri or "")
            if not trunk.register or trunk.username is None or trunk.password is None or destination is None:
                continue
            registration = self._registrations[trunk.name] = Registration(
                self._stack.agent,
                SipUri.parse(trunk.uri or ""),
                destination,
                account=trunk.username,
                authorize=Authorizer(trunk.username, trunk.password, self._random, trunk.realm),
                random=self._random,
                told=partial(self._tell, trunk.name),
            )
            registration.start(self._clock.now())
        self._stack.flush()

    async def stop(self) -> None:
        """Take them back; a far end that does not answer is not waited for long."""
        leaving = any(self.registered.values())
        for registration in self._registrations.values():
            registration.stop(self._clock.now())
        self._stack.flush()
        if leaving:
            with suppress(TimeoutError):
                await self._stream.until(lambda: not any(self.registered.values()), PATIENCE_S)

    def _tell(self, trunk: str, change: Registered | Unregistered) -> None:
        match change:
            case Registered(expires_s):
                self._stream.publish(TrunkRegistered(trunk, expires_s))
            case Unregistered(status):
                self._stream.publish(TrunkUnregistered(trunk, status))
