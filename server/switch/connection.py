"""A connection: one device's part in one call, with its SIP leg, its stream and its leases (CSTA's connection).

Its state changes here and nowhere else. Whatever ends it, `_finish` closes leases and stream at once and exactly once
(L-74).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ...channels.media.plane import NoStreamError, StreamClosed
from ...licensing.reasons import reason_for
from ...licensing.refusal import Refusal
from ..sip.agent import MAX_FORWARDS
from ..sip.sdp import SdpError
from .alerting import Alerting
from .connection_state import TRANSITIONS, ConnectionState
from .events import ConnectionChanged, StreamEnded
from .explain import cause_of, refusal_headers
from .held_leases import HeldLeases
from .measurement import Measurement
from .negotiation import DISCARD_PORT, Negotiation
from .neighbours import neighbours
from .renegotiation import Renegotiation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...channels.media.plane import Codec, MediaEvent, MediaStream
    from ...channels.media.verdict import Verdict
    from ...channels.session import Party
    from ...features.responses.settings import Response
    from ..sip import message
    from ..sip.flow import Peer
    from ..sip.leg import Leg
    from ..sip.offer_answer import Agreed
    from ..sip.sdp import Direction
    from ..site.site import Media
    from .call import Call
    from .listener import Listener
    from .switch import Switch
    from .work import Work

NORMAL = 16
UNAVAILABLE = 503


class Connection:
    """See the module. `device` is the account or trunk, `incoming` tells that the far end called us.

    `party` is who called; for whoever was called see `party.party_of`.
    """

    def __init__(self, switch: Switch, call: Call, leg_id: str, device: str, *, incoming: bool) -> None:
        self._switch = switch
        self.call = call
        self.leg_id = leg_id
        self.device = device
        self.incoming = incoming
        self.state = ConnectionState.NULL
        self.leg: Leg | None = None
        self.listener: Listener | None = None
        self.leases = HeldLeases(switch.stream, leg_id)
        self.stream: MediaStream | None = None
        self.hops_left = MAX_FORWARDS
        self.refusal: Refusal | None = None
        self.party: Party | None = call.caller if incoming else None
        self.work: Work | None = None
        self.cause = NORMAL
        self.negotiation = Negotiation(int(leg_id.rsplit("-", 1)[1]), switch.media_host)
        self._measurement = Measurement()
        self._fill = False
        self._echo = False
        self._over = False

    @property
    def alerting(self) -> Alerting:
        """What its caller is told and hears while somebody is rung for him."""
        return Alerting(self._switch, self)

    @property
    def media(self) -> Media:
        """What its site says of audio."""
        return self._switch.media

    @property
    def renegotiation(self) -> Renegotiation:
        """Offers after the call was taken."""
        return Renegotiation(self._switch, self)

    @property
    def is_with_a_trunk(self) -> bool:
        """Whether its far end is outside, not an account of the house."""
        return self._switch.transfers.party_of(self).trunk is not None

    @property
    def is_answered(self) -> bool:
        """Whether the call was taken on this connection."""
        return self.state in (ConnectionState.CONNECTED, ConnectionState.HOLD)

    @property
    def agreed(self) -> Agreed | None:
        """What offer and answer settled last."""
        return self.negotiation.agreed

    @property
    def wanted(self) -> Direction:
        """The direction of media that the device asked for itself; one that does not receive holds the call."""
        return self.negotiation.wanted

    @property
    def wanted_codec(self) -> Codec | None:
        """The codec that the device offered first, None if it left the offer to us."""
        return self.negotiation.wanted_codec

    @property
    def has_early_media(self) -> bool:
        """Whether a device that rings lets itself be heard already."""
        return not self.is_answered and self.agreed is not None and self.agreed.sends

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._over

    # -- the called side's verbs -------------------------------------------------------------------------------

    def begin(self, leg: Leg, state: ConnectionState = ConnectionState.INITIATED) -> None:
        """Take charge of a leg."""
        self.leg = leg
        leg.owner = self
        if self.incoming:
            self.negotiation.keying = self._switch.encryption.keying(leg.peer)
            if leg.request.max_forwards is not None:
                self.hops_left = leg.request.max_forwards
        self._become(state)

    def take_offer(self, body: bytes) -> None:
        """Read the caller's offer; raises `SdpError`."""
        self.negotiation.take_offer(body)

    async def open_stream(self) -> bool:
        """Take a stream from the plane, if there is none yet; False when the leg ended meanwhile.

        Raises `NoStreamError`.
        """
        if self.stream is None:
            stream = await self._switch.plane.open(self._on_media, lambda: neighbours(self, self._switch))
            if self.is_over:
                stream.close()
                return False
            self.stream = stream
        return True

    async def answer(
        self, *, fill: bool = False, echo: bool = False, inactive: bool = False, codec: Codec | None = None
    ) -> bool:
        """Take the call with a 200; `codec` is preferred where the caller offers it. False when the leg is gone.

        Without a stream the call is refused by what the plane says.
        """
        if self.leg is None:
            return False
        if self.stream is not None:
            self.stream.stop_playing()  # it rings no more
        if self.is_answered:
            self._fill, self._echo = fill, echo
            self.connect()
            return True
        if self.stream is None and not inactive:
            try:
                if not await self.open_stream():
                    return False
            except NoStreamError as error:
                self.refuse(Refusal(error.reason))
                return False
        self._fill, self._echo = fill, echo
        body = self.negotiation.answer(self.port, inactive=inactive, codec=codec)
        self.connect()
        self._become(ConnectionState.CONNECTED)
        self.leg.answer(body, self._switch.clock.now())
        self._switch.flush()
        return self.leg is not None

    @property
    def port(self) -> int:
        """Where the stream hears, or the discard port without one."""
        return self.stream.local.port if self.stream is not None else DISCARD_PORT

    def connect(self) -> None:
        """Let the stream go by what is agreed."""
        if self.stream is None or self.leg is None:
            return
        remote = self.negotiation.remote(self.leg.peer.host, energy=self.media.energy)
        if remote is not None:
            if self.negotiation.insists:
                self._switch.encryption.note(self.leg.peer)
            self.stream.connect(remote, fill=self._fill, listen=self._fill)
            if self._echo:
                self.stream.echo()

    def refuse_status(self, status: int) -> None:
        """Refuse with a bare status; a leg that is answered just ends."""
        if self.is_answered:
            self.hang_up()
        elif self.leg is not None:
            self._become(ConnectionState.FAIL)
            self.leg.refuse(status, self._switch.clock.now())
            self._switch.flush()

    def go_into(self, call: Call) -> None:
        """Leave the own call, which is over if nobody else is in it, for another one."""
        left = self.call
        if left is not call:
            call.adopt(self)
            left.end_if_deserted()

    # -- the calling side --------------------------------------------------------------------------------------

    async def offer(self, first: Codec | None, *peers: Peer) -> bytes:
        """Take a stream and write the offer for a leg to one of `peers`, `first` first; raises `NoStreamError`."""
        await self.open_stream()
        self.negotiation.keying = self._switch.encryption.keying(*peers)
        return self.negotiation.offer(self.port, first=first)

    # -- both --------------------------------------------------------------------------------------------------

    def hang_up(self, cause: int = NORMAL, headers: Sequence[tuple[str, str]] = ()) -> None:
        """End the leg, however far it got."""
        if self.leg is None:
            return
        self.cause = cause
        if cause != NORMAL and not headers:
            headers = [("Reason", f"Q.850;cause={cause}")]
        leg = self.leg
        self._finish(0, None)
        leg.hang_up(self._switch.clock.now(), headers)
        self._switch.flush()

    def refuse(
        self, refusal: Refusal, first_cause: Refusal | None = None, response: Response | None = None
    ) -> None:
        """End the leg by a rule, with the reason in every header that a telephone might show.

        A caller who waits gets a final response, the usual one without `response`; everybody else BYE or CANCEL.
        """
        if self.leg is None:
            return
        caller = self.call.caller
        decision = self._switch.decisions.mint(
            refusal,
            f"call from {caller.number} to {self.call.called}",
            call_id=self.call.id,
            user=caller.user,
            first_cause=first_cause,
        )
        response = response or self._switch.denials.response_to(refusal, caller)
        headers = refusal_headers(refusal, decision.id, first_cause, response)
        self.refusal, self.cause = refusal, cause_of(refusal)
        if not self.incoming or self.is_answered:
            self.hang_up(self.cause, headers)
            return
        self._become(ConnectionState.FAIL)
        status, phrase = reason_for(refusal).sip_status or UNAVAILABLE, None
        if response is not None:
            status, phrase = response.status, response.phrase
        self.leg.refuse(status, self._switch.clock.now(), headers, phrase)
        self._switch.flush()

    def abandon(self) -> None:
        """Forget a connection that never got a leg."""
        self._over = True
        self.leases.release()
        if self.stream is not None:
            self.stream.close()
        self._switch.forget(self)
        self.call.on_connection_ended(self)

    def go_quiet(self) -> None:
        """Stop what plays, and the filling with silence: from now on only what a bridge relays is sent."""
        if self._fill and self.stream is not None:
            self._fill = False
            self.stream.stop_playing()
            self.connect()

    # -- what the leg tells ------------------------------------------------------------------------------------

    def on_progress(self, status: int, body: bytes) -> None:
        """18x came, perhaps with an answer to our offer; one that cannot be read is none."""
        if body and self.negotiation.awaits_answer:
            with suppress(SdpError):
                self.negotiation.take_early_answer(body)
                self.connect()
        if self.listener is not None:
            self.listener.on_progress(self, status)

    def on_answered(self, body: bytes) -> None:
        """2xx came to our offer; one without SDP means what was agreed early."""
        if not body and self.agreed is not None:
            self.negotiation.keep_early()
        if self.take_answer(body):
            self._become(ConnectionState.CONNECTED)
            if self.listener is not None:
                self.listener.on_answered(self)

    def on_confirmed(self, body: bytes) -> None:
        """The caller's ACK came, with its answer when the offer was ours."""
        if self.take_answer(body) and self.listener is not None:
            self.listener.on_answered(self)
        self.renegotiation.catch_up()

    def on_digit(self, digit: str) -> None:
        """INFO brought a digit."""
        if self.listener is not None:
            self.listener.on_digit(self, digit)

    def take_answer(self, body: bytes) -> bool:
        """Read the answer to our offer, if one is due; without one that can be taken the call ends."""
        if self.negotiation.awaits_answer:
            try:
                self.negotiation.take_answer(body)
            except SdpError as error:
                self.refuse(Refusal(error.reason))
                return False
            self.connect()
        return True

    def go_by_what_is_agreed(self) -> None:
        """Let stream, state and listener have what an offer after the first one settled."""
        self.connect()
        if not self.is_answered:
            return
        held = self.stream is not None and not self.wanted.receives
        self._become(ConnectionState.HOLD if held else ConnectionState.CONNECTED)
        if self.listener is not None:
            self.listener.on_direction(self)

    def on_leg_ended(self, status: int, response: message.Response | None) -> None:
        """The leg is over."""
        if self.leg is not None:
            self._finish(status, response)

    def watch(self) -> None:
        """Notice it when the far end of a leg that occupies a channel falls silent."""
        if self.leases and self.stream is not None:
            self.stream.watch(self.media.silent_s)

    async def measured(self) -> Verdict | None:
        """Ask how the audio has fared up to now; None without any."""
        return await self._measurement.of(self.stream)

    def _on_media(self, event: MediaEvent) -> None:
        self._measurement.take(event)
        if isinstance(event, StreamClosed):
            if event.verdict.codec is not None:
                told = event.verdict.told()
                self._switch.stream.publish(StreamEnded(self.call.id, self.leg_id, self.device, told))
            if not self._over:
                self.stream = None  # the worker is gone, and the audio with it
                self.refuse(Refusal("media.lost"))
        if self.listener is not None:
            self.listener.on_media(self, event)
        if self._over and isinstance(event, StreamClosed):
            self.stream = self.listener = None

    def _finish(self, status: int, response: message.Response | None) -> None:
        """End it; nothing that outlives it for a while, as its transactions do, holds it from now on."""
        if self.leg is not None:
            self.leg.owner = None
        self.leg = None
        self._over = True
        self.leases.release()
        if self.stream is not None:
            self.stream.close()
        self._become(ConnectionState.NULL)
        self._switch.forget(self)
        if self.listener is not None:
            self.listener.on_ended(self, status, response)
        if self.stream is None:
            self.listener = None
        if self.work is not None:
            self.work.leg_is_over()
        self.call.on_connection_ended(self)

    def _become(self, state: ConnectionState) -> None:
        if state is self.state:
            return
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a connection does not go from {self.state} to {state}")
        self.state = state
        self._switch.stream.publish(ConnectionChanged(self.call.id, self.leg_id, self.device, state))
