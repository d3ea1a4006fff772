"""Calls as they come by chance: Poisson arrivals of calls of one length, as teletraffic theory has them (Erlang-B).

SIPp's rate is constant, so that it would block nothing below the limit and all above it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..net.stack import SipStack
from ..sip.agent import Agent
from ..sip.effects import LegAnswered, LegEnded
from ..sip.offer_answer import offer
from ..sip.uri import SipUri
from .refused import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from ...channels.network import Network
    from ..sip.effects import Effect
    from ..sip.flow import Peer
    from ..sip.leg import Leg
    from ..sip.message import Response

EXHAUSTED = ".exhausted"
DEAF_PORT = 4000
LONG_PTIME_MS = 60


@dataclass(frozen=True, slots=True)
class Traffic:
    """Calls to `numbers`, one as often as another: `rate` a second on average, each held for `hold_s` seconds.

    They come for `duration_s` seconds; those of the first `settling_s`, in which the system fills, are not counted.
    """

    numbers: Sequence[str]
    rate: float
    hold_s: float
    duration_s: float
    settling_s: float

    @property
    def offered_erlang(self) -> float:
        """How many channels would be busy on average if none were refused."""
        return self.rate * self.hold_s


@dataclass(slots=True)
class Outcome:
    """What became of the calls that were counted; `failed` were neither carried nor refused a channel."""

    carried: int = 0
    blocked: int = 0
    failed: int = 0

    @property
    def blocked_share(self) -> float:
        """The share of all calls for which no channel was free."""
        return self.blocked / max(1, self.carried + self.blocked + self.failed)


class Callers:
    """The callers behind one address, deaf and mute, so that a thousand cost little: what is sent to them is lost."""

    def __init__(self, server: Peer, domain: str, number: str, random: Random) -> None:
        self._server = server
        self._domain = domain
        self._number = number
        self._random = random
        self._stack = SipStack(self._handle)
        self._body = b""

    async def start(self, network: Network, host: str) -> None:
        """Bind the socket; raises OSError."""
        await self._stack.start(network, host, 0, lambda local: Agent(local, self._random))
        described = offer(host, DEAF_PORT, session_id=1, version=1, dtmf_payload=None, ptime_ms=LONG_PTIME_MS)
        self._body = described.encode()

    def stop(self) -> None:
        """Close the socket."""
        self._stack.stop()

    async def offer(self, traffic: Traffic) -> Outcome:
        """Let the calls come and go; returns when the last one is over."""
        outcome = Outcome()
        loop = asyncio.get_running_loop()
        counts_at = loop.time() + traffic.settling_s
        ends_at = loop.time() + traffic.duration_s
        async with asyncio.TaskGroup() as calls:
            while True:
                await asyncio.sleep(self._random.expovariate(traffic.rate))
                if loop.time() > ends_at:
                    return outcome
                counted = outcome if loop.time() >= counts_at else Outcome()
                number = self._random.choice(traffic.numbers)
                calls.create_task(self._call(number, traffic.hold_s, counted))

    async def _call(self, number: str, hold_s: float, outcome: Outcome) -> None:
        loop = asyncio.get_running_loop()
        begins_at = loop.time()
        target = f"<{SipUri('sip', number, self._domain)}>"
        leg = self._stack.agent.invite(
            target[1:-1],
            self._server,
            from_=f"<{SipUri('sip', self._number, self._domain)}>",
            to=target,
            body=self._body,
            now=begins_at,
        )
        leg.owner = settled = loop.create_future()
        self._stack.flush()
        refused: Response | None = await settled
        if refused is None:
            outcome.carried += 1
            await asyncio.sleep(hold_s - (loop.time() - begins_at))
            leg.hang_up(loop.time())
            self._stack.flush()
        elif (Refused.of(refused).reason or "").endswith(EXHAUSTED):
            outcome.blocked += 1
        else:
            outcome.failed += 1

    def _handle(self, effect: Effect) -> None:
        match effect:
            case LegAnswered(leg):
                _settle(leg, None)
            case LegEnded(leg, response=response) if response is not None:
                _settle(leg, response)
            case _:
                pass


def _settle(leg: Leg, refused: Response | None) -> None:
    if isinstance(leg.owner, asyncio.Future) and not leg.owner.done():
        leg.owner.set_result(refused)


def erlang_b(offered_erlang: float, channels: int) -> float:
    """Return the share of calls that find all channels busy (Erlang-B, by its recursion)."""
    share = 1.0
    for channel in range(1, channels + 1):
        share = offered_erlang * share / (channel + offered_erlang * share)
    return share
