"""What the sender of a message says of itself: extensions in Supported and Require, methods in Allow (RFC 3261 20).

Asked on the way of every call, hence one walk over the headers for each question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .message import Message

_SUPPORTING: Final = frozenset({"Supported", "Require"})


def supports(message: Message, tag: str) -> bool:
    """Whether the sender has the extension `tag` (lower case)."""
    return any(name in _SUPPORTING and tag in _items(value.lower()) for name, value in message.headers)


def allows(message: Message, method: str) -> bool | None:
    """Whether the sender takes `method`; None where it does not say."""
    found = None
    for name, value in message.headers:
        if name == "Allow":
            if method in _items(value):
                return True
            found = False
    return found


def _items(value: str) -> list[str]:
    return [item.strip(" \t") for item in value.split(",")]
