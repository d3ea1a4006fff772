"""Session descriptions (RFC 8866), as far as a telephone call needs them: read, hold, write.

`offer_answer` negotiates with these values; here it is decided what is well-formed, not what is acceptable.
Unknown lines are read over, unknown attributes are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LINES: Final = 512
MOST_MEDIA: Final = 32
MOST_FORMATS: Final = 64
LONGEST_CONNECTION: Final = 128

_LINE_END = re.compile(r"\r?\n")
_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]+")
_PROTOCOL = re.compile(r"[A-Za-z0-9/\-.]+")
_NUMBER = re.compile(r"[0-9]{1,20}")
_RTPMAP = re.compile(r"([0-9]{1,3})[ \t]+([A-Za-z0-9\-_.+]+)/([0-9]{1,10})(?:/([0-9]{1,3}))?[ \t]*")


class SdpError(ValueError):
    """A session description that is malformed or offers nothing that we can take.

    `reason` is the code of the refusal, `what` says what is wrong.
    """

    def __init__(self, what: str, reason: str = "media.incompatible") -> None:
        super().__init__(what)
        self.what = what
        self.reason = reason


class Direction(StrEnum):
    """Which way media flows, as the describing side sees it (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        """Give the direction of a side that sends and receives, or not."""
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE

    @property
    def sends(self) -> bool:
        """Whether the describing side sends."""
        return self in {Direction.SENDRECV, Direction.SENDONLY}

    @property
    def receives(self) -> bool:
        """Whether the describing side receives."""
        return self in {Direction.SENDRECV, Direction.RECVONLY}


_DIRECTIONS: Final = {direction.value: direction for direction in Direction}

Attributes = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class RtpMap:
    """What a payload type stands for: `encoding` in upper case, the clock rate in hertz, and channels."""

    encoding: str
    clock_hz: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Media:
    """One media line with what belongs to it; `host` is its own `c=` address, if it has one."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    host: str | None = None
    attributes: Attributes = ()

    @property
    def rtpmaps(self) -> Mapping[int, RtpMap]:
        """Payload type -> what it stands for, as far as `a=rtpmap` says; malformed ones raise `SdpError`."""
        return _rtpmaps(self.attributes)

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats as RTP payload types, best first; raises `SdpError` when one is none."""
        return _payload_types(self.formats)

    def milliseconds(self, name: str) -> int | None:
        """Give `a=ptime` or `a=maxptime` in milliseconds; None when absent or not a whole number."""
        for key, value in self.attributes:
            if key == name and value is not None and _NUMBER.fullmatch(value):
                return int(value)
        return None


@dataclass(frozen=True, slots=True)
class Sdp:
    """A whole session description; `host` is the session's `c=` address, if it has one."""

    session_id: int
    version: int
    origin_host: str
    host: str | None = None
    media: tuple[Media, ...] = ()
    attributes: Attributes = ()
    origin_user: str = "-"
    session_name: str = "-"

    @classmethod
    def parse(cls, body: bytes | str) -> Sdp:
        """Read a session description; raises `SdpError` when it is malformed."""
        return _parse(body)

    def direction(self, media: Media) -> Direction:
        """Give the direction of one of the media lines: its own, else the session's, else sendrecv."""
        for attributes in (media.attributes, self.attributes):
            for name, _ in attributes:
                if name in _DIRECTIONS:
                    return _DIRECTIONS[name]
        return Direction.SENDRECV

    def __str__(self) -> str:
        user, host = self.origin_user, self.origin_host
        lines = ["v=0", f"o={user} {self.session_id} {self.version} IN {_address_type(host)} {host}"]
        lines.append(f"s={self.session_name}")
        if self.host is not None:
            lines.append(_connection_line(self.host))
        lines.append("t=0 0")
        lines += [_attribute_line(*attribute) for attribute in self.attributes]
        for media in self.media:
            lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
            if media.host is not None:
                lines.append(_connection_line(media.host))
            lines += [_attribute_line(*attribute) for attribute in media.attributes]
        return "\r\n".join(lines) + "\r\n"


@lru_cache(maxsize=128)  # a phone describes its codecs in each call as in the last one
def _rtpmaps(attributes: Attributes) -> Mapping[int, RtpMap]:
    maps: dict[int, RtpMap] = {}
    for name, value in attributes:
        if name == "rtpmap":
            match = _RTPMAP.fullmatch(value or "")
            if match is None or int(match[1]) > 127:
                raise SdpError("an rtpmap is malformed")
            maps[int(match[1])] = RtpMap(match[2].upper(), int(match[3]), int(match[4] or 1))
    return maps


@lru_cache(maxsize=128)
def _payload_types(formats: tuple[str, ...]) -> tuple[int, ...]:
    return tuple([_number(text, "a payload type", 127) for text in formats])


def _address_type(host: str) -> str:
    return "IP6" if ":" in host else "IP4"


def _connection_line(host: str) -> str:
    return f"c=IN {_address_type(host)} {host}"


def _attribute_line(name: str, value: str | None) -> str:
    return f"a={name}" if value is None else f"a={name}:{value}"


def _number(text: str, what: str, highest: int) -> int:
    if _NUMBER.fullmatch(text) is None or (value := int(text)) > highest:
        raise SdpError(f"{what} is not a number within 0-{highest}")
    return value


@lru_cache(maxsize=4096)
def _host(network_type: str, address_type: str, address: str) -> str:
    try:
        ip = ip_address(address)
    except ValueError as error:
        raise SdpError("an address is not one of IPv4 or IPv6") from error
    if network_type != "IN" or address_type != f"IP{ip.version}":
        raise SdpError("an address is not of the type that stands before it")
    return str(ip)


def _connection(value: str) -> str:
    fields = value.split()
    if len(fields) != 3 or len(value) > LONGEST_CONNECTION:
        raise SdpError("a c= line is malformed")
    return _host(*fields)


def _attribute(value: str) -> tuple[str, str | None]:
    name, colon, text = value.partition(":")
    if _TOKEN.fullmatch(name) is None:
        raise SdpError("an attribute is malformed")
    return name, text if colon else None


def _media(lines: list[tuple[str, str]]) -> Media:
    fields = lines[0][1].split()
    if not 4 <= len(fields) <= MOST_FORMATS + 3:
        raise SdpError("an m= line has no formats, or too many")
    kind, ports, protocol, *formats = fields
    port, slash, count = ports.partition("/")
    if slash:
        _number(count, "the count of ports", 65535)
    if not _PROTOCOL.fullmatch(protocol) or not all(_TOKEN.fullmatch(text) for text in (kind, *formats)):
        raise SdpError("an m= line is malformed")
    return Media(kind, _number(port, "a media port", 65535), protocol, tuple(formats), *_section(lines[1:]))


def _lines(body: bytes | str) -> list[tuple[str, str]]:
    try:
        text = body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError as error:
        raise SdpError("the session description is not UTF-8") from error
    lines = _LINE_END.split(text.rstrip("\r\n"))
    if len(lines) > MOST_LINES:
        raise SdpError(f"the session description has more than {MOST_LINES} lines")
    pairs = []
    for line in lines:
        if line[1:2] != "=" or not "a" <= line[0] <= "z" or "\r" in line or "\0" in line:
            raise SdpError("a line is not of the form x=…")
        pairs.append((line[0], line[2:]))
    return pairs


def _section(lines: list[tuple[str, str]]) -> tuple[str | None, Attributes]:
    host: str | None = None
    attributes: list[tuple[str, str | None]] = []
    for letter, value in lines:
        if letter == "c":
            host = _connection(value)
        elif letter == "a":
            attributes.append(_attribute(value))
    return host, tuple(attributes)


def _parse(body: bytes | str) -> Sdp:
    lines = _lines(body)
    if lines[0] != ("v", "0") or len(lines) < 2 or lines[1][0] != "o":
        raise SdpError("the session description does not begin with v=0 and o=")
    origin = lines[1][1].split()
    if len(origin) != 6 or origin[3] != "IN" or origin[4] not in {"IP4", "IP6"}:
        raise SdpError("the o= line is malformed")
    bounds = [index for index, (letter, _) in enumerate(lines) if letter == "m"]
    if len(bounds) > MOST_MEDIA:
        raise SdpError(f"the session description has more than {MOST_MEDIA} media lines")
    bounds.append(len(lines))
    session = lines[2 : bounds[0]]
    host, attributes = _section(session)
    return Sdp(
        session_id=_number(origin[1], "the session id", 2**64 - 1),
        version=_number(origin[2], "the session version", 2**64 - 1),
        origin_host=origin[5],
        host=host,
        media=tuple(_media(lines[start:end]) for start, end in pairwise(bounds)),
        attributes=attributes,
        origin_user=origin[0],
        session_name=dict(session).get("s", "-"),
    )
