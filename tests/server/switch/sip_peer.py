"""A plain SIP peer for tests: it writes requests as it is told, answers challenges, and keeps what it is sent."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from ringfence.server.sip.credentials import Challenge
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from ringfence.channels.network import Address, Endpoint
    from ringfence.fixtures.pbx import PbxUnderTest

DOMAIN = "klein.example"
_NUMBERS = count(1)


class SipPeer:
    """`account` and its password; `status` is what requests to it are answered with, None is silence."""

    def __init__(self, pbx: PbxUnderTest, account: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._pbx = pbx
        directory = pbx.server.administration.directory
        user = directory.by_extension(account) or directory.by_name(account)
        self.account = account
        self.password = "" if user is None else user.password
        self.host = host
        self.port = port
        self.status: int | None = 200
        self.answer_headers: list[tuple[str, str]] = []
        self.received: list[Request] = []
        self._coming: asyncio.Queue[Request] = asyncio.Queue()
        self._answers: dict[str, asyncio.Queue[Response]] = {}
        self._endpoint: Endpoint | None = None

    async def __aenter__(self) -> Self:
        network = self._pbx.server.options.network
        self._endpoint = await network.bind(self.host, self.port, self._receive)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.endpoint.close()

    @property
    def endpoint(self) -> Endpoint:
        assert self._endpoint is not None
        return self._endpoint

    @property
    def contact(self) -> str:
        return f"<sip:{self.account}@{self.endpoint.local}>"

    async def ask(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        from_: str = "",
        to: str = "",
        contact: str = "",
        hops: int = 70,
    ) -> Response:
        """Send a request outside any dialog to a user of the server, and return its final response."""
        number = next(_NUMBERS)
        uri = target if target.startswith("sip:") else f"sip:{target}@{DOMAIN}"
        request = Request(
            method,
            uri,
            [
                ("Max-Forwards", str(hops)),
                ("From", f"{from_ or f'<sip:{self.account}@{DOMAIN}>'};tag=t{number}"),
                ("To", f"<{to or uri}>"),
                ("Call-ID", f"call-{number}"),
                ("CSeq", f"{number} {method}"),
                ("Contact", contact or self.contact),
                *headers,
            ],
            body,
        )
        return await self.send(request)

    async def ask_inside(
        self, opening: Response, method: str, headers: Iterable[tuple[str, str]] = ()
    ) -> Response:
        """Send a request in the dialog that a response to this peer opened."""
        number = next(_NUMBERS)
        contact = opening.contacts[0]
        request = Request(
            method,
            str(contact.uri),
            [
                ("Max-Forwards", "70"),
                ("From", opening.get("from") or ""),
                ("To", opening.get("to") or ""),
                ("Call-ID", opening.call_id),
                ("CSeq", f"{number} {method}"),
                ("Contact", self.contact),
                *headers,
            ],
        )
        return await self.send(request)

    async def send(self, request: Request) -> Response:
        """Send a request, once more with credentials if it is challenged; returns the final response."""
        answer = await self._once(request)
        if answer.status != 401 or not self.password:
            return answer
        challenge = Challenge.parse(answer.get("www-authenticate") or "")
        assert challenge is not None
        credentials = challenge.answer(self.account, self.password, request.method, request.uri, cnonce="c")
        request.remove("Via")
        request.set("CSeq", f"{next(_NUMBERS)} {request.method}")
        request.add("Authorization", str(credentials))
        return await self._once(request)

    async def _once(self, request: Request) -> Response:
        branch = f"z9hG4bK-peer-{next(_NUMBERS)}"
        request.prepend("Via", f"SIP/2.0/UDP {self.endpoint.local};rport;branch={branch}")
        answers = self._answers[branch] = asyncio.Queue()
        self.endpoint.send(request.to_bytes(), self._pbx.server.sip)
        async with asyncio.timeout(60):
            while (answer := await answers.get()).status < 200:
                pass
        return answer

    async def next(self, timeout_s: float = 300.0) -> Request:
        """Wait for the next request of the server."""
        async with asyncio.timeout(timeout_s):
            return await self._coming.get()

    async def silent(self, seconds: float = 5.0) -> bool:
        """Whether the server sends no new request in that time."""
        await asyncio.sleep(seconds)
        return self._coming.empty()

    def _receive(self, data: bytes, source: Address) -> None:
        message = parse(data)
        if isinstance(message, Response):
            if message.via.branch in self._answers:
                self._answers[message.via.branch].put_nowait(message)
            return
        if all(message.via.branch != one.via.branch for one in self.received):
            self._coming.put_nowait(message)
        self.received.append(message)
        if message.method == "CANCEL":
            self.endpoint.send(message.respond(200, to_tag="peer").to_bytes(), source)
            self.refuse(487)
        elif self.status is not None and message.method != "ACK":
            response = message.respond(self.status, to_tag="peer")
            for name, value in self.answer_headers:
                response.add(name, value)
            self.endpoint.send(response.to_bytes(), source)

    def refuse(self, status: int) -> None:
        """Answer the last INVITE, to which nothing final was said."""
        invite = next(one for one in reversed(self.received) if one.method == "INVITE")
        self.endpoint.send(invite.respond(status, to_tag="peer").to_bytes(), self._pbx.server.sip)
