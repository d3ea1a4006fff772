"""The site as it stands while the server runs, and the only place where users, locations and licences change.

The composition root opens one for a PBX; routing and doors read its `directory`, `allocation` and `gate`.
Each change is one transaction: drafted, allocated anew once, written, then told to the sink.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Protocol

from .draft import Draft
from .outcome import Outcome, outcome
from .packages import PLAIN_ONLY
from .standing import consequences, stand, timed
from .trial import try_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...licensing.allocation import Allocation
    from ...licensing.entitlement import Entitlement
    from ...licensing.explain import WhatIf
    from ...licensing.gate import Gate
    from .acts import Act
    from .directory import Directory
    from .events import SiteEvent
    from .holdings import Holdings
    from .packages import PackageReader
    from .trial import Place

ADMINISTRATOR = "administrator"
SERVER = "server"


@dataclass(frozen=True, slots=True)
class Change:
    """A change as it is written: what is held before and after, who made it, and when (Unix time)."""

    before: Holdings
    after: Holdings
    events: tuple[SiteEvent, ...]
    actor: str
    at: float


class Ledger(Protocol):
    """Where changes are kept; the store is one."""

    async def record(self, change: Change) -> None:
        """Write a change and its events in one transaction; returns once all of it is on the disk."""
        ...


class Administration:
    """Directory, entitlement, allocation and gate of one PBX, always of one moment.

    `ledger` None keeps changes in memory only. `sink` hears every event on the event loop, after it is
    written. `random` draws PINs; `clock` gives Unix time in seconds; `packages` says how packages count.
    """

    def __init__(
        self,
        holdings: Holdings,
        ledger: Ledger | None,
        sink: Callable[[SiteEvent], None],
        *,
        random: Random,
        clock: Callable[[], float],
        packages: PackageReader = PLAIN_ONLY,
    ) -> None:
        self._ledger = ledger
        self._sink = sink
        self._random = random
        self._clock = clock
        self._packages = packages
        self._turn = asyncio.Lock()
        self._standing = stand(holdings, packages, clock())

    @property
    def holdings(self) -> Holdings:
        """Everything that is stored of this moment: the site, packages, lines."""
        return self._standing.holdings

    @property
    def directory(self) -> Directory:
        """Users, locations, groups and trunks of this moment."""
        return self._standing.directory

    @property
    def entitlement(self) -> Entitlement:
        """What is bought and valid at this moment."""
        return self._standing.entitlement

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
        await self._transact((), SERVER, dry_run=False, everybody=True)

    async def apply(self, *acts: Act, actor: str = ADMINISTRATOR, dry_run: bool = False) -> Outcome:
        """Carry out `acts` in order as one change, and return what it brought once that is on the disk.

        Either all of them count or none. With `dry_run` none does, and the same is returned. `actor` is who
        is named in the audit log. Raises `AdministrationError`, and what the package reader raises.
        """
        return await self._transact(acts, actor, dry_run=dry_run)

    async def refresh(self) -> Outcome:
        """Reckon anew at a time at which a package begins or ends to count; the server's own act."""
        return await self._transact((), SERVER, dry_run=False)

    def what_if(self, *, add: Mapping[str, int], moves: Mapping[str, Place]) -> WhatIf:
        """What a purchase and moves would bring, without making them. Raises `AdministrationError`."""
        return try_out(self.directory, self.entitlement, add, moves)

    async def _transact(
        self, acts: tuple[Act, ...], actor: str, *, dry_run: bool, everybody: bool = False
    ) -> Outcome:
        """Make a change to its end, even if whoever asked for it is cancelled meanwhile."""
        change = self._carry_out(acts, actor, dry_run=dry_run, everybody=everybody)
        return await asyncio.shield(asyncio.ensure_future(change))

    async def _carry_out(
        self, acts: tuple[Act, ...], actor: str, *, dry_run: bool, everybody: bool
    ) -> Outcome:
        async with self._turn:
            before, now = self._standing, self._clock()
            draft = Draft(before.holdings, self._packages, now)
            for act in acts:
                draft.make(act)
            draft.settle(Random(0) if dry_run else self._random, everybody=everybody)  # noqa: S311 - PINs nobody gets
            after, compliance = timed(stand(draft.holdings(), self._packages, now), now)
            events = (*draft.events, *consequences(before, after), *compliance)
            if not events:
                return Outcome()
            result = outcome(before, after, events)
            if dry_run:
                return result
            if self._ledger is not None:
                await self._ledger.record(Change(before.holdings, after.holdings, events, actor, now))
            self._standing = after
            for event in events:
                self._sink(event)
            return result
