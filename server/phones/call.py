"""A call as a scripted phone sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never

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
from ..sip.headers import NameAddr
from ..sip.info_digits import RELAY, write_digit
from ..sip.refer import Replaces, read_sipfrag
from ..sip.sdes import Crypto
from ..sip.sdp import Direction, SdpError
from ..sip.uri import SipUri
from .refused import Refused
from .sound import PATIENCE_S, NotAnsweredError, Sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...channels.media.srtp import Keys
    from ..sip.dialog import Dialog
    from ..sip.effects import LegEffect
    from ..sip.leg import Leg
    from ..sip.message import Request, Response
    from ..sip.uri import Uri
    from .phone import Phone

PENDING = 491


class PhoneCall(Sound):
    """One call; `status` is its final SIP status (0 while it is open), `response` the response that brought it.

    `is_held` tells that the far end holds it.
    """

    def __init__(self, phone: Phone) -> None:
        super().__init__(phone)
        self._offer = ""
        self._version = 1
        self._keys: Keys | None = None
        self._direction = Direction.SENDRECV
        self._reanswers: list[Response] = []
        self._outcomes: list[int] = []
        self.is_held = False
        self.leg: Leg | None = None
        self.status = 0
        self.response: Response | None = None
        self.rings = False

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
    def dialog(self) -> Dialog:
        """The dialog of an answered call."""
        dialog = self._leg().dialog
        if dialog is None:
            raise NotAnsweredError("the call has no dialog yet")
        return dialog

    @property
    def number(self) -> str:
        """The user part of the far end's address."""
        return _user(NameAddr.parse(self.dialog.remote).uri)

    @property
    def caller(self) -> str:
        """The user part of the From of an incoming call."""
        return _user(self._leg().request.from_.uri)

    @property
    def called(self) -> str:
        """The user part of the Request-URI of an incoming call."""
        return _user(self._leg().request.request_uri)

    # -- verbs -------------------------------------------------------------------------------------------------

    def progress(self) -> None:
        """Speak and listen before the call is taken, by a 183 with SDP (RFC 3261 13.2.1)."""
        self._leg().ring(self._phone.now(), 183, self._describe())
        self.has_early_media = True
        self._phone.flush()

    async def answer(self) -> None:
        """Take an incoming call; returns when the caller has confirmed it."""
        self._leg().answer(self._describe(), self._phone.now())
        self._phone.flush()
        await self.answered()

    def _describe(self) -> bytes:
        """Answer the caller's offer, and let the stream go by it."""
        body, agreed = offer_answer.answer(
            self._leg().request.body,
            self._phone.host,
            self._stream.local.port,
            session_id=1,
            version=self._version,
            supported=self._phone.codecs,
            keying=self._phone.keying,
        )
        self._connect(agreed)
        return body.encode()

    def refuse(self, status: int = 486) -> None:
        """Refuse an incoming call."""
        self._leg().refuse(status, self._phone.now())
        self._phone.flush()

    def _why_not(self) -> str:
        return f"the call was refused with {self.status}, {self.reason or 'without a reason of ours'}"

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
                self._go_by(offer_answer.agreed_from_answer(self._offer, response.body))
            else:
                self._direction = before
            return response

    async def transfer(self, number: str) -> int:
        """Hand the far end on to `number` (RFC 5589 6); returns the final status that the server tells of it."""
        return await self._refer(str(SipUri("sip", number, self._phone.domain)))

    async def transfer_to(self, call: PhoneCall) -> int:
        """Hand the far end on to that of another call of this phone, which ends as well (RFC 5589 7)."""
        dialog = call.dialog
        headers = (("replaces", Replaces.of(dialog)),)
        return await self._refer(str(SipUri("sip", call.number, self._phone.domain, headers=headers)))

    async def _refer(self, target: str) -> int:
        await self.answered()
        accepted = await self._ask(
            "REFER", [("Refer-To", f"<{target}>"), ("Referred-By", self._phone.address)]
        )
        if accepted.status >= 300:
            return accepted.status
        await self._until(lambda: bool(self._outcomes) or self.is_over, 10 * PATIENCE_S)
        if not self._outcomes:
            raise NotAnsweredError("the call ended before the server told how its transfer went")
        return self._outcomes.pop()

    def on_notify(self, request: Request) -> None:
        """The server tells how the transfer goes (RFC 3515 2.4.5)."""
        status = read_sipfrag(request)
        if status is not None and status >= 200:
            self._outcomes.append(status)
            self._changed.set()

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

    # -- what the phone tells ----------------------------------------------------------------------------------

    def offer(self) -> bytes:
        """Write an offer, with the phone's codecs of now."""
        self._version += 1
        keying, keys = self._phone.keying, self._keys
        self._offer = offer_answer.offer(
            self._phone.host,
            self._stream.local.port,
            session_id=1,
            version=self._version,
            codecs=self._phone.codecs,
            direction=self._direction,
            dtmf_payload=offer_answer.DTMF_PAYLOAD if self._phone.telephone_events else None,
            cryptos=keying.offers() if keys is None else (Crypto(1, keys.suite, keys.ours),),
            savp=keying.insists,
            ptime_ms=self._phone.ptime_ms,
        )
        return self._offer.encode()

    def on_leg(self, effect: LegEffect) -> None:
        """The call's leg has something to tell."""
        match effect:
            case LegProgressed(_, response):
                self.rings = True
                self._take_answer(response)
            case LegAnswered(_, response):
                self.status, self.response = response.status, response
                self._take_answer(response)
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

    def _take_answer(self, response: Response) -> None:
        """Read the answer to the offer in the INVITE; without one a 2xx means what was told before."""
        is_early = response.status < 200
        if response.body or not (is_early or self.has_early_media):
            self._connect(offer_answer.agreed_from_answer(self._offer, response.body))
            self.has_early_media = self.has_early_media or is_early

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
                keying=self._phone.keying,
                in_use=self._keys,
            )
        except SdpError:
            self._leg().refuse_offer(488, self._phone.now())
            return
        self._leg().accept_offer(body.encode(), self._phone.now())
        self.is_held = not agreed.receives
        self._go_by(agreed)

    def on_ended(self, status: int, response: Response | None) -> None:
        """The leg is over."""
        self.is_over = True
        if not self.is_answered:
            self.status, self.response = status, response
        self._stream.close()
        self._changed.set()

    # -- inside ------------------------------------------------------------------------------------------------

    def _leg(self) -> Leg:
        if self.leg is None:
            raise NotAnsweredError("the call has no leg yet")
        return self.leg

    def _go_by(self, agreed: offer_answer.Agreed) -> None:
        self._keys = agreed.keys
        remote = agreed.remote(self._leg().peer.host, energy=self._phone.measures_energy)
        self._stream.connect(remote, fill=True, listen=True)

    def _connect(self, agreed: offer_answer.Agreed) -> None:
        self._go_by(agreed)
        if not self.has_early_media:
            self._record()

    async def settled(self) -> None:
        """Wait until the call rings, is answered, or is refused."""
        await self._until(lambda: self.rings or self.is_answered or self.is_over, 2 * PATIENCE_S)


def _user(uri: Uri) -> str:
    return uri.user or "" if isinstance(uri, SipUri) else ""
