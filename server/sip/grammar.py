"""The words of SIP: tokens, quoted strings, numbers, hosts (RFC 3261 section 25), and their one error.

Every parser of this folder builds on these patterns; nothing here knows a header or a message.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .message import Request

# Groups are repeated as (?>(?:…)*): Python before 3.11.5 takes too much by (?:…)*+ (python/cpython#106052).
NAME_CHARS = r"A-Za-z0-9\-.!%*_+`'~"
TOKEN = rf"[{NAME_CHARS}]++"
QUOTED = r'"(?>(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*)"'
HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-_.]{0,253}[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]{2,60}\])"
"""No longer than a name may be (RFC 1035 2.3.4): hosts are remembered."""
LONGEST_TOKEN = 256

_TOKEN = re.compile(TOKEN)
_DIGITS = re.compile(r"[0-9]+")
_ESCAPED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_THREE_COLONS = re.compile(r":::(?=[0-9]+\.)")
_DOTTED = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")


class SipSyntaxError(ValueError):
    """A message, header or URI that breaks the grammar.

    `status` is the response that it deserves; `what` says what is wrong, fit for a reason phrase or a log.
    `request` is what could be read of a broken request if that is enough to answer it, else None.
    """

    def __init__(self, what: str, status: int = 400, request: Request | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.status = status
        self.request = request


def is_token(text: str) -> bool:
    """Tell whether `text` is one token (RFC 3261 section 25.1)."""
    return _TOKEN.fullmatch(text) is not None


def number(text: str, name: str, highest: int, lowest: int = 0) -> int:
    """Read an unsigned decimal number of ASCII digits only.

    Raises `SipSyntaxError` when it is none or not within `lowest`…`highest`; `name` is used to say so.
    """
    if _DIGITS.fullmatch(text) is None:
        raise SipSyntaxError(f"{name} is not a number")
    digits = text.lstrip("0") or "0"
    if len(digits) > 20 or not lowest <= (value := int(digits)) <= highest:
        raise SipSyntaxError(f"{name} is not within {lowest}-{highest}")
    return value


@lru_cache(maxsize=4096)
def host_name(text: str) -> str:
    """Bring a host that matches `HOST` to its plain form: lower case, an IPv6 address without brackets.

    Three colons before an embedded IPv4 address, as RFC 3261 has them, are taken for two (RFC 5118 section 4.10).
    Raises `SipSyntaxError` for an address that is none.
    """
    if text[0] == "[":
        try:
            return str(IPv6Address(_THREE_COLONS.sub("::", text[1:-1])))
        except AddressValueError as error:
            raise SipSyntaxError("an IPv6 address is malformed") from error
    if _DOTTED.fullmatch(text):
        try:
            return str(IPv4Address(text))
        except AddressValueError as error:
            raise SipSyntaxError("an IPv4 address is malformed") from error
    if ".." in text:
        raise SipSyntaxError("a host name has an empty label")
    return text.lower()


def bracketed(host: str) -> str:
    """Write a plain host as it stands in a URI or Via: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def quote(text: str) -> str:
    """Write `text` as a quoted-string; line breaks, which no quoted-string can hold, become spaces."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")
    if escaped.isprintable():
        return f'"{escaped}"'
    return '"' + "".join("\\" + c if (c < " " and c != "\t") or c == "\x7f" else c for c in escaped) + '"'


def unquote(quoted: str) -> str:
    """Give the text of a quoted-string, without its quotes and with escaped pairs resolved."""
    inner = quoted[1:-1]
    return _ESCAPED_PAIR.sub(r"\1", inner) if "\\" in inner else inner
