"""Personal settings by function: what a user loses when a function is taken away from him (L-06).

Today these belong to `voicemail`: the PIN, and forwardings to the user's own box. Stored messages are not
settings; they stay and become inaccessible (A-04).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .site import Forward

if TYPE_CHECKING:
    from .site import User, VoicemailSettings

FUNCTION = "voicemail"
_TARGETS = ("busy", "no_answer", "not_registered")


@dataclass(frozen=True, slots=True)
class Deletion:
    """The settings of one function that a user loses, by their keys in the site file."""

    user: str
    function: str
    settings: tuple[str, ...]


def strip(user: User, off: frozenset[str], voicemail: VoicemailSettings) -> tuple[User, Deletion | None]:
    """`user` without the settings of the functions that are `off`, and what that deletes, if anything."""
    if FUNCTION not in off:
        return user, None
    box = voicemail.box_number(user.extension)
    forward = user.forward
    lost = [key for key in _TARGETS if forward is not None and getattr(forward, key) == box]
    settings = tuple(f"forward.{key}" for key in lost)
    if user.voicemail_pin is not None:
        settings = ("voicemail_pin", *settings)
    if not settings:
        return user, None
    if forward is not None:
        kept = {key: getattr(forward, key) for key in _TARGETS if key not in lost}
        forward = Forward(**kept, after_s=forward.after_s) if any(kept.values()) else None
    stripped = replace(user, voicemail_pin=None, forward=forward)
    return stripped, Deletion(user.name, FUNCTION, settings)
