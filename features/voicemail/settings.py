"""A user's voicemail settings, and how long things may last in a box."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from ...channels.media.plane import Playable, Prompt, Tone
from ..declaration import Declaration
from .rules import Rule, read_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VOICEMAIL: Final = "voicemail"
PATIENCE_S = 60.0
LONGEST_GREETING_S = 120.0
GREETING = Prompt("greeting")
BEEP = Tone((1000,), duration_s=0.4)
CALLERS = "caller"
"""The language of a box that speaks that of its callers."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How boxes are heard by telephone: is the own phone asked for the PIN, and `hairpin` as of `BoxSettings`."""

    pin_from_own_phone: bool
    hairpin: bool


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """One box. Messages shorter than `least_message_s` are dropped; longer than `most_message_s` they are cut.

    `greetings` are those that `rules` name, beside its own `greeting`. It speaks `language`, or the site's if that is
    empty. With `hairpin` whoever it connects occupies a second IP channel (L-72). Those in `shared_with` may hear it.
    """

    user: str
    pin: str
    greeting: Playable = GREETING
    least_message_s: float = 1.0
    most_message_s: float = 180.0
    greetings: Mapping[str, Playable] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    language: str = ""
    hairpin: bool = False
    shared_with: frozenset[str] = frozenset()


def _leads_to(rules: Iterable[Rule]) -> Iterable[str]:
    return (number for rule in rules for number in rule.numbers)


PIN: Final[Declaration[str]] = Declaration(
    VOICEMAIL,
    "voicemail_pin",
    str,
    "2 to 9 digits without a run such as 1234, 4321 or 1111",
    secret=True,
    in_file=True,
)
OWN_GREETING: Final[Declaration[dict[str, Any]]] = Declaration(
    VOICEMAIL, "greeting", dict, "a sound", set_by="PUT users/NAME/greeting"
)
"""Which sound of the store it is; a file that a request could name would be anybody's."""
GREETINGS: Final[Declaration[dict[str, Any]]] = Declaration(
    VOICEMAIL, "greetings", dict, "sounds", set_by="PUT users/NAME/greetings/GREETING"
)
RULES: Final[Declaration[tuple[Rule, ...]]] = Declaration(
    VOICEMAIL,
    "rules",
    list,
    'e.g. [{ if = { hours = "closed" }, then = "announce" }]',
    read=read_rules,
    numbers=_leads_to,
)
LANGUAGE: Final[Declaration[str]] = Declaration(
    VOICEMAIL, "language", Literal["caller", "de", "en"], '"de", "en" or "caller", for that of each caller'
)
SHARED_WITH: Final[Declaration[tuple[str, ...]]] = Declaration(
    VOICEMAIL, "shared_with", tuple[str, ...], 'the names of users, e.g. ["anna", "ben"]', refers=True
)
"""Who may hear the box besides its user, which makes it a central mailbox (decision 44)."""
PERSONAL: Final[tuple[Declaration[Any], ...]] = (PIN, OWN_GREETING, GREETINGS, RULES, LANGUAGE, SHARED_WITH)
