"""What one attendant says, and where its digits lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...channels.media.plane import Prompt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..conditions.calendar import Calendar
    from ..conditions.condition import Circumstances, Condition
    from ..route import Overflow

ANNOUNCEMENT = Prompt("menu")
"""What is said of a menu without words of its own."""

MAIN = "main"
"""The name of the menu that an attendant begins with."""


@dataclass(frozen=True, slots=True)
class ToNumber:
    """Connect the caller with a number: of the house, of a box, or outside."""

    number: str


@dataclass(frozen=True, slots=True)
class ToMenu:
    """Go on with that menu."""

    name: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Ask for an extension, or for a name by the letters on the keys, and connect the caller with that user."""

    by: Literal["extension", "name"]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say the menu again."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Target = ToNumber | ToMenu | Dial | Repeat | HangUp


@dataclass(frozen=True, slots=True)
class Limit:
    """After so many tries the call goes to `then`; where that does not take it, it ends."""

    tries: int
    then: Target


@dataclass(frozen=True, slots=True)
class Menu:
    """`targets` are by digit; `say` names what is said, again and again with `pause_s` between; nothing: the usual."""

    name: str
    targets: Mapping[str, Target]
    say: tuple[str, ...] = ()
    pause_s: float = 4.0
    no_input: Limit | None = None
    wrong_input: Limit | None = None

    @property
    def ways(self) -> Iterator[Target]:
        """Everywhere it may lead."""
        yield from self.targets.values()
        for limit in (self.no_input, self.wrong_input):
            if limit is not None:
                yield limit.then


@dataclass(frozen=True, slots=True)
class Greeting:
    """What is said first, where `when` holds, with `early` before the call is answered; then the call goes on."""

    when: Condition
    say: tuple[str, ...] = ()
    early: bool = False
    then: Target = ToMenu(MAIN)


@dataclass(frozen=True, slots=True)
class Attendant:
    """One attendant: `menus` by name, `greetings` of which the first that holds is said.

    The leg ends after `patience_s` seconds without a digit, unless the menu has a limit of its own for that. `hairpin`
    makes a transfer occupy a second IP channel (L-72). `language` is that of the server's own prompts: the site's, or
    the caller's, in place of which he hears English if they are not spoken in it.
    """

    name: str
    menus: Mapping[str, Menu]
    greetings: tuple[Greeting, ...] = ()
    patience_s: float = 60.0
    hairpin: bool = False
    language: Literal["site", "caller"] = "site"
    overflow: Overflow | None = None

    def greeting(self, now: Circumstances, calendars: Mapping[str, Calendar]) -> Greeting | None:
        """Return what is said first."""
        return next((one for one in self.greetings if one.when.holds(now, calendars)), None)


@dataclass(frozen=True, slots=True)
class Person:
    """A user who can be asked for: his extension, and the words of his name."""

    extension: str
    words: tuple[str, ...]
