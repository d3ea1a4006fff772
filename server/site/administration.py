"""The site as it stands while the server runs, and the only place where users, locations and licences change.

The composition root opens one for a PBX; routing and doors read its `directory`, `allocation` and `gate`.
Each change is one transaction: drafted, allocated anew once, written, then told to the sink.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Protocol

from ...licensing.lines import Lines
from .draft import Draft
from .outcome import Outcome, outcome
from .require import LineRefusedError
from .scope import require_within
from .standing import brought_up, consequences, stand
from .trial import NOTHING, try_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ...licensing.allocation import Allocation
    from ...licensing.entitlement import Entitlement
    from ...licensing.gate import Gate
    from ...licensing.modes import Tolerance
    from ...licensing.what_if import WhatIf
    from .acts import Act
    from .directory import Directory
    from .events import SiteEvent
    from .holdings import Holdings

ADMINISTRATOR = "administrator"
SERVER = "server"


@dataclass(frozen=True, slots=True)
class Change:
    """A change as it is written: what is held before and after, who made it, and when (Unix time).

    `before` is None where nothing is held yet.
    """

    before: Holdings | None
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
    written. `random` draws PINs; `clock` gives Unix time in seconds. `since` is when the ledger was written last
    (None: now); what a package or a grace came to meanwhile is told at the start.
    """

    def __init__(
        self,
        holdings: Holdings,
        ledger: Ledger | None,
        sink: Callable[[SiteEvent], None],
        *,
        random: Random,
        clock: Callable[[], float],
        since: float | None = None,
    ) -> None:
        self._ledger = ledger
        self._sink = sink
        self._random = random
        self._clock = clock
        self._turn = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._refreshing: asyncio.Task[Outcome] | None = None
        self._asked: tuple[str, ...] = ()
        self._stored = holdings
        self._standing, self._untold = stand(holdings, clock() if since is None else since)

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

    @property
    def tolerance(self) -> Tolerance:
        """What the modes let pass at this moment."""
        return self._standing.tolerance

    @property
    def lines(self) -> Lines:
        """The TAPI lines that are bound, and those that asked in vain since the start."""
        bound = tuple(one.line for one in self.holdings.lines)
        return Lines(bound, tuple(line for line in self._asked if line not in bound))

    async def start(self) -> None:
        """Give a random PIN to every user with voicemail who has none. Await it before the first call.

        From then on a package that begins, is about to end or ends, and a grace that ends, are noticed at that
        instant.
        """
        await self._transact((), SERVER, dry_run=False, everybody=True)

    def stop(self) -> None:
        """Wait for no further instant."""
        if self._timer is not None:
            self._timer.cancel()

    async def apply(
        self,
        *acts: Act,
        actor: str = ADMINISTRATOR,
        within: frozenset[str] | None = None,
        dry_run: bool = False,
    ) -> Outcome:
        """Carry out `acts` in order as one change, and return what it brought once that is on the disk.

        Either all of them count or none. With `dry_run` none does, and the same is returned. `actor` is who
        is named in the audit log; `within` are the locations that he must not leave (L-62), None for all.
        Raises `AdministrationError`, `PackageError`, and what the ledger raises.
        """
        try:
            return await self._transact(acts, actor, within=within, dry_run=dry_run)
        except LineRefusedError as error:
            self._asked = self.lines.refused(error.line).asked
            raise

    async def refresh(self) -> Outcome:
        """Reckon anew, as is due where a package begins or ends to count; the server's own act."""
        return await self._transact((), SERVER, dry_run=False)

    def what_if(self, *acts: Act, add: Mapping[str, int] = NOTHING, at: datetime | None = None) -> WhatIf:
        """What a purchase, acts and waiting until `at` would bring together, without making them.

        Raises `AdministrationError`, and `PackageError`.
        """
        return try_out(self._standing, *acts, add=add, at=at)

    async def _transact(
        self,
        acts: tuple[Act, ...],
        actor: str,
        *,
        dry_run: bool,
        within: frozenset[str] | None = None,
        everybody: bool = False,
    ) -> Outcome:
        """Make a change to its end, even if whoever asked for it is cancelled meanwhile."""
        change = self._carry_out(acts, actor, within, dry_run=dry_run, everybody=everybody)
        return await asyncio.shield(asyncio.ensure_future(change))

    async def _carry_out(
        self,
        acts: tuple[Act, ...],
        actor: str,
        within: frozenset[str] | None,
        *,
        dry_run: bool,
        everybody: bool,
    ) -> Outcome:
        async with self._turn:
            now = self._clock()
            before, due = brought_up(self._standing, now)
            draft = Draft(before.holdings, now)
            for act in acts:
                if within is not None:
                    require_within(draft, act, within)
                draft.make(act)
            draft.settle(Random(0) if dry_run else self._random, everybody=everybody)  # noqa: S311 - PINs nobody gets
            after, compliance = stand(draft.holdings(), now)
            untold = () if dry_run else self._untold
            events = (*due, *draft.events, *consequences(before, after), *untold, *compliance)
            result = outcome(self._standing, after, events)
            if dry_run:
                return result
            if events and self._ledger is not None:
                await self._ledger.record(Change(self._stored, after.holdings, events, actor, now))
            self._standing, self._stored, self._untold = after, after.holdings, ()
            self._wait()
            for event in events:
                self._sink(event)
            return result

    def _wait(self) -> None:
        """Wake up when another gate has to answer."""
        self.stop()
        until = self._standing.valid_until
        if until is not None:
            delay_s = max(0.0, until.timestamp() - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._refreshing = asyncio.get_running_loop().create_task(self.refresh())
