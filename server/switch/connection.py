"""A connection: one device's part in one call, with its SIP leg, its stream and its leases (CSTA's connection).

Its state changes here and nowhere else. Whatever ends it, `_finish` closes leases and stream at once and exactly once
(L-74).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ...channels.media.plane import PortsExhaustedError, StreamClosed
from ...licensing.reasons import reason_for
from ...licensing.refusal import Refusal
from ..sip import offer_answer
from ..sip.sdp import Direction, Sdp, SdpError
from .events import ConnectionChanged, LeaseClosed, LeaseTaken
from .explain import cause_of, refusal_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...channels.lease import Lease
    from ...channels.media.plane import Codec, MediaEvent, MediaStream
    from ..sip.leg import Leg
    from ..sip.message import Request, Response
    from ..sip.offer_answer import Agreed
    from .call import Call
    from .switch import Switch
    from .work import Work

NORMAL = 16
UNAVAILABLE = 503
DISCARD_PORT = 9


class ConnectionState(StrEnum):
    """ECMA-269's connection states, as far as they occur."""

    NULL = "null"
    INITIATED = "initiated"
    ALERTING = "alerting"
    CONNECTED = "connected"
    HOLD = "hold"
    FAIL = "fail"


_S = ConnectionState
TRANSITIONS = {
    _S.NULL: frozenset({_S.INITIATED, _S.ALERTING}),
    _S.INITIATED: frozenset({_S.ALERTING, _S.CONNECTED, _S.FAIL, _S.NULL}),
    _S.ALERTING: frozenset({_S.CONNECTED, _S.FAIL, _S.NULL}),
    _S.CONNECTED: frozenset({_S.HOLD, _S.NULL}),
    _S.HOLD: frozenset({_S.CONNECTED, _S.NULL}),
    _S.FAIL: frozenset({_S.NULL}),
}


class Listener(Protocol):
    """Who decides about a connection at the moment: a session, a ringing group, or a bridge."""

    def on_progress(self, connection: Connection) -> None:
        """The device rings."""
        ...

    def on_answered(self, connection: Connection) -> None:
        """The device took the call, or the caller's ACK came."""
        ...

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """Something happened in its stream."""
        ...

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """It is over: `status` is the final status of an unanswered leg, else 0."""
        ...


class Connection:
    """See the module. `device` is the account or trunk, `incoming` tells that the far end called us."""

    def __init__(self, switch: Switch, call: Call, leg_id: str, device: str, *, incoming: bool) -> None:
        self._switch = switch
        self.call = call
        self.leg_id = leg_id
        self.device = device
        self.incoming = incoming
        self.state = ConnectionState.NULL
        self.leg: Leg | None = None
        self.listener: Listener | None = None
        self.leases: list[Lease] = []
        self.stream: MediaStream | None = None
        self.agreed: Agreed | None = None
        self.work: Work | None = None
        self.cause = NORMAL
        self._offered: Sdp | None = None
        self._our_offer = ""
        self._version = 0
        self._fill = False
        self._echo = False
        self._over = False

    @property
    def is_answered(self) -> bool:
        """Whether the call was taken on this connection."""
        return self.state in (ConnectionState.CONNECTED, ConnectionState.HOLD)

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._over

    # -- leases ------------------------------------------------------------------------------------------------

    def occupy(self, leases: Sequence[Lease]) -> None:
        """Keep leases that were taken for this leg."""
        self.leases.extend(leases)
        for lease in leases:
            pool = lease.pool
            self._switch.stream.publish(LeaseTaken(pool.key, self.leg_id, pool.used, pool.limit))

    def release(self, keep: Sequence[str] = ()) -> None:
        """Close the leases whose pool is not in `keep`."""
        closing = [lease for lease in self.leases if lease.pool.key not in keep]
        self.leases = [lease for lease in self.leases if lease.pool.key in keep]
        for lease in closing:
            lease.close()
        for lease in closing:
            pool = lease.pool
            self._switch.stream.publish(LeaseClosed(pool.key, self.leg_id, pool.used, pool.limit))

    # -- the called side's verbs -------------------------------------------------------------------------------

    def begin(self, leg: Leg, state: ConnectionState = ConnectionState.INITIATED) -> None:
        """Take charge of a leg."""
        self.leg = leg
        leg.owner = self
        self._become(state)

    def take_offer(self, body: bytes) -> None:
        """Read the caller's offer, before anything is promised; raises `SdpError`. No body: the offer will be ours."""
        if body:
            self._offered = Sdp.parse(body)
            offer_answer.answer(self._offered, "0.0.0.0", DISCARD_PORT, session_id=0, version=0)

    def ring(self) -> None:
        """Tell the caller that it rings."""
        if self.leg is not None and not self.is_answered:
            self.leg.ring(self._switch.clock.now())
            self._switch.flush()

    async def open_stream(self) -> bool:
        """Take a stream from the plane, if there is none yet; False when the leg ended meanwhile.

        Raises `PortsExhaustedError`.
        """
        if self.stream is None:
            stream = await self._switch.plane.open(self._on_media)
            if self.is_over:
                stream.close()
                return False
            self.stream = stream
        return True

    async def answer(
        self, *, fill: bool = False, echo: bool = False, inactive: bool = False, codec: Codec | None = None
    ) -> bool:
        """Take the call with a 200; `codec` is preferred where the caller offers it. False when the leg is gone.

        Without ports the call is refused by `media.ports.exhausted`.
        """
        if self.leg is None:
            return False
        if self.is_answered:
            self._fill, self._echo = fill, echo
            if self.agreed is not None:
                self._connect(self.agreed)
            return True
        if not inactive:
            try:
                if not await self.open_stream():
                    return False
            except PortsExhaustedError:
                self.refuse(Refusal("media.ports.exhausted"))
                return False
        self._fill, self._echo = fill, echo
        body = self._answer_body(inactive=inactive, codec=codec)
        self._become(ConnectionState.CONNECTED)
        self.leg.answer(body, self._switch.clock.now())
        self._switch.flush()
        return self.leg is not None

    def _answer_body(self, *, inactive: bool, codec: Codec | None) -> bytes:
        host, port = self._switch.media_host, self._port
        direction = Direction.INACTIVE if inactive else Direction.SENDRECV
        self._version += 1
        if self._offered is None:
            self._our_offer = offer_answer.offer(
                host, port, session_id=self._session_id, version=self._version, direction=direction
            )
            return self._our_offer.encode()
        preferred = (codec,) if codec is not None and self._offers(codec) else offer_answer.ALL_CODECS
        body, agreed = offer_answer.answer(
            self._offered,
            host,
            port,
            session_id=self._session_id,
            version=self._version,
            supported=preferred,
            direction=direction,
        )
        self._connect(agreed)
        return body.encode()

    def _offers(self, codec: Codec) -> bool:
        """Whether the caller speaks `codec` as well: then nothing need be translated."""
        number = offer_answer.PAYLOAD_TYPES[codec]
        return self._offered is not None and any(number in line.payload_types for line in self._offered.media)

    @property
    def _port(self) -> int:
        return self.stream.local.port if self.stream is not None else DISCARD_PORT

    @property
    def _session_id(self) -> int:
        return int(self.leg_id.rsplit("-", 1)[1])

    def _connect(self, agreed: Agreed) -> None:
        self.agreed = agreed
        if self.stream is not None and self.leg is not None:
            self.stream.connect(agreed.remote(self.leg.peer.host), fill=self._fill)
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

    # -- the calling side --------------------------------------------------------------------------------------

    async def offer(self) -> bytes:
        """Take a stream and write the offer for an outgoing leg; raises `PortsExhaustedError`."""
        await self.open_stream()
        self._version += 1
        self._our_offer = offer_answer.offer(
            self._switch.media_host, self._port, session_id=self._session_id, version=self._version
        )
        return self._our_offer.encode()

    # -- both --------------------------------------------------------------------------------------------------

    def hang_up(self, cause: int = NORMAL, headers: Sequence[tuple[str, str]] = ()) -> None:
        """End the leg, however far it got."""
        if self.leg is None:
            return
        self.cause = cause
        leg = self.leg
        self._finish(0, None)
        leg.hang_up(self._switch.clock.now(), headers)
        self._switch.flush()

    def refuse(self, refusal: Refusal, first_cause: Refusal | None = None) -> None:
        """End the leg by a rule, with the reason in every header that a telephone might show.

        A caller who waits gets a final response; everybody else BYE or CANCEL.
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
        headers = refusal_headers(refusal, decision.id, first_cause)
        self.cause = cause_of(refusal)
        if not self.incoming or self.is_answered:
            self.hang_up(self.cause, headers)
            return
        self._become(ConnectionState.FAIL)
        self.leg.refuse(reason_for(refusal).sip_status or UNAVAILABLE, self._switch.clock.now(), headers)
        self._switch.flush()

    def abandon(self) -> None:
        """Forget a connection that never got a leg."""
        self._over = True
        self.release()
        if self.stream is not None:
            self.stream.close()
        self._switch.forget(self)
        self.call.connections.remove(self)

    def go_quiet(self) -> None:
        """Stop what plays, and the filling with silence: from now on only what a bridge relays is sent."""
        if self._fill and self.stream is not None and self.agreed is not None:
            self._fill = False
            self.stream.stop_playing()
            self._connect(self.agreed)

    # -- what the leg tells ------------------------------------------------------------------------------------

    def on_progress(self) -> None:
        """18x came."""
        if self.listener is not None:
            self.listener.on_progress(self)

    def on_answered(self, body: bytes) -> None:
        """2xx came to our offer."""
        try:
            agreed = offer_answer.agreed_from_answer(self._our_offer, body)
        except SdpError:
            self.refuse(Refusal("media.incompatible"))
            return
        self._become(ConnectionState.CONNECTED)
        self._connect(agreed)
        if self.listener is not None:
            self.listener.on_answered(self)

    def on_confirmed(self, body: bytes) -> None:
        """The caller's ACK came, with its answer when the offer was ours."""
        if self._offered is None and self._our_offer and self.agreed is None:
            try:
                self._connect(offer_answer.agreed_from_answer(self._our_offer, body))
            except SdpError:
                self.refuse(Refusal("media.incompatible"))
                return
        if self.listener is not None:
            self.listener.on_answered(self)

    def on_reoffered(self, request: Request) -> None:
        """A re-INVITE: new media, or hold (RFC 3264 8.4)."""
        if self.leg is None:
            return
        now = self._switch.clock.now()
        try:
            self._offered = Sdp.parse(request.body) if request.body else self._offered
            body = self._answer_body(
                inactive=self.stream is None, codec=self.agreed.codec if self.agreed else None
            )
        except SdpError:
            refusal = Refusal("media.incompatible")
            self.leg.refuse_offer(488, now, refusal_headers(refusal, None))
        else:
            held = self.agreed is not None and not self.agreed.receives and self.stream is not None
            self._become(ConnectionState.HOLD if held else ConnectionState.CONNECTED)
            self.leg.accept_offer(body, now)
        self._switch.flush()

    def on_leg_ended(self, status: int, response: Response | None) -> None:
        """The leg is over."""
        if self.leg is not None:
            self._finish(status, response)

    def _on_media(self, event: MediaEvent) -> None:
        if isinstance(event, StreamClosed) and not self._over:
            self.stream = None  # the worker is gone, and the audio with it
            self.refuse(Refusal("media.lost"))
            return
        if self.listener is not None:
            self.listener.on_media(self, event)

    def _finish(self, status: int, response: Response | None) -> None:
        self.leg = None
        self._over = True
        self.release()
        if self.stream is not None:
            self.stream.close()
        self._become(ConnectionState.NULL)
        self._switch.forget(self)
        if self.listener is not None:
            self.listener.on_ended(self, status, response)
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
