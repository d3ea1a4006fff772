"""Typed values of the headers of every message: Via, From, To, Contact, Route, CSeq (RFC 3261 section 20).

`message` parses through them lazily; the layers above build headers with their `str()`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .grammar import (
    HOST,
    LONGEST_TOKEN,
    NAME_CHARS,
    QUOTED,
    TOKEN,
    SipSyntaxError,
    bracketed,
    host_name,
    number,
    quote,
    unquote,
)
from .uri import Uri, parse_uri

Params = tuple[tuple[str, str | None], ...]

STAR: Final = "*"
HIGHEST_CSEQ: Final = 2**31 - 1
DEFAULT_EXPIRES_S: Final = 3600

_PARAM = rf"[ \t]*;[ \t]*({TOKEN})(?:[ \t]*=[ \t]*([{NAME_CHARS}:\[\]]++|{QUOTED}))?"
_ONE_PARAM = re.compile(_PARAM)
_ALL_PARAMS = re.compile(rf"(?>(?:{_PARAM})*)[ \t]*")
_PLAIN_VALUE = re.compile(rf"[{NAME_CHARS}:\[\]]+")
_VIA = re.compile(
    rf"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*({TOKEN})[ \t]+({HOST})(?:[ \t]*:[ \t]*([0-9]+))?(?=[ \t;]|$)",
    re.IGNORECASE,
)
_BROKEN_VIA = re.compile(
    rf"SIP[ \t]*/[ \t]*[0-9.]+[ \t]*/[ \t]*({TOKEN})[ \t]+({HOST})(?:[ \t]*:[ \t]*([0-9]{{1,5}}))?",
    re.IGNORECASE,
)
_BRANCH = re.compile(rf";[ \t]*branch[ \t]*=[ \t]*({TOKEN})", re.IGNORECASE)
_NAME_ADDR = re.compile(rf"(?:({QUOTED})[ \t]*|((?>(?:{TOKEN}[ \t]*)*)))<([^<>]*)>")
_ADDR_SPEC = re.compile(r'[^ \t;,?<>"]+')
_CSEQ = re.compile(rf"([0-9]++)[ \t]+({TOKEN})")
_LIST_ITEM = re.compile(rf'(?>(?:[^,"<]|{QUOTED}|<[^>]*>)*)')


def parse_params(text: str, start: int = 0) -> Params:
    """Read `;name=value;flag…` from `start` to the end; names become lower case, values are unquoted.

    Raises `SipSyntaxError` when it is malformed or a name comes twice (RFC 3261 section 7.3.1).
    """
    if start == len(text):
        return ()
    if _ALL_PARAMS.fullmatch(text, start) is None:
        raise SipSyntaxError("header parameters are malformed")
    found = _ONE_PARAM.findall(text, start)
    params = tuple(
        [
            (name.lower(), (unquote(value) if value[0] == '"' else value) if value else None)
            for name, value in found
        ]
    )
    if len(params) > 1 and len({name for name, _ in params}) < len(params):
        raise SipSyntaxError("a header parameter is given twice")
    return params


def format_params(params: Params) -> str:
    """Write parameters as they stand in a header, quoted where needed."""
    text = ""
    for name, value in params:
        if value is None:
            text += f";{name}"
        else:
            text += f";{name}={value if _PLAIN_VALUE.fullmatch(value) else quote(value)}"
    return text


def _find(params: Params, name: str) -> str | None:
    for key, value in params:
        if key == name:
            return value
    return None


def _with(params: Params, changes: dict[str, str | int | None]) -> Params:
    new = {name: None if value is None else str(value) for name, value in changes.items()}
    kept = [(name, new.pop(name) if name in new else value) for name, value in params]
    return (*kept, *new.items())


def split_list(value: str) -> list[str]:
    """Split a header value at its commas, but not at those within quotes or angle brackets.

    An empty value is an empty list; raises `SipSyntaxError` for an empty element or an open quote.
    """
    if "," not in value:
        stripped = value.strip(" \t")
        return [stripped] if stripped else []
    items: list[str] = []
    position = 0
    while True:
        match = _LIST_ITEM.match(value, position)
        item = match[0].strip(" \t") if match else ""
        if not item:
            raise SipSyntaxError("a list has an empty element")
        items.append(item)
        position += len(match[0]) if match else 0
        if position == len(value):
            return items
        if value[position] != ",":
            raise SipSyntaxError("a quote or bracket is not closed")
        position += 1


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of the way back (RFC 3261 section 20.42); `transport` is upper case, `host` is plain."""

    transport: str
    host: str
    port: int | None = None
    params: Params = ()

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via value; raises `SipSyntaxError`."""
        match = _VIA.match(text)
        if match is None:
            raise SipSyntaxError("Via is malformed")
        transport, host, port = match.groups()
        return cls(
            transport.upper(),
            host_name(host),
            None if port is None else number(port, "the port in Via", 65535, 1),
            parse_params(text, match.end()),
        )

    @classmethod
    def parse_broken(cls, text: str) -> Via | None:
        """Read what a 400 needs, sender and branch, from a Via that `parse` refuses; None if it can't be."""
        match = _BROKEN_VIA.match(text)
        if match is None:
            return None
        branch = _BRANCH.search(text)
        try:
            host = host_name(match[2])
        except SipSyntaxError:
            return None
        port = int(match[3] or 0)
        params: Params = (("branch", branch[1]),) if branch else ()
        return cls(match[1].upper(), host, port if 0 < port < 65536 else None, params)

    @property
    def branch(self) -> str | None:
        """The branch, which names the transaction."""
        return _find(self.params, "branch")

    def param(self, name: str) -> str | None:
        """Give the value of parameter `name` (lower case); None when it is absent or has no value."""
        return _find(self.params, name)

    def has_param(self, name: str) -> bool:
        """Tell whether parameter `name` is there; `rport` has no value in requests (RFC 3581)."""
        return any(key == name for key, _ in self.params)

    def with_params(self, **changes: str | int | None) -> Via:
        """Give the same hop with parameters added or replaced, e.g. `received` and `rport`."""
        return Via(self.transport, self.host, self.port, _with(self.params, changes))

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {bracketed(self.host)}{port}{format_params(self.params)}"


@dataclass(frozen=True, slots=True)
class NameAddr:
    """An address with display name and parameters: From, To, Contact, Route, Record-Route and their like.

    `params` are the header's; what stands within the angle brackets belongs to `uri`.
    """

    display_name: str
    uri: Uri
    params: Params = ()

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read a name-addr or addr-spec with parameters; raises `SipSyntaxError`."""
        match = _NAME_ADDR.match(text)
        if match is not None:
            quoted, tokens, uri = match.groups()
            display_name = (
                unquote(quoted) if quoted is not None else " ".join(tokens.split()) if tokens else ""
            )
            return cls(display_name, parse_uri(uri), parse_params(text, match.end()))
        bare = _ADDR_SPEC.match(text)
        if bare is None:
            raise SipSyntaxError("an address is malformed")
        return cls("", parse_uri(bare[0]), parse_params(text, bare.end()))

    @property
    def tag(self) -> str | None:
        """The tag of a From or To."""
        return _find(self.params, "tag")

    @property
    def expires_s(self) -> int | None:
        """The `expires` of a Contact in seconds; a malformed one counts as 3600 (RFC 3261 section 20.10)."""
        text = _find(self.params, "expires")
        if text is None:
            return None
        try:
            return number(text, "expires", 2**32 - 1)
        except SipSyntaxError:
            return DEFAULT_EXPIRES_S

    def param(self, name: str) -> str | None:
        """Give the value of header parameter `name` (lower case); None when it is absent or has no value."""
        return _find(self.params, name)

    def has_param(self, name: str) -> bool:
        """Tell whether header parameter `name` (lower case) is there."""
        return any(key == name for key, _ in self.params)

    def with_tag(self, tag: str) -> NameAddr:
        """Give the same address with this tag."""
        return self.with_params(tag=tag)

    def with_params(self, **changes: str | int | None) -> NameAddr:
        """Give the same address with header parameters added or replaced."""
        return NameAddr(self.display_name, self.uri, _with(self.params, changes))

    def __str__(self) -> str:
        name = f"{quote(self.display_name)} " if self.display_name else ""
        return f"{name}<{self.uri}>{format_params(self.params)}"


_address_cached = lru_cache(maxsize=4096)(NameAddr.parse)


def parse_address(text: str) -> NameAddr:
    """Read a name-addr or addr-spec that comes again, as Contact, From and To do: a short one is remembered."""
    return _address_cached(text) if len(text) <= LONGEST_TOKEN else NameAddr.parse(text)


def read_seconds(value: str | None) -> int | None:
    """Read the seconds with which a Retry-After or Min-Expires begins (RFC 3261 20.33); None without a sound number."""
    text = (value or "").partition(";")[0].partition("(")[0].strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@dataclass(frozen=True, slots=True)
class CSeq:
    """The place of a request in its dialog (RFC 3261 section 20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read `1 INVITE`; raises `SipSyntaxError`, above 2**31 - 1 too (section 8.1.1.5)."""
        match = _CSEQ.fullmatch(text)
        if match is None:
            raise SipSyntaxError("CSeq is malformed")
        return cls(number(match[1], "the CSeq number", HIGHEST_CSEQ), match[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


_cseq_cached = lru_cache(maxsize=1024)(CSeq.parse)


def parse_cseq(text: str) -> CSeq:
    """Read a CSeq; most are `1 INVITE`, `2 BYE` and their like, and a short one is remembered."""
    return _cseq_cached(text) if len(text) <= LONGEST_TOKEN else CSeq.parse(text)
