"""MESSAGE (RFC 3428): short texts from one account to another's devices. Nothing is kept of them.

Who writes is told by the account that authenticated itself; what a device answers goes back to him.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from ...features.presence.policy import may_reach
from ...licensing.refusal import Refusal
from ..sip.agent import MAX_FORWARDS
from ..sip.flow import Flow
from ..sip.headers import NameAddr
from ..sip.message import Request
from ..sip.relay import Relay
from ..sip.uri import SipUri

if TYPE_CHECKING:
    from ...channels.session import Party
    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.flow import Peer
    from ..sip.message import Response
    from ..sip.registrar import Binding, Registrar
    from ..sip.transaction import ServerTransaction
    from ..site.administration import Administration
    from .replies import Replies

LARGEST_BY_UDP: Final = 1300
"""RFC 3428 section 8: bytes of a MESSAGE that may go where nothing tells of congestion."""
PASSED_ON: Final = (
    "Content-Type", "Content-Disposition", "Content-Encoding", "Content-Language", "Date", "Expires", "Priority",
    "Subject",
)  # fmt: skip
CHALLENGES: Final = frozenset({401, 407})
TOO_LARGE: Final = 513


class Messenger:
    """Carries messages for one server."""

    def __init__(
        self,
        administration: Administration,
        registrar: Registrar,
        stack: SipStack,
        replies: Replies,
        clock: Clock,
    ) -> None:
        self._administration = administration
        self._registrar = registrar
        self._stack = stack
        self._replies = replies
        self._clock = clock

    def take(self, request: Request, source: Peer, party: Party, number: str) -> None:
        """Take a MESSAGE of `party` to `number`, an extension or a name."""
        hops = request.max_forwards
        if hops == 0:
            self._replies.answer(request, source, 483)
            return
        transaction = self._stack.agent.accept(request, source)
        refusal = self._refuses(party, number)
        bindings = self._registrar.bindings(number, self._clock.now())
        if refusal is None and not bindings:
            refusal = Refusal("user.not_registered", facts={"user": number})
        if refusal is not None:
            self._replies.respond_refused(transaction, refusal, _subject(party, number), party)
            return
        hops_left = (MAX_FORWARDS if hops is None else hops) - 1
        relay = Relay(self._stack.agent, partial(self._answer, transaction, party, number))
        copies = [self._copy(request, party, number, binding, hops_left) for binding in bindings]
        fitting = [(copy, peer) for copy, peer in copies if _fits(copy, peer)]
        for copy, peer in fitting:
            relay.send(copy, peer, self._clock.now())
        if not fitting:
            self._replies.respond(transaction, TOO_LARGE)

    def _refuses(self, party: Party, number: str) -> Refusal | None:
        directory = self._administration.directory
        is_name = directory.by_name(number) is not None
        if not is_name and directory.by_extension(number) is None:
            return Refusal("number.unknown")
        return may_reach(party, number if is_name else None, self._administration.gate)

    def _copy(
        self, request: Request, party: Party, number: str, binding: Binding, hops_left: int
    ) -> tuple[Request, Peer]:
        """Write the MESSAGE for one device; it has no Contact (RFC 3428 section 4)."""
        agent, domain = self._stack.agent, self._administration.directory.site.server.domain
        writer = NameAddr(party.name, SipUri("sip", party.number, domain)).with_tag(agent.new_tag())
        headers = [
            ("Max-Forwards", str(hops_left)),
            ("From", str(writer)),
            ("To", f"<{SipUri('sip', number, domain)}>"),
            ("Call-ID", agent.new_call_id()),
            ("CSeq", "1 MESSAGE"),
            *binding.routes,
        ]
        headers += [pair for pair in request.headers if pair[0] in PASSED_ON]
        peer = agent.way_to(binding)
        return agent.stamp(Request("MESSAGE", str(binding.contact), headers, request.body), peer), peer

    def _answer(
        self, transaction: ServerTransaction, party: Party, number: str, response: Response | None
    ) -> None:
        """Give the writer what the device answered; a challenge is not for him."""
        if response is None or response.status in CHALLENGES:
            refusal = Refusal("user.not_registered", facts={"user": number})
            self._replies.respond_refused(transaction, refusal, _subject(party, number), party)
        else:
            self._replies.respond(transaction, response.status)


def _fits(request: Request, peer: Peer) -> bool:
    return isinstance(peer, Flow) or len(request.to_bytes()) <= LARGEST_BY_UDP


def _subject(party: Party, number: str) -> str:
    return f"message from {party.number} to {number}"
