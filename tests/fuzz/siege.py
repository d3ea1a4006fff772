"""A whole server under fire: strangers, accounts, a trunk and telephones say right and wrong things, in virtual time.

One siege is one fresh server and some thousand messages; what its chance decides is given by its seed. The telephones
answer the server's own requests, mostly, and speak inside the dialogs that come about. Each speaks
in a way of its own.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from random import Random
from typing import TYPE_CHECKING

from ringfence.channels.network import Address
from ringfence.server.sip.grammar import SipSyntaxError
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse
from ringfence.server.sip.validate import check

from ..server.besieged import STRANGER, TRUNK, besieged, challenge_of, statuses
from .grammar import METHODS, Grammar, Place
from .mutation import Mutator, with_length
from .ways import DATAGRAM, NOWHERE, STREAM, WAYS, Thrown, Ways, cut

if TYPE_CHECKING:
    from ringfence.server.sip.credentials import Challenge

    from ..server.besieged import Besieged

DOMAIN, ROOT = "klein.example", "08955550"
PASSWORDS = {"100": "Anna-1000-Apfel", "101": "Ben-1010-Birne", "anna": "Anna-1000-Apfel"}
PHONES = {account: Address("127.0.0.1", 5100 + number) for number, account in enumerate(PASSWORDS)}
OUTSIDE = Address("127.0.0.66", 5060)
SITE = (
    (files("ringfence.fixtures") / "sites" / "small.toml")
    .read_text(encoding="utf-8")
    .replace(f'numbers = "{ROOT}"', f'numbers = "{ROOT}"\nuri = "sip:{TRUNK}"')
)
TO_DEVICES = ("100", "101", "100", "101", "100", "101")
TO_BEHAVIOURS = ("9900", "9901", "9902", "9903", "99200", "*100", "*101", "199", "200")
PAUSES_S = (*[0.0] * 60, *[0.02] * 8, 0.5, 0.5, 4.0)
LONGEST_EXPIRY_S = 7200.0
MOST_DIALOGS = 6
INSIDE = (
    "BYE",
    "INVITE",
    "ACK",
    "OPTIONS",
    "INFO",
    "UPDATE",
    "PRACK",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "MESSAGE",
    "CANCEL",
)
ANSWERS = (
    100,
    180,
    183,
    183,
    200,
    200,
    200,
    200,
    202,
    302,
    401,
    407,
    408,
    420,
    481,
    486,
    488,
    491,
    500,
    503,
    603,
)
ECHOED = re.compile(r"(?im)^(via|from|to|call-id|cseq|record-route):[ ]?(.*)\r$")
_TAG = re.compile(r";tag=[^;\s]+")


@dataclass(frozen=True, slots=True)
class Talk:
    """A dialog with the server, or what could become one, as the far end sees it."""

    source: Address
    call_id: str
    from_: str
    to: str
    target: str
    branch: str


class Siege:
    """One siege; `run` raises AssertionError, or what escaped, and `thrown` tells what led to it.

    `heard` counts the server's words, by method and status.
    """

    def __init__(self, seed: str) -> None:
        self.thrown: list[Thrown] = []
        self.heard: Counter[str] = Counter()
        self._random = Random(seed)
        self._grammar = Grammar(self._random)
        self._mutator = Mutator(self._random)
        self._talks: list[Talk] = []
        self._challenges: dict[str, tuple[Challenge, int]] = {}
        self._count = 0
        self._way = {one: self._random.choice(WAYS) for one in (STRANGER, OUTSIDE, TRUNK, *PHONES.values())}

    def run(self, messages: int) -> None:
        """Throw so many messages at a fresh server, and see that nothing is wrong and nothing is left."""
        with besieged(SITE) as target:
            self._ways = Ways(target)
            try:
                self._besiege(target, messages)
            finally:
                target.loop.run_until_complete(self._ways.close())
            assert not target.server._stack.agent.flows, "the server keeps flows that are gone"

    def _besiege(self, target: Besieged, messages: int) -> None:
        for account in PASSWORDS:
            assert statuses(self._register(target, account)) == [200]
        while self._count < messages:
            strangers = self._random.random() < 0.3
            target.loop.run_until_complete((self._strangers if strangers else self._partners)(target))
            assert target.answers_options(), "OPTIONS is not answered"
            target.network.heard.clear()
            self.thrown.append(Thrown(target.loop.time(), NOWHERE, b""))
            target.hang_up()
            self._talks.clear()
        target.pass_time(LONGEST_EXPIRY_S)

    def _register(self, target: Besieged, account: str) -> list[bytes]:
        """Register a telephone, and keep its nonce for what it says later."""
        source = PHONES[account]
        me = f"<sip:{account}@{DOMAIN}>"
        place = Place(
            str(source), f"sip:{DOMAIN}", from_=f"{me};tag=r", to=me, call_id=f"r-{account}", cseq=1
        )
        request = (
            f"REGISTER {place.target} SIP/2.0\r\nVia: SIP/2.0/UDP {source};rport;branch=z9hG4bKr{account}\r\n"
            f"Max-Forwards: 70\r\nFrom: {place.from_}\r\nTo: {place.to}\r\nCall-ID: {place.call_id}\r\n"
            f"CSeq: 1 REGISTER\r\nContact: <sip:{account}@{source}>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        challenge = challenge_of(self._ask(target, request, source)[0])
        assert challenge is not None
        self._challenges[account] = (challenge, 0)
        start_line, _, rest = request.partition(b"\r\n")
        credentials = self._credentials(account, "REGISTER", f"sip:{DOMAIN}")
        proven = start_line + f"\r\nAuthorization: {credentials}\r\n".encode() + rest
        return self._ask(target, proven, source)

    def _ask(self, target: Besieged, data: bytes, source: Address) -> list[bytes]:
        """Send one request as it is, and return what the server says."""
        self.thrown.append(Thrown(target.loop.time(), source, data, self._way[source]))
        target.loop.run_until_complete(self._ways.carry(self.thrown[-1]))
        return target.pass_time(0.3)

    def _credentials(self, account: str, method: str, uri: str) -> str:
        challenge, count = self._challenges[account]
        self._challenges[account] = (challenge, count + 1)
        answer = challenge.answer(account, PASSWORDS[account], method, uri, nc=count + 1, cnonce="c")
        return str(answer)

    # -- who speaks --------------------------------------------------------------------------------------------

    async def _strangers(self, target: Besieged) -> None:
        """Whoever has not said who he is leaves nothing behind, whatever he says (hardening rule 15)."""
        agent = target.server._stack.agent
        await asyncio.sleep(LONGEST_EXPIRY_S if self._random.random() < 0.05 else 64.0)
        server, was_idle = target.server, agent.is_idle
        calls, bound = set(server.switch.calls), list(server.registrar.accounts(0.0))
        for _ in range(100):
            source = self._random.choice((STRANGER, OUTSIDE))
            if self._random.random() < 0.15:
                data = self._grammar.response(
                    self._random.choice(ANSWERS), self._echo_of_nothing(), "<sip:a@b>"
                )
            else:
                data = self._grammar.request(self._grammar.pick(METHODS), Place(str(source)))
            await self._throw(target, self._spoilt(data, 0.8), source)
        assert set(server.switch.calls) <= calls, "strangers have a call"
        assert agent.is_idle or not was_idle, "strangers left a transaction or a dialog"
        assert list(server.registrar.accounts(0.0)) == bound, "strangers changed a registration"

    async def _partners(self, target: Besieged) -> None:
        """The trunk and the accounts call, are called, and speak inside their dialogs."""
        for _ in range(100):
            if self._talks and self._random.random() < 0.45:
                source, data = self._inside()
            elif self._random.random() < 0.5:
                source, data = TRUNK, self._from_trunk()
            else:
                source, data = self._from_account()
            await self._throw(target, self._spoilt(data, 0.4), source)
            heard, target.network.heard = target.network.heard, []
            for answer, destination in heard:
                self.heard[answer.split(b" ", 2)[answer.startswith(b"SIP/")].decode()] += 1
                await self._react(target, answer, destination)

    def _from_trunk(self) -> bytes:
        number = ROOT + self._grammar.pick(TO_DEVICES + TO_BEHAVIOURS)
        method = self._grammar.pick(("INVITE", "INVITE", "INVITE", *METHODS))
        return self._grammar.request(method, Place(str(TRUNK), f"sip:{number}@{DOMAIN}"))

    def _from_account(self) -> tuple[Address, bytes]:
        account = self._grammar.pick(tuple(PASSWORDS))
        method = self._grammar.pick(("INVITE", "INVITE", "INVITE", "REGISTER", *METHODS))
        number = self._grammar.pick((*TO_DEVICES, *TO_BEHAVIOURS, "anna", "0731999", "112"))
        me, target = f"<sip:{account}@{DOMAIN}>", f"sip:{number}@{DOMAIN}"
        if method == "REGISTER":
            target = f"sip:{DOMAIN}"
        place = Place(str(PHONES[account]), target, from_=f"{me};tag={self._grammar.fresh()}", to=me)
        proof = ("Authorization", self._credentials(account, method, target))
        return PHONES[account], self._grammar.request(method, place, extra=[proof])

    def _inside(self) -> tuple[Address, bytes]:
        talk = self._random.choice(self._talks[-MOST_DIALOGS:])
        method = self._grammar.pick(INSIDE)
        if method in {"BYE", "CANCEL"}:
            self._talks.remove(talk)
        repeated = method in {"CANCEL", "ACK"} and self._random.random() < 0.7
        to = _TAG.sub("", talk.to) if method == "CANCEL" else talk.to
        place = Place(
            str(talk.source),
            talk.target,
            from_=talk.from_,
            to=to,
            call_id=talk.call_id,
            branch=talk.branch if repeated else None,
            cseq=1 if repeated else len(self.thrown) + self._random.randint(-20, 5),
        )
        return talk.source, self._grammar.request(method, place)

    def _echo_of_nothing(self) -> list[tuple[str, str]]:
        via = self._grammar.via("127.0.0.1:5060", f"z9hG4bK{self._grammar.fresh()}")
        return [
            ("Via", via),
            ("From", "<sip:a@b>;tag=1"),
            ("To", "<sip:c@d>;tag=2"),
            ("Call-ID", "n"),
            ("CSeq", "1 INVITE"),
        ]

    # -- what is heard -----------------------------------------------------------------------------------------

    async def _react(self, target: Besieged, heard: bytes, destination: Address) -> None:
        """Read what the server sent and answer it perhaps; a refusal may echo what was wrong with its request."""
        is_refusal = heard[8:9] in {b"4", b"5", b"6"} and heard.startswith(b"SIP/2.0 ")
        try:
            message = parse(heard)
            check(message)
        except SipSyntaxError as error:
            if is_refusal or "more than one Via" in error.what:  # which is for somebody behind us
                return
            raise
        if isinstance(message, Request):
            if self._random.random() < 0.8 and message.method != "ACK":
                await self._answer(target, message, heard, destination)
        elif message.cseq.method == "INVITE" and message.status > 100:
            await self._confirm(target, message, destination)

    async def _answer(self, target: Besieged, request: Request, heard: bytes, source: Address) -> None:
        status = self._random.choice(ANSWERS)
        tag = "" if request.to.tag or status == 100 else f";tag={self._grammar.fresh()}"
        echoed = [
            (name, value + (tag if name.lower() == "to" else ""))
            for name, value in ECHOED.findall(
                heard.partition(b"\r\n\r\n")[0].decode(errors="replace") + "\r\n"
            )
        ]
        data = self._grammar.response(status, echoed, f"<sip:x@{source}>")
        await self._throw(target, self._spoilt(data, 0.3), source)
        if request.method == "INVITE" and tag and status < 300:
            me, far = f"{request.get('to')}{tag}", request.get("from") or ""
            contact = str(request.contacts[0].uri) if request.contacts else f"sip:{target.server.sip}"
            self._talks.append(
                Talk(source, request.call_id, me, far, contact, f"z9hG4bK{self._grammar.fresh()}")
            )

    async def _confirm(self, target: Besieged, response: Response, source: Address) -> None:
        contact = str(response.contacts[0].uri) if response.contacts else f"sip:{target.server.sip}"
        branch = response.via.branch or "z9hG4bK"
        from_, to = response.get("from") or "", response.get("to") or ""
        talk = Talk(source, response.call_id, from_, to, contact, branch)
        if response.status < 300:
            self._talks.append(talk)
        if response.status >= 200 and self._random.random() < 0.8:
            if response.status < 300:
                branch = f"z9hG4bK{self._grammar.fresh()}"
            place = Place(
                str(source), contact, talk.call_id, from_, to, cseq=response.cseq.number, branch=branch
            )
            data = self._grammar.request("ACK", place, body=self._random.random() < 0.2)
            await self._throw(target, self._spoilt(data, 0.2), source)

    # -- the throw ---------------------------------------------------------------------------------------------

    def _spoilt(self, data: bytes, share: float) -> bytes:
        if self.thrown and self._random.random() < 0.02:
            return self._mutator.splice(data, self._random.choice(self.thrown).data)
        return self._mutator.mutate(data) if self._random.random() < share else data

    async def _throw(self, target: Besieged, data: bytes, source: Address) -> None:
        """Let it arrive, once or twice, and see that nothing failed."""
        loop, way = asyncio.get_running_loop(), self._way.get(source, DATAGRAM)
        if way == STREAM and self._random.random() < 0.9:
            data = with_length(data)  # else hardly anything comes after it
        for _ in range(2 if self._random.random() < 0.05 else 1):
            self._count += 1
            for piece in cut(data, way, self._random):
                self.thrown.append(Thrown(loop.time(), source, piece, way))
                await self._ways.carry(self.thrown[-1])
        await asyncio.sleep(self._random.choice(PAUSES_S))
        if target.faults or target.logs.entries:
            target.check()


def replay(thrown: list[Thrown]) -> None:
    """Throw what was thrown once more at a fresh server; raises as `Siege.run` does."""
    with besieged(SITE) as target:
        ways = Ways(target)

        async def again() -> None:
            loop = asyncio.get_running_loop()
            for one in thrown:
                await asyncio.sleep(max(0.0, one.at - loop.time()))
                if one.source == NOWHERE:
                    for call in list(target.server.switch.calls.values()):
                        call.hang_up()
                else:
                    await ways.carry(one)
                target.check()

        try:
            target.loop.run_until_complete(again())
            target.hang_up()
            target.pass_time(LONGEST_EXPIRY_S)
        finally:
            target.loop.run_until_complete(ways.close())
