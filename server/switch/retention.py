"""Messages have an age: once an hour those go that were heard longer ago than the site keeps them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from ..store.failure import StoreError

if TYPE_CHECKING:
    from .boxes import Boxes

log = structlog.get_logger()

EVERY_S = 3600.0


class Retention:
    """See the module; `start` looks at once, and begins to look again and again."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await self._boxes.expire()
            except StoreError as error:
                log.error("messages.not_expired", why=str(error))  # noqa: TRY400 - the sentence is all there is to know
            await asyncio.sleep(EVERY_S)
