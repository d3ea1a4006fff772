"""Somebody at an address of his own who sends requests word by word, and notes each answer with its time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.server.sip.credentials import Challenge
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from ringfence.channels.network import Address, Endpoint
    from ringfence.fixtures.pbx import PbxUnderTest

REALM = "klein.example"


@dataclass
class Stranger:
    """Speaks from `host`; `answers` are (seconds since the request, response)."""

    pbx: PbxUnderTest
    host: str
    endpoint: Endpoint = field(init=False)
    answers: list[tuple[float, Response]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    count: int = 0
    _sent_at: float = 0.0

    @classmethod
    async def at(cls, pbx: PbxUnderTest, host: str) -> Stranger:
        """Bind an address."""
        stranger = cls(pbx, host)
        stranger.endpoint = await pbx.server.options.network.bind(host, 0, stranger._hear)
        return stranger

    def _hear(self, data: bytes, _source: Address) -> None:
        message = parse(data)
        if isinstance(message, Response):
            self.answers.append((asyncio.get_running_loop().time() - self._sent_at, message))
            self.sizes.append(len(data))

    def request(
        self,
        method: str = "REGISTER",
        *headers: tuple[str, str],
        target: str = f"sip:{REALM}",
        account: str = "100",
        call_id: str | None = None,
        body: bytes = b"",
    ) -> Request:
        """Write a request that is like no other."""
        self.count += 1
        return Request(
            method,
            target,
            [
                ("Via", f"SIP/2.0/UDP {self.endpoint.local};rport;branch=z9hG4bK-{self.host}-{self.count}"),
                ("Max-Forwards", "70"),
                ("From", f"<sip:{account}@{REALM}>;tag=f{self.count}"),
                ("To", f"<sip:{account}@{REALM}>"),
                ("Call-ID", call_id or f"{self.count}@{self.host}"),
                ("CSeq", f"{self.count} {method}"),
                *headers,
            ],
            body,
        )

    def send(self, request: Request | bytes) -> None:
        """Send, and wait for nothing."""
        self._sent_at = asyncio.get_running_loop().time()
        data = request if isinstance(request, bytes) else request.to_bytes()
        self.endpoint.send(data, self.pbx.server.sip)

    async def ask(self, request: Request | bytes, wait_s: float = 5.0) -> Response | None:
        """Send and return the answer, None when there is none in time."""
        answer = await self.timed(request, wait_s)
        return None if answer is None else answer[1]

    async def timed(self, request: Request | bytes, wait_s: float = 5.0) -> tuple[float, Response] | None:
        """Send and return the answer with the seconds that it took."""
        before = len(self.answers)
        self.send(request)
        for _ in range(int(wait_s * 100)):
            await asyncio.sleep(0.01)
            if len(self.answers) > before:
                return self.answers[before]
        return None

    async def challenge(
        self,
        method: str = "REGISTER",
        algorithm: str = "MD5",
        *,
        account: str = "100",
        target: str = f"sip:{REALM}",
    ) -> Challenge:
        """Ask without credentials and return the challenge for `algorithm`."""
        answer = await self.ask(self.request(method, account=account, target=target))
        assert answer is not None
        assert answer.status == 401
        parsed = [Challenge.parse(value) for value in answer.all("www-authenticate")]
        return next(one for one in parsed if one is not None and one.algorithm == algorithm)

    async def prove(
        self,
        password: str,
        *headers: tuple[str, str],
        account: str = "100",
        method: str = "REGISTER",
        target: str = f"sip:{REALM}",
        challenge: Challenge | None = None,
        nc: int = 1,
        wait_s: float = 5.0,
    ) -> tuple[float, Response] | None:
        """Try a password; returns the answer with the seconds that it took."""
        asked = challenge or await self.challenge(method, account=account, target=target)
        shown = asked.answer(account, password, method, target, cnonce="c", nc=nc)
        request = self.request(
            method, ("Authorization", str(shown)), *headers, account=account, target=target
        )
        return await self.timed(request, wait_s)
