"""Carries the events of one server to its webhooks: one task for each that has something to send, else none.

It hears the stream, where it only puts events into outboxes, so that no call ever waits for a receiver.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from ..event_form import TOLD_OUTSIDE, name_of
from .delivery import post
from .events import WebhookFailed
from .outbox import Outbox
from .sender import HttpSender, UndeliveredError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from ..clock import Clock
    from ..site.site import Webhook
    from ..switch.stream import EventStream, Stamped
    from .delivery import Delivery
    from .sender import Sender

LAST_CHANCE_S = 2.0
"""So long what is due may still be delivered when the server stops."""

log = structlog.get_logger()


class Courier:
    """Listens to `stream` for `webhooks`; `random` gives the ids of deliveries, `sender` None sends by HTTP."""

    def __init__(
        self,
        webhooks: Iterable[Webhook],
        stream: EventStream,
        clock: Clock,
        random: Random,
        sender: Sender | None = None,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._random = random
        self._sender: Sender = sender or HttpSender()
        self._rounds: dict[Outbox, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self.outboxes = tuple(Outbox(webhook, self._mint) for webhook in webhooks)
        self._leave = stream.listen(self._hear)

    async def stop(self) -> None:
        """Deliver what is due, but try nothing again; what is left is lost, and the log tells of it."""
        self._leave()
        self._stopping.set()
        if self._rounds:
            _, late = await asyncio.wait(self._rounds.values(), timeout=LAST_CHANCE_S)
            for round_ in late:
                round_.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._sender.close()
        for outbox in self.outboxes:
            if outbox.waiting:
                log.warning("webhook.undelivered", webhook=outbox.webhook.name, events=outbox.waiting)

    def _hear(self, stamped: Stamped) -> None:
        name = name_of(stamped.event)
        if name not in TOLD_OUTSIDE:
            return
        for outbox in self.outboxes:
            if outbox.wants(name):
                outbox.put(stamped)
                if outbox not in self._rounds:
                    self._rounds[outbox] = asyncio.get_running_loop().create_task(self._round(outbox))

    async def _round(self, outbox: Outbox) -> None:
        """Send what waits until nothing does, or until the server stops and the receiver fails."""
        try:
            while (due_s := outbox.deadline) is not None and await self._reaches(due_s):
                delivery = outbox.next(self._clock.now())
                if delivery is not None:
                    await self._try(outbox, delivery)
        finally:
            del self._rounds[outbox]

    async def _reaches(self, due_s: float) -> bool:
        """Wait for a moment; whether the server still runs then."""
        wait_s = due_s - self._clock.now()
        if wait_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._stopping.wait()
        return wait_s <= 0 or not self._stopping.is_set()

    async def _try(self, outbox: Outbox, delivery: Delivery) -> None:
        try:
            await self._sender.send(post(outbox.webhook, delivery, self._clock))
        except UndeliveredError as error:
            tries, pause_s = outbox.failed(self._clock.now())
            told = (outbox.webhook.name, delivery.id, delivery.event, tries, str(error), pause_s)
            self._stream.publish(WebhookFailed(*told))
        else:
            outbox.taken()

    def _mint(self) -> str:
        return f"w-{self._random.getrandbits(48):012x}"
