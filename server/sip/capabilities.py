"""What our user agents say that they can do: Allow and Supported (RFC 3261 20.5, 20.37), and what is beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .message import Request

if TYPE_CHECKING:
    from .message import Message

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, INFO, PRACK, REFER"
SUPPORTED: Final = "100rel, replaces, timer"

REGISTRAR_SUPPORTED: Final = "path"
_EXTENSIONS: Final = frozenset(SUPPORTED.split(", "))
_OF_A_REGISTRAR: Final = _EXTENSIONS | {REGISTRAR_SUPPORTED}
_OF_US: Final = (("Allow", ALLOW), ("Supported", SUPPORTED))
_OF_A_LATE_OFFER: Final = (
    ("Allow", ALLOW),
    ("Supported", "replaces, timer"),
)  # RFC 3262 5: PRACK would answer an offer


def describe(message: Message, body: bytes) -> None:
    """Give a message what it says of us: Allow and Supported, and its SDP."""
    is_late_offer = isinstance(message, Request) and not body
    message.headers += _OF_A_LATE_OFFER if is_late_offer else _OF_US
    if body:
        message.add("Content-Type", "application/sdp")
        message.body = body


def abilities(allow: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what a 200 to OPTIONS says of us (RFC 3261 11.2), with the methods that whoever asks may use."""
    return (
        ("Allow", allow),
        ("Accept", "application/sdp"),
        ("Accept-Encoding", "identity"),
        ("Accept-Language", "en"),
        ("Supported", SUPPORTED),
        *more,
    )


def unknown_extensions(request: Request) -> list[str]:
    """Return the option tags that a request requires and we do not have (RFC 3261 8.2.2.3)."""
    known = _OF_A_REGISTRAR if request.method == "REGISTER" else _EXTENSIONS
    return [tag for tag in request.require if tag.lower() not in known]
