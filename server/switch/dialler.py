"""Finding somebody who takes a call: devices are rung, refusals followed to where the user forwards them.

Used for calls that come in, for transfers and for calls that an application places; what was found is the caller's to
carry out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, assert_never

import structlog

from ...channels.media.plane import NoStreamError
from ...channels.session import Party
from ...features.route import Answer, Final, Forwarding, Leave, Occupies, Refuse, Ring, Route
from ...features.telephone.policy import ALWAYS, turned_away
from ...licensing.refusal import Refusal
from ..sip.authorize import Authorizer
from ..sip.locating import NotLocatedError
from ..sip.uri import SipUri
from .caller_id import CallerIds, Diversion
from .connection_state import ConnectionState
from .domain import is_ours
from .events import CallForwarded
from .invitation import Device, Invitation
from .one_number import Gathering
from .retargeting import FOLLOW_ME
from .ringing import LONGEST_RING_S, NotTaken, Ringing, Taken

if TYPE_CHECKING:
    from random import Random

    from ..net.stack import SipStack
    from ..sip.locating import Locator
    from ..sip.registrar import Registrar
    from ..site.administration import Administration
    from ..site.site import Trunk
    from .call import Call
    from .connection import Connection
    from .switch import Switch

log = structlog.get_logger()

MOST_FORWARDINGS = 5
FORWARDED = 181
LOOP = Refusal("forward.loop")
ANSWER_AT_ONCE = ("Call-Info", "<sip:ringfence>;answer-after=0")


@dataclass(frozen=True, slots=True)
class Reached:
    """Ringfence answers the call itself; `first_cause` is why it was forwarded there."""

    route: Answer
    first_cause: Refusal | None = None


Found = Taken | Reached | NotTaken | Final


@dataclass(frozen=True, slots=True)
class Errand:
    """Who wants somebody to be found, and what those who are rung are told; `hairpin` as for `Invitation`.

    With `outside` the call may leave by a trunk though it came by one.
    """

    party: Party
    headers: tuple[tuple[str, str], ...] = ()
    hairpin: bool = False
    outside: bool = False


class Dialler:
    """Rings for one switch."""

    def __init__(
        self,
        switch: Switch,
        administration: Administration,
        registrar: Registrar,
        stack: SipStack,
        random: Random,
        *,
        locator: Locator,
    ) -> None:
        self._locator = locator
        self._random = random
        self._switch = switch
        self._administration = administration
        self._registrar = registrar
        self._stack = stack
        self._ids = CallerIds(administration)

    async def find(self, caller: Connection, route: Route, errand: Errand) -> Found:
        """Follow `route`, and the forwardings behind it, to whoever takes the call."""
        first_cause: Refusal | None = None
        diversions: list[Diversion] = []
        passed: list[Route] = []
        for _ in range(MOST_FORWARDINGS):
            if isinstance(route, Ring | Leave) and not caller.hops_left:
                route = Final(483)  # RFC 3261 16.3: it would be one hop too many
            match route:
                case Answer():
                    return Reached(route, first_cause)
                case Refuse(refusal):
                    return NotTaken(refusal, first_cause)
                case Final():
                    return route
                case Ring() | Leave():
                    outcome = await self._ring(caller, route, errand, diversions)
                case _:
                    assert_never(route)
            if isinstance(outcome, Taken):
                return outcome
            target = self._forwarded_to(route.forwarding, outcome) if isinstance(route, Ring) else None
            if target is None or not isinstance(route, Ring):
                return NotTaken(outcome.refusal, first_cause)
            diversions.append(Diversion(route.user, outcome.refusal.reason))
            if outcome.refusal.reason != ALWAYS:
                first_cause = first_cause or outcome.refusal
            passed.append(route)
            onwards = self._onwards(caller, target, errand, diversions[-1])
            route = Refuse(LOOP) if onwards in passed else onwards
        return NotTaken(LOOP, first_cause)

    def _onwards(self, caller: Connection, number: str, errand: Errand, last: Diversion) -> Route:
        """Return where a call goes that was forwarded to `number`."""
        self._switch.stream.publish(CallForwarded(caller.call.id, last.user, number, last.reason))
        route = self._switch.router.route(errand.party, number, forwarded=True, dialled_by=last.user)
        if isinstance(route, Ring | Leave):  # who is answered by Ringfence has his channel before any 18x
            caller.alerting.ring(FORWARDED)
        return route

    async def ring_own(
        self,
        call: Call,
        route: Ring,
        number: str,
        *,
        headers: tuple[tuple[str, str], ...] = (ANSWER_AT_ONCE,),
        timeout_s: float = LONGEST_RING_S,
    ) -> Taken | NotTaken:
        """Ring a user's own devices for a call that is placed for him; they may answer at once."""
        invitation = Invitation(self._ids.inside(Party(number)).from_, headers=headers)
        own = replace(route, accounts=route.registered, also=())
        return await self._ring_in_turn(call, None, own, invitation, timeout_s)

    async def bring(self, route: Ring, far: Connection, timeout_s: float) -> Taken | NotTaken:
        """Ring for a leg that comes into the call of `far` and talks to it; devices of the house may answer at once."""
        party = self._switch.transfers.party_of(far)
        codec = far.agreed.codec if far.agreed is not None else None
        invitation = Invitation(self._ids.inside(party).from_, headers=(ANSWER_AT_ONCE,), codec=codec)
        if not route.also:
            return await self._ring_in_turn(far.call, None, route, invitation, timeout_s)
        gathering = self._gathering(far, route, invitation, Errand(party), [], hears=False)
        return await gathering.ring(route, timeout_s)

    def _gathering(
        self,
        caller: Connection,
        route: Ring,
        invitation: Invitation,
        errand: Errand,
        diversions: list[Diversion],
        *,
        hears: bool = True,
    ) -> Gathering:
        followed = [*diversions, Diversion(route.user, FOLLOW_ME)]
        outside = partial(self._invitation, caller, errand=errand, diversions=followed)
        listens = caller if hears else None
        return Gathering(self._switch, self, caller.call, listens, invitation, outside=outside)

    async def _ring(
        self, caller: Connection, route: Ring | Leave, errand: Errand, diversions: list[Diversion]
    ) -> Taken | NotTaken:
        timeout_s = LONGEST_RING_S
        if isinstance(route, Ring):
            refusal = turned_away(route.forwarding, lambda: self.is_engaged(route.user))
            if refusal is not None:
                return NotTaken(refusal)
            if route.forwarding.no_answer is not None:
                timeout_s = route.forwarding.after_s
        invitation = self._invitation(caller, route, errand, diversions)
        if isinstance(route, Ring) and route.also:
            comes_back = self._ids.has_followed(route.user, caller.call.past)
            also = tuple(one for one in route.also if not (comes_back and isinstance(one.target, Leave)))
            gathering = self._gathering(caller, route, invitation, errand, diversions)
            return await gathering.ring(replace(route, also=also), timeout_s)
        return await self._ring_in_turn(caller.call, caller, route, invitation, timeout_s)

    def _invitation(
        self, caller: Connection, route: Ring | Leave, errand: Errand, diversions: list[Diversion]
    ) -> Invitation:
        call, party = caller.call, errand.party
        if isinstance(route, Leave):
            shown = self._ids.outside(self._trunk(route), party, diversions, route.number, call.past)
        else:
            shown = self._ids.inside(party, diversions, route.user, call.past)
        return Invitation(
            shown.from_,
            caller.hops_left - 1,
            (*errand.headers, *shown.headers),
            hairpin=errand.hairpin,
            codec=caller.wanted_codec,
        )

    async def _ring_in_turn(
        self,
        call: Call,
        caller: Connection | None,
        route: Ring | Leave,
        invitation: Invitation,
        timeout_s: float,
    ) -> Taken | NotTaken:
        """Ring devices of the same q together, then those of a lower one (RFC 3261 16.6), in equal shares of the time.

        A device that rejects the call speaks for all.
        """
        if isinstance(route, Leave):
            devices, unreached = await self.far_end(route), "trunk.failed"
        else:
            devices, unreached = self.devices(*route.accounts), "user.not_registered"
        groups = [list(group) for _, group in groupby(devices, lambda device: device.q)]
        outcome: Taken | NotTaken = NotTaken(Refusal(unreached))
        refusals: list[Refusal] = []
        for group in groups:
            ringing = Ringing(caller, outside=isinstance(route, Leave))
            for refusal in refusals:
                ringing.refuse(refusal)
            share_s = timeout_s / len(groups)
            outcome, incompatible = await self.ring_together(call, group, invitation, ringing, share_s)
            again = [one for one in incompatible if self._switch.encryption.turn(one.peer, *one.others)]
            if again:
                ringing = Ringing(caller, outside=isinstance(route, Leave))
                outcome, incompatible = await self.ring_together(call, again, invitation, ringing, share_s)
                for device in incompatible:
                    self._switch.encryption.turn(device.peer, *device.others)
            if isinstance(outcome, Taken) or outcome.refusal.reason == "call.rejected":
                break
            refusals.append(outcome.refusal)
        return outcome

    async def ring_together(
        self, call: Call, devices: list[Device], invitation: Invitation, ringing: Ringing, timeout_s: float
    ) -> tuple[Taken | NotTaken, list[Device]]:
        """Ring devices at once; tells also which of them refused the offer, if that is why nobody took it."""
        rung: dict[Connection, Device] = {}
        with ringing:
            for device in devices:
                connection = await self.add(call, device, invitation, ringing)
                if connection is not None:
                    rung[connection] = device
            outcome = await ringing.outcome(timeout_s)
        if isinstance(outcome, Taken) or outcome.refusal.reason != "media.incompatible":
            return outcome, []
        return outcome, [rung[one] for one in ringing.incompatible]

    def is_engaged(self, user: str) -> bool:
        """Whether a device of `user`, or a number outside that rang for him, is in a call or rings for one."""
        accounts = self._administration.directory.accounts_of(user)
        return any(
            one.device in accounts or (one.party is not None and one.party.user == user)
            for one in self._switch.connections.values()
        )

    def devices(self, *accounts: str) -> list[Device]:
        """The telephones of the accounts, those that are rung most gladly first."""
        now = self._switch.clock.now()
        agent, bindings = self._stack.agent, self._registrar.bindings
        found = [
            Device(
                account,
                str(one.contact),
                agent.way_to(one),
                q=one.q,
                routes=one.routes,
            )
            for account in accounts
            for one in bindings(account, now)
        ]
        return sorted(found, key=lambda device: -device.q)

    async def far_end(self, route: Leave) -> list[Device]:
        """A trunk's far end, wherever it is found; none when it is found nowhere."""
        trunk = self._trunk(route)
        uri = trunk.uri or ""
        try:
            peer, *others = await self._locator.locate(uri)
        except NotLocatedError as error:
            log.warning("trunk.not_located", trunk=trunk.name, error=str(error))
            return []
        authorize = None
        if trunk.username is not None and trunk.password is not None:
            authorize = Authorizer(trunk.username, trunk.password, self._random, trunk.realm)
        target = str(replace(SipUri.parse(uri), user=route.number))
        return [Device(route.trunk, target, peer, authorize, others=tuple(others))]

    async def add(
        self, call: Call, device: Device, invitation: Invitation, ringing: Ringing
    ) -> Connection | None:
        """Let one device ring; None where it cannot."""
        connection = self._switch.new_connection(call, device.name, incoming=False)
        leases = self._switch.lease(
            connection, Occupies.IP_CHANNEL if invitation.hairpin else Occupies.NOTHING
        )
        if isinstance(leases, Refusal):
            connection.abandon()
            ringing.refuse(leases)
            return None
        connection.leases.occupy(leases)
        try:
            body = await connection.offer(invitation.codec, device.peer, *device.others)
        except NoStreamError as error:
            connection.abandon()
            ringing.refuse(Refusal(error.reason))
            return None
        except asyncio.CancelledError:
            connection.abandon()
            raise
        ringing.add(connection)
        leg = self._stack.agent.invite(
            device.target,
            device.peer,
            from_=invitation.from_,
            to=f"<{device.target}>",
            body=body,
            now=self._switch.clock.now(),
            max_forwards=invitation.max_forwards,
            headers=(*device.routes, *invitation.headers),
            authorize=device.authorize,
            others=device.others,
        )
        connection.begin(leg, ConnectionState.ALERTING)
        self._switch.flush()
        return connection

    def uri_of(self, party: Party) -> SipUri:
        """Name a party by our domain."""
        return SipUri("sip", party.number, self._administration.directory.site.server.domain)

    def _trunk(self, route: Leave) -> Trunk:
        return next(one for one in self._administration.directory.site.trunks if one.name == route.trunk)

    def _forwarded_to(self, forwarding: Forwarding, outcome: NotTaken) -> str | None:
        """Say where a call goes that no device took; to other hosts than ours it does not."""
        deflected_to = outcome.deflected_to
        if deflected_to is None:
            return _forwarded_to(forwarding, outcome.refusal)
        domain = self._administration.directory.site.server.domain
        return deflected_to.user if is_ours(deflected_to, domain) else None


def _forwarded_to(forwarding: Forwarding, refusal: Refusal) -> str | None:
    match refusal.reason:
        case "forward.always":
            return forwarding.always
        case "user.busy" | "user.do_not_disturb" | "call.rejected":
            return forwarding.busy
        case "user.no_answer":
            return forwarding.no_answer
        case "user.not_registered":
            return forwarding.not_registered
        case _:
            return None
