"""Somebody outside who knows nothing of the server but its address, and writes what he wants on a UDP socket."""

from __future__ import annotations

import re
import socket
from itertools import count
from typing import TYPE_CHECKING, Self

from tests.server.besieged import authorized, challenge_of

from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from ringfence.server.sip.credentials import Challenge

DOMAIN = "klein.example"
PHONE, STRANGER, TRUNK = "127.0.0.1", "127.0.0.66", "127.0.0.30"
PASSWORDS = {"100": "Anna-1000-Apfel", "101": "Ben-1010-Birne"}
PATIENCE_S = 5.0
INACTIVE = "99200"
"""A test number that answers and takes no stream."""
_NUMBERS = count(1)
_BRANCH = re.compile(rb"branch=z9hG4bK[^;\r]*")


class Outsider:
    """Speaks from a port of its own at `host` to the server at `server` (`address:port`)."""

    def __init__(self, server: str, host: str) -> None:
        address, _, port = server.rpartition(":")
        self._server = (address, int(port))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(PATIENCE_S)
        self.host, self.port = self._socket.getsockname()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def write(
        self,
        method: str,
        to: str = "",
        *lines: str,
        account: str = "100",
        target: str = "",
        call: str = "",
        cseq: int = 1,
        to_tag: str = "",
        hops: int = 70,
        body: str = "",
    ) -> bytes:
        """Write a request to `to` (a user part, none for the server itself) that is like no other."""
        number = next(_NUMBERS)
        uri = target or f"sip:{to}@{DOMAIN}".replace(":@", ":")
        whom = f"sip:{account}@{DOMAIN}" if method == "REGISTER" else uri
        head = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bKout{number}",
            f"Max-Forwards: {hops}",
            f"From: <sip:{account}@{DOMAIN}>;tag=f",
            f"To: <{whom}>{f';tag={to_tag}' if to_tag else ''}",
            f"Call-ID: {call or f'out-{number}'}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{account}@{self.host}:{self.port}>",
            *lines,
            *(
                ["Content-Type: application/sdp"]
                if body and not any("Content-Type" in one for one in lines)
                else []
            ),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(head) + f"\r\n\r\n{body}").encode()

    def say(self, data: bytes) -> None:
        """Send one datagram."""
        self._socket.sendto(data, self._server)

    def hear(self) -> Request | Response:
        """Return the next message; raises TimeoutError when none comes."""
        return parse(self._socket.recv(65535))

    def ask(self, data: bytes) -> Response:
        """Send a request and return the final response to it."""
        self.say(data)
        while True:
            answer = self.hear()
            if (
                isinstance(answer, Response)
                and answer.status >= 200
                and (answer.via.branch or "?") in data.decode()
            ):
                return answer

    def answer(self, request: Request | Response, status: int, body: str = "") -> None:
        """Answer a request of the server."""
        assert isinstance(request, Request)
        response = request.respond(status, to_tag="out")
        response.add("Contact", f"<sip:out@{self.host}:{self.port}>")
        if body:
            response.add("Content-Type", "application/sdp")
            response.body = body.encode()
        self.say(response.to_bytes())

    def hears_nothing_of(self, data: bytes) -> bool:
        """Send something, then an OPTIONS: whether the next thing that comes is the answer to that."""
        self.say(data)
        options = self.write("OPTIONS")
        self.say(options)
        answer = self.hear()
        return isinstance(answer, Response) and answer.cseq.method == "OPTIONS" and answer.status == 200

    def challenge(self, data: bytes) -> Challenge:
        """Ask without proof and return the challenge."""
        challenge = challenge_of(self.ask(data).to_bytes())
        assert challenge is not None
        return challenge

    def prove(self, data: bytes, account: str = "100", challenge: Challenge | None = None) -> Response:
        """Ask as an account, without a challenge at hand after fetching one; returns the final response."""
        challenge = challenge or self.challenge(data)
        return self.ask(again(authorized(data, challenge, account, PASSWORDS[account])))

    def register(self, account: str) -> Response:
        """Register this socket for an account."""
        answer = self.prove(self.write("REGISTER", account=account), account)
        assert answer.status == 200
        return answer

    def call(self, number: str, body: str = "") -> tuple[bytes, Response]:
        """Call through the trunk's root; returns the INVITE and its final response, which is acknowledged."""
        invite = self.write("INVITE", f"08955550{number}", account="0731", body=body or self.sdp())
        answer = self.ask(invite)
        self.say(self.inside("ACK", answer, cseq=1))
        return invite, answer

    def inside(self, method: str, answer: Response, cseq: int) -> bytes:
        """Write a request inside the dialog that `answer` opened; an ACK of a refusal is of its transaction."""
        target = str(answer.contacts[0].uri) if answer.contacts else str(answer.to.uri)
        data = self.write(
            method, target=target, account="0731", call=answer.call_id, cseq=cseq, to_tag=answer.to.tag or ""
        )
        if method == "ACK" and answer.status >= 300:
            data = _BRANCH.sub(f"branch={answer.via.branch}".encode(), data)
        return data.replace(f"To: <{target}>".encode(), f"To: <{answer.to.uri}>".encode())

    def sdp(self, media: str | None = None, port: int = 4000) -> str:
        """Write an offer of G.711 at `media`, or at the own host."""
        host = media or self.host
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
        )


def again(data: bytes) -> bytes:
    """Give a request a branch of its own, as one that is no repetition."""
    return _BRANCH.sub(f"branch=z9hG4bKagain{next(_NUMBERS)}".encode(), data)
