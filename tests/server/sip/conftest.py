"""One agent on a virtual wire: the tests of this folder are its far end, and time passes when they say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.agent import Agent
from ringfence.server.sip.effects import LegEnded, Requested, Send
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from ringfence.server.sip.effects import Effect
    from ringfence.server.sip.flow import Peer
    from ringfence.server.sip.leg import Leg

US, FAR = Address("192.0.2.1", 5060), Address("192.0.2.7", 5070)
OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"


@dataclass
class Wire:
    """See the module. `sent` is what the agent sent with its time, `told` every other effect, both since last asked."""

    us = US
    far = FAR
    offer = OFFER
    agent: Agent = field(default_factory=lambda: Agent(US, Random(1)))
    now: float = 1000.0
    sent: list[tuple[float, Request | Response, Peer]] = field(default_factory=list)
    told: list[Effect] = field(default_factory=list)

    def receive(self, message: Request | Response | bytes, source: Peer = FAR) -> list[Request | Response]:
        """Let a message arrive, and return what the agent sends at once."""
        self.agent.receive(message if isinstance(message, bytes) else message.to_bytes(), source, self.now)
        return self.take()

    def collect(self) -> None:
        """Take the effects."""
        for effect in self.agent.take_effects():
            if isinstance(effect, Send):
                self.sent.append((self.now, parse(effect.data), effect.destination))
            else:
                self.told.append(effect)

    def take(self) -> list[Request | Response]:
        """Return what was sent since last asked."""
        self.collect()
        sent, self.sent = self.sent, []
        return [message for _, message, _ in sent]

    def take_told(self) -> list[Effect]:
        """Return what was told since last asked."""
        self.collect()
        told, self.told = self.told, []
        return told

    def pass_time(self, seconds: float) -> list[tuple[float, Request | Response]]:
        """Let time pass, timer by timer; return what was sent, and how many seconds after now."""
        start, end = self.now, self.now + seconds
        self.collect()
        self.sent.clear()
        while (deadline := self.agent.timers.next_deadline()) is not None and deadline <= end:
            self.now = deadline
            self.agent.expire(self.now)
            self.collect()
        self.now = end
        sent, self.sent = self.sent, []
        return [(round(when - start, 6), message) for when, message, _ in sent]

    @staticmethod
    def names(messages: list[Request | Response]) -> list[str | int]:
        """Return methods and status codes."""
        return [one.method if isinstance(one, Request) else one.status for one in messages]

    # -- the far end calls -------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        *,
        branch: str | None = None,
        call: str = "c1",
        from_tag: str = "f1",
        to_tag: str = "",
        cseq: int = 1,
        body: bytes = b"",
        via: str = "192.0.2.7:5070;rport",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Request:
        """Write a request of the far end."""
        branch = branch or f"z9hG4bK-{method}-{call}-{from_tag}-{cseq}"
        to = f";tag={to_tag}" if to_tag else ""
        all_headers = [
            ("Via", f"SIP/2.0/UDP {via};branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:100@example.com>;tag={from_tag}"),
            ("To", f"<sip:9900@example.com>{to}"),
            ("Call-ID", call),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", "<sip:100@192.0.2.7:5070>"),
            *headers,
        ]
        if body:
            all_headers.append(("Content-Type", "application/sdp"))
        return Request(method, "sip:9900@192.0.2.1", all_headers, body)

    def called(self, *, call: str = "c1", from_tag: str = "f1", body: bytes = OFFER) -> Leg:
        """Let an INVITE arrive and return its leg, not yet answered."""
        self.receive(self.request("INVITE", call=call, from_tag=from_tag, body=body))
        requested = self.take_told()[-1]
        assert isinstance(requested, Requested)
        return self.agent.incoming(self.agent.accept(requested.request, requested.source), FAR, self.now)

    def talking(self) -> Leg:
        """Let a call arrive, answered and confirmed."""
        leg = self.called()
        leg.answer(OFFER, self.now)
        self.receive(self.request("ACK", to_tag=leg.local_tag))
        self.take_told()
        return leg

    # -- the far end is called ---------------------------------------------------------------------------------

    def calling(self) -> tuple[Leg, Request]:
        """Call the far end and return the leg and its INVITE."""
        leg = self.agent.invite(
            "sip:100@192.0.2.7:5070",
            FAR,
            from_="<sip:1@example.com>",
            to="<sip:100@example.com>",
            body=OFFER,
            now=self.now,
        )
        invite = self.take()[0]
        assert isinstance(invite, Request)
        return leg, invite

    def answer(
        self,
        request: Request,
        status: int,
        tag: str = "t1",
        contact: str = "<sip:100@192.0.2.7:5070>",
        **extra: str,
    ) -> list[Request | Response]:
        """Let the far end answer a request, and return what the agent sends at once."""
        response = request.respond(status, to_tag=tag if status > 100 else None)
        response.add("Contact", contact)
        for name, value in extra.items():
            response.add(name.replace("_", "-"), value)
        return self.receive(response)

    # -- the end -----------------------------------------------------------------------------------------------

    def ends(self) -> list[tuple[int, bool]]:
        """Return status and `far` of each `LegEnded` since last asked."""
        return [(one.status, one.far) for one in self.take_told() if isinstance(one, LegEnded)]


@pytest.fixture
def wire() -> Wire:
    """An agent and its far end."""
    return Wire()
