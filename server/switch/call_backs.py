"""Carrying out call-backs on busy: when both are free, whoever asked is rung first, and then the one who was busy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...channels.session import Party
from ...features.route import Ring
from ...features.telephone.behaviour import confirm
from ...features.telephone.call_back import QUIET_S, RING_S, Wish, Wishes
from ...licensing.refusal import Refusal
from .dialler import Reached
from .events import CallBackEnded, CallBackWanted
from .ringing import NotTaken, Taken

if TYPE_CHECKING:
    from ...features.route import Route
    from ..site.administration import Administration
    from .call import Call
    from .connection import Connection
    from .dialler import Dialler, Found
    from .switch import Switch
    from .work import Works


class CallBacks:
    """Those of one switch; `wishes` is what is waited for, in memory."""

    def __init__(
        self, switch: Switch, administration: Administration, dialler: Dialler, works: Works
    ) -> None:
        self._switch = switch
        self._administration = administration
        self._dialler = dialler
        self._works = works
        self._rung_for: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.wishes = Wishes()

    def note(self, call: Call, route: Route, found: Found) -> None:
        """Remember a call of the house that found a user busy."""
        if isinstance(found, NotTaken) and found.refusal.reason == "user.busy" and isinstance(route, Ring):
            user = call.caller.user
            if user is not None and user != route.user:
                self.wishes.note_busy(user, route.user, call.called, self._switch.clock.now())

    def take(self, connection: Connection, by: Party, *, wanted: bool) -> None:
        """Want whoever was busy last to be called back, or nobody any more; the device hears that it is done."""
        user = by.user or ""
        if not wanted:
            self.cancel(user)
        else:
            before = self.wishes.of(user)
            wish = self.wishes.want(user, by.number, self._switch.clock.now())
            if wish is None:
                connection.refuse(Refusal("call_back.nobody"))
                return
            if before is not None:
                self._tell_end(before, "replaced")
            self._switch.stream.publish(CallBackWanted(user, wish.number))
        self._switch.run(connection, confirm, by)

    def cancel(self, user: str) -> bool:
        """Let a user want nobody any more; False where he did not."""
        wish = self.wishes.of(user)
        if wish is not None:
            self._drop(wish, "cancelled")
        return wish is not None

    def on_gone(self) -> None:
        """Somebody is out of a call: look before long who is free."""
        if self.wishes:
            self._look_in(QUIET_S)

    def stop(self) -> None:
        """Wait for nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None and self._timer.when() <= loop.time() + seconds:
            return
        self.stop()
        self._timer = loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Begin what is due, and drop what has been waited for too long."""
        self._timer = None
        now = self._switch.clock.now()
        for wish in self.wishes:
            if wish.until_s <= now:
                self._drop(wish, "expired")
        while (due := self.wishes.due(self._is_free, frozenset(self._rung_for))) is not None:
            self._begin(due)
        if self.wishes:
            self._look_in(min(wish.until_s for wish in self.wishes) - now)

    def _is_free(self, user: str) -> bool:
        return not self._dialler.is_engaged(user)

    def _begin(self, wish: Wish) -> None:
        """Ring whoever asked, unless he may not call any more or somebody was deleted."""
        directory = self._administration.directory
        user = directory.by_name(wish.user)
        if user is None or directory.by_name(wish.called) is None:
            self._drop(wish, "cancelled")
            return
        is_desk = wish.account == user.extension
        caller = Party(wish.account, user.display_name, user.name, extension=is_desk)
        refusal = self._switch.router.refuses_caller(caller, wish.number)
        if refusal is not None:
            self._drop(wish, refusal.reason)
            return
        self.wishes.drop(wish.user)
        self._rung_for.add(wish.called)
        call = self._switch.new_call(caller, wish.number)
        call.work = self._works.start(self._call(call, wish), call)
        call.work.when_done(call.on_placed)

    async def _call(self, call: Call, wish: Wish) -> None:
        """Ring whoever asked, then the one who was busy; what he is when he is rung, the caller is told."""
        outcome = "cancelled"
        try:
            own = Ring(wish.user, (wish.account,))
            answered = await self._dialler.ring_own(call, own, wish.number, headers=(), timeout_s=RING_S)
            if isinstance(answered, NotTaken):
                outcome = answered.refusal.reason
            elif not answered.connection.is_over:
                connection = answered.connection
                connection.work = call.work
                route = self._switch.router.route(call.caller, wish.number)
                found = await self._switch.search(connection, route)
                if isinstance(found, NotTaken):
                    outcome = found.refusal.reason
                elif isinstance(found, Taken | Reached):
                    outcome = "connected"
        finally:
            self._rung_for.discard(wish.called)
            self._tell_end(wish, outcome)
            self.on_gone()

    def _drop(self, wish: Wish, outcome: str) -> None:
        self.wishes.drop(wish.user)
        self._tell_end(wish, outcome)

    def _tell_end(self, wish: Wish, outcome: str) -> None:
        self._switch.stream.publish(CallBackEnded(wish.user, wish.number, outcome))
