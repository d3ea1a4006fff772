"""URIs as SIP uses them: `sip:` and `sips:` in full (RFC 3261 section 19.1), every other scheme unread.

Headers and start lines are parsed through `parse_uri`; the registrar and routing compare with `SipUri.same`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from .grammar import HOST, SipSyntaxError, bracketed, host_name, number

UriParams = tuple[tuple[str, str | None], ...]

_ESCAPED = r"%[0-9A-Fa-f]{2}"
_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
_PARAM_TEXT = rf"(?>(?:[{_UNRESERVED}\[\]/:&+$]|{_ESCAPED})+)"
_HEADER_TEXT = rf"(?:[{_UNRESERVED}\[\]/?:+$]|{_ESCAPED})"
_HEADER = rf"(?>{_HEADER_TEXT}+)=(?>{_HEADER_TEXT}*)"
_SIP_URI = re.compile(
    rf"(sips?):"
    rf"(?:((?>(?:[{_UNRESERVED}&=+$,;?/]|{_ESCAPED})+))(?::(?>(?:[{_UNRESERVED}&=+$,]|{_ESCAPED})*))?@)?"
    rf"({HOST})(?::([0-9]+))?"
    rf"((?>(?:;{_PARAM_TEXT}(?:={_PARAM_TEXT})?)*))"
    rf"(?:\?({_HEADER}(?>(?:&{_HEADER})*)))?",
    re.IGNORECASE,
)
_OTHER_URI = re.compile(rf"([A-Za-z][A-Za-z0-9+\-.]*+):((?>(?:[{_UNRESERVED};/?:@&=+$,\[\]#]|{_ESCAPED})+))")
_NEEDS_ESCAPE_USER = re.compile(r"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]")
_NEEDS_ESCAPE_PARAM = re.compile(r"[^A-Za-z0-9\-_.!~*'()\[\]/:&+$]")
_NEEDS_ESCAPE_HEADER = re.compile(r"[^A-Za-z0-9\-_.!~*'()\[\]/?:+$]")
_MUST_BE_IN_BOTH = frozenset({"user", "ttl", "method", "maddr", "transport"})
_LONGEST_CACHED = 256


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise SipSyntaxError("a URI escapes octets that are not UTF-8") from error


def _escape(text: str, needs_escape: re.Pattern[str]) -> str:
    return needs_escape.sub(lambda match: "".join(f"%{octet:02X}" for octet in match[0].encode()), text)


@dataclass(frozen=True, slots=True)
class SipUri:
    """A `sip:` or `sips:` URI; every part is unescaped, `host` is lower case and without brackets.

    A password is read over and never kept. Parameter and header names are lower case.
    """

    scheme: str
    user: str | None
    host: str
    port: int | None = None
    params: UriParams = ()
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """Read a `sip:` or `sips:` URI; raises `SipSyntaxError`, with status 416 for another scheme."""
        uri = parse_uri(text)
        if isinstance(uri, OtherUri):
            raise SipSyntaxError("the URI is neither sip: nor sips:", 416)
        return uri

    def param(self, name: str) -> str | None:
        """Give the value of parameter `name` (lower case); None when it is absent or has no value."""
        for key, value in self.params:
            if key == name:
                return value
        return None

    def has_param(self, name: str) -> bool:
        """Tell whether parameter `name` (lower case) is there, with or without a value."""
        return any(key == name for key, _ in self.params)

    def same(self, other: SipUri | OtherUri) -> bool:
        """Compare by the rules of RFC 3261 section 19.1.4, where %61 equals `a` and hosts ignore case."""
        if not isinstance(other, SipUri):
            return False
        if (self.scheme, self.user, self.host, self.port) != (
            other.scheme,
            other.user,
            other.host,
            other.port,
        ):
            return False
        if self.params != other.params:
            mine, theirs = dict(self.params), dict(other.params)
            for name in mine.keys() & theirs.keys():
                if (mine[name] or "").lower() != (theirs[name] or "").lower():
                    return False
            if _MUST_BE_IN_BOTH & (mine.keys() ^ theirs.keys()):
                return False
        return sorted(self.headers) == sorted(other.headers)

    def __str__(self) -> str:
        user = "" if self.user is None else _escape(self.user, _NEEDS_ESCAPE_USER) + "@"
        text = f"{self.scheme}:{user}{bracketed(self.host)}"
        if self.port is not None:
            text += f":{self.port}"
        for name, value in self.params:
            text += ";" + _escape(name, _NEEDS_ESCAPE_PARAM)
            if value is not None:
                text += "=" + _escape(value, _NEEDS_ESCAPE_PARAM)
        if self.headers:
            text += "?" + "&".join(
                f"{_escape(name, _NEEDS_ESCAPE_HEADER)}={_escape(value, _NEEDS_ESCAPE_HEADER)}"
                for name, value in self.headers
            )
        return text


@dataclass(frozen=True, slots=True)
class OtherUri:
    """A URI of another scheme (`tel:`, `urn:` …), its text after the colon unread; `scheme` is lower case."""

    scheme: str
    rest: str

    def same(self, other: SipUri | OtherUri) -> bool:
        """Compare as text."""
        return self == other

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


Uri = SipUri | OtherUri


def _params(text: str) -> UriParams:
    params: list[tuple[str, str | None]] = []
    for part in text[1:].split(";"):
        name, equals, value = part.partition("=")
        params.append((_unescape(name).lower(), _unescape(value) if equals else None))
    if len(params) > 1 and len({name for name, _ in params}) < len(params):
        raise SipSyntaxError("a URI parameter is given twice")
    return tuple(params)


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (part.partition("=") for part in text.split("&"))
    return tuple((_unescape(name).lower(), _unescape(value)) for name, _, value in pairs)


def _parse(text: str) -> Uri:
    match = _SIP_URI.fullmatch(text)
    if match is None:
        other = _OTHER_URI.fullmatch(text)
        if other is None or other[1].lower() in {"sip", "sips"}:
            raise SipSyntaxError("a URI is malformed")
        return OtherUri(other[1].lower(), other[2])
    scheme, user, host, port, params, headers = match.groups()
    return SipUri(
        scheme.lower(),
        None if user is None else _unescape(user),
        host_name(host),
        None if port is None else number(port, "the port of a URI", 65535, 1),
        _params(params) if params else (),
        _headers(headers) if headers else (),
    )


_parse_cached = lru_cache(maxsize=4096)(_parse)


def parse_uri(text: str) -> Uri:
    """Read a URI of any scheme; raises `SipSyntaxError` when it is malformed.

    Short URIs are remembered: phones repeat the same few in every message.
    """
    return _parse_cached(text) if len(text) <= _LONGEST_CACHED else _parse(text)
