"""The lease rule under everything that telephones and networks do: a walk over a whole server in virtual time.

The peers are no scripted phones: they fall silent, never acknowledge, refuse, and change their minds. After each step
the lease rule holds; at the end of each walk nothing is left of any call (L-74, rule 3 of the house).
"""

from __future__ import annotations

import asyncio
import re
import struct
from functools import partial
from importlib.resources import files
from itertools import combinations
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from ringfence.channels.media.inline_plane import InlinePlane
from ringfence.channels.network import Address
from ringfence.fixtures.leases import check_leases, check_nothing_left
from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options, Pbx
from ringfence.server.net.memory import MemoryEndpoint, MemoryNetwork, Weather
from ringfence.server.net.stack import SipStack
from ringfence.server.net.virtual import VirtualLoop
from ringfence.server.sip.agent import Agent
from ringfence.server.sip.credentials import Challenge
from ringfence.server.sip.effects import (
    LegAnswered,
    LegConfirmed,
    LegEnded,
    LegReoffered,
    Requested,
    RequestedInside,
    Responded,
)
from ringfence.server.sip.info_digits import RELAY, write_digit
from ringfence.server.sip.message import Request
from ringfence.server.sip.refer import Replaces
from ringfence.server.switch.parking import Parked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.server.sip.effects import Effect
    from ringfence.server.sip.leg import Leg
    from ringfence.server.sip.message import Response

STEPS, WALKS = 100, 240
MOMENT_S = 1e-6  # the clock jumps when nobody has anything to do: what a moment began is then over
AFTERWARDS_S = 400.0
"""A lost INVITE may be repeated for 32 s and begin one more call, which rings 180 s or is silent 60 s, and whose BYE,
with nobody to answer it, takes 32 s more."""
HOST, OUTSIDE, ROOT = "127.0.0.1", "127.0.0.30", "08955550"
ACCOUNTS = {
    "100": "Anna-1000-Apfel",
    "101": "Ben-1010-Birne",
    "102": "Clara-1020-Kirsche",
    "anna": "Anna-1000-Apfel",
    "ben": "Ben-1010-Birne",
}
NUMBERS = [
    "*100",
    "*101",
    "*100",
    "200",
    "200",
    "201",
    "199",
    "100",
    "101",
    "102",
    "103",
    "9900",
    "9902",
    "9904",
    "777",
]
INSIDE_NUMBERS = [*NUMBERS, "anna", "dora", "0731999", "112", "*7", "**71", "*8", "**8101", "*3"]
WEATHERS = [
    Weather(),
    Weather(),
    Weather(loss=0.2),
    Weather(repeat=0.3),
    Weather(delay_s=(0.0, 0.4)),
    Weather(loss=0.3, repeat=0.2, delay_s=(0.0, 1.0)),
]
SITE = (files("ringfence.fixtures") / "sites" / "small.toml").read_text(encoding="utf-8").replace(
    "ip_channel = 4", "ip_channel = 2"
).replace('numbers = "08955550"', f'numbers = "{ROOT}"\nuri = "sip:{OUTSIDE}:5060"').replace(
    '[[auto_attendant]]\nname = "zentrale"',
    '[[auto_attendant]]\nname = "nacht"\nextension = "201"\nmenu = { "1" = "101", "2" = "*101" }\n'
    'transfer = "hairpin"\n\n[[auto_attendant]]\nname = "zentrale"',
).replace(
    'voicemail_pin = "7193"', 'forward = { busy = "0731999", no_answer = "100", after_s = 4 }'
) + "\n[parking]\nafter_s = 5\n"
DROPS: list[frozenset[bytes]] = [
    frozenset(),
    frozenset(),
    frozenset({b"ACK"}),
    frozenset({b"BYE", b"CANCEL"}),
    frozenset({b"SIP/2.0"}),
]
ACTS = ["answer", "answer", "progress", "refuse", "hang up", "hang up", "reoffer", "hold", "update", "key"]
REACTIONS = ["rings", "answers", "rings", "refuses", "says nothing"]
PORT = re.compile(rb"m=audio ([0-9]+)")


class Peer:
    """A telephone made of an agent alone. `silent` swallows everything, `drops` what it sends, by its first word."""

    def __init__(
        self, network: MemoryNetwork, server: Address, account: str, reaction: str, rtp_port: int
    ) -> None:
        self._network = network
        self._server = server
        self._stack = SipStack(self._handle)
        self._receive: Callable[[bytes, Address], None] | None = None
        self._endpoint: MemoryEndpoint | None = None
        self.on_wait: Callable[[float, float], None] | None = None
        self._rtp_port = rtp_port
        self.account = account
        self.silent = False
        self.drops: frozenset[bytes] = frozenset()
        self.reaction = reaction
        self.legs: list[Leg] = []
        self.media: dict[Leg, Address] = {}
        self.responses: list[Response] = []

    # -- a network of its own: what is bound, sent and received goes through here --------------------------------

    async def bind(self, host: str, port: int, receive: Callable[[bytes, Address], None]) -> Peer:
        self._receive = receive
        self._endpoint = await self._network.bind(host, port, self._hear)
        return self

    @property
    def local(self) -> Address:
        assert self._endpoint is not None
        return self._endpoint.local

    def send(self, data: bytes, destination: Address) -> None:
        if not self.silent and data.split(b" ", 1)[0] not in self.drops:
            self._network.carry(data, self.local, destination)

    def _hear(self, data: bytes, source: Address) -> None:
        if not self.silent and self._receive is not None:
            self._receive(data, source)

    def close(self) -> None:
        assert self._endpoint is not None
        self._endpoint.close()

    # -- what it does ------------------------------------------------------------------------------------------

    async def start(self, host: str, port: int) -> None:
        await self._stack.start(self, host, port, lambda local: Agent(local, Random(self.account)))

    def stop(self) -> None:
        self._stack.stop()

    def dial(self, number: str, *, late_offer: bool, headers: tuple[tuple[str, str], ...] = ()) -> None:
        leg = self._stack.agent.invite(
            f"sip:{number}@klein.example",
            self._server,
            from_=f"<sip:{self.account}@klein.example>",
            to=f"<sip:{number}@klein.example>",
            body=b"" if late_offer else self.sdp,
            now=self.now,
            headers=headers,
            authorize=self._authorize,
        )
        self.legs.append(leg)
        self._stack.flush()

    def act(self, leg: Leg, what: str) -> None:
        match what:
            case "answer":
                leg.answer(self.sdp, self.now)
            case "progress":
                leg.ring(self.now, 183, self.sdp)
            case "refuse":
                leg.refuse(486, self.now)
            case "reoffer":
                leg.reoffer(self.sdp, self.now)
            case "hold":
                leg.reoffer(self.sdp + b"a=sendonly\r\n", self.now)
            case "update":
                leg.update(self.sdp, self.now)
            case "key":
                leg.send("INFO", None, self.now, headers=[("Content-Type", RELAY)], body=write_digit("1"))
            case _:
                leg.hang_up(self.now)
        self._stack.flush()

    def refer(self, leg: Leg, target: str) -> None:
        """Ask the server to hand the other party on."""
        leg.send("REFER", None, self.now, headers=[("Refer-To", f"<{target}>")])
        self._stack.flush()

    def press(self, leg: Leg, digit: int) -> None:
        """Send one digit as RFC 4733 has it."""
        if leg in self.media and not self.silent:
            for sequence, end in enumerate((0, 0x80, 0x80, 0x80)):
                stamp = int(self.now * 8000) & 0xFFFFFFFF
                header = struct.pack("!BBHII", 0x80, 101, (stamp + sequence) & 0xFFFF, stamp, 7)
                packet = header + struct.pack("!BBH", digit, end | 10, 800)
                self._network.carry(packet, Address(self.local.host, self._rtp_port), self.media[leg])

    def register(self, expires_s: int, authorization: str | None = None) -> None:
        agent, me = self._stack.agent, f"<sip:{self.account}@klein.example>"
        headers = [
            ("Max-Forwards", "70"),
            ("From", f"{me};tag={agent.new_tag()}"),
            ("To", me),
            ("Call-ID", agent.new_call_id()),
            ("CSeq", "1 REGISTER"),
            ("Contact", f"<sip:{self.account}@{agent.local}>"),
            ("Expires", str(expires_s)),
        ]
        if authorization is not None:
            headers.append(("Authorization", authorization))
        agent.send(Request("REGISTER", "sip:klein.example", headers), self._server, expires_s, self.now)
        self._stack.flush()

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def sdp(self) -> bytes:
        host = self.local.host
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {self._rtp_port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        ).encode()

    def _authorize(self, response: Response, request: Request) -> tuple[str, str] | None:
        challenge = Challenge.parse(response.get("www-authenticate") or "")
        if challenge is None or self.account not in ACCOUNTS:
            return None
        answer = challenge.answer(
            self.account, ACCOUNTS[self.account], request.method, request.uri, cnonce="c"
        )
        return "Authorization", str(answer)

    def _handle(self, effect: Effect) -> None:
        agent = self._stack.agent
        match effect:
            case Requested(request, source) if request.method == "INVITE":
                leg = agent.incoming(agent.accept(request, source), source, self.now)
                self.legs.append(leg)
                self._react(leg)
            case Requested(request, source):
                agent.refuse(request, 405, source)
            case RequestedInside(_, transaction):
                transaction.respond(transaction.request.respond(405), self.now)
            case LegReoffered(leg):
                leg.accept_offer(self.sdp, self.now)
            case LegAnswered(leg, response):
                self._note(leg, response.body)
            case LegConfirmed(leg):
                self._note(leg, leg.request.body)
            case LegEnded(leg) if leg in self.legs:
                self.legs.remove(leg)
                self.media.pop(leg, None)
            case Responded(transaction, response) if response.status == 401:
                header = self._authorize(response, transaction.request)
                expires_s = transaction.owner
                if header is not None and "authorization" not in str(transaction.request.headers).lower():
                    assert isinstance(expires_s, int)
                    self.register(expires_s, header[1])
            case _:
                pass

    def _react(self, leg: Leg) -> None:
        match self.reaction:
            case "refuses":
                leg.refuse(486, self.now)
            case "answers":
                leg.ring(self.now)
                leg.answer(self.sdp, self.now)
            case "rings":
                leg.ring(self.now)
            case _:  # says nothing but 100
                pass

    def _note(self, leg: Leg, body: bytes) -> None:
        port = PORT.search(body)
        if port is not None:
            self.media[leg] = Address(HOST, int(port[1]))


index = st.integers(0, 2**16)


class Walk(RuleBasedStateMachine):
    """One server, seven peers, and what happens between them; `steps` and `seen` (events) count over all walks."""

    steps: ClassVar[int] = 0
    seen: ClassVar[set[str]] = set()

    @initialize(seed=st.integers(0, 2**32 - 1))
    def start(self, seed: int) -> None:
        self.loop = VirtualLoop()
        self.faults: list[Any] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))
        self.logs = structlog.testing.LogCapture()
        self.configuration = structlog.get_config()
        structlog.configure(processors=[self.logs])
        self.network = MemoryNetwork(Random(seed))
        self.server = self.loop.run_until_complete(self.open(seed))
        self.server.stream.listen(lambda stamped: self.seen.add(type(stamped.event).__name__))
        self.server.stream.listen(lambda _: check_leases(self.server))
        self.go_on(0.5)
        assert len(list(self.server.registrar.accounts(self.loop.time()))) == len(ACCOUNTS)

    async def open(self, seed: int) -> Pbx:
        options = Options(seed=seed, in_process=True, http_port=None, network=self.network)
        server = await Pbx.start(read_site(SITE), options)
        self.peers = [
            Peer(self.network, server.sip, account, REACTIONS[number % 3], 30000 + 2 * number)
            for number, account in enumerate([*ACCOUNTS, "+49731999", "+49731998"])
        ]
        for peer in self.peers:
            inside = peer.account in ACCOUNTS
            await peer.start(HOST if inside else OUTSIDE, 0 if inside or peer is self.peers[-1] else 5060)
            if inside:
                peer.register(3600)
        return server

    def go_on(self, seconds: float, do: Callable[[], object] = lambda: None) -> None:
        """Do something, let time pass, and look after the rule."""

        async def main() -> None:
            do()
            await asyncio.sleep(seconds)
            if seconds:
                await asyncio.sleep(MOMENT_S)

        self.loop.run_until_complete(main())
        check_leases(self.server)
        if seconds:
            self.nobody_is_alone()
        assert not self.faults
        assert not [
            entry for entry in self.logs.entries if entry["log_level"] in {"warning", "error", "critical"}
        ]
        Walk.steps += 1

    def nobody_is_alone(self) -> None:
        """A device that was rung for somebody does not outlive its caller."""
        for call in self.server.switch.calls.values():
            if len(call.connections) == 1:
                (last,) = call.connections
                waits = isinstance(last.listener, Parked)
                assert last.incoming or waits or last.work is not None or call.work is not None

    def leg(self, at: int) -> tuple[Peer, Leg] | None:
        """Choose one of the open legs of the peers."""
        legs = [(peer, leg) for peer in self.peers for leg in peer.legs]
        return legs[at % len(legs)] if legs else None

    # -- what happens ------------------------------------------------------------------------------------------

    @rule(
        at=index,
        number=st.sampled_from(NUMBERS),
        late_offer=st.booleans(),
        seconds=st.sampled_from([0, 0.1, 1]),
    )
    def an_outside_caller_dials(self, at: int, number: str, seconds: float, *, late_offer: bool) -> None:
        peer = self.peers[-1 - at % 2]
        self.go_on(seconds, lambda: peer.dial(ROOT + number, late_offer=late_offer))

    @rule(
        at=index,
        number=st.sampled_from(INSIDE_NUMBERS),
        late_offer=st.booleans(),
        seconds=st.sampled_from([0, 0.1, 1]),
    )
    def a_phone_dials(self, at: int, number: str, seconds: float, *, late_offer: bool) -> None:
        peer = self.peers[at % len(ACCOUNTS)]
        self.go_on(seconds, lambda: peer.dial(number, late_offer=late_offer))

    @rule(at=index, late_offer=st.booleans(), answers=st.booleans(), seconds=st.sampled_from([0, 0.1, 1]))
    def a_phone_picks_up(self, at: int, seconds: float, *, late_offer: bool, answers: bool) -> None:
        """A call that rings, perhaps in the moment in which it is answered."""
        ringing = [(peer, leg) for peer in self.peers for leg in peer.legs if leg.called and leg.dialog]
        if not ringing:
            return
        rung, leg = ringing[at % len(ringing)]
        peer = self.peers[at % len(ACCOUNTS)]
        assert leg.dialog is not None
        replaces = ("Replaces", Replaces.of(leg.dialog))

        def pick_up() -> None:
            peer.dial("101", late_offer=late_offer, headers=(replaces,))
            if answers:
                rung.act(leg, "answer")

        self.go_on(seconds, pick_up)

    @rule(user=st.sampled_from(["anna", "ben"]), number=st.sampled_from(INSIDE_NUMBERS))
    def an_application_places_a_call(self, user: str, number: str) -> None:
        self.go_on(0.1, lambda: self.server.switch.place(user, number))

    @rule(at=index, what=st.sampled_from(ACTS))
    def a_peer_acts(self, at: int, what: str) -> None:
        chosen = self.leg(at)
        if chosen is not None:
            peer, leg = chosen
            self.go_on(0.05, lambda: peer.act(leg, what))

    @rule(at=index, number=st.sampled_from(INSIDE_NUMBERS), seconds=st.sampled_from([0, 0.1, 3]))
    def a_peer_transfers(self, at: int, number: str, seconds: float) -> None:
        chosen = self.leg(at)
        if chosen is not None:
            peer, leg = chosen
            self.go_on(seconds, lambda: peer.refer(leg, f"sip:{number}@klein.example"))

    @rule(at=index, seconds=st.sampled_from([0, 0.1, 3]))
    def a_peer_joins_two_of_its_calls(self, at: int, seconds: float) -> None:
        pairs = [(peer, peer.legs[0], peer.legs[1]) for peer in self.peers if len(peer.legs) > 1]
        if pairs:
            peer, leg, other = pairs[at % len(pairs)]
            if other.dialog is not None:
                replaces = quote(Replaces.of(other.dialog))
                self.go_on(seconds, lambda: peer.refer(leg, f"sip:x@klein.example?Replaces={replaces}"))

    @rule(at=index, seconds=st.sampled_from([0, 0.1, 3]))
    def a_user_joins_two_calls(self, at: int, seconds: float) -> None:
        """He holds what he has, and makes two calls, one after the other; whoever is rung for them answers."""
        desks = [peer for peer in self.peers if peer.account in {"100", "101", "102"}]
        user = desks.pop(at % len(desks))

        def call(number: str) -> None:
            for leg in user.legs:
                user.act(leg, "hold")
            user.dial(number, late_offer=at % 2 == 0)

        def answer() -> None:
            for peer in desks:
                for leg in list(peer.legs):
                    peer.act(leg, "answer")

        for desk in desks:
            self.go_on(0.2, partial(call, desk.account))
            self.go_on(0.2, answer)

        def join() -> None:
            for one, other in combinations(list(self.server.switch.calls.values()), 2):
                self.server.switch.conferences.join_calls(one, other)

        self.go_on(seconds, join)

    @rule(at=index, seconds=st.sampled_from([0, 0.1, 3, 6]))
    def a_call_is_parked_and_taken(self, at: int, seconds: float) -> None:
        """One of two who talk lets the other one wait; somebody takes him, or whoever parked is rung back."""
        parkings, peer = self.server.switch.parkings, self.peers[at % len(self.peers)]

        def park() -> None:
            for connection in list(self.server.switch.connections.values()):
                parkings.park_other(connection, None)

        self.go_on(seconds, park)
        for slot in list(parkings.waiting)[:1]:
            self.go_on(0.2, partial(peer.dial, f"**7{slot}", late_offer=at % 2 == 0))

    @rule(at=index, digit=st.sampled_from([1, 1, 2, 3, 11]), seconds=st.sampled_from([0.3, 3]))
    def a_peer_presses_a_digit(self, at: int, digit: int, seconds: float) -> None:
        talking = [(peer, leg) for peer in self.peers for leg in peer.media]
        if talking:
            peer, leg = talking[at % len(talking)]
            self.go_on(seconds, lambda: peer.press(leg, digit))

    @rule(at=index)
    def the_server_hangs_up(self, at: int) -> None:
        calls = list(self.server.switch.calls.values())
        if calls:
            self.go_on(0.05, calls[at % len(calls)].hang_up)

    @rule(at=index, seconds=st.sampled_from([0, 0.2, 2]))
    def both_sides_hang_up_at_once(self, at: int, seconds: float) -> None:
        def hang_up() -> None:
            for peer in self.peers:
                for leg in list(peer.legs)[at % 2 :]:
                    peer.act(leg, "hang up")
            for call in list(self.server.switch.calls.values())[at % 3 :]:
                call.hang_up()

        self.go_on(seconds, hang_up)

    @rule(at=index, digit=st.sampled_from([1, 2]))
    def one_answers_while_the_other_hangs_up(self, at: int, digit: int) -> None:
        """Whoever talks presses a digit; whom that lets ring answers in the moment in which the first one leaves."""
        talking = [(peer, leg) for peer in self.peers for leg in peer.media]
        if talking:
            caller, calling = talking[at % len(talking)]
            self.go_on(0.5, lambda: caller.press(calling, digit))

            def cross() -> None:
                for peer in self.peers:
                    for leg in list(peer.legs):
                        peer.act(leg, "answer")
                caller.act(calling, "hang up")

            self.go_on(0.05, cross)

    @rule(at=index, reaction=st.sampled_from(REACTIONS))
    def a_peer_changes_its_mind(self, at: int, reaction: str) -> None:
        self.peers[at % len(self.peers)].reaction = reaction

    @rule(at=index, silent=st.sampled_from([False, False, False, True]), drops=st.sampled_from(DROPS))
    def a_peer_falls_silent_or_wakes_up(self, at: int, drops: frozenset[bytes], *, silent: bool) -> None:
        peer = self.peers[at % len(self.peers)]
        peer.silent, peer.drops = silent, drops

    @rule(at=index, expires_s=st.sampled_from([0, 3600]))
    def a_phone_registers_or_leaves(self, at: int, expires_s: int) -> None:
        peer = self.peers[at % len(ACCOUNTS)]
        self.go_on(0.1, lambda: peer.register(expires_s))

    @rule(weather=st.sampled_from(WEATHERS))
    def the_weather_changes(self, weather: Weather) -> None:
        self.network.weather = weather

    @rule(seconds=st.sampled_from([0.02, 0.5, 0.5, 2.0, 5.0, 33.0]))
    def time_passes(self, seconds: float) -> None:
        self.go_on(seconds)

    def hang_up_all(self) -> None:
        for call in list(self.server.switch.calls.values()):
            call.hang_up()

    # -- the end -----------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "server"):
            return
        try:
            self.end()
        finally:
            structlog.configure(**self.configuration)
            self.loop.close()

    def end(self) -> None:
        """Let every peer that can hang up, then the server what is left, and see that nothing is."""
        self.network.weather = Weather()

        def hang_up() -> None:
            for peer in self.peers:
                for leg in list(peer.legs):
                    peer.act(leg, "hang up")

        self.go_on(1, hang_up)
        taken = [lease for pool in self.server.pools for lease in pool.leases]
        self.go_on(1, self.hang_up_all)
        assert not any(lease.is_open for lease in taken), "channels are free at once"
        self.go_on(AFTERWARDS_S)
        server = self.server
        check_nothing_left(server)
        assert server._stack.agent.is_idle
        assert server._stack.agent.timers.next_deadline() is None
        assert isinstance(server.plane, InlinePlane)
        assert not server.plane._streams
        assert not asyncio.all_tasks(self.loop)
        self.loop.run_until_complete(server.stop())
        for peer in self.peers:
            peer.stop()
        assert not self.network.endpoints


def test_nothing_leaks_in_10000_steps() -> None:
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # a walk shrinks for minutes: add Phase.shrink when one fails
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    assert Walk.steps >= 10_000
    assert {
        "CallStarted",
        "ConnectionChanged",
        "LeaseTaken",
        "LeaseClosed",
        "Refused",
        "DigitPressed",
        "CallTransferred",
        "CallConferenced",
        "CallPickedUp",
        "CallParked",
        "CallUnparked",
    } <= Walk.seen
