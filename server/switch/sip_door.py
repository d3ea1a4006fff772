"""The SIP door: requests outside dialogs, checked as RFC 3261 8.2 says, authenticated, and handed on.

Trunk peers are never challenged, all others always are, but OPTIONS to the server itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.softphone.account import MOBILE
from ...features.softphone.policy import may_use_softphone
from ...licensing.refusal import Refusal
from ..sip.capabilities import ALLOW, abilities, unknown_extensions
from ..sip.effects import FlowLost, Requested, Resubscribed, SubscriptionEnded
from ..sip.flow import Flow, is_plain
from ..sip.headers import parse_params
from ..sip.message import SipSyntaxError
from ..sip.multipart import SDP, find_part
from ..sip.reach import MAGIC
from ..sip.refer import Replaces
from ..sip.session_timer import LEAST_S, TOO_SHORT, is_too_short
from ..sip.uri import SipUri
from .caller_id import called_from_outside, caller_from_outside, with_privacy
from .domain import is_ours
from .events import Registered
from .identity import Unproven
from .routing import UNKNOWN
from .shedding import Shedding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...channels.session import Party
    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.effects import Effect
    from ..sip.flow import Peer
    from ..sip.message import Request
    from ..sip.registrar import Registrar
    from ..site.administration import Administration
    from ..site.site import Trunk
    from .identity import Identity
    from .notifier import Notifier
    from .replies import Replies
    from .stream import EventStream
    from .switch import Switch

    Taker = Callable[[Request, Peer, Party, str], None]

METHODS = frozenset(ALLOW.split(", "))
"""The methods of calls and registrations, which trunks may use too, but for REGISTER."""

SIPS_NEEDS_TLS = ("Warning", '399 ringfence "a sips: URI is reached by TLS alone"')
"""RFC 3261 26.2.2. It is a 403, since 416 would have the client ask again without the s (8.1.3.5)."""


class SipDoor:
    """Takes what the SIP stack of one server hands up.

    `takers` are the rooms of the methods that only accounts may use, each called with request, source, who asks and
    the user part of the Request-URI.
    """

    def __init__(
        self,
        *,
        switch: Switch,
        stack: SipStack,
        identity: Identity,
        registrar: Registrar,
        administration: Administration,
        replies: Replies,
        notifier: Notifier,
        takers: Mapping[str, Taker],
        stream: EventStream,
        clock: Clock,
    ) -> None:
        self._switch = switch
        self._stack = stack
        self._identity = identity
        self._registrar = registrar
        self._administration = administration
        self._replies = replies
        self._notifier = notifier
        self._takers = takers
        self._stream = stream
        self._clock = clock
        self._shedding = Shedding(stack, stream, clock)
        stack.overload.spared = tuple(
            f"INVITE sip:{number}@".encode() for number in sorted(switch.router.emergency_numbers())
        )
        self._allow = ", ".join((ALLOW, *takers))
        self._abilities = abilities(self._allow, ("Allow-Events", notifier.allow_events))

    def handle(self, effect: Effect) -> None:
        """Take an effect of the agent: new requests here, subscriptions in the notifier, legs in the switch."""
        if isinstance(effect, Requested):
            try:
                self._take(effect.request, effect.source)
            except SipSyntaxError as error:
                self._stack.agent.refuse(effect.request, error.status, effect.source)
        elif isinstance(effect, Resubscribed | SubscriptionEnded):
            self._notifier.handle(effect)
        elif isinstance(effect, FlowLost):
            for account in self._registrar.lose(effect.flow):
                self._publish_contacts(account)
        else:
            self._switch.handle(effect)

    def _take(self, request: Request, source: Peer) -> None:
        agent, method = self._stack.agent, request.method
        uri = request.request_uri
        if not isinstance(uri, SipUri):
            agent.refuse(request, 416, source)
            return
        if uri.scheme == "sips" and is_plain(source) and not self._is_for_emergency(request, uri):
            agent.refuse(request, 403, source, SIPS_NEEDS_TLS)
            return
        if method == "OPTIONS" and uri.user is None:
            agent.refuse(request, 200, source, *self._abilities)
        elif self._stack.is_overloaded and not self._is_for_emergency(request, uri):
            self._shedding.turn_away(request, source)
        else:
            self._serve(request, uri, source)

    def _is_for_emergency(self, request: Request, uri: SipUri) -> bool:
        return request.method == "INVITE" and self._switch.router.is_for_emergency(uri.user or "")

    def _serve(self, request: Request, uri: SipUri, source: Peer) -> None:
        """Carry a request out, once it is known who asks."""
        method = request.method
        trunk = None if method == "REGISTER" else self._identity.trunk_of(source)
        party = self._who(request, source, trunk)
        if party is None:
            return
        allow = ALLOW if trunk else self._allow
        if method not in METHODS and (trunk or method not in self._takers):
            self._replies.answer(request, source, 405, ("Allow", allow))
        elif unknown := unknown_extensions(request):
            self._replies.answer(request, source, 420, ("Unsupported", ", ".join(unknown)))
        elif not is_ours(uri, self._identity.realm):
            self._replies.answer(request, source, 404)
        elif method == "INVITE":
            self._invite(request, source, party, uri.user or "")
        elif method == "REGISTER":
            self._register(request, source, party)
        elif method in self._takers:
            self._takers[method](request, source, party, uri.user or "")
        elif method == "OPTIONS":
            self._tell_abilities(request, source, party, uri.user or "")
        else:
            self._replies.answer(
                request, source, 481, ("Allow", allow)
            )  # RFC 3261 15.1.2: they live in a dialog

    def _who(self, request: Request, source: Peer, trunk: Trunk | None) -> Party | None:
        """Tell who asks; whoever has not proved it is answered here, or not at all."""
        if trunk is not None:
            return caller_from_outside(trunk, request)
        party = self._identity.of_account(request, source, self._clock.now())
        if isinstance(party, Unproven):
            self._stack.agent.refuse(request, party.status, source, *party.headers, at=party.at)
            return None
        return party

    def _tell_abilities(self, request: Request, source: Peer, party: Party, called: str) -> None:
        """RFC 3261 11.2: a number that is nobody's is not found, as it would not be by an INVITE."""
        trunk, router = (
            self._identity.trunk_of(source) if party.trunk is not None else None,
            self._switch.router,
        )
        number = called if trunk is None else router.direct_dial(trunk, called)
        if number is None or (
            router.command(party, number) is None and router.route(party, number) is UNKNOWN
        ):
            self._replies.answer(request, source, 404)
        else:
            self._replies.answer(request, source, 200, *(abilities(ALLOW) if trunk else self._abilities))

    def _invite(self, request: Request, source: Peer, party: Party, called: str) -> None:
        if (request.get("content-encoding") or "identity").lower() != "identity":
            self._replies.answer(request, source, 415, ("Accept-Encoding", "identity"))
            return
        if not request.contacts and (request.via.branch or "").startswith(MAGIC):
            # RFC 3261 8.1.1.8; RFC 2543 knew INVITE without Contact
            self._replies.answer(request, source, 400)
            return
        if is_too_short(request):
            self._replies.answer(request, source, TOO_SHORT, ("Min-SE", str(LEAST_S)))
            return
        if not request.accepts("application/sdp"):
            self._replies.answer(request, source, 406)
            return
        offer = _offer_in(request)
        if offer is None:
            self._replies.answer(request, source, 415, ("Accept", "application/sdp"))
            return
        replaced = request.get("replaces")
        replaces = None if replaced is None else Replaces.parse(replaced)
        agent = self._stack.agent
        leg = agent.incoming(agent.accept(request, source), source, self._clock.now())
        number: str | None = called
        trunk = self._identity.trunk_of(source) if party.trunk is not None else None
        if trunk is not None:
            called = called_from_outside(trunk, request, called)
            number = self._switch.router.direct_dial(trunk, called)
        party = with_privacy(party, request)
        if replaces is not None:
            self._switch.replacements.take(leg, party, replaces, offer)
        else:
            self._switch.take(leg, party, called, number, offer)

    def _register(self, request: Request, source: Peer, party: Party) -> None:
        """RFC 3261 10.3; the softphone needs its licence here already (L-47)."""
        agent, account = self._stack.agent, request.to.uri
        if isinstance(account, SipUri) and not is_ours(account, self._identity.realm):
            self._replies.answer(request, source, 404)  # step 5: no account of this domain
            return
        is_own = isinstance(account, SipUri) and account.user == party.number
        if not is_own or any(
            isinstance(one.uri, SipUri) and agent.reach.is_named_by(one.uri) for one in request.contacts
        ):
            self._replies.answer(request, source, 403)  # step 4: somebody else's account, or a loop
            return
        mobile = not party.extension and party.number.endswith(MOBILE)
        refusal = None if party.extension else may_use_softphone(party.number, self._administration.gate)
        if refusal is None and mobile and not isinstance(source, Flow):
            refusal = Refusal("softphone_mobile.transport", facts={"user": party.user})
        if refusal is not None:
            what = f"registration of {party.number}"
            self._replies.refuse(request, source, refusal, what, party)
            return
        now = self._clock.now()
        if isinstance(source, Flow):
            self._follow(party.number, request.call_id, source, now)
        transaction = agent.accept(request, source)
        tag = agent.new_tag()
        transaction.respond(
            self._registrar.register(party.number, request, source, tag, now, mobile=mobile), now
        )
        if request.contacts or request.contact_star:
            self._publish_contacts(party.number)

    def _publish_contacts(self, account: str) -> None:
        contacts = len(self._registrar.bindings(account, self._clock.now()))
        self._stream.publish(Registered(account, contacts))

    def _follow(self, account: str, call_id: str, flow: Flow, now: float) -> None:
        """Note that a device which registered by another connection, with the same Call-ID, speaks by this one now."""
        for binding in self._registrar.bindings(account, now):
            if binding.call_id == call_id and binding.source != flow:
                self._switch.move(account, binding.source, flow)


def _offer_in(request: Request) -> bytes | None:
    """Return the offer of an INVITE, empty without one; None for a body that is another and may not be passed over.

    RFC 3261 8.2.3: only what Content-Disposition calls optional may be.
    """
    if not request.body:
        return b""
    offer = find_part(request.get("content-type") or "", request.body, SDP)
    if offer is None:
        _, _, params = (request.get("content-disposition") or "").partition(";")
        if params and (dict(parse_params(f";{params}")).get("handling") or "").lower() == "optional":
            return b""
    return offer
