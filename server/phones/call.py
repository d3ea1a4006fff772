"""A call as a scripted phone sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never

from ...channels.media.audio import Audio
from ...channels.media.plane import DigitHeard, DigitsSent, MediaEvent, Played, Recorded, StreamClosed
from ..sip import offer_answer
from ..sip.effects import (
    LegAnswered,
    LegConfirmed,
    LegEnded,
    LegProgressed,
    LegReanswered,
    LegReconfirmed,
    LegRefreshDue,
    LegReoffered,
    LegUnblocked,
)
from ..sip.info_digits import RELAY, write_digit
from ..sip.sdp import Direction, SdpError
from ..sip.uri import SipUri
from .refused import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ...channels.media.plane import MediaPlane, MediaStream, Playable
    from ..sip.effects import LegEffect
    from ..sip.leg import Leg
    from ..sip.message import Request, Response
    from ..sip.uri import Uri
    from .phone import Phone

PATIENCE_S = 30.0
LONGEST_RECORDING_S = 3600.0
SLICE_S = 0.2
PENDING = 491


class NotAnsweredError(Exception):
    """A verb needs an answered call, and this one was refused or has ended."""


class PhoneCall:
    """One call; `status` is its final SIP status (0 while it is open), `response` the response that brought it.

    `is_held` tells that the far end holds it, `digits` what was pressed there (RFC 4733).
    """

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._offer = ""
        self._changed = asyncio.Event()
        self._recorded: list[Recorded] = []
        self._closed: StreamClosed | None = None
        self._digits_sent = 0
        self._played = 0
        self._version = 1
        self._direction = Direction.SENDRECV
        self._reanswers: list[Response] = []
        self.is_held = False
        self.digits = ""
        self.leg: Leg | None = None
        self.status = 0
        self.response: Response | None = None
        self.rings = False
        self.is_answered = False
        self.is_over = False

    async def open(self, plane: MediaPlane) -> None:
        """Take the stream that every call has."""
        self._stream: MediaStream = await plane.open(self.on_media)

    # -- what can be asked -------------------------------------------------------------------------------------

    @property
    def refused(self) -> Refused | None:
        """What the final response told; None while there is none."""
        return Refused.of(self.response) if self.response is not None else None

    @property
    def reason(self) -> str | None:
        """Ringfence's reason code of a refusal."""
        return self.refused.reason if self.refused is not None else None

    @property
    def decision(self) -> str | None:
        """The id under which the server explains the refusal."""
        return self.refused.decision if self.refused is not None else None

    @property
    def cause(self) -> int | None:
        """The Q.850 cause of a refusal."""
        return self.refused.cause if self.refused is not None else None

    @property
    def packets(self) -> StreamClosed:
        """The RTP packets of an ended call."""
        if self._closed is None:
            raise NotAnsweredError("packets are counted when the call has ended: await ended() first")
        return self._closed

    @property
    def caller(self) -> str:
        """The user part of the From of an incoming call."""
        return _user(self._leg().request.from_.uri)

    @property
    def called(self) -> str:
        """The user part of the Request-URI of an incoming call."""
        return _user(self._leg().request.request_uri)

    # -- verbs -------------------------------------------------------------------------------------------------

    async def answer(self) -> None:
        """Take an incoming call; returns when the caller has confirmed it."""
        leg, phone = self._leg(), self._phone
        body, agreed = offer_answer.answer(
            leg.request.body,
            phone.host,
            self._stream.local.port,
            session_id=1,
            version=self._version,
            supported=phone.codecs,
        )
        self._connect(agreed)
        leg.answer(body.encode(), phone.now())
        phone.flush()
        await self.answered()

    def refuse(self, status: int = 486) -> None:
        """Refuse an incoming call."""
        self._leg().refuse(status, self._phone.now())
        self._phone.flush()

    async def answered(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the call is answered; raises `NotAnsweredError` when it was refused."""
        await self._until(lambda: self.is_answered or self.is_over, timeout_s)
        if not self.is_answered:
            raise NotAnsweredError(
                f"the call was refused with {self.status}, {self.reason or 'without a reason of ours'}"
            )

    async def ended(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the call is over, whoever ended it."""
        await self._until(lambda: self.is_over and self._closed is not None, timeout_s)

    async def hang_up(self) -> None:
        """End the call: CANCEL, a refusal or BYE, as it stands."""
        if self.leg is not None and not self.is_over:
            self.leg.hang_up(self._phone.now())
            self._phone.flush()
        await self.ended(timeout_s=2 * PATIENCE_S)

    async def hold(self) -> None:
        """Hold the call by a re-INVITE with sendonly (RFC 3264 8.4)."""
        await self.reoffer(Direction.SENDONLY)

    async def resume(self) -> None:
        """Talk again."""
        await self.reoffer(Direction.SENDRECV)

    async def reoffer(self, direction: Direction = Direction.SENDRECV) -> Response:
        """Offer media anew, with the phone's codecs of now; returns the final response, never a 491."""
        await self.answered()
        leg, before, self._direction = self._leg(), self._direction, direction
        while True:
            count = len(self._reanswers)
            while not self.is_over and not leg.reoffer(self.offer(), self._phone.now()):
                self._changed.clear()
                await self._changed.wait()
            self._phone.flush()
            await self._until(lambda: len(self._reanswers) > count or self.is_over, 2 * PATIENCE_S)  # noqa: B023
            if len(self._reanswers) == count:
                raise NotAnsweredError("the call ended before its media were agreed anew")
            response = self._reanswers[-1]
            if response.status == PENDING:
                continue
            if response.status < 300:
                agreed = offer_answer.agreed_from_answer(self._offer, response.body)
                self._stream.connect(agreed.remote(leg.peer.host), fill=True)
            else:
                self._direction = before
            return response

    async def send_digits(self, digits: str) -> None:
        """Press keys; returns when they are sent."""
        await self.answered()
        before = self._digits_sent
        self._stream.send_digits(digits)
        await self._until(lambda: self._digits_sent > before or self.is_over)

    async def send_info_digits(self, digits: str) -> None:
        """Press keys on a phone that tells them by INFO; raises `NotAnsweredError` when one is refused."""
        await self.answered()
        for digit in digits:
            response = await self._ask("INFO", [("Content-Type", RELAY)], write_digit(digit))
            if response.status >= 300:
                raise NotAnsweredError(f"the digit {digit} was refused with {response.status}")

    async def _ask(self, method: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> Response:
        """Send a request inside the dialog and return its final response."""
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        if not self._leg().send(method, answer, self._phone.now(), headers=headers, body=body):
            raise NotAnsweredError(f"there is no dialog to send {method} in")
        self._phone.flush()
        return await answer

    async def play(self, *playables: Playable) -> None:
        """Speak into the telephone; returns when all is said, at once when a tone has no length."""
        await self.answered()
        token = self._stream.play(playables)
        if all(getattr(one, "duration_s", 0.0) is not None for one in playables):
            await self._until(lambda: self._played >= token or self.is_over, LONGEST_RECORDING_S)

    async def heard(self) -> Audio:
        """Return what was heard since the call was answered, or since this was asked last."""
        before = len(self._recorded)
        if not self.is_over:
            self._stream.stop_recording()
        audio = await self._recording_after(before)
        if not self.is_over:
            self._record()
        return audio

    async def hear_tone(self, frequency_hz: float, timeout_s: float = PATIENCE_S) -> None:
        """Wait until a tone sounds, as a caller waits for the beep; `heard` begins anew there.

        The tone must last twice `SLICE_S`. Raises `NotAnsweredError` when the call ends before.
        """
        await self.answered()
        async with asyncio.timeout(timeout_s):
            before = len(self._recorded)
            self._stream.stop_recording()
            await self._recording_after(before)
            while not self.is_over:
                before = len(self._recorded)
                self._record(SLICE_S)
                if (await self._recording_after(before)).contains_tone(frequency_hz, 0.9):
                    self._record()
                    return
        raise NotAnsweredError(f"the call ended before a tone of {frequency_hz} Hz was heard")

    # -- what the phone tells ----------------------------------------------------------------------------------

    def offer(self) -> bytes:
        """Write an offer, with the phone's codecs of now."""
        self._version += 1
        self._offer = offer_answer.offer(
            self._phone.host,
            self._stream.local.port,
            session_id=1,
            version=self._version,
            codecs=self._phone.codecs,
            direction=self._direction,
        )
        return self._offer.encode()

    def on_leg(self, effect: LegEffect) -> None:
        """The call's leg has something to tell."""
        match effect:
            case LegProgressed():
                self.rings = True
            case LegAnswered(_, response):
                self.status, self.response = response.status, response
                self._connect(offer_answer.agreed_from_answer(self._offer, response.body))
                self.is_answered = True
            case LegConfirmed():
                self.is_answered = True
            case LegReoffered(_, request):
                self._accept(request)
            case LegReanswered(_, response):
                self._reanswers.append(response)
            case LegRefreshDue(leg):
                leg.reoffer(self.offer(), self._phone.now())
            case LegReconfirmed() | LegUnblocked():
                pass
            case LegEnded(_, status, _, final):
                self.on_ended(status, final)
            case _:
                assert_never(effect)
        self._changed.set()

    def _accept(self, request: Request) -> None:
        """The far end wants other media; it gets it, if the phone has its codecs."""
        self._version += 1
        try:
            body, agreed = offer_answer.answer(
                request.body,
                self._phone.host,
                self._stream.local.port,
                session_id=1,
                version=self._version,
                supported=self._phone.codecs,
                direction=self._direction,
            )
        except SdpError:
            self._leg().refuse_offer(488, self._phone.now())
            return
        self._leg().accept_offer(body.encode(), self._phone.now())
        self.is_held = not agreed.receives
        self._stream.connect(agreed.remote(self._leg().peer.host), fill=True)

    def on_ended(self, status: int, response: Response | None) -> None:
        """The leg is over."""
        self.is_over = True
        if not self.is_answered:
            self.status, self.response = status, response
        self._stream.close()
        self._changed.set()

    def on_media(self, event: MediaEvent) -> None:
        """Something happened in the stream."""
        match event:
            case Recorded():
                self._recorded.append(event)
            case StreamClosed():
                self._closed = event
            case DigitHeard(digit):
                self.digits += digit
            case DigitsSent():
                self._digits_sent += 1
            case Played(token):
                self._played = token
            case _:
                return
        self._changed.set()

    # -- inside ------------------------------------------------------------------------------------------------

    def _leg(self) -> Leg:
        if self.leg is None:
            raise NotAnsweredError("the call has no leg yet")
        return self.leg

    def _connect(self, agreed: offer_answer.Agreed) -> None:
        self._stream.connect(agreed.remote(self._leg().peer.host), fill=True)
        self._record()

    def _record(self, max_s: float = LONGEST_RECORDING_S) -> None:
        path: Path = self._phone.new_recording_path()
        self._stream.record(path, max_s)

    async def _recording_after(self, before: int) -> Audio:
        """Return the first recording that ends when there were `before`; the last one of a call that is over."""
        await self._until(lambda: len(self._recorded) > before or self._closed is not None)
        return Audio.from_wav(self._recorded[-1].path)

    async def _until(self, holds: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def settled(self) -> None:
        """Wait until the call rings, is answered, or is refused."""
        await self._until(lambda: self.rings or self.is_answered or self.is_over, 2 * PATIENCE_S)


def _user(uri: Uri) -> str:
    return uri.user or "" if isinstance(uri, SipUri) else ""
