"""A decision against somebody, as a value: the reason code, the steps that led to it, and the facts.

Gate, channel pools and switch make refusals; each door translates them by `licensing.reasons`. What may be
told to outside callers is cut down here to numbers, so that no holder's name leaves the house.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .catalogue import FUNCTIONS, LICENCES

if TYPE_CHECKING:
    from collections.abc import Mapping

Check = Literal["configured", "server", "bought", "minimum", "prerequisite", "seat", "channel"]
Language = Literal["en", "de"]

_SENTENCES: Mapping[tuple[Check, bool], tuple[str, str]] = {
    ("configured", True): (
        "{function} is switched on for {place}.",
        "{function_de} ist für {place_de} eingeschaltet.",
    ),
    ("configured", False): (
        "{function} is not switched on for {place}.",
        "{function_de} ist für {place_de} nicht eingeschaltet.",
    ),
    ("server", True): ("The server is licensed.", "Der Server ist lizenziert."),
    ("server", False): (
        "There is no Server licence, and without it no other licence has an effect.",
        "Es gibt keine Server-Lizenz, und ohne sie wirkt keine andere Lizenz.",
    ),
    ("bought", True): ("{licence} is bought.", "{licence_de} ist gekauft."),
    ("bought", False): ("No {licence} licence is bought.", "Keine Lizenz {licence_de} ist gekauft."),
    ("minimum", True): (
        "{licence} needs {needed} IP channels or more, which is met; licensed: {licensed}.",
        "{licence_de} braucht {needed} oder mehr IP-Kanäle, was erfüllt ist; lizenziert: {licensed}.",
    ),
    ("minimum", False): (
        "{licence} needs {needed} IP channels or more, which is not met; licensed: {licensed}.",
        "{licence_de} braucht {needed} oder mehr IP-Kanäle, was nicht erfüllt ist; lizenziert: {licensed}.",
    ),
    ("prerequisite", True): (
        "{licence} needs {needs}, and {user} holds it.",
        "{licence_de} setzt {needs_de} voraus, und {user} hat es.",
    ),
    ("prerequisite", False): (
        "{licence} needs {needs}, but {user} does not hold it.",
        "{licence_de} setzt {needs_de} voraus, aber {user} hat es nicht.",
    ),
    ("seat", True): (
        "{user} is number {position} of {waiting} in the order, and {licence} has room for {seats}.",
        "{user} steht an Stelle {position} von {waiting}, und {licence_de} reicht für {seats}.",
    ),
    ("seat", False): (
        "{user} is number {position} of {waiting} in the order, but {licence} has room for {seats} only.",
        "{user} steht an Stelle {position} von {waiting}, aber {licence_de} reicht nur für {seats}.",
    ),
    ("channel", True): (
        "Of {limit} channels ({licence}), {used} are in use.",
        "Von {limit} Kanälen ({licence_de}) sind {used} belegt.",
    ),
    ("channel", False): (
        "All {limit} channels ({licence}) are in use.",
        "Alle {limit} Kanäle ({licence_de}) sind belegt.",
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at on the way to a decision, and whether it stood in the way."""

    check: Check
    passed: bool
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)

    def sentence(self, language: Language = "en") -> str:
        """Say the step in words, for administrators: it may name the user."""
        words: dict[str, object] = dict(self.facts)
        for fact in ("licence", "needs"):
            if fact in words:
                licence = LICENCES[str(words[fact])]
                words[fact], words[f"{fact}_de"] = licence.title, licence.title_de
        if self.check == "configured":
            function = FUNCTIONS[str(words["function"])]
            words["function"], words["function_de"] = _capital(function.title), _capital(function.title_de)
            group, location = words["group"], words["location"]
            words["place"] = f"{location}" if group is None else f"group {group} at {location}"
            words["place_de"] = f"{location}" if group is None else f"Gruppe {group} in {location}"
        return _SENTENCES[self.check, self.passed][language == "de"].format_map(words)

    def as_dict(self) -> dict[str, object]:
        """Return the step as JSON values."""
        return {
            "check": self.check,
            "passed": self.passed,
            "facts": dict(self.facts),
            "text": self.sentence(),
            "text_de": self.sentence("de"),
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """A "no": `reason` is a code of `licensing.reasons`, `chain` the steps, `facts` what the words need.

    Facts in use: `user`, `function`, `licence`, `seats`, `position`, `because`; of channels `used` and
    `limit`.
    """

    reason: str
    chain: tuple[Step, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)


def warning_text(refusal: Refusal) -> str:
    """Return what a Warning header may tell anybody: the code and the numbers among the facts.

    An example is `ip_channel.exhausted used=4 limit=4`. Names and other texts are left out.
    """
    numbers = (
        f"{name}={value}"
        for name, value in refusal.facts.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    )
    return " ".join((refusal.reason, *numbers))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
