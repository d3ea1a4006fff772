"""The switch of one server: takes calls, carries out routes, rings devices, joins connections.

The SIP door and the API hand calls in; SIP effects of legs come to `handle`. Whatever runs for a call runs in a task of
the call's own, which ends with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never

from ...channels.lease import Lease
from ...channels.media.plane import PortsExhaustedError
from ...channels.session import Party
from ...features.route import Answer, Behaviour, Final, Forwarding, Leave, Occupies, Refuse, Ring, Route
from ...licensing.refusal import Refusal
from ..sip.agent import address_of
from ..sip.effects import (
    LegAnswered,
    LegConfirmed,
    LegEnded,
    LegProgressed,
    LegReoffered,
    RequestedInside,
)
from ..sip.headers import NameAddr
from ..sip.sdp import SdpError
from ..sip.uri import SipUri
from .bridge import Bridge
from .call import Call
from .connection import Connection, ConnectionState
from .events import CallStarted
from .ringing import LONGEST_RING_S, NotTaken, Ringing, Taken
from .session import SwitchSession
from .work import Works

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from ...channels.media.plane import Address, MediaPlane
    from ...channels.pool import Pools
    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.effects import Effect
    from ..sip.leg import Leg
    from ..sip.registrar import Registrar
    from ..site.administration import Administration
    from .decisions import Decisions
    from .routing import Router
    from .stream import EventStream

MOST_FORWARDINGS = 5
GRACE_S = 5.0


class Switch:
    """See the module. `connections` are the live ones by leg id, `calls` the live calls by id."""

    def __init__(
        self,
        *,
        administration: Administration,
        router: Router,
        registrar: Registrar,
        pools: Pools,
        plane: MediaPlane,
        stack: SipStack,
        stream: EventStream,
        decisions: Decisions,
        clock: Clock,
        random: Random,
        media_host: str,
        recordings: Path,
    ) -> None:
        self._administration = administration
        self._registrar = registrar
        self._stack = stack
        self._random = random
        self._recordings = recordings
        self._count = 0
        self._works = Works()
        self.router = router
        self.pools = pools
        self.plane = plane
        self.stream = stream
        self.decisions = decisions
        self.clock = clock
        self.media_host = media_host
        self.calls: dict[str, Call] = {}
        self.connections: dict[str, Connection] = {}

    def flush(self) -> None:
        """Let what was told to a leg go out."""
        self._stack.flush()

    # -- calls in ----------------------------------------------------------------------------------------------

    def take(self, leg: Leg, caller: Party, called: str, number: str | None) -> Call:
        """Take an INVITE: `called` is the number as signalled, `number` the one to route (None: not one of ours)."""
        call = self._new_call(caller, called)
        connection = self._connect(call, caller.trunk or caller.number, incoming=True)
        connection.begin(leg)
        try:
            connection.take_offer(leg.request.body)
        except SdpError as error:
            connection.refuse(Refusal(error.reason))
            return call
        if number is None:
            connection.refuse(Refusal("number.unknown"))
            return call
        refusal = self.router.refuses_caller(caller, number)
        if refusal is not None:
            connection.refuse(refusal)
            return call
        route = self.router.route(caller, number)
        match route:
            case Refuse(refusal):
                connection.refuse(refusal)
            case Final(status):
                connection.refuse_status(status)
            case Answer():
                self._answer(connection, route, called)
            case Ring() | Leave():
                connection.work = self._works.start(self._find_device(connection, route), connection)
            case _:
                assert_never(route)
        return call

    def place(self, user: str, number: str) -> Call | Refusal:
        """Place a call for a user, as an application does: his device is rung first, then `number` is routed.

        The call's connections begin in the background.
        """
        found = self._administration.directory.by_name(user)
        if found is None:
            raise KeyError(user)
        caller = Party(found.extension, found.display_name, found.name, extension=True)
        route = self.router.route(caller, found.extension)
        if not isinstance(route, Ring) or not route.accounts:
            return Refusal("user.not_registered", facts={"user": user})
        call = self._new_call(caller, number)
        call.work = self._works.start(self._place(call, route, number), call)
        return call

    async def _place(self, call: Call, route: Ring, number: str) -> None:
        with Ringing(None) as ringing:
            await self._ring_all(call, Party(number), route, ringing, answer_after=True)
            outcome = await ringing.outcome(LONGEST_RING_S)
        if isinstance(outcome, NotTaken):
            self.decisions.mint(outcome.refusal, f"call for {route.user} to {number}", call_id=call.id)
            self._call_over(call)
            return
        connection = outcome.connection
        target = self.router.route(call.caller, number)
        match target:
            case Refuse(refusal):
                self._fail_placed(connection, refusal, number)
            case Answer():
                leases = self._lease(connection, target.occupies)
                if isinstance(leases, Refusal):
                    self._fail_placed(connection, leases, number)
                else:
                    connection.occupy(leases)
                    self.run(connection, target.behaviour, number)
            case Ring() | Leave():
                found = await self.ring(connection, target)
                if isinstance(found, Taken):
                    Bridge(connection, found.connection).begin()
                else:
                    self._fail_placed(connection, found.refusal, number)
            case Final():
                connection.hang_up()

    def _fail_placed(self, connection: Connection, refusal: Refusal, number: str) -> None:
        self.decisions.mint(
            refusal, f"call to {number}", call_id=connection.call.id, user=connection.call.caller.user
        )
        connection.hang_up()

    # -- routes ------------------------------------------------------------------------------------------------

    def _answer(
        self, connection: Connection, route: Answer, number: str, first_cause: Refusal | None = None
    ) -> None:
        """Take the leases, then let the behaviour talk."""
        leases = self._lease(connection, route.occupies)
        if isinstance(leases, Refusal):
            connection.refuse(leases, first_cause)
            return
        connection.occupy(leases)
        self.run(connection, route.behaviour, number)

    def _lease(self, connection: Connection, occupies: Occupies) -> list[Lease] | Refusal:
        return self.pools.take(occupies.value, connection, self.clock.now())

    def run(self, connection: Connection, behaviour: Behaviour, number: str) -> None:
        """Let a behaviour talk on a connection, from now to its end or the leg's."""
        session = SwitchSession(self, connection, number)
        connection.work = self._works.start(behaviour(session), connection, grace_s=GRACE_S)

    async def _find_device(self, connection: Connection, route: Route) -> None:
        """Ring, forward, and ring again, until somebody takes the call or nobody is left."""
        first_cause: Refusal | None = None
        number = connection.call.called
        for _ in range(MOST_FORWARDINGS):
            match route:
                case Ring() | Leave():
                    outcome = await self.ring(connection, route)
                    if isinstance(outcome, Taken):
                        await self._join(connection, outcome.connection)
                        return
                    first_cause = first_cause or outcome.refusal
                    target = _forwarded_to(route.forwarding, outcome.refusal) if isinstance(route, Ring) else None
                    if target is None:
                        connection.refuse(outcome.refusal, _other(first_cause, outcome.refusal))
                        return
                    number = target
                    route = self.router.route(connection.call.caller, target, forwarded=True)
                case Answer():
                    self._answer(connection, route, number, first_cause)
                    return
                case Refuse(refusal):
                    connection.refuse(refusal, first_cause)
                    return
                case Final(status):
                    connection.refuse_status(status)
                    return
                case _:
                    assert_never(route)
        connection.refuse(Refusal("number.unknown"), first_cause)

    async def ring(self, caller: Connection, route: Ring | Leave, *, hairpin: bool = False) -> Taken | NotTaken:
        """Ring the devices of a route for a caller; with `hairpin` each rung leg occupies an IP channel (L-72)."""
        timeout_s = LONGEST_RING_S
        with Ringing(caller) as ringing:
            if isinstance(route, Ring):
                if route.forwarding.no_answer is not None:
                    timeout_s = route.forwarding.after_s
                await self._ring_all(caller.call, caller.call.caller, route, ringing, hairpin=hairpin)
            else:
                await self._ring_trunk(caller.call, route, ringing, hairpin=hairpin)
            return await ringing.outcome(timeout_s)

    async def _ring_all(
        self,
        call: Call,
        caller: Party,
        route: Ring,
        ringing: Ringing,
        *,
        hairpin: bool = False,
        answer_after: bool = False,
    ) -> None:
        now = self.clock.now()
        headers = (("Call-Info", "<sip:ringfence>;answer-after=0"),) if answer_after else ()
        for account in route.accounts:
            for binding in self._registrar.bindings(account, now):
                await self._ring_one(
                    call, caller, account, str(binding.contact), binding.source, ringing, headers, hairpin=hairpin
                )

    async def _ring_trunk(self, call: Call, route: Leave, ringing: Ringing, *, hairpin: bool) -> None:
        trunk = next(t for t in self._administration.directory.site.trunks if t.name == route.trunk)
        address = address_of(trunk.uri or "")
        if address is None:
            ringing.refuse(Refusal("trunk.none", facts={"number": route.number}))
            return
        target = f"sip:{route.number}@{address}"
        await self._ring_one(call, call.caller, trunk.name, target, address, ringing, (), hairpin=hairpin)

    async def _ring_one(
        self,
        call: Call,
        caller: Party,
        device: str,
        target: str,
        destination: Address,
        ringing: Ringing,
        headers: tuple[tuple[str, str], ...],
        *,
        hairpin: bool,
    ) -> None:
        connection = self._connect(call, device, incoming=False)
        if hairpin:
            leases = self._lease(connection, Occupies.IP_CHANNEL)
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
        domain = self._administration.directory.site.server.domain
        leg = self._stack.agent.invite(
            target,
            destination,
            from_=str(NameAddr(caller.name, SipUri("sip", caller.number, domain))),
            to=f"<{target}>",
            body=body,
            now=self.clock.now(),
            headers=headers,
        )
        connection.begin(leg, ConnectionState.ALERTING)
        self.flush()

    async def _join(self, caller: Connection, called: Connection) -> None:
        """Answer the caller with the codec that the called device chose, and let them talk."""
        bridge = Bridge(caller, called)
        codec = called.agreed.codec if called.agreed is not None else None
        if await caller.answer(codec=codec):
            bridge.begin()

    # -- bookkeeping -------------------------------------------------------------------------------------------

    def _new_call(self, caller: Party, called: str) -> Call:
        self._count += 1
        call = Call(f"c-{self._count}", caller, called, self.clock.now(), self._call_over)
        self.calls[call.id] = call
        self.stream.publish(CallStarted(call.id, caller.number, called))
        return call

    def _connect(self, call: Call, device: str, *, incoming: bool) -> Connection:
        self._count += 1
        connection = Connection(self, call, f"l-{self._count}", device, incoming=incoming)
        self.connections[connection.leg_id] = connection
        call.connections.append(connection)
        return connection

    def forget(self, connection: Connection) -> None:
        """A connection is over."""
        self.connections.pop(connection.leg_id, None)

    def _call_over(self, call: Call) -> None:
        if self.calls.pop(call.id, None) is not None:
            if call.work is not None:
                call.work.leg_is_over()
            self.stream.publish(call.ended(self.clock.now()))

    def new_recording_path(self) -> Path:
        """Return a fresh file name for a recording."""
        self._count += 1
        return self._recordings / f"recording-{self._count}.wav"

    # -- what legs tell ----------------------------------------------------------------------------------------

    def handle(self, effect: Effect) -> None:
        """Take what a leg of this switch tells."""
        match effect:
            case LegProgressed(leg) if isinstance(leg.owner, Connection):
                leg.owner.on_progress()
            case LegAnswered(leg, response) if isinstance(leg.owner, Connection):
                leg.owner.on_answered(response.body)
            case LegConfirmed(leg, body) if isinstance(leg.owner, Connection):
                leg.owner.on_confirmed(body)
            case LegReoffered(leg, request) if isinstance(leg.owner, Connection):
                leg.owner.on_reoffered(request)
            case LegEnded(leg, status, _, response) if isinstance(leg.owner, Connection):
                leg.owner.on_leg_ended(status, response)
            case RequestedInside(leg, transaction):
                answer = 200 if transaction.request.method == "OPTIONS" else 405
                response = transaction.request.respond(answer)
                self._stack.agent.describe(response, b"")
                transaction.respond(response, self.clock.now())
            case _:
                pass

    async def stop(self) -> None:
        """End every call, and every task that runs for one."""
        for call in list(self.calls.values()):
            call.hang_up()
        await self._works.stop(GRACE_S)


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


def _other(first: Refusal, last: Refusal) -> Refusal | None:
    return None if first is last else first
