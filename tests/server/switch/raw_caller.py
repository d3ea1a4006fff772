"""A caller behind the trunk made of bare messages: it sends what a test wants, and nothing by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from ringfence.channels.network import Address, Endpoint
    from ringfence.fixtures.pbx import PbxUnderTest

Headers = tuple[tuple[str, str], ...]
ROOT, DOMAIN = "08955550", "klein.example"


class RawCaller:
    """Use it as a context manager; `to` is the To of its one dialog, `cseq` the number of its last request.

    At the address of a trunk it is called as well: `request_from_server` and `respond`.
    """

    def __init__(
        self, pbx: PbxUnderTest, host: str = "127.0.0.30", port: int = 0, call_id: str = "raw"
    ) -> None:
        self._pbx = pbx
        self._host, self._port = host, port
        self._responses: asyncio.Queue[Response] = asyncio.Queue()
        self._requests: asyncio.Queue[Request] = asyncio.Queue()
        self.call_id = call_id
        self.from_tag = "raw"
        self.to = ""
        self.cseq = 0

    async def __aenter__(self) -> Self:
        self._endpoint: Endpoint = await self._pbx.server.options.network.bind(
            self._host, self._port, self._receive
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Vanish."""
        self._endpoint.close()

    @property
    def local(self) -> Address:
        """Where it is reached."""
        return self._endpoint.local

    def _receive(self, data: bytes, _: Address) -> None:
        message = parse(data)
        if isinstance(message, Response):
            self._responses.put_nowait(message)
        else:
            self._requests.put_nowait(message)

    def sdp(self, direction: str = "sendrecv", port: int = 4000) -> bytes:
        """Write an offer or answer."""
        host = self.local.host
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8\r\na={direction}\r\n"
        ).encode()

    def make(
        self,
        method: str,
        target: str = "",
        *,
        cseq: int | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str = "application/sdp",
        branch: str | None = None,
    ) -> Request:
        """Write a request, in the dialog once there is one; without `cseq` it gets the next number."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        branch = branch or f"z9hG4bK{method}{cseq}{self.call_id}"
        request = Request(
            method,
            target or f"sip:{ROOT}@{DOMAIN}",
            [
                ("Via", f"SIP/2.0/UDP {self.local};rport;branch={branch}"),
                ("Max-Forwards", "70"),
                ("From", f"<sip:+49731999@out.example>;tag={self.from_tag}"),
                ("To", self.to or f"<{target}>"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} {method}"),
                ("Contact", f"<sip:raw@{self.local}>"),
                *headers,
            ],
            body,
        )
        if body:
            request.add("Content-Type", content_type)
        return request

    def send(self, message: Request | Response) -> None:
        """Put a message on the wire."""
        self.send_bytes(message.to_bytes())

    def send_bytes(self, data: bytes) -> None:
        """Put bytes on the wire."""
        self._endpoint.send(data, self._pbx.server.sip)

    async def response(
        self, *, least: int = 200, method: str | None = None, timeout_s: float = 60.0
    ) -> Response:
        """Wait for the next response of at least that status, to that method."""
        async with asyncio.timeout(timeout_s):
            while True:
                response = await self._responses.get()
                if response.status >= least and method in (None, response.cseq.method):
                    return response

    async def request_from_server(self, timeout_s: float = 4000.0) -> Request:
        """Wait for the next request of the server."""
        async with asyncio.timeout(timeout_s):
            return await self._requests.get()

    def respond(self, request: Request, status: int, headers: Headers = (), body: bytes = b"") -> None:
        """Answer a request of the server."""
        response = request.respond(status, to_tag="raw")
        response.add("Contact", f"<sip:raw@{self.local}>")
        for name, value in headers:
            response.add(name, value)
        if body:
            response.add("Content-Type", "application/sdp")
            response.body = body
        self.send(response)

    async def invite(
        self, number: str, *, headers: Headers = (), direction: str = "sendrecv", least: int = 200
    ) -> Response:
        """Call a number by the trunk's root and return the first response of at least that status."""
        target = f"sip:{ROOT}{number}@{DOMAIN}"
        self.send(self.make("INVITE", target, headers=headers, body=self.sdp(direction)))
        answer = await self.response(least=least)
        self.to = answer.get("to") or ""
        return answer

    async def ask(
        self, method: str, *, headers: Headers = (), body: bytes = b"", content_type: str = "application/sdp"
    ) -> Response:
        """Send a request and return its final response."""
        self.send(self.make(method, headers=headers, body=body, content_type=content_type))
        return await self.response(method=method)

    def ack(self, cseq: int | None = None, body: bytes = b"") -> None:
        """Confirm a 2xx."""
        self.send(self.make("ACK", cseq=self.cseq if cseq is None else cseq, body=body))

    async def bye(self) -> None:
        """Leave the call."""
        assert (await self.ask("BYE")).status == 200
