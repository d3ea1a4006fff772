"""The four transaction machines of RFC 3261 section 17 with the corrections of RFC 6026.

Each is a table (state, input) -> (actions, next state), in the order of the RFC's figures; `docs/` draws its pictures
from these tables. Inputs are a method, a response class, a timer's letter, or "lost": the flow to the far end is gone,
or "no TCP": so is that of a request that was too large for UDP, by which it goes then. Over a flow nothing is repeated
by A, E and G, and D, I, J and K take no time. The agent feeds them and has the effects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING

from .effects import Send
from .flow import Flow, way_back
from .large_requests import LARGEST_DATAGRAM
from .message import Request, Response

if TYPE_CHECKING:
    from ...channels.network import Address
    from .agent import Agent
    from .flow import Peer
    from .leg import Leg
    from .timers import Timer


class State(Enum):
    """The states of the four machines."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    ACCEPTED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


CALLING, TRYING, PROCEEDING = State.CALLING, State.TRYING, State.PROCEEDING
COMPLETED, ACCEPTED, CONFIRMED, TERMINATED = (
    State.COMPLETED,
    State.ACCEPTED,
    State.CONFIRMED,
    State.TERMINATED,
)

Table = Mapping[tuple[State, str], tuple[str, State]]
Key = tuple[str | int | None, ...]
Origin = tuple[str, str | None, int, str]

# RFC 3261 figure 7 with RFC 6026 section 7.1, which absorbs an INVITE after the 2xx; here it gets the 2xx once more
INVITE_SERVER: Table = {
    (PROCEEDING, "INVITE"): ("repeat", PROCEEDING),
    (PROCEEDING, "send 1xx"): ("send", PROCEEDING),
    (PROCEEDING, "send 2xx"): ("send L", ACCEPTED),
    (PROCEEDING, "send 3xx-6xx"): ("send G H", COMPLETED),
    (COMPLETED, "INVITE"): ("repeat", COMPLETED),
    (COMPLETED, "ACK"): ("stop I", CONFIRMED),
    (COMPLETED, "G"): ("repeat G", COMPLETED),
    (COMPLETED, "H"): ("unconfirmed", TERMINATED),
    (CONFIRMED, "I"): ("", TERMINATED),
    (ACCEPTED, "INVITE"): ("repeat", ACCEPTED),
    (ACCEPTED, "ACK"): ("confirm", ACCEPTED),
    (ACCEPTED, "send 2xx"): ("send", ACCEPTED),
    (ACCEPTED, "L"): ("", TERMINATED),
}
# RFC 3261 figure 8
OTHER_SERVER: Table = {
    (TRYING, "send 1xx"): ("send", PROCEEDING),
    (TRYING, "send 2xx"): ("send J", COMPLETED),
    (TRYING, "send 3xx-6xx"): ("send J", COMPLETED),
    (PROCEEDING, "request"): ("repeat", PROCEEDING),
    (PROCEEDING, "send 1xx"): ("send", PROCEEDING),
    (PROCEEDING, "send 2xx"): ("send J", COMPLETED),
    (PROCEEDING, "send 3xx-6xx"): ("send J", COMPLETED),
    (COMPLETED, "request"): ("repeat", COMPLETED),
    (COMPLETED, "J"): ("", TERMINATED),
}
# RFC 3261 figure 5 with RFC 6026 section 7.2
INVITE_CLIENT: Table = {
    (CALLING, "A"): ("repeat A", CALLING),
    (CALLING, "B"): ("unanswered", TERMINATED),
    (CALLING, "lost"): ("unanswered", TERMINATED),
    (CALLING, "no TCP"): ("A", CALLING),
    (CALLING, "1xx"): ("stop tell", PROCEEDING),
    (CALLING, "2xx"): ("stop tell M", ACCEPTED),
    (CALLING, "3xx-6xx"): ("stop ack tell D", COMPLETED),
    (PROCEEDING, "1xx"): ("tell", PROCEEDING),
    (PROCEEDING, "2xx"): ("stop tell M", ACCEPTED),
    (PROCEEDING, "3xx-6xx"): ("stop ack tell D", COMPLETED),
    (PROCEEDING, "give up"): ("unanswered", TERMINATED),
    (PROCEEDING, "lost"): ("unanswered", TERMINATED),
    (COMPLETED, "3xx-6xx"): ("ack", COMPLETED),
    (COMPLETED, "D"): ("", TERMINATED),
    (ACCEPTED, "2xx"): ("tell", ACCEPTED),
    (ACCEPTED, "M"): ("", TERMINATED),
}
# RFC 3261 figure 6
OTHER_CLIENT: Table = {
    (TRYING, "E"): ("repeat E", TRYING),
    (TRYING, "F"): ("unanswered", TERMINATED),
    (TRYING, "lost"): ("unanswered", TERMINATED),
    (TRYING, "no TCP"): ("E", TRYING),
    (TRYING, "1xx"): ("slow tell", PROCEEDING),
    (TRYING, "2xx"): ("stop tell K", COMPLETED),
    (TRYING, "3xx-6xx"): ("stop tell K", COMPLETED),
    (PROCEEDING, "E"): ("repeat E", PROCEEDING),
    (PROCEEDING, "F"): ("unanswered", TERMINATED),
    (PROCEEDING, "lost"): ("unanswered", TERMINATED),
    (PROCEEDING, "1xx"): ("tell", PROCEEDING),
    (PROCEEDING, "2xx"): ("stop tell K", COMPLETED),
    (PROCEEDING, "3xx-6xx"): ("stop tell K", COMPLETED),
    (COMPLETED, "K"): ("", TERMINATED),
}
_CLASSES = ("", "1xx", "2xx", "3xx-6xx", "3xx-6xx", "3xx-6xx", "3xx-6xx")
_SENDS = ("", "send 1xx", "send 2xx", "send 3xx-6xx", "send 3xx-6xx", "send 3xx-6xx", "send 3xx-6xx")


def acknowledge(request: Request, response: Response) -> Request:
    """Make the ACK of a refusal: hop by hop, in the INVITE's own transaction (RFC 3261 17.1.1.3)."""
    ack = _twin(request, "ACK")
    ack.set("To", response.get("to") or "")
    return ack


def cancel(request: Request, headers: Iterable[tuple[str, str]] = ()) -> Request:
    """Make the CANCEL of a request (RFC 3261 9.1); `headers` may say why (RFC 3326)."""
    twin = _twin(request, "CANCEL")
    for name, value in headers:
        twin.add(name, value)
    return twin


def _twin(request: Request, method: str) -> Request:
    """Another method for the same transaction: same Request-URI, top Via, Route, From, To, Call-ID and CSeq number."""
    headers = [("Via", request.all("via")[0]), ("Max-Forwards", "70")]
    headers += [
        (name, value) for name, value in request.headers if name in {"From", "To", "Call-ID", "Route"}
    ]
    headers.append(("CSeq", f"{request.cseq.number} {method}"))
    return Request(method, request.uri, headers)


def origin_of(request: Request) -> Origin:
    """What a request is called by whoever sent it, whichever way it came (RFC 3261 8.2.2.2)."""
    return (request.call_id, request.from_.tag, request.cseq.number, request.method)


class _Transaction(ABC):
    """What the four have in common: a table, a state, timers, and the bytes that are repeated."""

    __slots__ = (
        "_interval_s",
        "_request",
        "_timers",
        "agent",
        "bytes_sent",
        "destination",
        "key",
        "state",
        "table",
    )

    def __init__(
        self, agent: Agent, key: Key, request: Request, destination: Peer, *, table: Table, state: State
    ) -> None:
        self.agent = agent
        self.table = table
        self.key = key
        self._request: Request | None = request
        self.destination = destination
        self.state = state
        self.bytes_sent = b""
        self._interval_s = agent.values.t1_s
        self._timers: tuple[Timer, ...] = ()

    @property
    def request(self) -> Request:
        """The request, kept only as long as somebody may need it: a thousand finished calls a second wait here 32 s."""
        if self._request is None:
            raise RuntimeError("the transaction has its final response and keeps no request")
        return self._request

    def _fire(self, name: str, now: float) -> str:
        """Follow the table for input `name` and return the actions; unknown inputs change nothing."""
        row = self.table.get((self.state, name))
        if row is None:
            return ""
        actions, self.state = row
        if self.state is TERMINATED:
            self._stop()
            self.bytes_sent = b""
            self._forget()
        return actions

    @property
    def is_reliable(self) -> bool:
        """Whether what is sent arrives once or the flow is lost (RFC 3261 17.1.1.2)."""
        return isinstance(self.destination, Flow)

    def _linger(self, letter: str, now: float, seconds: float) -> None:
        """Absorb repetitions for a while; over a flow there are none."""
        if self.is_reliable:
            self.on_timer(letter, now)
        else:
            self._set(letter, now + seconds)

    def _set(self, letter: str, when: float) -> None:
        timer = self.agent.timers.set(when, self.on_timer, letter)
        self._timers = (*[one for one in self._timers if one.is_set], timer) if self._timers else (timer,)

    def _stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = ()

    def repeat(self) -> None:
        """Send once more what was sent last."""
        if self.bytes_sent:
            self.agent.effects.append(Send(self.bytes_sent, self.destination))

    def _back_off(self, letter: str, now: float, limit_s: float) -> None:
        self._interval_s = min(2 * self._interval_s, limit_s)
        self._set(letter, now + self._interval_s)

    @abstractmethod
    def on_timer(self, letter: str, now: float) -> None:
        """Timer `letter` has come due."""

    @abstractmethod
    def _forget(self) -> None:
        """Leave the agent's table."""


class ServerTransaction(_Transaction):
    """The server side of one request; `respond` is how it is answered. `leg` is the one whose INVITE it is.

    After the final response only its bytes are left, and what finds the transaction again: `origin` tells which
    request of its sender it was, `local_tag` is the tag of the answers to an INVITE.
    """

    __slots__ = ("is_invite", "leg", "local_tag", "origin")

    def __init__(self, agent: Agent, key: Key, origin: Origin, request: Request, destination: Peer) -> None:
        self.is_invite = request.method == "INVITE"
        table, state = (INVITE_SERVER, PROCEEDING) if self.is_invite else (OTHER_SERVER, TRYING)
        super().__init__(agent, key, request, destination, table=table, state=state)
        self.origin = origin
        self.leg: Leg | None = None
        self.local_tag: str | None = None

    def on_request(self, request: Request, now: float) -> bool:
        """A repetition of the request, or its ACK; True for an ACK that confirms a 2xx."""
        name = request.method if self.is_invite else "request"
        actions = self._fire(name, now)
        if actions == "repeat":
            self.repeat()
        elif actions == "stop I":
            self._stop()
            self._linger("I", now, self.agent.values.t4_s)
        return actions == "confirm"

    def respond(self, response: Response, now: float) -> None:
        """Answer; ignored once a final response was sent (2xx repeated by the dialog excepted)."""
        actions = self._fire(_SENDS[response.status // 100], now)
        if not actions:
            return
        self.bytes_sent = response.to_bytes()
        if self.is_reliable:
            self.destination = way_back(self.destination, response.via, self.agent.flows)
        self.repeat()
        if response.status >= 200:
            self._request = None
            if response.status >= 300:
                self.leg = None
        values = self.agent.values
        for action in actions.split()[1:]:
            match action:
                case "J":
                    self._linger("J", now, values.give_up_s)
                case "G":
                    if not self.is_reliable:
                        self._set("G", now + values.t1_s)
                case letter:  # H and L
                    self._set(letter, now + values.give_up_s)

    def on_timer(self, letter: str, now: float) -> None:
        """G repeats the refusal until H gives up; I, J and L forget the transaction."""
        if self._fire(letter, now) == "repeat G":
            self.repeat()
            self._back_off("G", now, self.agent.values.t2_s)

    def _forget(self) -> None:
        self._request = self.leg = None
        self.agent.forget_server(self)


class ClientTransaction(_Transaction):
    """The client side of one request; `owner` is whoever sent it and is told the responses.

    `bytes_sent` are the request's until it is answered, then those of the ACK that repeats with the refusal.
    `acks` are the ACKs of 2xx by To tag; whoever sent an INVITE keeps them here as long as a 2xx may be repeated.
    """

    __slots__ = ("_datagrams_to", "acks", "is_invite", "owner")

    def __init__(
        self, agent: Agent, key: Key, request: Request, destination: Peer, *, owner: object, now: float
    ) -> None:
        self.is_invite = request.method == "INVITE"
        table, state = (INVITE_CLIENT, CALLING) if self.is_invite else (OTHER_CLIENT, TRYING)
        super().__init__(agent, key, request, destination, table=table, state=state)
        self.owner = owner
        self.acks: dict[str, Send] = {}
        self.bytes_sent = request.to_bytes()
        self._datagrams_to: Address | None = None
        if len(self.bytes_sent) > LARGEST_DATAGRAM and not isinstance(destination, Flow):
            self._datagrams_to = destination
            self.destination = agent.large_requests.way(request, destination, now)
            self.bytes_sent = request.to_bytes()
        self.repeat()
        if not self.is_reliable:
            self._set("A" if self.is_invite else "E", now + self._interval_s)
        self._set("B" if self.is_invite else "F", now + agent.values.give_up_s)

    def on_response(self, response: Response, now: float) -> None:
        """A response came from the wire."""
        values = self.agent.values
        for action in self._fire(_CLASSES[response.status // 100], now).split():
            match action:
                case "stop":
                    self._stop()
                    self.bytes_sent = b""
                case "ack":
                    if not self.bytes_sent:
                        self.bytes_sent = acknowledge(self.request, response).to_bytes()
                    self.repeat()
                case "tell":
                    self.agent.tell_response(self, response, now)
                case "slow":
                    self._interval_s = values.t2_s
                case "K":
                    self._linger("K", now, values.t4_s)
                case "D":
                    self._linger("D", now, values.give_up_s)
                    self._request = self.owner = None
                case letter:  # M
                    self._set(letter, now + values.give_up_s)

    def is_for(self, uri: str) -> bool:
        """Whether it waits for an answer from this Request-URI."""
        return self._request is not None and self._request.uri == uri

    def cancel(self, now: float, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Cancel an INVITE that was answered provisionally; the final answer has 64 x T1 to come (RFC 3261 9.1)."""
        if (
            self.is_invite
            and self.state is PROCEEDING
            and ("give up",) not in [timer.given for timer in self._timers]
        ):
            self.agent.send_as_is(cancel(self.request, headers), self.destination, now)
            self._set("give up", now + self.agent.values.give_up_s)

    def on_timer(self, letter: str, now: float) -> None:
        """A and E repeat the request, B and F give up, D, K and M forget the transaction."""
        actions = self._fire(letter, now)
        if actions.startswith("repeat"):
            self.repeat()
            self._back_off(letter, now, float("inf") if letter == "A" else self.agent.values.t2_s)
        elif actions == "unanswered":
            self.agent.tell_unanswered(self, 408, now)

    def on_lost(self, now: float) -> None:
        """The flow to the far end is gone: no answer will come (RFC 3261 8.1.3.1), unless by UDP (18.1.1)."""
        letter = self._fire("no TCP", now) if self._datagrams_to is not None else ""
        if letter and self._datagrams_to is not None:
            self.destination = self._datagrams_to
            self.agent.large_requests.by_udp(self.request, self._datagrams_to, now)
            self.bytes_sent = self.request.to_bytes()
            self.repeat()
            self._set(letter, now + self._interval_s)
        elif self._fire("lost", now):
            self.agent.tell_unanswered(self, 503, now)

    def _forget(self) -> None:
        self.agent.forget_client(self)
