"""What one answered call costs the SIP core alone: INVITE, 200, ACK, BYE and 200 through `Agent`, without sockets.

Both sides are measured by themselves: the called one is fed datagrams, the calling one its answers.
"""

from __future__ import annotations

import statistics
import sys
import time
from random import Random
from typing import TYPE_CHECKING

from ringfence.channels.network import Address
from ringfence.server.sip.agent import Agent
from ringfence.server.sip.effects import LegAnswered, Requested, Send

if TYPE_CHECKING:
    from ringfence.server.sip.leg import Leg

CALLS, ROUNDS = 4_000, 5
GAP_S = 0.005
SERVER, CLIENT = Address("192.0.2.1", 5060), Address("192.0.2.7", 5060)
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    b"m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


def request(method: str, number: int, to_tag: str = "", body: bytes = b"") -> bytes:
    """Write one request of call `number` as a telephone does."""
    head = (
        f"{method} sip:9900@192.0.2.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bK{method}{number}\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:100@example.com>;tag=a{number}\r\n"
        f"To: <sip:9900@example.com>{to_tag}\r\n"
        f"Call-ID: {number}@192.0.2.7\r\n"
        f"CSeq: {2 if method == 'BYE' else 1} {method}\r\n"
        "Contact: <sip:100@192.0.2.7>\r\n"
    )
    if body:
        head += "Content-Type: application/sdp\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def called_side(calls: int) -> float:
    """Return the CPU microseconds of a call that is taken."""
    agent, now = Agent(SERVER, Random(1)), 0.0
    invites = [request("INVITE", number, body=SDP) for number in range(calls)]
    started = time.process_time()
    for number, invite in enumerate(invites):
        now += GAP_S
        agent.expire(now)
        agent.take_effects()
        agent.receive(invite, CLIENT, now)
        told = agent.take_effects()[0]
        if not isinstance(told, Requested):
            sys.exit(f"the INVITE led to {told}")
        leg = agent.incoming(agent.accept(told.request, told.source), told.source, now)
        leg.ring(now)
        leg.answer(SDP, now)
        tag = f";tag={leg.local_tag}"
        agent.receive(request("ACK", number, tag), CLIENT, now)
        agent.receive(request("BYE", number, tag), CLIENT, now)
        sends = sum(isinstance(effect, Send) for effect in agent.take_effects())
        if sends != 3 or not leg.is_over:
            sys.exit(f"a call led to {sends} datagrams instead of 3")
    return (time.process_time() - started) / calls * 1e6


def calling_side(calls: int) -> float:
    """Return the CPU microseconds of a call that is made, the far end's answers included (they are cheap text)."""
    agent, now = Agent(SERVER, Random(1)), 0.0
    started = time.process_time()
    for _ in range(calls):
        now += GAP_S
        agent.expire(now)
        agent.take_effects()
        leg = agent.invite(
            "sip:100@192.0.2.7",
            CLIENT,
            from_="<sip:1@example.com>",
            to="<sip:100@192.0.2.7>",
            body=SDP,
            now=now,
        )
        agent.receive(answer(agent, b"180 Ringing"), CLIENT, now)
        agent.receive(answer(agent, b"200 OK", leg), CLIENT, now)
        if not any(isinstance(effect, LegAnswered) for effect in agent.take_effects()):
            sys.exit("the call was not answered")
        leg.hang_up(now)
        agent.receive(answer(agent, b"200 OK"), CLIENT, now)
        agent.take_effects()
    return (time.process_time() - started) / calls * 1e6


def answer(agent: Agent, status: bytes, leg: Leg | None = None) -> bytes:
    """Write the far end's answer to the last request that the agent sent."""
    if leg is not None:
        sent = leg.request.to_bytes()
    else:
        sent = next(effect.data for effect in reversed(agent.effects) if isinstance(effect, Send))
    lines = sent.split(b"\r\n\r\n")[0].split(b"\r\n")
    kept = [line for line in lines if line.startswith((b"Via", b"From", b"To", b"Call-ID", b"CSeq"))]
    kept = [line + b";tag=b1" if line.startswith(b"To:") and b"tag=" not in line else line for line in kept]
    body = SDP if leg is not None else b""
    extra = [b"Contact: <sip:100@192.0.2.7>", b"Content-Length: %d" % len(body)]
    if body:
        extra.append(b"Content-Type: application/sdp")
    return b"\r\n".join([b"SIP/2.0 " + status, *kept, *extra]) + b"\r\n\r\n" + body


def main() -> None:
    """Print the medians."""
    for name, side in (("called", called_side), ("calling", calling_side)):
        median = statistics.median(side(CALLS) for _ in range(ROUNDS))
        print(f"{name} side, INVITE 180 200 ACK BYE 200: {median:.0f} µs of CPU a call")


if __name__ == "__main__":
    main()
