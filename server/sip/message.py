"""SIP requests and responses: typed when asked, written back to bytes (RFC 3261 section 7).

`parser.parse` makes them of datagrams; `validate.check` is the strict second look, which the agent takes once at each
message. The layers above build on `Request` and `Response`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .grammar import SipSyntaxError, number
from .header_names import WRITTEN, canonical_name
from .headers import STAR, CSeq, NameAddr, Via, parse_address, parse_cseq, split_list
from .reason_phrases import REASON_PHRASES
from .uri import Uri, parse_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["REASON_PHRASES", "Message", "Request", "Response", "SipSyntaxError"]

HIGHEST_EXPIRES_S: Final = 2**32 - 1

_T = TypeVar("_T")
_MEDIA_TYPE = re.compile(r"[ \t]*/[ \t]*")
_HAS_TAG = re.compile(r";[ \t]*tag[ \t]*=", re.IGNORECASE)
_ECHOED: Final = frozenset({"Via", "From", "To", "Call-ID", "CSeq"})
_MAKES_DIALOG: Final = frozenset({"INVITE", "SUBSCRIBE", "REFER"})


class Message:
    """What requests and responses share: headers in order, a body, and typed reads that are remembered.

    `headers` holds (canonical name, raw value) pairs; change it by `add`, `set`, `prepend`, `remove` and
    `replace_via` only, which forget what was remembered of that header. Names are given lower case and long.
    """

    __slots__ = ("_cache", "body", "headers")

    def __init__(self, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        self.headers = [(WRITTEN.get(name) or canonical_name(name), value) for name, value in headers]
        self.body = body
        self._cache: dict[str, Any] = {}

    def get(self, name: str) -> str | None:
        """Give the first value of header `name`, or None."""
        canonical = WRITTEN.get(name) or canonical_name(name)
        for key, value in self.headers:
            if key == canonical:
                return value
        return None

    def all(self, name: str) -> list[str]:
        """Give every value of header `name` in order, lists not split."""
        canonical = WRITTEN.get(name) or canonical_name(name)
        return [value for key, value in self.headers if key == canonical]

    def values(self, name: str) -> list[str]:
        """Give every element of the list header `name`; raises `SipSyntaxError` for an empty one."""
        return [item for value in self.all(name) for item in split_list(value)]

    def add(self, name: str, value: str) -> None:
        """Append a header."""
        canonical = canonical_name(name)
        self.headers.append((canonical, value))
        self._cache.pop(canonical, None)

    def prepend(self, name: str, value: str) -> None:
        """Put a header before all others."""
        canonical = canonical_name(name)
        self.headers.insert(0, (canonical, value))
        self._cache.pop(canonical, None)

    def remove(self, name: str) -> None:
        """Take every header `name` away; none is no error."""
        canonical = canonical_name(name)
        self.headers = [pair for pair in self.headers if pair[0] != canonical]
        self._cache.pop(canonical, None)

    def set(self, name: str, value: str) -> None:
        """Make `value` the only header `name`, in the place of the first one."""
        canonical = canonical_name(name)
        at = next((i for i, pair in enumerate(self.headers) if pair[0] == canonical), len(self.headers))
        self.remove(name)
        self.headers.insert(at, (canonical, value))

    def replace_via(self, via: Via) -> None:
        """Put `via` in the place of the topmost Via, for instance with `received` and `rport` filled in."""
        for index, (key, value) in enumerate(self.headers):
            if key == "Via":
                rest = split_list(value)[1:] if "," in value else []
                self.headers[index] = ("Via", ", ".join([str(via), *rest]))
                self._cache["Via"] = via
                return
        self.prepend("via", str(via))

    def _read(self, name: str, read: Callable[[str], _T]) -> _T:
        for key, value in self.headers:
            if key == name:
                found = self._cache[name] = read(value)
                return found
        raise SipSyntaxError(f"{name} is missing")

    @property
    def via(self) -> Via:
        """The topmost Via; like all typed reads it raises `SipSyntaxError` when missing or malformed."""
        via: Via | None = self._cache.get("Via")
        return self._read("Via", _first_via) if via is None else via

    @property
    def vias(self) -> list[Via]:
        """Every Via, topmost first."""
        return [Via.parse(value) for value in self.values("via")]

    @property
    def from_(self) -> NameAddr:
        """The From."""
        from_: NameAddr | None = self._cache.get("From")
        return self._read("From", parse_address) if from_ is None else from_

    @property
    def to(self) -> NameAddr:
        """The To."""
        to: NameAddr | None = self._cache.get("To")
        return self._read("To", parse_address) if to is None else to

    @property
    def cseq(self) -> CSeq:
        """The CSeq."""
        cseq: CSeq | None = self._cache.get("CSeq")
        return self._read("CSeq", parse_cseq) if cseq is None else cseq

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        call_id: str | None = self._cache.get("Call-ID")
        return self._read("Call-ID", _not_empty) if call_id is None else call_id

    @property
    def contacts(self) -> list[NameAddr]:
        """Every Contact in order; none for `Contact: *`, see `contact_star`."""
        return [parse_address(value) for value in self.values("contact") if value != STAR]

    @property
    def contact_star(self) -> bool:
        """Whether the one Contact is `*`, which removes all bindings (RFC 3261 section 10.2.2)."""
        return self.all("contact") == [STAR]

    @property
    def max_forwards(self) -> int | None:
        """Max-Forwards, or None without one."""
        value = self.get("max-forwards")
        return None if value is None else number(value, "Max-Forwards", 255)

    @property
    def expires(self) -> int | None:
        """Expires in seconds, or None without one."""
        value = self.get("expires")
        return None if value is None else number(value, "Expires", HIGHEST_EXPIRES_S)

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case without parameters; empty without Content-Type."""
        media_type = (self.get("content-type") or "").partition(";")[0]
        return _MEDIA_TYPE.sub("/", media_type.strip(" \t").lower())

    def accepts(self, media_type: str) -> bool:
        """Tell whether the sender takes bodies of `media_type` (RFC 3261 20.1); without Accept it does."""
        if self.get("accept") is None:
            return True
        ranges = {
            _MEDIA_TYPE.sub("/", value.partition(";")[0].strip(" \t").lower())
            for value in self.values("accept")
        }
        return not ranges.isdisjoint({media_type, f"{media_type.partition('/')[0]}/*", "*/*"})

    @property
    def require(self) -> list[str]:
        """The option tags that the sender requires."""
        return self.values("require")

    def _write(self, start_line: str) -> bytes:
        lines = [start_line]
        lines += [f"{name}: {value}" for name, value in self.headers if name != "Content-Length"]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        text = "\r\n".join(lines)
        if text.count("\n") != len(lines) + 1 or text.count("\r") != len(lines) + 1:
            raise ValueError("a header value holds a line break; take it out before the message is sent")
        return text.encode(errors="surrogateescape") + self.body


class Request(Message):
    """A SIP request; `uri` is the Request-URI as written, `request_uri` the same typed; it came in `size` octets."""

    __slots__ = ("method", "size", "uri")

    def __init__(
        self, method: str, uri: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri
        self.size = 0

    @property
    def request_uri(self) -> Uri:
        """The Request-URI; raises `SipSyntaxError` when it is malformed."""
        return parse_uri(self.uri)

    def respond(self, status: int, reason: str | None = None, to_tag: str | None = None) -> Response:
        """Make a response to this request (RFC 3261 section 8.2.6.2).

        `to_tag` is added to a To that has no tag. Record-Route goes into the answers that make a dialog,
        Timestamp into a 100.
        """
        copies = _ECHOED
        if status == 100:
            copies |= {"Timestamp"}
        elif 100 < status < 300 and self.method in _MAKES_DIALOG:
            copies |= {"Record-Route"}
        headers = [pair for pair in self.headers if pair[0] in copies]
        if to_tag is not None:
            for index, (name, value) in enumerate(headers):
                if name == "To":
                    if _HAS_TAG.search(value) is None or not self._to_has_tag():
                        headers[index] = (name, f"{value};tag={to_tag}")
                    break
        response = Response.__new__(Response)
        response.headers = headers
        response.body = b""
        response._cache = {}  # noqa: SLF001 - made here without `__init__`, whose names are canonical already
        response.status = status
        response.reason = REASON_PHRASES.get(status, "") if reason is None else reason
        return response

    def answerable(self) -> bool:
        """Tell whether this request, however broken, can be answered: its topmost Via names its sender.

        An ACK never is. Of a broken Via, sender and branch are kept as `via`.
        """
        if self.method == "ACK":
            return False
        try:
            via: Via | None = self.via
        except SipSyntaxError:
            via = Via.parse_broken(self.get("via") or "")
        if via is not None:
            self._cache["Via"] = via
        return via is not None

    def _to_has_tag(self) -> bool:
        try:
            return self.to.tag is not None
        except SipSyntaxError:
            return True

    def to_bytes(self) -> bytes:
        """Write it with a fresh Content-Length; raises ValueError when a value holds a line break."""
        return self._write(f"{self.method} {self.uri} SIP/2.0")

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(Message):
    """A SIP response; the reason phrase is the usual one unless given."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        super().__init__(headers, body)
        self.status = status
        self.reason = REASON_PHRASES.get(status, "") if reason is None else reason

    def to_bytes(self) -> bytes:
        """Write it with a fresh Content-Length; raises ValueError when a value holds a line break."""
        return self._write(f"SIP/2.0 {self.status} {self.reason}")

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def _first_via(value: str) -> Via:
    return Via.parse(split_list(value)[0] if "," in value else value)


def _not_empty(value: str) -> str:
    if not value:
        raise SipSyntaxError("Call-ID is empty")
    return value
