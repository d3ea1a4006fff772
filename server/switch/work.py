"""The tasks that run for calls: a behaviour, or the search for a device. None outlives its call for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from ...channels.session import Ended
from ..store.failure import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

log = structlog.get_logger()


class Owner(Protocol):
    """The connection or call that a task runs for."""

    def hang_up(self) -> None:
        """End it."""
        ...


class Work:
    """One task. After the end of its leg it has `grace_s` seconds to finish what it owes."""

    def __init__(self, task: asyncio.Task[None], grace_s: float) -> None:
        self._task = task
        self._grace_s = grace_s

    def leg_is_over(self) -> None:
        """Give the task its grace, then cancel it."""
        if self._task.done():
            return
        if not self._grace_s:
            self._task.cancel()
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._grace_s, self._cut_off)
        self._task.add_done_callback(lambda _: timer.cancel())

    def when_done(self, call: Callable[[], None]) -> None:
        """Call `call` once the task has ended, however it did."""
        self._task.add_done_callback(lambda _: call())

    def _cut_off(self) -> None:
        log.warning("behaviour.cut_off", grace_s=self._grace_s)
        self._task.cancel()


class Works:
    """The tasks of one switch."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, object], owner: Owner, *, grace_s: float = 0.0) -> Work:
        """Run `work`; a failure is logged and ends its owner."""
        task = asyncio.get_running_loop().create_task(self._guard(work, owner))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # it was never begun if the task was cancelled at once
        return Work(task, grace_s)

    async def stop(self, grace_s: float) -> None:
        """Wait for the tasks, then cancel what is left."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in self._tasks:
            task.cancel()

    async def _guard(self, work: Coroutine[Any, Any, object], owner: Owner) -> None:
        try:
            await work
        except Ended:
            pass
        except StoreError as error:
            log.error("call.failed", why=str(error))  # noqa: TRY400 - the sentence is all that there is to know
            owner.hang_up()
        except Exception:
            log.exception("call.failed")
            owner.hang_up()
