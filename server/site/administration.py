"""The site as it stands while the server runs, and the only place where users, locations and groups change.

The composition root opens one for a PBX; routing and doors read its `directory`, `allocation` and `gate`.
Each change is one transaction: checked, written, allocated anew once, then told to the sink.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ...licensing.allocation import allocate
from ...licensing.catalogue import FUNCTIONS
from ...licensing.entitlement import Entitlement
from ...licensing.gate import Gate
from . import require
from .dealing import service_order
from .directory import Directory
from .events import FunctionsSwitched, PinMade, SettingsDeleted, UserMoved
from .licence_shift import shifts
from .personal import FUNCTION as VOICEMAIL
from .personal import strip
from .pin import random_pin
from .trial import try_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from random import Random

    from ...licensing.allocation import Allocation
    from ...licensing.what_if import WhatIf
    from .events import SiteEvent
    from .site import Location, Site, User
    from .trial import Place


class Ledger(Protocol):
    """Where changes are kept; the store is one."""

    async def record(
        self, users: Sequence[User], location: Location | None, events: Sequence[SiteEvent], at: float
    ) -> None:
        """Write changed users, a location with changed functions, and the events, in one transaction.

        `at` is Unix time. Returns once all of it is on the disk.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Standing:
    """What belongs together at one moment; replaced whole."""

    directory: Directory
    allocation: Allocation
    gate: Gate


@dataclass(frozen=True, slots=True)
class _Draft:
    """A change before it is made: the new directory, whom it affects, where functions were switched."""

    directory: Directory
    affected: tuple[str, ...] = ()
    location: str | None = None
    event: SiteEvent | None = None


class Administration:
    """Directory, entitlement, allocation and gate of one PBX, always of one moment.

    `ledger` None keeps changes in memory only. `sink` hears every event on the event loop, after it is
    written. `random` draws PINs; `clock` gives Unix time in seconds for the record of changes.
    """

    def __init__(
        self,
        site: Site,
        ledger: Ledger | None,
        sink: Callable[[SiteEvent], None],
        *,
        random: Random,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._sink = sink
        self._random = random
        self._clock = clock
        self._turn = asyncio.Lock()
        self._entitlement = Entitlement(site.entitlements)
        self._standing = self._stand(Directory(site))

    @property
    def directory(self) -> Directory:
        """Users, locations, groups and trunks of this moment."""
        return self._standing.directory

    @property
    def entitlement(self) -> Entitlement:
        """What was bought."""
        return self._entitlement

    @property
    def allocation(self) -> Allocation:
        """Who holds which licence at this moment."""
        return self._standing.allocation

    @property
    def gate(self) -> Gate:
        """Who may do what at this moment. Ask for it at each decision; a change puts another in its place."""
        return self._standing.gate

    async def start(self) -> None:
        """Give a random PIN to every user with voicemail who has none. Await it before the first call."""

        def draft(before: Directory) -> _Draft:
            return _Draft(before, tuple(user.name for user in before.users))

        await self._transact(draft)

    async def move_user(self, name: str, location: str, group: str | None) -> User:
        """Put a user elsewhere; licences and settings follow (L-05, L-06). Returns the user as he is then.

        Raises `AdministrationError` with `not_found` for the user, `request.invalid` for the place.
        """

        def draft(before: Directory) -> _Draft:
            user = require.user(before, name)
            require.place(before, location, group, "request.invalid")
            if (user.location, user.group) == (location, group):
                return _Draft(before)
            event = UserMoved(name, user.location, user.group, location, group)
            return _Draft(before.move(name, location, group), (name,), event=event)

        await self._transact(draft)
        return require.user(self.directory, name)

    async def set_location_functions(self, location: str, functions: Iterable[str]) -> None:
        """Switch functions of a location; groups that inherit follow (L-04). Raises `AdministrationError`."""
        wanted = require.functions(functions)

        def draft(before: Directory) -> _Draft:
            require.location(before, location)
            if before.functions_at(location, None) == wanted:
                return _Draft(before)
            after = before.set_location_functions(location, wanted)
            event = FunctionsSwitched(location, None, wanted)
            return _Draft(after, _switched(before, after), location, event)

        await self._transact(draft)

    async def set_group_functions(self, location: str, group: str, functions: Iterable[str] | None) -> None:
        """Give a group its own list, or with None its location's again. Raises `AdministrationError`."""
        wanted = None if functions is None else require.functions(functions)

        def draft(before: Directory) -> _Draft:
            require.place(before, location, group)
            after = before.set_group_functions(location, group, wanted)
            if after.locations == before.locations:
                return _Draft(before)
            event = FunctionsSwitched(location, group, wanted)
            return _Draft(after, _switched(before, after), location, event)

        await self._transact(draft)

    def what_if(self, *, add: Mapping[str, int], moves: Mapping[str, Place]) -> WhatIf:
        """What a change would bring, without making it. Raises `AdministrationError`."""
        return try_out(self.directory, self.entitlement, add, moves)

    async def _transact(self, draft: Callable[[Directory], _Draft]) -> None:
        """Make a change to its end, even if whoever asked for it is cancelled meanwhile."""
        await asyncio.shield(asyncio.ensure_future(self._carry_out(draft)))

    async def _carry_out(self, draft: Callable[[Directory], _Draft]) -> None:
        async with self._turn:
            made = draft(self.directory)
            users, events = self._settled(made)
            after = made.directory.with_users(users) if users else made.directory
            if after is self.directory:
                return
            standing = self._stand(after)
            if made.event is not None:
                events = [made.event, *events, *shifts(self.allocation, standing.allocation)]
            if self._ledger is not None:
                location = next((one for one in after.locations if one.name == made.location), None)
                await self._ledger.record(self._written(after, made, users), location, events, self._clock())
            self._standing = standing
            for event in events:
                self._sink(event)

    def _settled(self, made: _Draft) -> tuple[dict[str, User], list[SiteEvent]]:
        """The affected users whose settings change: some deleted (L-06), a PIN made where one is needed."""
        users: dict[str, User] = {}
        events: list[SiteEvent] = []
        for name in made.affected:
            user = before = require.user(made.directory, name)
            on = made.directory.functions_of(user)
            user, deletion = strip(user, frozenset(FUNCTIONS) - on, made.directory.site.voicemail)
            if deletion is not None:
                events.append(SettingsDeleted(name, deletion.function, deletion.settings))
            if VOICEMAIL in on and user.voicemail_pin is None:
                user = replace(user, voicemail_pin=random_pin(self._random))
                events.append(PinMade(name))
            if user is not before:
                users[name] = user
        return users, events

    @staticmethod
    def _written(after: Directory, made: _Draft, users: Mapping[str, User]) -> tuple[User, ...]:
        names = dict.fromkeys((*users, *((made.event.user,) if isinstance(made.event, UserMoved) else ())))
        return tuple(require.user(after, name) for name in names)

    def _stand(self, directory: Directory) -> _Standing:
        subjects = directory.subjects()
        allocation = allocate(self._entitlement, subjects, service_order(directory.site))
        return _Standing(directory, allocation, Gate(self._entitlement, allocation, subjects))


def _switched(before: Directory, after: Directory) -> tuple[str, ...]:
    """The users who have other functions than before."""
    return tuple(user.name for user in before.users if before.functions_of(user) != after.functions_of(user))
