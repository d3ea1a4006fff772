"""Ten thousand calls that nobody carries on, against a whole server in virtual time.

Run it as `python -m tests.server.half_open`.

A third gets its 200 and never sends an ACK, a third rings and never stops by itself, a third rings a telephone that
fell silent. Prints what the server held before, at the height and afterwards, as JSON; a run of its own, because what
the test suite looks at after each event would take hours here.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from random import Random

from ringfence.channels.network import Address
from ringfence.fixtures.leases import check_nothing_left
from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options, Pbx
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.net.virtual import VirtualLoop
from ringfence.server.sip.message import Request
from ringfence.server.sip.parser import parse

TRUNK, PHONE = Address("127.0.0.30", 5060), Address("127.0.0.77", 5060)
NUMBERS = ("99200", "9902", "100")  # answers without media; rings, never answers; Anna's telephone
AFTERWARDS_S = 500.0
COUNT, WARM_UP = 10_000, 3_000


class Besieger:
    """Calls from the trunk and is Anna's telephone; what it hears it forgets, but that the telephone rings once."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        asyncio.set_event_loop(self.loop)
        self.network = MemoryNetwork(Random(1))
        self.server = self.loop.run_until_complete(self._start())

    async def _start(self) -> Pbx:
        options = Options(seed=1, in_process=True, http_port=None, network=self.network)
        server = await Pbx.start(read_site("small"), options)
        await self.network.bind(TRUNK.host, TRUNK.port, lambda *_: None)
        await self.network.bind(PHONE.host, PHONE.port, self._ring)
        return server

    def _ring(self, data: bytes, source: Address) -> None:
        if data.startswith(b"INVITE"):
            request = parse(data)
            assert isinstance(request, Request)
            self.network.carry(request.respond(180, to_tag="p").to_bytes(), PHONE, source)

    def register(self) -> None:
        """Let Anna's telephone be where nobody answers any more."""
        headers = [("From", "<sip:100@klein.example>;tag=r"), ("To", "<sip:100@klein.example>")]
        headers += [("Call-ID", "r"), ("CSeq", "1 REGISTER"), ("Contact", f"<sip:100@{PHONE}>;expires=7200")]
        request = Request("REGISTER", "sip:klein.example", headers)
        answer = self.server.registrar.register("100", request, PHONE, "t", self.loop.time())
        assert answer.status == 200

    def besiege(self, first: int, count: int) -> int:
        """Send so many INVITEs, and nothing else; returns how many legs lived at the height."""
        receive = self.network.endpoints[self.server.sip].receive
        for number in range(first, first + count):
            self.loop.call_soon(receive, invite(number), TRUNK)
        self.loop.run_until_complete(asyncio.sleep(1))
        return len(self.server.switch.connections)

    def pass_time(self) -> dict[str, int]:
        """Let every timer come due; returns what is held then, without what is kept on purpose."""
        self.loop.run_until_complete(asyncio.sleep(AFTERWARDS_S))
        check_nothing_left(self.server)
        assert self.server._stack.agent.is_idle
        self.server.stream.recent.clear()
        self.server.decisions._kept.clear()
        gc.collect()
        return {"objects": len(gc.get_objects()), "blocks": sys.getallocatedblocks()}


def invite(number: int) -> bytes:
    """Write an INVITE that is like no other."""
    called = f"08955550{NUMBERS[number % len(NUMBERS)]}"
    body = b"v=0\r\no=- 1 1 IN IP4 127.0.0.30\r\ns=-\r\nc=IN IP4 127.0.0.30\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
    head = (
        f"INVITE sip:{called}@klein.example SIP/2.0\r\nVia: SIP/2.0/UDP {TRUNK};branch=z9hG4bKh{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:0731{number}@out.example>;tag=f{number}\r\n"
        f"To: <sip:{called}@klein.example>\r\nCall-ID: h{number}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:x@{TRUNK}>\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main(count: int) -> None:
    """Besiege once for what is imported and remembered at first use, and then in earnest."""
    gc.disable()  # it takes as long as all the rest; `pass_time` collects before it counts
    besieger = Besieger()
    besieger.register()
    besieger.besiege(0, WARM_UP)
    before = besieger.pass_time()
    legs = besieger.besiege(WARM_UP, count)
    json.dump({"legs": legs, "before": before, "after": besieger.pass_time()}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
