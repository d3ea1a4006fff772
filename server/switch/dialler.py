"""Finding somebody who takes a call: devices are rung, refusals followed to where the user forwards them.

Used for calls that come in, for transfers and for calls that an application places; what was found is the caller's to
carry out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from ...channels.media.plane import PortsExhaustedError
from ...channels.session import Party
from ...features.route import Answer, Final, Forwarding, Leave, Occupies, Refuse, Ring, Route
from ...licensing.refusal import Refusal
from ..sip.agent import address_of
from ..sip.headers import NameAddr
from ..sip.uri import SipUri
from .connection import ConnectionState
from .ringing import LONGEST_RING_S, NotTaken, Ringing, Taken

if TYPE_CHECKING:
    from ...channels.network import Address
    from ..net.stack import SipStack
    from ..sip.registrar import Registrar
    from ..site.administration import Administration
    from .call import Call
    from .connection import Connection
    from .switch import Switch

MOST_FORWARDINGS = 5
ANSWER_AT_ONCE = ("Call-Info", "<sip:ringfence>;answer-after=0")


@dataclass(frozen=True, slots=True)
class Reached:
    """The call reached `number`, which Ringfence answers itself; `first_cause` is why it was forwarded there."""

    route: Answer
    number: str
    first_cause: Refusal | None = None


Found = Taken | Reached | NotTaken | Final


@dataclass(frozen=True, slots=True)
class Device:
    """One thing that can be rung: its SIP target, and where requests to it go."""

    name: str
    target: str
    address: Address


class Dialler:
    """Rings for one switch."""

    def __init__(
        self, switch: Switch, administration: Administration, registrar: Registrar, stack: SipStack
    ) -> None:
        self._switch = switch
        self._administration = administration
        self._registrar = registrar
        self._stack = stack

    async def find(self, caller: Connection, route: Route, number: str, *, hairpin: bool = False) -> Found:
        """Follow `route`, and the forwardings behind it, to whoever takes the call."""
        first_cause: Refusal | None = None
        for _ in range(MOST_FORWARDINGS):
            match route:
                case Answer():
                    return Reached(route, number, first_cause)
                case Refuse(refusal):
                    return NotTaken(refusal, first_cause)
                case Final():
                    return route
                case Ring() | Leave():
                    outcome = await self._ring(caller, route, hairpin=hairpin)
                case _:
                    assert_never(route)
            if isinstance(outcome, Taken):
                return outcome
            target = _forwarded_to(route.forwarding, outcome.refusal) if isinstance(route, Ring) else None
            if target is None:
                return NotTaken(outcome.refusal, first_cause)
            first_cause = first_cause or outcome.refusal
            route, number = self._switch.router.route(caller.call.caller, target, forwarded=True), target
        return NotTaken(Refusal("number.unknown"), first_cause)

    async def ring_own(self, call: Call, route: Ring, number: str) -> Taken | NotTaken:
        """Ring a user's own devices for a call that an application places; they may answer at once."""
        with Ringing(None) as ringing:
            for device in self._devices(route):
                await self._add(call, device, self._from(Party(number)), ringing, ANSWER_AT_ONCE)
            return await ringing.outcome(LONGEST_RING_S)

    async def _ring(self, caller: Connection, route: Ring | Leave, *, hairpin: bool) -> Taken | NotTaken:
        timeout_s = LONGEST_RING_S
        if isinstance(route, Ring) and route.forwarding.no_answer is not None:
            timeout_s = route.forwarding.after_s
        with Ringing(caller) as ringing:
            for device in self._devices(route):
                await self._add(caller.call, device, self._from(caller.call.caller), ringing, hairpin=hairpin)
            return await ringing.outcome(timeout_s)

    def _devices(self, route: Ring | Leave) -> list[Device]:
        if isinstance(route, Ring):
            now = self._switch.clock.now()
            return [
                Device(account, str(binding.contact), binding.source)
                for account in route.accounts
                for binding in self._registrar.bindings(account, now)
            ]
        uri = next(
            trunk.uri for trunk in self._administration.directory.site.trunks if trunk.name == route.trunk
        )
        address = address_of(uri or "")
        return [] if address is None else [Device(route.trunk, f"sip:{route.number}@{address}", address)]

    async def _add(
        self,
        call: Call,
        device: Device,
        from_: str,
        ringing: Ringing,
        *headers: tuple[str, str],
        hairpin: bool = False,
    ) -> None:
        """Let one device ring; with `hairpin` its leg occupies an IP channel (L-72)."""
        connection = self._switch.new_connection(call, device.name, incoming=False)
        leases = self._switch.lease(connection, Occupies.IP_CHANNEL if hairpin else Occupies.NOTHING)
        if isinstance(leases, Refusal):
            connection.abandon()
            ringing.refuse(leases)
            return
        connection.occupy(leases)
        try:
            body = await connection.offer()
        except PortsExhaustedError:
            connection.abandon()
            ringing.refuse(Refusal("media.ports.exhausted"))
            return
        except asyncio.CancelledError:
            connection.abandon()
            raise
        ringing.add(connection)
        leg = self._stack.agent.invite(
            device.target,
            device.address,
            from_=from_,
            to=f"<{device.target}>",
            body=body,
            now=self._switch.clock.now(),
            headers=headers,
        )
        connection.begin(leg, ConnectionState.ALERTING)
        self._switch.flush()

    def _from(self, party: Party) -> str:
        domain = self._administration.directory.site.server.domain
        return str(NameAddr(party.name, SipUri("sip", party.number, domain)))


def _forwarded_to(forwarding: Forwarding, refusal: Refusal) -> str | None:
    match refusal.reason:
        case "user.busy" | "call.rejected":
            return forwarding.busy
        case "user.no_answer":
            return forwarding.no_answer
        case "user.not_registered":
            return forwarding.not_registered
        case _:
            return None
