"""Puts parcels into the outbox, and has a carrier take those that wait: one task, as long as anything waits.

Nothing that a call does waits for it. A parcel that is not taken is tried again, after 10 s and then each time after
twice as long, eight times in all; what is given up stays in the outbox with the reason.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from ..store.failure import StoreError
from .carrier import NotCarriedError
from .events import DeliveryFailed, DeliveryMade, OutboxFilled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..clock import Clock
    from ..store.outbox import Kind, Outbox, Parcel, Sent
    from ..switch.stream import EventStream
    from .carrier import Carrier

MOST_TRIES = 8
FIRST_PAUSE_S = 10.0

log = structlog.get_logger()


class Dispatcher:
    """The outgoing mails and SMS of one server; `carriers` by kind, what has none stays in the outbox."""

    def __init__(
        self, outbox: Outbox, carriers: Mapping[Kind, Carrier], stream: EventStream, clock: Clock
    ) -> None:
        self._outbox = outbox
        self._carriers = carriers
        self._stream = stream
        self._clock = clock
        self._not_before: dict[str, float] = {}
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def carries(self, kind: Kind) -> bool:
        """Whether somebody takes parcels of that kind away."""
        return kind in self._carriers

    def start(self) -> None:
        """Carry what waits, also what was left when the server ended last."""
        if self._carriers and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def put(self, parcels: Sequence[Parcel]) -> None:
        """Hold parcels, and begin to carry those that wait. Raises `StoreError`."""
        for one in await self._outbox.add(parcels, self._clock.today()):
            waits = one.state == "waiting"
            self._stream.publish(OutboxFilled(one.id, one.kind, one.user, one.to, waits))
        self._more.set()

    async def stop(self) -> None:
        """Carry nothing more; what waits is carried after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for carrier in self._carriers.values():
            await carrier.close()

    async def _run(self) -> None:
        while True:
            self._more.clear()
            try:
                await self._carry_all()
            except StoreError as error:
                log.warning("outbox.failed", why=str(error))
            pause_s = min(self._not_before.values(), default=None)
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    None if pause_s is None else max(0.0, pause_s - self._clock.now())
                ):
                    await self._more.wait()

    async def _carry_all(self) -> None:
        """Try each parcel that waits and is due, once."""
        waiting = await self._outbox.waiting()
        for id_ in self._not_before.keys() - set(waiting):
            del self._not_before[id_]  # somebody has removed it
        for id_ in waiting:
            if self._not_before.get(id_, 0.0) > self._clock.now():
                continue
            sent = await self._outbox.get(id_)
            carrier = None if sent is None else self._carriers.get(sent.kind)
            if sent is not None and carrier is not None:
                await self._carry(sent, carrier)

    async def _carry(self, sent: Sent, carrier: Carrier) -> None:
        told = (sent.id, sent.kind, sent.user, sent.to)
        try:
            await carrier.carry(sent)
        except NotCarriedError as error:
            tries = sent.tries + 1
            pause_s = None if error.for_good or tries >= MOST_TRIES else FIRST_PAUSE_S * 2 ** (tries - 1)
            self._not_before.pop(sent.id, None)
            if pause_s is not None:
                self._not_before[sent.id] = self._clock.now() + pause_s
            await self._outbox.failed(sent.id, str(error), for_good=pause_s is None)
            self._stream.publish(DeliveryFailed(*told, tries, str(error), pause_s))
        else:
            self._not_before.pop(sent.id, None)
            await self._outbox.delete(sent.id)
            self._stream.publish(DeliveryMade(*told))
