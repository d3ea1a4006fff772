"""The shell around a SIP agent: one socket, its flows, the agent's timers, and a handler that is told what happened.

Whoever has connections says so by `opened`, `received` and `closed`; `dial` opens one for a flow of our own. Everything
that the agent wants done is done in `flush`, in order; whoever gives a leg a command calls it afterwards.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog

from ..sip.effects import Send
from ..sip.flow import Flow
from ..sip.overload import Overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.network import Address, Endpoint, Network
    from ..sip.agent import Agent
    from ..sip.effects import Effect
    from ..sip.flow import Peer, Transport

log = structlog.get_logger()


class Connection(Protocol):
    """What carries a flow: a TCP or TLS connection, or a WebSocket."""

    def send(self, data: bytes) -> None:
        """Send one message."""
        ...


class SipStack:
    """Runs an agent on the event loop; `handle` gets every effect but `Send`."""

    def __init__(self, handle: Callable[[Effect], None]) -> None:
        self._handle = handle
        self._endpoint: Endpoint | None = None
        self._agent: Agent | None = None
        self._flows: dict[Flow, Connection] = {}
        self._accepted = 0
        self.dial: Callable[[Flow], Connection] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0
        self.overload = Overload()
        self._flushing = False

    @property
    def is_started(self) -> bool:
        """Whether there is an agent to take flows."""
        return self._agent is not None

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
        self._endpoint = await network.bind(host, port, self._received_datagram)
        self._endpoint.on_wait = self.overload.note_wait
        self._agent = make(self._endpoint.local)
        return self._endpoint.local

    def stop(self) -> None:
        """Close the socket and stop the timers."""
        if self._timer is not None:
            self._timer.cancel()
        if self._endpoint is not None:
            self._endpoint.close()

    @property
    def is_overloaded(self) -> bool:
        """Whether more is asked of this server than it can do, so that new work has to be turned away."""
        return self.overload.is_over(self._loop.time())

    def flush(self) -> None:
        """Do what the agent wants done; while that goes on, further calls leave it to the first."""
        if self._flushing or self._endpoint is None:
            return
        agent = self.agent
        self._flushing = True
        try:
            while agent.effects:
                for effect in agent.take_effects():
                    if isinstance(effect, Send):
                        self._send(effect.data, effect.destination)
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

    # -- what sockets and connections tell ---------------------------------------------------------------------

    def opened(self, transport: Transport, remote: Address, connection: Connection) -> Flow:
        """A connection was accepted from `remote`; returns its flow."""
        self._accepted += 1
        flow = Flow(transport, remote, self._accepted)
        self._flows[flow] = connection
        self.agent.open(flow)
        return flow

    def received(self, data: bytes, source: Peer) -> None:
        """Take one message."""
        if self._agent is not None:  # the socket hears a moment before there is an agent: UDP may lose that
            self._agent.receive(data, source, self._loop.time())
            self.flush()

    def _received_datagram(self, data: bytes, source: Address) -> None:
        if not self.overload.drops(data):
            self.received(data, source)

    def closed(self, flow: Flow) -> None:
        """A flow is gone, or could not be opened."""
        self._flows.pop(flow, None)
        self.agent.lose(flow, self._loop.time())
        self.flush()

    # -- inside ------------------------------------------------------------------------------------------------

    def _send(self, data: bytes, destination: Peer) -> None:
        if not isinstance(destination, Flow):
            if self._endpoint is not None:
                self._endpoint.send(data, destination)
            return
        connection = self._flows.get(destination)
        if connection is None and destination.number == 0 and self.dial is not None:
            connection = self._flows[destination] = self.dial(destination)
            self.agent.open(destination)
        if connection is None:
            self.agent.lose(destination, self._loop.time())
        else:
            connection.send(data)

    def _arm(self) -> None:
        deadline = self.agent.timers.next_deadline()
        if deadline is None or (self._timer is not None and self._armed_for <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = deadline
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer, now = None, self._loop.time()
        self.overload.note_timer(self._armed_for, now)
        self.agent.expire(now)
        self.flush()
