"""The stage: a running server, its cast, and the telephones of a demonstration.

Scenes ask it for telephones and wait with it for what happens in the server; nothing here sleeps.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ..app import Pbx
from ..phones.phone import Account, Phone
from ..site.peer import Peer
from .cast import Cast, CastError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ..app import Options
    from ..phones.call import PhoneCall
    from ..site.site import Site, User
    from ..switch.events import MessageLeft, MessageRead

PATIENCE_S = 10.0
OUTSIDE = "+4916090000"


class SceneError(Exception):
    """A scene cannot go on; the sentence says why."""


class Company:
    """One server with a cast. `start` gives one, `stop` ends it."""

    def __init__(self, pbx: Pbx, cast: Cast) -> None:
        self.pbx = pbx
        self.cast = cast
        self._phones: list[Phone] = []
        self._registered: list[Phone] = []
        self._outside = 0

    @classmethod
    async def start(cls, site: Site, options: Options) -> Company:
        """Start a server and choose the cast; raises `CastError`, and what `Pbx.start` raises."""
        pbx = await Pbx.start(site, options)
        try:
            return cls(pbx, Cast.choose(pbx.administration))
        except CastError:
            await pbx.stop()
            raise

    async def send_home(self) -> None:
        """Take the registrations of all phones back and switch them off."""
        for phone in self._registered:
            await phone.register(expires_s=0)
        for phone in self._phones:
            await phone.stop()
        self._phones, self._registered = [], []

    async def stop(self) -> None:
        """End the server; a phone that is still there just goes silent."""
        for phone in self._phones:
            await phone.stop()
        await self.pbx.stop()

    # -- telephones --------------------------------------------------------------------------------------------

    async def softphone(self, user: User, *, register: bool = True) -> Phone:
        """Return the softphone of a user; with `register` False it does not try to register yet."""
        return await self._inside(user.name, user, register=register)

    async def desk_phone(self, user: User) -> Phone:
        """Return the registered desk phone of a user."""
        return await self._inside(user.extension, user, register=True)

    async def outside(self) -> Phone:
        """Return the telephone of somebody outside, who calls by the trunk and has a number of his own."""
        peer = Peer.parse(self.cast.trunk.peers[0])
        if peer.host is None:
            raise SceneError(f"the first peer of the trunk {self.cast.trunk.name} is no address")
        self._outside += 1
        return await self._phone(f"{OUTSIDE}{self._outside:03}", None, peer.host, peer.port or 0)

    def number_from_outside(self, number: str) -> str:
        """Return what somebody outside dials for an inside number."""
        return self.cast.trunk.numbers + number

    async def _inside(self, account: str, user: User, *, register: bool) -> Phone:
        phone = await self._phone(account, user.password, self.pbx.options.host, 0)
        if register:
            answer = await phone.register()
            if answer.status != 200:
                raise SceneError(f"the phone of {account} was not registered: {answer.status}")
            self._registered.append(phone)
        return phone

    async def _phone(self, account: str, password: str | None, host: str, port: int) -> Phone:
        who = Account(account, self.pbx.site.server.domain, password)
        phone = await Phone.start(self.pbx.options.network, self.pbx.sip, who, host=host, port=port)
        self._phones.append(phone)
        return phone

    # -- what the server does ----------------------------------------------------------------------------------

    def channels_of(self, caller: Phone) -> tuple[str, ...]:
        """Return which channels the calls of a caller occupy."""
        return tuple(
            lease.pool.key
            for call in self.pbx.switch.calls.values()
            if call.caller.number == caller.account
            for connection in call.connections
            for lease in connection.leases
        )

    def message_was(self, what: type[MessageLeft | MessageRead], user: User) -> bool:
        """Whether a message was left for a user, or heard by him."""
        told = (stamped.event for stamped in self.pbx.stream.recent)
        return any(isinstance(event, what) and event.user == user.name for event in told)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, which is looked at after each event; raises TimeoutError."""
        await self.pbx.stream.until(holds, PATIENCE_S)

    @asynccontextmanager
    async def every_channel_taken(self) -> AsyncIterator[list[PhoneCall]]:
        """Let as many callers from outside leave a message as there are IP channels; afterwards all hang up."""
        pool = self.pbx.pools.ip_channel
        if not pool.limit:
            raise SceneError("there is no IP channel to call on")
        calls: list[PhoneCall] = []
        try:
            while len(calls) < pool.limit:
                calls.append(await self.call_box(await self.outside()))
                await calls[-1].answered()
            yield calls
        finally:
            for call in calls:
                await call.hang_up()
        await self.until(lambda: not pool.used)

    async def call_box(self, caller: Phone) -> PhoneCall:
        """Let somebody outside call the box of its owner in the cast, without ringing him."""
        box = self.pbx.site.voicemail.box_number(self.cast.box_owner.extension)
        return await caller.dial(self.number_from_outside(box))
