"""A SIP user agent without I/O: the transaction and dialog tables and what goes between them (RFC 3261 8, 12, 17, 18).

`receive` and `expire` take what happened and `now`; whatever has to be done or told is in `effects`, which the shell
takes by `take_effects`. One agent serves one address and the flows to it; switch and scripted phones each hold one.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from .amplification import bounded
from .capabilities import describe
from .dialog import Dialog, DialogId, dialog_id, route_uri
from .effects import Effect, FlowLost, Requested, Responded, Send, Unanswered
from .flow import Flow, Peer, address_of, note_source, way_back
from .large_requests import LargeRequests
from .leg import Leg
from .message import Request, Response, SipSyntaxError
from .parser import parse
from .reach import MAGIC, Reach
from .requester import Requester
from .session_timer import DEFAULT_S
from .timers import Timers, TimerValues
from .transaction import ClientTransaction, Key, Origin, ServerTransaction, origin_of
from .validate import check, check_length

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from ...channels.network import Address
    from .inside import Authorize
    from .registrar import Binding
    from .subscriber import Subscriber
    from .subscription import Subscription

MAX_FORWARDS = 70
_SESSION_EXPIRES = f"{DEFAULT_S};refresher=uac"  # RFC 4028 7.1: who asks is sure to hear


class Agent:
    """One user agent at the address `local`; `random` makes its tags, branches and Call-IDs."""

    def __init__(self, local: Address, random: Random, values: TimerValues = TimerValues()) -> None:  # noqa: B008
        self.local = local
        self.values = values
        self.timers = Timers()
        self.effects: list[Effect] = []
        self.flows: set[Flow] = set()
        self.random = random
        self.reach = Reach(local)
        self.large_requests = LargeRequests(self.reach)
        self._secret = random.randbytes(16)
        self._servers: dict[Key, ServerTransaction] = {}
        self._clients: dict[Key, ClientTransaction] = {}
        self._awaiting: dict[Flow, dict[Key, ClientTransaction]] = {}
        self._origins: dict[Origin, ServerTransaction] = {}
        self._legs: dict[DialogId, Leg] = {}
        self._subscriptions: dict[DialogId, Subscription | Subscriber] = {}

    # -- what the shell calls ----------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        """Take one message; what is no SIP, keep-alives among it, is dropped."""
        try:
            message = parse(data)
            check(message)
            if isinstance(source, Flow) and source.is_stream:
                check_length(message)
        except SipSyntaxError as error:
            if error.request is not None:
                with suppress(SipSyntaxError):  # a Via beyond reading stays as it is
                    note_source(error.request, error.request.vias[0], source)
                self.refuse(error.request, error.status, source)
            return
        if isinstance(message, Response):
            self._receive_response(message, now)
        else:
            note_source(message, message.via, source)
            self._receive_request(message, source, now)

    def expire(self, now: float) -> None:
        """Fire every timer that is due."""
        self.timers.run(now)

    def open(self, flow: Flow) -> None:
        """A flow stands; requests to whoever spoke by it may go over it from now on."""
        self.flows.add(flow)

    def lose(self, flow: Flow, now: float) -> None:
        """A flow was closed or cannot be opened: what waits for an answer on it gets none (RFC 3261 8.1.3.1)."""
        self.flows.discard(flow)
        for transaction in self._awaiting.pop(flow, {}).values():
            transaction.on_lost(now)
        self.effects.append(FlowLost(flow))

    def flows_in_use(self) -> set[Flow]:
        """Tell which flows an answer is awaited on, or a dialog goes over: they may be silent."""
        calls = (leg.dialog.fallback for leg in self._legs.values() if leg.dialog is not None)
        lamps = (one.dialog.fallback for one in self._subscriptions.values())
        return self.flows.intersection((*self._awaiting, *calls, *lamps))

    def take_effects(self) -> list[Effect]:
        """What has to be done now, in order; the list is empty afterwards."""
        effects, self.effects = self.effects, []
        return effects

    @property
    def is_idle(self) -> bool:
        """Whether no transaction and no dialog is left."""
        return not (self._servers or self._clients or self._legs or self._subscriptions)

    @property
    def transactions(self) -> int:
        """How many transactions there are, those included that are answered and only wait for repetitions."""
        return len(self._servers) + len(self._clients)

    # -- what owners call --------------------------------------------------------------------------------------

    def accept(self, request: Request, source: Peer) -> ServerTransaction:
        """Open the server transaction of a request that `Requested` told of."""
        key = _server_key(request, request.method)
        origin = origin_of(request)
        transaction = ServerTransaction(self, key, origin, request, way_back(source, request.via, self.flows))
        self._servers[key] = self._origins[origin] = transaction
        return transaction

    def incoming(self, transaction: ServerTransaction, source: Peer, now: float) -> Leg:
        """Begin a leg for an accepted INVITE."""
        return Leg.incoming(self, transaction, source, now)

    def refuse(
        self,
        request: Request,
        status: int,
        source: Peer,
        *headers: tuple[str, str],
        at: float | None = None,
    ) -> None:
        """Answer without a transaction (RFC 3261 8.2.7); the To tag is the same for every repetition of the request.

        With `at` the answer goes out then. By UDP it is no longer than `amplification` lets it be.
        """
        response = request.respond(status, to_tag=self._tag_for(request))
        for name, value in headers:
            response.add(name, value)
        data = response.to_bytes() if isinstance(source, Flow) else bounded(response, request.size)
        if data is None:
            return
        send = Send(data, way_back(source, request.via, self.flows))
        if at is None:
            self.effects.append(send)
        else:
            self.timers.set(at, lambda _: self.effects.append(send))

    def send(self, request: Request, destination: Peer, owner: object, now: float) -> ClientTransaction:
        """Send a request in a client transaction of its own; `owner` hears of it, if no `Requester` by effects."""
        return self.send_as_is(self.stamp(request, destination), destination, now, owner)

    def send_as_is(
        self, request: Request, destination: Peer, now: float, owner: object = None
    ) -> ClientTransaction:
        """Send a request that has its Via already, as CANCEL does."""
        key = (request.via.branch, request.method)
        transaction = ClientTransaction(self, key, request, destination, owner=owner, now=now)
        self._clients[key] = transaction
        if isinstance(transaction.destination, Flow):
            self._awaiting.setdefault(transaction.destination, {})[key] = transaction
        return transaction

    def invite(
        self,
        target: str,
        destination: Peer,
        *,
        from_: str,
        to: str,
        body: bytes,
        now: float,
        max_forwards: int = MAX_FORWARDS,
        headers: tuple[tuple[str, str], ...] = (),
        authorize: Authorize | None = None,
        others: Sequence[Peer] = (),
    ) -> Leg:
        """Call `target` at `destination`, or else at `others`; `from_` and `to` are name-addrs without tags."""
        request = Request(
            "INVITE",
            target,
            [
                ("Max-Forwards", str(max_forwards)),
                ("From", f"{from_};tag={self.new_tag()}"),
                ("To", to),
                ("Call-ID", self.new_call_id()),
                ("CSeq", "1 INVITE"),
                ("Contact", self.reach.contact(destination, target)),
                ("Session-Expires", _SESSION_EXPIRES),
                *headers,
            ],
        )
        describe(request, body)
        return Leg.outgoing(self, request, destination, authorize, now, others=others)

    # -- what legs and transactions call -----------------------------------------------------------------------

    def stamp(self, request: Request, destination: Peer) -> Request:
        """Put our Via with a fresh branch on a request; it names the transport of the flow (RFC 3261 18.1.1)."""
        request.prepend("Via", f"{self.reach.via(destination)}{self.random.getrandbits(64):016x}")
        return request

    def new_tag(self) -> str:
        """Return a fresh tag."""
        return f"{self.random.getrandbits(64):016x}"

    def new_call_id(self) -> str:
        """Return a fresh Call-ID."""
        return f"{self.random.getrandbits(128):032x}"

    def next_hop(self, dialog: Dialog) -> Peer:
        """Where requests of a dialog go: over the flow it came by (RFC 5626 4.3), else to the first route or target.

        Where that is a name and no address, they go to where its messages came from.
        """
        peer = dialog.fallback
        if isinstance(peer, Flow) and peer in self.flows:
            return peer
        return address_of(dialog.next_hop) or peer

    def way_to(self, binding: Binding) -> Peer:
        """Where a contact is reached: over its flow (RFC 5626 5.3), else at its own address, behind a NAT as it came.

        The first proxy of its path, if there is one, stands for it (RFC 3327 section 5.4).
        """
        peer = binding.source
        address = address_of(route_uri(binding.path[0]) if binding.path else str(binding.contact))
        if address is None or address.host != peer.host:
            return peer
        return peer if isinstance(peer, Flow) and peer in self.flows else address

    def remember(self, id_: DialogId, leg: Leg) -> None:
        """Enter a leg in the dialog table."""
        self._legs[id_] = leg

    def leg(self, id_: DialogId) -> Leg | None:
        """Return the leg of a dialog."""
        return self._legs.get(id_)

    def forget_dialog(self, id_: DialogId) -> None:
        """Drop a leg from the dialog table."""
        self._legs.pop(id_, None)

    def remember_subscription(self, id_: DialogId, subscription: Subscription | Subscriber) -> None:
        """Enter a subscription in the dialog table."""
        self._subscriptions[id_] = subscription

    def forget_subscription(self, id_: DialogId) -> None:
        """Drop a subscription from the dialog table."""
        self._subscriptions.pop(id_, None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        """Drop a server transaction that is over."""
        self._servers.pop(transaction.key, None)
        if self._origins.get(transaction.origin) is transaction:
            del self._origins[transaction.origin]

    def forget_client(self, transaction: ClientTransaction) -> None:
        """Drop a client transaction that is over."""
        self._clients.pop(transaction.key, None)
        flow = transaction.destination
        if isinstance(flow, Flow) and flow in self._awaiting:
            self._awaiting[flow].pop(transaction.key, None)
            if not self._awaiting[flow]:
                del self._awaiting[flow]

    def tell_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Hand a response to whoever sent the request."""
        if isinstance(transaction.owner, Requester):
            transaction.owner.on_response(transaction, response, now)
        elif transaction.owner is not None:
            self.effects.append(Responded(transaction, response))

    def tell_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Tell whoever sent the request that nobody answers: 408, or 503 where it could not be sent."""
        if isinstance(transaction.owner, Requester):
            transaction.owner.on_unanswered(transaction, status, now)
        elif transaction.owner is not None:
            self.effects.append(Unanswered(transaction, status))

    # -- inside ------------------------------------------------------------------------------------------------

    def _receive_response(self, response: Response, now: float) -> None:
        via = response.via
        transaction = self._clients.get((via.branch, response.cseq.method))
        if transaction is not None:
            transaction.on_response(response, now)

    def _receive_request(self, request: Request, source: Peer, now: float) -> None:
        method = request.method
        transaction = self._servers.get(_server_key(request, "INVITE" if method == "ACK" else method))
        if transaction is not None:
            if transaction.on_request(request, now) and transaction.leg is not None:
                transaction.leg.on_ack(request, now)
            return
        leg = self._legs.get(dialog_id(request)) if request.to.tag else None
        if method == "ACK":
            if leg is not None:
                leg.on_ack(request, now)
        elif method == "CANCEL":
            self._receive_cancel(request, source, now)
        elif leg is not None:
            if isinstance(source, Flow) and leg.dialog is not None:
                leg.dialog.fallback = source
            leg.on_request(self.accept(request, source), now)
        elif request.to.tag:
            self._receive_for_subscription(request, source, now)
        elif origin_of(request) in self._origins or self._is_our_own(request):
            self.refuse(request, 482, source)  # it came here by two ways, or from us (RFC 3261 8.2.2.2, 16.3)
        else:
            self.effects.append(Requested(request, source))

    def _is_our_own(self, request: Request) -> bool:
        """Whether a request is one of ours that came back to the URI to which we sent it."""
        for via in request.vias[1:] if len(request.all("via")) > 1 else ():
            sent = self._clients.get((via.branch, request.method))
            if sent is not None and sent.is_for(request.uri):
                return True
        return False

    def _receive_for_subscription(self, request: Request, source: Peer, now: float) -> None:
        """A request inside a dialog that is no leg's: a subscription's (RFC 6665 4.2.1), or nobody's."""
        id_ = dialog_id(request)
        subscription = self._subscriptions.get(id_) or self._subscriptions.get(id_._replace(remote_tag=""))
        if subscription is None:
            self.refuse(request, 481, source)
            return
        if isinstance(source, Flow):
            subscription.dialog.fallback = source
        subscription.on_request(self.accept(request, source), now)

    def _receive_cancel(self, request: Request, source: Peer, now: float) -> None:
        """RFC 3261 9.2: answered by itself; what it cancels is answered by the leg."""
        invite = self._servers.get(_server_key(request, "INVITE"))
        if invite is None:
            self.refuse(request, 481, source)
            return
        leg = invite.leg
        tag = invite.local_tag or self.new_tag()
        self.accept(request, source).respond(request.respond(200, to_tag=tag), now)
        if leg is not None:
            leg.on_cancel(invite, now)

    def _tag_for(self, request: Request) -> str:
        """Make a tag without memory: equal for every repetition, unknown to others (RFC 3261 8.2.7)."""
        known = request.via.branch or request.get("call-id") or ""
        return hashlib.blake2b(known.encode(errors="replace"), key=self._secret, digest_size=8).hexdigest()


def _server_key(request: Request, method: str) -> Key:
    """How a server transaction is found again (RFC 3261 17.2.3); without the magic cookie as RFC 2543 did."""
    via = request.via
    branch = via.branch
    if branch is not None and branch.startswith(MAGIC):
        return (branch, via.host, via.port, method)
    return (request.call_id, request.from_.tag, request.cseq.number, request.uri, str(via), method)
