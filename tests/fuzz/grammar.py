"""Messages by the grammar of SIP: every header that the parser knows, in the ways in which it may be written.

What is made here is mostly right; `mutation` spoils it. All chance comes from the `Random` given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

METHODS = (
    "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "PRACK", "SUBSCRIBE", "NOTIFY", "UPDATE", "MESSAGE",
    "REFER", "PUBLISH", "INFO", "FOO", "invite",
)  # fmt: skip
TOKENS = (
    "a",
    "timer",
    "100rel",
    "replaces",
    "presence",
    "dialog",
    "message-summary",
    "x-1.2!%*_+`'~",
    "0",
    "Z" * 40,
)
USERS = (
    "100",
    "101",
    "102",
    "anna",
    "ben",
    "9900",
    "9901",
    "9903",
    "99200",
    "*100",
    "199",
    "200",
    "777",
    "%61nna",
)
HOSTS = ("klein.example", "127.0.0.1", "[::1]", "localhost", "a.example.", "192.0.2.7", "[2001:db8::1]")
COMPACT = {
    "Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Contact": "m", "Content-Type": "c", "Content-Length": "l",
    "Supported": "k", "Subject": "s", "Event": "o", "Refer-To": "r", "Referred-By": "b", "Session-Expires": "x",
    "Content-Encoding": "e", "Allow-Events": "u",
}  # fmt: skip
FORMATS = ("0", "8", "101", "9", "18", "96", "127")
COLONS = (": ", ": ", ": ", ": ", ":", " : ", ":\r\n ")
ATTRIBUTES = (
    "rtpmap:8 PCMA/8000", "rtpmap:0 PCMU/8000/1", "rtpmap:101 telephone-event/8000", "fmtp:101 0-16", "ptime:20",
    "maxptime:150", "sendrecv", "sendonly", "recvonly", "inactive", "rtcp:5001", "rtpmap:96 opus/48000/2",
    "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc", "candidate:1 1 UDP 1 192.0.2.7 5000 typ host", "silenceSupp:off",
)  # fmt: skip
PLAIN_SDP = (
    "v=0\r\no=- 1 1 IN IP4 HOST\r\ns=-\r\nc=IN IP4 HOST\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request stands: who sends it, whom it is for, and the dialog that it claims to be in."""

    host: str = "127.0.0.1:5060"
    target: str | None = None
    call_id: str | None = None
    from_: str | None = None
    to: str | None = None
    cseq: int | None = None
    branch: str | None = None


class Grammar:
    """Writes messages; `random` decides."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._count = 0
        self._headers: dict[str, Callable[[], str]] = {
            "Accept": lambda: self.listed(self.media_type),
            "Alert-Info": lambda: f"<{self.uri()}>",
            "Allow": lambda: self.listed(lambda: self.pick(METHODS)),
            "Allow-Events": lambda: self.listed(self.token),
            "Authorization": self.credentials,
            "Contact": lambda: self.listed(self.contact),
            "Content-Disposition": lambda: "session" + self.params(),
            "Content-Encoding": lambda: self.pick(("identity", "gzip")),
            "Content-Language": lambda: "de",
            "Date": lambda: "Sat, 13 Nov 2010 23:29:00 GMT",
            "Diversion": lambda: self.name_addr() + ";reason=no-answer",
            "Event": lambda: self.pick(("presence", "dialog", "message-summary", "refer")) + self.params(),
            "Expires": lambda: self.number(7200),
            "MIME-Version": lambda: "1.0",
            "Max-Forwards": lambda: self.number(255),
            "Min-Expires": lambda: self.number(3600),
            "Min-SE": lambda: self.number(1800),
            "P-Asserted-Identity": self.name_addr,
            "P-Preferred-Identity": self.name_addr,
            "Path": lambda: f"<{self.uri()};lr>",
            "Priority": lambda: "normal",
            "Privacy": lambda: "id",
            "Proxy-Authorization": self.credentials,
            "Proxy-Require": lambda: self.listed(self.token),
            "RAck": lambda: f"{self.number(9)} {self.number(9)} INVITE",
            "RSeq": lambda: self.number(2**31),
            "Reason": lambda: 'Q.850;cause=16;text="gone"',
            "Record-Route": lambda: f"<{self.uri()};lr>",
            "Refer-To": lambda: f"<{self.uri()}?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>",
            "Referred-By": self.name_addr,
            "Replaces": lambda: f"{self.token()};to-tag={self.token()};from-tag={self.token()}",
            "Require": lambda: self.listed(self.token),
            "Retry-After": lambda: self.number(60),
            "Route": lambda: f"<{self.uri()};lr>",
            "SIP-If-Match": self.token,
            "Session-Expires": lambda: self.number(3600) + ";refresher=uac",
            "Subject": lambda: self.pick(("", "käse", "a, b; c", '"open')),
            "Subscription-State": lambda: self.pick(("active", "terminated", "pending")) + ";expires=60",
            "Supported": lambda: self.listed(self.token),
            "Timestamp": lambda: "54.5 1",
            "User-Agent": lambda: "Fuzz/1.0 (a (b) c)",
            "Warning": lambda: '399 a "b"',
            "X-Unknown": lambda: self.pick(("", "x" * 300, "a\tb")),
        }

    # -- words -------------------------------------------------------------------------------------------------

    def pick(self, choices: Sequence[str]) -> str:
        """Choose one."""
        return choices[self.random.randrange(len(choices))]

    def chance(self, share: float) -> bool:
        """Decide."""
        return self.random.random() < share

    def number(self, highest: int) -> str:
        """Write a number, sometimes with zeros before it."""
        return self.pick(("", "", "", "0", "000")) + str(self.random.randint(0, highest))

    def token(self) -> str:
        """Write a token."""
        return self.pick(TOKENS)

    def fresh(self) -> str:
        """Write a token that was never there."""
        self._count += 1
        return f"{self._count}x{self.random.getrandbits(24):x}"

    def quoted(self) -> str:
        """Write a quoted string."""
        return self.pick(('"Anna"', '"a \\" b"', '"\\\\"', '"käse, <sip:x>"', '""', '"\\\x07"'))

    def space(self) -> str:
        """Write what may stand between two words."""
        return self.pick(("", "", "", " ", "\t", "\r\n "))

    def listed(self, make: Callable[[], str]) -> str:
        """Write one to three elements."""
        return f",{self.space()}".join(make() for _ in range(self.random.randint(1, 3)))

    def params(self) -> str:
        """Write none to two header parameters."""
        text = ""
        for number in range(self.random.randint(0, 2)):
            value = self.pick((f"={self.token()}", f"={self.quoted()}", "", "=[::1]:5"))
            text += f"{self.space()};{self.space()}p{number}{value}"
        return text

    # -- addresses ---------------------------------------------------------------------------------------------

    def uri(self) -> str:
        """Write a URI, mostly of SIP."""
        if self.chance(0.05):
            return self.pick(("tel:+49731", "urn:service:sos", "http://a.example/?x", "cid:1@a"))
        user = f"{self.pick(USERS)}@" if self.chance(0.85) else ""
        port = self.pick(("", "", ":5060", ":1", ":65535"))
        params = self.pick(
            ("", "", ";transport=udp", ";lr", ";user=phone", ";maddr=127.0.0.1;ttl=1", ";a=%41")
        )
        return f"{self.pick(('sip', 'sip', 'sip', 'sips', 'SIP'))}:{user}{self.pick(HOSTS)}{port}{params}"

    def name_addr(self) -> str:
        """Write an address in angle brackets, with or without a name."""
        return f"{self.pick(('', '', 'Anna H ', self.quoted()))}<{self.uri()}>"

    def contact(self) -> str:
        """Write one Contact."""
        return (
            f"{self.name_addr()}{self.pick(('', ';expires=60', ';q=0.5', ';expires=0', ';+sip.instance=a'))}"
        )

    def via(self, host: str, branch: str) -> str:
        """Write a Via."""
        rport = self.pick((";rport", ";rport", "", ";ttl=1"))
        return f"SIP/2.0/{self.pick(('UDP', 'UDP', 'TCP', 'X'))} {host}{rport};branch={branch}{self.params()}"

    def media_type(self) -> str:
        """Write a media range."""
        return self.pick(
            ("application/sdp", "*/*", "text/plain;charset=utf-8", "application/*", "multipart/mixed")
        )

    def credentials(self) -> str:
        """Write credentials that prove nothing."""
        return (
            f'Digest username="{self.pick(USERS)}",{self.space()}realm="klein.example", nonce="1-1-0", '
            f'uri="sip:klein.example", response="{self.random.getrandbits(128):032x}", qop=auth, nc=00000001, '
            f'cnonce="{self.token()}"{self.pick(("", ", algorithm=MD5", ", opaque=" + self.quoted()))}'
        )

    # -- bodies ------------------------------------------------------------------------------------------------

    def sdp(self, host: str = "127.0.0.30") -> str:
        """Write a session description: half of them as a telephone does, half of them stranger."""
        if self.chance(0.5):
            return PLAIN_SDP.replace("HOST", host)
        lines = ["v=0", f"o=- {self.number(99)} {self.number(99)} IN IP4 {host}", "s=-"]
        if self.chance(0.9):
            lines.append(
                f"c=IN IP4 {self.pick((host, host, host, '0.0.0.0', '224.1.1.1', '255.255.255.255'))}"
            )
        lines += ["t=0 0", *self.pick(("", "", "b=AS:64|a=tool:x")).split("|")]
        for _ in range(self.random.randint(1, 2)):
            kind = self.pick(("audio", "audio", "audio", "video", "image"))
            formats = " ".join(self.random.sample(FORMATS, self.random.randint(1, 4)))
            port = self.pick(("4000", "4000", "4002", "0", "1", "65535", "4000/2"))
            lines.append(
                f"m={kind} {port} {self.pick(('RTP/AVP', 'RTP/AVP', 'RTP/SAVP', 'udptl'))} {formats}"
            )
            lines += [f"a={self.pick(ATTRIBUTES)}" for _ in range(self.random.randint(0, 4))]
        return "\r\n".join(line for line in lines if line) + "\r\n"

    def body(self) -> tuple[str, str]:
        """Write a content type and a body, sometimes in parts within parts."""
        kind, text = "application/sdp", self.sdp()
        if self.chance(0.1):
            kind, text = (
                self.pick(("text/plain", "application/dtmf-relay", "message/sipfrag")),
                "Signal=1\r\n",
            )
        for depth in range(self.random.randint(1, 12) if self.chance(0.1) else 0):
            other = f"--b{depth}\r\nContent-Type: text/plain\r\n\r\nx\r\n" if self.chance(0.3) else ""
            text = f"{other}--b{depth}\r\nContent-Type: {kind}\r\n\r\n{text}\r\n--b{depth}--\r\n"
            quote = self.pick(("", '"'))
            kind = f"multipart/{self.pick(('mixed', 'alternative'))};boundary={quote}b{depth}{quote}"
        return kind, text

    # -- messages ----------------------------------------------------------------------------------------------

    def request(
        self, method: str, place: Place, *, extra: Sequence[tuple[str, str]] = (), body: bool | None = None
    ) -> bytes:
        """Write a request; `extra` headers stand among those that chance adds."""
        target = place.target or self.uri()
        cseq = place.cseq if place.cseq is not None else self.random.randint(0, 50)
        headers = [
            ("Via", self.via(place.host, place.branch or f"z9hG4bK{self.fresh()}")),
            ("Max-Forwards", self.pick(("70", "70", "70", "1", "0"))),
            ("From", place.from_ or f"{self.name_addr()};tag={self.fresh()}"),
            ("To", place.to or self.name_addr()),
            ("Call-ID", place.call_id or f"{self.fresh()}@{self.pick(HOSTS)}"),
            ("CSeq", f"{cseq} {method}"),
            *extra,
        ]
        if method in {"INVITE", "REGISTER", "SUBSCRIBE", "REFER", "UPDATE"} and self.chance(0.95):
            headers.append(("Contact", f"<sip:x@{place.host}>"))
        if method in {"SUBSCRIBE", "NOTIFY", "PUBLISH"} and self.chance(0.9):
            headers.append(("Event", self._headers["Event"]()))
        with_body = self.chance(0.9 if method == "INVITE" else 0.2) if body is None else body
        return self._write(f"{method} {target} SIP/2.0", headers, with_body=with_body)

    def response(self, status: int, echoed: Sequence[tuple[str, str]], contact: str) -> bytes:
        """Write a response; `echoed` are the headers that it takes from the request."""
        headers = [*echoed, ("Contact", contact)] if self.chance(0.9) else list(echoed)
        line = f"SIP/2.0 {status} {self.pick(('OK', '', 'käse', 'a b c'))}"
        return self._write(line, headers, with_body=self.chance(0.8 if status in {183, 200} else 0.1))

    def _write(self, line: str, headers: list[tuple[str, str]], *, with_body: bool) -> bytes:
        names = list(self._headers)
        for _ in range(self.pick(("", "", ".", "..", "....")).count(".")):
            name = self.pick(names)
            headers.insert(self.random.randint(0, len(headers)), (name, self._headers[name]()))
        text = ""
        if with_body:
            kind, text = self.body()
            headers.append(("Content-Type", kind))
        length = len(text.encode())
        if self.chance(0.95):
            headers.append(("Content-Length", str(length)))
        lines = [line]
        for name, value in headers:
            written = COMPACT.get(name, name) if self.chance(0.1) else name
            lines.append(written + self.pick(COLONS) + value)
        return ("\r\n".join(lines) + "\r\n\r\n" + text).encode(errors="surrogateescape")
