"""The registrations of trunks whose far end wants one (`register = true`), from the server's start to its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from ..sip.authorize import Authorizer
from ..sip.locating import NotLocatedError
from ..sip.registration import Registered, Registration, Unregistered
from ..sip.uri import SipUri
from .events import TrunkRegistered, TrunkUnregistered

if TYPE_CHECKING:
    from random import Random

    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.locating import Locator
    from ..site.site import Trunk
    from .stream import EventStream

log = structlog.get_logger()

PATIENCE_S: Final = 2.0
"""How long the end of the server waits for the far ends to answer."""


class TrunkRegistrations:
    """One for each trunk that wants it."""

    def __init__(
        self, stack: SipStack, stream: EventStream, clock: Clock, random: Random, locator: Locator
    ) -> None:
        self._locator = locator
        self._locating: set[asyncio.Task[None]] = set()
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
            if not trunk.register or trunk.uri is None or trunk.username is None or trunk.password is None:
                continue
            self._registrations[trunk.name] = Registration(
                self._stack.agent,
                SipUri.parse(trunk.uri),
                (),
                account=trunk.username,
                authorize=Authorizer(trunk.username, trunk.password, self._random, trunk.realm),
                random=self._random,
                told=partial(self._tell, trunk.name),
                seek=partial(self._seek, trunk),
            )
            self._seek(trunk)

    async def stop(self) -> None:
        """Take them back; a far end that does not answer is not waited for long."""
        for task in self._locating:
            task.cancel()
        leaving = any(self.registered.values())
        for registration in self._registrations.values():
            registration.stop(self._clock.now())
        self._stack.flush()
        if leaving:
            with suppress(TimeoutError):
                await self._stream.until(lambda: not any(self.registered.values()), PATIENCE_S)

    def _seek(self, trunk: Trunk, _: float = 0.0) -> None:
        """Register at a trunk's far end, wherever that is found by now."""
        task = asyncio.get_running_loop().create_task(self._register(trunk))
        self._locating.add(task)
        task.add_done_callback(self._locating.discard)

    async def _register(self, trunk: Trunk) -> None:
        registration = self._registrations[trunk.name]
        try:
            registration.move(await self._locator.locate(trunk.uri or ""))
        except NotLocatedError as error:
            log.warning("trunk.not_located", trunk=trunk.name, error=str(error))
        registration.start(self._clock.now())
        self._stack.flush()

    def _tell(self, trunk: str, change: Registered | Unregistered) -> None:
        match change:
            case Registered(expires_s):
                self._stream.publish(TrunkRegistered(trunk, expires_s))
            case Unregistered(status):
                self._stream.publish(TrunkUnregistered(trunk, status))
