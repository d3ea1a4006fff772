"""The strict look at a message that `parser.parse` let through: is every known header as the RFC has it?

The agent calls `check` once for each message, before anything acts on it, authentication included. It keeps
RFC 3261 sections 8.1.1, 8.2.2, 20 and 25, and the bounds that hold against messages made to harm.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .grammar import LONGEST_TOKEN, NAME_CHARS, QUOTED, TOKEN, SipSyntaxError, is_token, number
from .headers import STAR, NameAddr, Via, split_list
from .message import HIGHEST_EXPIRES_S, Request
from .uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

    from .message import Message, Response

MOST_ELEMENTS: Final = {"Via": 70, "Contact": 10, "Accept": 32, "Route": 70, "Record-Route": 70}
"""How many elements a list header may have in all, if not `MOST_OTHER_ELEMENTS`."""
MOST_OTHER_ELEMENTS: Final = 256

_MANDATORY: Final = ("Via", "From", "To", "Call-ID", "CSeq")
_SINGLE: Final = frozenset({
    "Authentication-Info", "CSeq", "Call-ID", "Content-Disposition", "Content-Length", "Content-Type", "Date",
    "Event", "Expires", "From", "MIME-Version", "Max-Forwards", "Min-Expires", "Min-SE", "Organization",
    "Priority", "RAck", "RSeq", "Refer-To", "Referred-By", "Replaces", "Reply-To", "Retry-After", "SIP-ETag",
    "SIP-If-Match", "Server", "Session-Expires", "Subject", "Subscription-State", "Timestamp", "To",
    "User-Agent",
})  # fmt: skip

_READ: Final = frozenset({"Via", "From", "To", "CSeq"})
_EVER_NEW: Final = frozenset({*_READ, "Call-ID", "Authorization", "Proxy-Authorization", "Timestamp", "Date"})

_PARAMS = rf"(?>(?:[ \t]*;[ \t]*{TOKEN}(?:[ \t]*=[ \t]*(?:[{NAME_CHARS}:\[\]]++|{QUOTED}))?)*)"
_TOKENS = rf"{TOKEN}(?>(?:[ \t]*,[ \t]*{TOKEN})*)"
_WORD = r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]++"
_MEDIA_RANGE = rf"{TOKEN}[ \t]*/[ \t]*{TOKEN}{_PARAMS}"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9]"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_SHAPES: Final = {
    "Authorization": rf"{TOKEN}[ \t]+.+",
    "Call-ID": rf"{_WORD}(?:@{_WORD})?",
    "Content-Disposition": TOKEN + _PARAMS,
    "Content-Type": _MEDIA_RANGE,
    "Date": rf"{_DAY} {_MONTH} [0-9]{{4}} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT",
    "Event": TOKEN + _PARAMS,
    "MIME-Version": r"[0-9]+\.[0-9]+",
    "Min-SE": rf"[0-9]{{1,10}}{_PARAMS}",
    "Priority": TOKEN,
    "Proxy-Authorization": rf"{TOKEN}[ \t]+.+",
    "RAck": rf"[0-9]{{1,10}}[ \t]+[0-9]{{1,10}}[ \t]+{TOKEN}",
    "Session-Expires": rf"[0-9]{{1,10}}{_PARAMS}",
    "Subscription-State": TOKEN + _PARAMS,
    "Timestamp": r"[0-9]+(?:\.[0-9]*)?(?:[ \t]+(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))?",
}
_LISTS: Final = {
    "Accept": rf"(?:{_MEDIA_RANGE}(?>(?:[ \t]*,[ \t]*{_MEDIA_RANGE})*))?",
    "Allow": rf"(?:{_TOKENS})?",
    "Allow-Events": _TOKENS,
    "Content-Encoding": _TOKENS,
    "Proxy-Require": _TOKENS,
    "Require": _TOKENS,
    "Supported": rf"(?:{_TOKENS})?",
    "Unsupported": _TOKENS,
}
_BRACKETED_ADDRESSES: Final = ("Path", "Record-Route", "Route", "Service-Route")
_ADDRESSES: Final = ("P-Asserted-Identity", "P-Preferred-Identity", "Refer-To", "Referred-By", "Reply-To")
_HIGHEST: Final = {
    "Max-Forwards": 255,
    "Expires": HIGHEST_EXPIRES_S,
    "Min-Expires": HIGHEST_EXPIRES_S,
    "RSeq": 2**32 - 1,
}


def check(message: Request | Response) -> None:
    """Return if every known header is well-formed and the message is whole.

    Raises `SipSyntaxError` with the status that it deserves; its `request` is set when it can be answered.
    """
    try:
        _check_headers(message)
        if isinstance(message, Request):
            _check_request(message)
        else:
            _check_response(message)
    except SipSyntaxError as error:
        if isinstance(message, Request) and message.answerable():
            error.request = message
        raise


def check_length(message: Request | Response) -> None:
    """Return if a message that came by a stream says how long it is (RFC 3261 20.14); raises `SipSyntaxError`."""
    if message.get("content-length") is None:
        request = message if isinstance(message, Request) and message.answerable() else None
        raise SipSyntaxError("Content-Length is missing", request=request)


def _check_headers(message: Message) -> None:
    counts: dict[str, int] = {}
    for name, value in message.headers:
        if name in _READ and name not in counts and "," not in value:
            counts[name] = 1  # read below, where it is single; a second one is too many
        elif name in _CHECKS:
            is_new = name in _EVER_NEW or len(value) > LONGEST_TOKEN
            count = _CHECKS[name](value) if is_new else _remembered(name, value)
            counts[name] = counts.get(name, 0) + count
    for name in _MANDATORY:
        if not counts.get(name):
            raise SipSyntaxError(f"{name} is missing")
    for name, total in counts.items():
        if total > 1 and total > (1 if name in _SINGLE else MOST_ELEMENTS.get(name, MOST_OTHER_ELEMENTS)):
            raise SipSyntaxError(f"{name} is there too often")
    _check_token(message.from_.tag, "the tag in From")
    _check_token(message.to.tag, "the tag in To")
    _check_token(message.via.branch, "the branch in Via")
    _check_token(message.cseq.method, "the method in CSeq")
    if len(message.call_id) > LONGEST_TOKEN:
        raise SipSyntaxError(f"Call-ID is longer than {LONGEST_TOKEN} characters")
    if message.body and message.get("content-type") is None:
        raise SipSyntaxError("the message has a body but no Content-Type")


def _check_request(request: Request) -> None:
    if request.cseq.method != request.method:
        raise SipSyntaxError("the method in CSeq is not that of the request")
    uri = request.request_uri
    if isinstance(uri, SipUri) and (uri.headers or uri.has_param("method")):
        raise SipSyntaxError("the Request-URI has headers or a method in it")
    contacts = request.values("contact")
    if STAR in contacts and (len(contacts) > 1 or request.method != "REGISTER"):
        raise SipSyntaxError("Contact: * stands only alone, and only in REGISTER")
    if request.method == "INVITE" and len(contacts) > 1:
        raise SipSyntaxError("an INVITE has one Contact")


def _check_response(response: Response) -> None:
    if len(response.values("via")) > 1:
        raise SipSyntaxError("the response has more than one Via: it is for somebody behind us")


def _check_token(text: str | None, name: str) -> None:
    if text is not None and (len(text) > LONGEST_TOKEN or not is_token(text)):
        raise SipSyntaxError(f"{name} is not a token of at most {LONGEST_TOKEN} characters")


@lru_cache(maxsize=2048)  # most values come again with each message of a phone
def _remembered(name: str, value: str) -> int:
    return _CHECKS[name](value)


def _text(_value: str) -> int:
    return 1


def _vias(value: str) -> int:
    if "," not in value:
        Via.parse(value)
        return 1
    return len([Via.parse(item) for item in split_list(value)])


def _contacts(value: str) -> int:
    items = split_list(value)
    for item in items:
        if item != STAR:
            NameAddr.parse(item)
    return len(items) or _empty("Contact")


def _empty(name: str) -> int:
    raise SipSyntaxError(f"{name} is empty")


def _matching(name: str, pattern: str, *, is_list: bool) -> Callable[[str], int]:
    fullmatch = re.compile(pattern).fullmatch

    def count(value: str) -> int:
        if fullmatch(value) is None:
            raise SipSyntaxError(f"{name} is malformed")
        return value.count(",") + 1 if is_list else 1

    return count


def _within(name: str, highest: int) -> Callable[[str], int]:
    def count(value: str) -> int:
        number(value, name, highest)
        return 1

    return count


def _addresses(name: str, *, in_brackets: bool) -> Callable[[str], int]:
    def count(value: str) -> int:
        items = split_list(value)
        for item in items:
            NameAddr.parse(item)
            if in_brackets and "<" not in item:
                raise SipSyntaxError(f"{name} is not in angle brackets")
        return len(items) or _empty(name)

    return count


_CHECKS: Final[dict[str, Callable[[str], int]]] = {
    **dict.fromkeys(_SINGLE | {*_MANDATORY}, _text),
    **{name: _matching(name, pattern, is_list=False) for name, pattern in _SHAPES.items()},
    **{name: _matching(name, pattern, is_list=True) for name, pattern in _LISTS.items()},
    **{name: _within(name, highest) for name, highest in _HIGHEST.items()},
    **{name: _addresses(name, in_brackets=True) for name in _BRACKETED_ADDRESSES},
    **{name: _addresses(name, in_brackets=False) for name in _ADDRESSES},
    "Via": _vias,
    "Contact": _contacts,
}
