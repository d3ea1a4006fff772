"""The switch of one server: takes calls, carries out routes, rings devices, joins connections.

The SIP door and the API hand calls in; SIP effects of legs come to `handle`. Whatever runs for a call runs in a task of
the call's own, which ends with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ...channels.media.national_tones import NATIONAL_TONES
from ...channels.session import Party
from ...channels.speech.spoken import in_words
from ...features.route import Answer, Final, Leave, Occupies, Refuse, Ring
from ...licensing.refusal import Refusal
from ..sip.effects import (
    LegAnswered,
    LegConfirmed,
    LegEffect,
    LegEnded,
    LegProgressed,
    LegReanswered,
    LegReconfirmed,
    LegRefreshDue,
    LegReoffered,
    LegUnblocked,
    RequestedInside,
)
from ..sip.sdp import SdpError
from .adjustments import Adjustments
from .bridge import Bridge
from .call import Call
from .call_backs import CallBacks
from .commands import carry_out
from .conference import Conferences
from .connection import Connection
from .denial import Denials
from .dialler import Dialler, Errand, Reached
from .encryption import Encryption
from .events import CallStarted
from .inside import Inside
from .parking import Parkings
from .pull import Pulls
from .replacement import Replacements
from .retargeting import past_of
from .ringing import NotTaken, Taken
from .session import SwitchSession
from .transfer import Transfers
from .work import Works

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from random import Random

    from ...channels.lease import Lease
    from ...channels.media.national_tones import NationalTones
    from ...channels.media.plane import MediaPlane, Playable
    from ...channels.pool import Pools
    from ...channels.speech.spoken import Spoken
    from ...features.route import Behaviour, Route
    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.effects import Effect
    from ..sip.flow import Peer
    from ..sip.leg import Leg
    from ..sip.locating import Locator
    from ..sip.registrar import Registrar
    from ..site.administration import Administration
    from ..site.site import Media
    from .decisions import Decisions
    from .dialler import Found
    from .routing import Router
    from .stream import EventStream

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
        locator: Locator,
        media_host: str,
        recordings: Path,
    ) -> None:
        self._administration = administration
        self._stack = stack
        self._recordings = recordings
        self._count = 0
        self._works = Works()
        self._stopping = False
        self.encryption = Encryption(administration, random)
        self._dialler = Dialler(self, administration, registrar, stack, random, locator=locator)
        self.transfers = Transfers(self, administration, self._dialler, stack, self._works)
        self.denials = Denials(self, administration, self._works)
        self.conferences = Conferences(self, administration, self._works)
        self.replacements = Replacements(self, administration, self._works, random)
        self.adjustments = Adjustments(self, administration, self._works)
        self.call_backs = CallBacks(self, administration, self._dialler, self._works)
        self.parkings = Parkings(self, administration, self._dialler, self._works)
        self.pulls = Pulls(self, administration, self._dialler, self._works)
        self._inside = Inside(stack, clock, self.transfers)
        self.router = router
        self.pools = pools
        self.plane = plane
        self.stream = stream
        self.decisions = decisions
        self.clock = clock
        self.media_host = media_host
        self.calls: dict[str, Call] = {}
        self.connections: dict[str, Connection] = {}

    def in_words(self, said: Iterable[Playable | Spoken], language: str | None) -> tuple[Playable, ...]:
        """Return what is to be played: in that language, else the site's, by the local time of this machine."""
        language = language or self._administration.directory.site.server.language
        return in_words(said, language, self.clock.today().astimezone())

    @property
    def media(self) -> Media:
        """For how long a leg that occupies a channel may send no RTP, and what verdicts tell."""
        return self._administration.directory.site.media

    @property
    def tones(self) -> NationalTones:
        """What callers of this site hear while they wait."""
        return NATIONAL_TONES[self._administration.directory.site.server.tones]

    def flush(self) -> None:
        """Let what was told to a leg go out."""
        self._stack.flush()

    # -- calls in ----------------------------------------------------------------------------------------------

    def take(self, leg: Leg, caller: Party, called: str, number: str | None, offer: bytes) -> Call:
        """Take an INVITE: `called` is the number as signalled, `number` the one to route (None: not one of ours).

        `offer` is the caller's SDP, empty when he leaves the offer to us.
        """
        call = self.new_call(caller, called)
        call.past = past_of(caller, leg.request)
        connection = self.new_connection(call, caller.trunk or caller.number, incoming=True)
        connection.begin(leg)
        if self._stopping:
            connection.refuse(Refusal("server.stopping"))
            return call
        try:
            connection.take_offer(offer)
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
        command = self.router.command(caller, number)
        if command is not None:
            carry_out(self, connection, caller, command)
            return call
        forwarded = self.router.forwarded_here(caller, number, call.past)
        route = forwarded or self.router.route(caller, number)
        match route:
            case Ring() | Leave():
                connection.work = self._works.start(self.search(connection, route), connection)
            case Answer():
                self._conclude(connection, Reached(route))
            case Refuse(refusal):
                self._conclude(connection, NotTaken(refusal))
            case Final():
                self._conclude(connection, route)
            case _:
                assert_never(route)
        return call

    async def search(self, connection: Connection, route: Route) -> Found | None:
        """Find whoever takes the call, and let them have it; None when the caller is gone."""
        if not await connection.alerting.prepare():
            return None
        found = await self._dialler.find(connection, route, Errand(connection.call.caller))
        self.call_backs.note(connection.call, route, found)
        await self.conclude(connection, found)
        return found

    async def conclude(self, connection: Connection, found: Found) -> None:
        """Let the caller have whoever was found."""
        if isinstance(found, Taken):
            await self._join(connection, found.connection)
        else:
            self._conclude(connection, found)

    def _conclude(self, connection: Connection, found: Reached | NotTaken | Final) -> None:
        """Let a behaviour talk, once it has its channels, or say why nobody does."""
        match found:
            case Reached(route):
                leases = self.lease(connection, route.occupies)
                if isinstance(leases, Refusal):
                    self.denials.deny(connection, leases, found)
                    return
                connection.leases.occupy(leases)
                self.run(connection, route.behaviour, connection.call.caller)
            case NotTaken(refusal, first_cause):
                connection.refuse(refusal, first_cause)
            case Final(status):
                connection.refuse_status(status)
            case _:
                assert_never(found)

    async def _join(self, caller: Connection, called: Connection) -> None:
        """Answer the caller, if he is not yet, with the codec that the called device chose, and let them talk."""
        bridge = Bridge(caller, called)
        caller.renegotiation.follow(called.wanted)
        codec = called.agreed.codec if called.agreed is not None else None
        if await caller.answer(codec=codec):
            bridge.begin()

    # -- calls out ---------------------------------------------------------------------------------------------

    def place(self, user: str, number: str) -> Call | Refusal:
        """Place a call for a user, as an application does: his device is rung first, then `number` is routed.

        The call's connections begin in the background. Raises KeyError for a user who is not there.
        """
        found = self._administration.directory.by_name(user)
        if found is None:
            raise KeyError(user)
        caller = Party(found.extension, found.display_name, found.name, extension=True)
        route = self.router.route(caller, found.extension)
        if not isinstance(route, Ring) or not route.registered:
            return Refusal("user.not_registered", facts={"user": user})
        call = self.new_call(caller, number)
        call.work = self._works.start(self._place(call, route, number), call)
        call.work.when_done(call.on_placed)
        return call

    async def _place(self, call: Call, route: Ring, number: str) -> None:
        own = await self._dialler.ring_own(call, route, number)
        if isinstance(own, NotTaken):
            self.decisions.mint(own.refusal, f"call to {number}", call_id=call.id, user=route.user)
            return
        connection = own.connection
        if connection.is_over:
            return
        connection.work = call.work  # when the own device hangs up, nobody is searched for any more
        command = self.router.command(call.caller, number)
        if command is not None:
            carry_out(self, connection, call.caller, command)
        else:
            await self.search(connection, self.router.route(call.caller, number))

    # -- what sessions and dialler use -------------------------------------------------------------------------

    async def find(self, connection: Connection, number: str, errand: Errand) -> Found:
        """Find whoever takes a call that is transferred to `number`."""
        return await self._dialler.find(
            connection, self.router.route(errand.party, number, forwarded=errand.outside), errand
        )

    def lease(self, connection: Connection, occupies: Occupies) -> list[Lease] | Refusal:
        """Take the channels that a leg has to occupy: all, or none and the reason."""
        return self.pools.take(occupies.value, connection, self.clock.now())

    def lease_missing(self, connection: Connection, occupies: Occupies) -> list[Lease] | Refusal:
        """Take the channels that a leg has to occupy and does not yet."""
        held = {lease.pool.key for lease in connection.leases}
        missing = tuple(key for key in occupies.value if key not in held)
        return self.pools.take(missing, connection, self.clock.now())

    def run(self, connection: Connection, behaviour: Behaviour, caller: Party) -> None:
        """Let a behaviour talk to `caller` on a connection, from now to its end or the leg's."""
        session = SwitchSession(self, connection, caller)
        connection.work = self._works.start(behaviour(session), connection, grace_s=GRACE_S)

    # -- bookkeeping -------------------------------------------------------------------------------------------

    def new_call(self, caller: Party, called: str) -> Call:
        """Begin a call, of which nobody takes part yet."""
        self._count += 1
        call = Call(f"c-{self._count}", caller, called, self.clock.now(), self._call_over)
        self.calls[call.id] = call
        self.stream.publish(CallStarted(call.id, caller.number, called))
        return call

    def new_connection(self, call: Call, device: str, *, incoming: bool) -> Connection:
        """Give a device its part in a call."""
        self._count += 1
        connection = Connection(self, call, f"l-{self._count}", device, incoming=incoming)
        self.connections[connection.leg_id] = connection
        call.connections.append(connection)
        return connection

    def forget(self, connection: Connection) -> None:
        """A connection is over."""
        self.connections.pop(connection.leg_id, None)
        self.call_backs.on_gone()

    def move(self, device: str, old: Peer, new: Peer) -> None:
        """Reach a device in its calls where it is now: it has connected, and registered, anew."""
        for connection in self.connections.values():
            leg = connection.leg if connection.device == device else None
            if leg is not None and leg.dialog is not None and leg.dialog.fallback == old:
                leg.move(new)

    def _call_over(self, call: Call) -> None:
        if self.calls.pop(call.id, None) is not None:
            self.stream.publish(call.ended(self.clock.now()))

    def new_recording_path(self) -> Path:
        """Return a fresh file name for a recording."""
        self._count += 1
        return self._recordings / f"recording-{self._count}.wav"

    # -- what legs tell ----------------------------------------------------------------------------------------

    def handle(self, effect: Effect) -> None:
        """Take what a leg of this switch tells."""
        if isinstance(effect, LegEffect):
            if isinstance(effect.leg.owner, Connection):
                _tell(effect.leg.owner, effect)
        elif isinstance(effect, RequestedInside):
            self._inside.take(effect)

    async def stop(self) -> None:
        """End every call, and every task that runs for one; who calls now is told that the server is going down."""
        self._stopping = True
        self.call_backs.stop()
        for connection in list(self.connections.values()):
            if connection.incoming and not connection.is_answered:
                connection.refuse(Refusal("server.stopping"))
        for call in list(self.calls.values()):
            call.hang_up()
        await self._works.stop(GRACE_S)


def _tell(connection: Connection, effect: LegEffect) -> None:
    match effect:
        case LegProgressed(_, response):
            connection.on_progress(response.status, response.body)
        case LegAnswered(_, response):
            connection.on_answered(response.body)
        case LegConfirmed(_, body):
            connection.on_confirmed(body)
        case LegReoffered(_, request):
            connection.renegotiation.on_reoffered(request)
        case LegReconfirmed(_, body):
            connection.renegotiation.on_reconfirmed(body)
        case LegReanswered(_, response):
            connection.renegotiation.on_reanswered(response)
        case LegUnblocked():
            connection.renegotiation.catch_up()
        case LegRefreshDue():
            connection.renegotiation.refresh()
        case LegEnded(_, status, _, response):
            connection.on_leg_ended(status, response)
        case _:
            assert_never(effect)
