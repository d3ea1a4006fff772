"""The shell around a SIP agent: one socket, the agent's timers, and a handler that is told what happened.

Everything that the agent wants done is done in `flush`, in order; whoever gives a leg a command calls it afterwards.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from ..sip.effects import Send

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.network import Address, Endpoint, Network
    from ..sip.agent import Agent
    from ..sip.effects import Effect

log = structlog.get_logger()


class SipStack:
    """Runs an agent on the event loop; `handle` gets every effect but `Send`."""

    def __init__(self, handle: Callable[[Effect], None]) -> None:
        self._handle = handle
        self._endpoint: Endpoint | None = None
        self._agent: Agent | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0
        self._flushing = False

    @property
    def agent(self) -> Agent:
        """The agent; there is one as soon as the socket is bound."""
        if self._agent is None:
            raise RuntimeError("the SIP stack is not started")
        return self._agent

    async def start(
        self, network: Network, host: str, port: int, make: Callable[[Address], Agent]
    ) -> Address:
        """Bind `host`:`port` and run the agent that `make` builds for the bound address; raises OSError."""
        self._endpoint = await network.bind(host, port, self._receive)
        self._agent = make(self._endpoint.local)
        return self._endpoint.local

    def stop(self) -> None:
        """Close the socket and stop the timers."""
        if self._timer is not None:
            self._timer.cancel()
        if self._endpoint is not None:
            self._endpoint.close()

    def flush(self) -> None:
        """Do what the agent wants done; while that goes on, further calls leave it to the first."""
        if self._flushing or self._endpoint is None:
            return
        agent, send = self.agent, self._endpoint.send
        self._flushing = True
        try:
            while agent.effects:
                for effect in agent.take_effects():
                    if isinstance(effect, Send):
                        send(effect.data, effect.destination)
                    else:
                        self._tell(effect)
        finally:
            self._flushing = False
        self._arm()

    def _tell(self, effect: Effect) -> None:
        """Hand one effect up; a failure there is logged and takes no other effect with it."""
        try:
            self._handle(effect)
        except Exception:
            log.exception("sip.effect_failed", effect=type(effect).__name__)

    def _receive(self, data: bytes, source: Address) -> None:
        if self._agent is not None:  # the socket hears a moment before there is an agent: UDP may lose that
            self._agent.receive(data, source, self._loop.time())
            self.flush()

    def _arm(self) -> None:
        deadline = self.agent.timers.next_deadline()
        if deadline is None or (self._timer is not None and self._armed_for <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = deadline
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self.agent.expire(self._loop.time())
        self.flush()
