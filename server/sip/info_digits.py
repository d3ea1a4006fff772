"""Digits in the bodies of INFO, from telephones without RFC 4733: `application/dtmf-relay` and `application/dtmf`.

No RFC describes the two media types; they are read as the makers of telephones write them.
"""

from __future__ import annotations

import re
from typing import Final

from .grammar import SipSyntaxError

RELAY: Final = "application/dtmf-relay"
PLAIN: Final = "application/dtmf"
MEDIA_TYPES: Final = (RELAY, PLAIN)

_SIGNAL = re.compile(
    rb"(?:\A|\n)[ \t]*Signal[ \t]*=[ \t]*([0-9A-Da-d*#]{1,2})[ \t]*(?:\r?\n|\Z)", re.IGNORECASE
)
_PLAIN = re.compile(rb"\s*([0-9A-Da-d*#]{1,2})\s*")
_BY_EVENT: Final = "0123456789*#ABCD"
FLASH: Final = ""


def read_digit(body: bytes) -> str:
    """Return the digit that a body tells; `FLASH` for a hook flash (event 16), which no digit is.

    Raises `SipSyntaxError` for anything else.
    """
    match = _SIGNAL.search(body) or _PLAIN.fullmatch(body)
    if match is None:
        raise SipSyntaxError("the body tells no digit")
    text = match[1].decode().upper()
    if len(text) == 1:
        return text
    if text == "16":
        return FLASH
    if text in {"10", "11", "12", "13", "14", "15"}:
        return _BY_EVENT[int(text)]
    raise SipSyntaxError("the body tells no digit")


def write_digit(digit: str, duration_ms: int = 160) -> bytes:
    """Write a digit as `application/dtmf-relay`."""
    return f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode()
