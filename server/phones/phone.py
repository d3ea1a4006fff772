"""A scripted phone: an account, or an outside caller behind a trunk, with its own socket and its own streams.

Used by the `pbx` fixture, the demonstration and loads. It speaks through the same SIP core as the server, over any
`Network`; the project's interop tests use telephones of others.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from ...channels.media.inline_plane import InlinePlane
from ..net.memory_streams import streams_on
from ..net.stack import SipStack
from ..sip.agent import Agent
from ..sip.authorize import Authorizer
from ..sip.capabilities import ALLOW
from ..sip.effects import LegEffect, Requested, RequestedInside, Responded, Unanswered
from ..sip.flow import Flow
from ..sip.message import Request
from ..sip.offer_answer import NARROWBAND, SAVP
from ..sip.sdes import UNKEYED, Keying
from ..sip.uri import SipUri
from .call import PhoneCall
from .instant_message import InstantMessage
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...channels.media.plane import Codec
    from ...channels.network import Network
    from ..net.streams import Streams
    from ..sip.effects import Effect
    from ..sip.flow import Peer
    from ..sip.leg import Leg
    from ..sip.message import Response

    Headers = Sequence[tuple[str, str]]


class PhoneError(Exception):
    """The phone could not do what it was told; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a phone is: the user part and the domain of its address; `password` None never answers a challenge.

    `number` tells several phones of one account apart.
    """

    name: str
    domain: str
    password: str | None = field(default=None, repr=False)
    number: int = 1


class Phone:
    """One phone, at `server`, with its sockets at `host`; a `Flow` as `server` is the connection that it opens.

    `busy_with` is the status with which it refuses calls (486, 603 …), None rings. `claims` is another user part for
    its From and To, `codecs` what it offers and takes. When it calls it asks for packets of `ptime_ms`, and without
    `telephone_events` it sends and hears digits as tones. With `measures_energy` its verdicts tell how loud it was.
    Audio is encrypted as `encrypts` says: `gladly` is by RTP/AVP with keys, which the far end may leave alone. `calls`
    and `messages` are in the order in which they came.
    """

    def __init__(self, network: Network, server: Peer, account: Account, host: str) -> None:
        self._server = server
        self._me = account
        self._random = Random(f"{account.name}@{account.domain}/{account.number}")  # noqa: S311 - tags of a test phone, the same in every run
        self._scratch = TemporaryDirectory(prefix="ringfence-phone-")
        self._recordings = 0
        self._incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self._stack = SipStack(self._handle)
        self._streams: Streams | None = None
        self._plane = InlinePlane(network, host, rng=self._random)
        self._opening: set[asyncio.Task[None]] = set()
        self._register_call_id = ""
        self._cseq = 0
        self._authorize = (
            Authorizer(account.name, account.password, self._random) if account.password is not None else None
        )
        self.account = account.name
        self.host = host
        self.calls: list[PhoneCall] = []
        self.messages: list[InstantMessage] = []
        self.busy_with: int | None = None
        self.claims: str | None = None
        self.codecs: Sequence[Codec] = NARROWBAND
        self.measures_energy = False
        self.telephone_events = True
        self.encrypts: Literal["never", "gladly", "always"] = "never"
        self.ptime_ms = 20

    @classmethod
    async def start(
        cls,
        network: Network,
        server: Peer,
        account: Account,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> Phone:
        """Bind the phone's socket; raises OSError."""
        phone = cls(network, server, account, host)
        stack = phone._stack
        await stack.start(network, host, port, lambda local: Agent(local, phone._random))
        if isinstance(server, Flow):
            phone._streams = streams_on(network, stack, lambda: (server,))  # it may be called by it
            stack.dial = phone._streams.dial
        phone._register_call_id = phone._stack.agent.new_call_id()
        return phone

    async def register(self, expires_s: int = 3600) -> Response:
        """Register, or with 0 take the registration back; returns the final response, whatever it is."""
        target = f"sip:{self._me.domain}"
        contact = self._stack.agent.reach.contact(self._server, target, self.account)
        headers = [
            ("To", self.address),
            ("Call-ID", self._register_call_id),
            ("Contact", contact),
            ("Expires", str(expires_s)),
        ]
        return await self._ask("REGISTER", target, headers)

    async def subscribe(self, package: str, number: str, *, expires_s: int = 3600) -> Watch:
        """Watch `number`: `dialog` its calls, `presence` its user, `message-summary` the own box (RFC 6665).

        Returns once the state is told, or the subscription refused.
        """
        watch = Watch(self, self._stack.agent, self._server, self._authorize, package=package, number=number)
        await watch.subscribe(expires_s)
        return watch

    async def pick_up(self, watch: Watch) -> PhoneCall:
        """Take the call that rings where a subscription to `dialog` watches (RFC 3891 3); returns as `dial` does."""
        return await self.dial(watch.number, headers=(("Replaces", watch.replaces),))

    async def message(self, number: str, text: str) -> Response:
        """Write to `number` (RFC 3428); returns the final response, with 2xx that of a device that has the text."""
        target = str(SipUri("sip", number, self._me.domain))
        headers = [
            ("To", f"<{target}>"),
            ("Call-ID", self._stack.agent.new_call_id()),
            ("Content-Type", "text/plain;charset=UTF-8"),
        ]
        return await self._ask("MESSAGE", target, headers, text.encode())

    async def dial(
        self, number: str, *, domain: str | None = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> PhoneCall:
        """Call `number`, with more `headers`; returns once it rings, is answered, or is refused."""
        call = await self._new_call()
        target = str(SipUri("sip", number, domain or self._me.domain))
        call.leg = self._stack.agent.invite(
            target,
            self._server,
            from_=self.address,
            to=f"<{target}>",
            body=call.offer(),
            now=self.now(),
            headers=headers,
            authorize=self._authorize,
        )
        call.leg.owner = call
        self.flush()
        await call.settled()
        return call

    async def ringing(self, timeout_s: float = 30.0) -> PhoneCall:
        """Wait for the next incoming call that still rings; it is not answered."""
        async with asyncio.timeout(timeout_s):
            while (call := await self._incoming.get()).is_over:
                pass
            return call

    async def answer(self, timeout_s: float = 30.0) -> PhoneCall:
        """Take the next incoming call."""
        call = await self.ringing(timeout_s)
        await call.answer()
        return call

    async def unplug(self) -> None:
        """Vanish without a word: nothing is sent any more, and nothing heard."""
        await self._close()

    async def stop(self) -> None:
        """Hang up, and close the sockets."""
        for call in list(self.calls):
            if call.leg is not None and not call.is_over:
                call.leg.hang_up(self.now())
        self.flush()
        await self._close()
        self._scratch.cleanup()

    async def _close(self) -> None:
        await self._plane.stop()
        if self._streams is not None:
            await self._streams.stop()
        self._stack.stop()

    # -- for its calls -----------------------------------------------------------------------------------------

    @property
    def keying(self) -> Keying:
        """How it agrees on keys."""
        if self.encrypts == "never":
            return UNKEYED
        return Keying(self._random, None, insists=self.encrypts == "always")

    def now(self) -> float:
        """Seconds on the loop's clock."""
        return asyncio.get_running_loop().time()

    def flush(self) -> None:
        """Let what was told to a leg go out."""
        self._stack.flush()

    def new_recording_path(self) -> Path:
        """Return a fresh file name for what is heard."""
        self._recordings += 1
        return Path(self._scratch.name) / f"heard-{self._recordings}.wav"

    # -- inside ------------------------------------------------------------------------------------------------

    async def _new_call(self) -> PhoneCall:
        call = PhoneCall(self)
        await call.open(self._plane)
        self.calls.append(call)
        return call

    @property
    def domain(self) -> str:
        """The domain of its address."""
        return self._me.domain

    @property
    def address(self) -> str:
        """Its address, as From and To have it."""
        return f"<sip:{self.claims or self.account}@{self._me.domain}>"

    async def _ask(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Response:
        """Send a request outside dialogs, once more with credentials if it is challenged."""
        answer = await self._send(method, target, headers, body)
        if answer.status in (401, 407) and self._authorize is not None:
            header = self._authorize(answer, Request(method, target))
            if header is not None:
                answer = await self._send(method, target, [*headers, header], body)
        return answer

    async def _send(self, method: str, target: str, headers: Headers, body: bytes) -> Response:
        agent = self._stack.agent
        self._cseq += 1
        request = Request(
            method,
            target,
            [
                ("Max-Forwards", "70"),
                ("From", f"{self.address};tag={agent.new_tag()}"),
                ("CSeq", f"{self._cseq} {method}"),
                *headers,
            ],
            body,
        )
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        agent.send(request, self._server, answer, self.now())
        self.flush()
        return await answer

    def _handle(self, effect: Effect) -> None:
        match effect:
            case Requested(request, source):
                self._take(request, source)
            case RequestedInside(leg, transaction):
                status = 405
                if transaction.request.method == "NOTIFY" and isinstance(leg.owner, PhoneCall):
                    leg.owner.on_notify(transaction.request)
                    status = 200
                transaction.respond(transaction.request.respond(status), self.now())
            case Responded(transaction, response) if response.status >= 200:
                if isinstance(transaction.owner, asyncio.Future) and not transaction.owner.done():
                    transaction.owner.set_result(response)
            case Unanswered(transaction):
                if isinstance(transaction.owner, asyncio.Future) and not transaction.owner.done():
                    method = transaction.request.method
                    transaction.owner.set_exception(PhoneError(f"nobody answers {method} at {self._server}"))
            case _ if isinstance(effect, LegEffect) and isinstance(effect.leg.owner, PhoneCall):
                effect.leg.owner.on_leg(effect)
            case _:
                pass

    def _take(self, request: Request, source: Peer) -> None:
        agent = self._stack.agent
        if request.method == "MESSAGE":
            self.messages.append(InstantMessage.of(request))
            agent.accept(request, source).respond(request.respond(200, to_tag=agent.new_tag()), self.now())
            return
        if request.method != "INVITE":
            status = 200 if request.method == "OPTIONS" else 405
            agent.refuse(request, status, source, ("Allow", f"{ALLOW}, MESSAGE"))
            return
        leg = agent.incoming(agent.accept(request, source), source, self.now())
        if self.busy_with is not None:
            leg.refuse(self.busy_with, self.now())
            return
        if self.encrypts == "always" and request.body and SAVP.encode() not in request.body:
            leg.refuse(488, self.now())
            return
        leg.ring(self.now())
        task = asyncio.get_running_loop().create_task(self._ring(leg))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _ring(self, leg: Leg) -> None:
        call = await self._new_call()
        call.leg = leg
        leg.owner = call
        if leg.is_over:
            call.on_ended(487, None)
        self._incoming.put_nowait(call)
