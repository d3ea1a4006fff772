"""A decision against somebody, as a value: the reason code, the steps that led to it, and the facts.

Gate, channel pools and switch make refusals; each door translates them by `licensing.reasons`. What may be
told to outside callers is cut down here to numbers, so that no holder's name leaves the house.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from typing_extensions import TypedDict

from .catalogue import FUNCTIONS, LICENCES

if TYPE_CHECKING:
    from collections.abc import Mapping

Check = Literal[
    "configured",
    "server",
    "bought",
    "minimum",
    "prerequisite",
    "seat",
    "mode",
    "channel",
    "line",
    "cti",
    "members",
    "attendants",
]
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
        "{user} is number {position} of {waiting} in the order{share}, and {licence} has room for {seats}.",
        "{user} steht{share_de} an Stelle {position} von {waiting}, und {licence_de} reicht für {seats}.",
    ),
    ("seat", False): (
        "{user} is number {position} of {waiting} in the order{share}, but {licence} has room for {seats} only.",
        "{user} steht{share_de} an Stelle {position} von {waiting}, aber {licence_de} reicht nur für {seats}.",
    ),
    ("mode", True): (
        "{licence} is in mode {mode}{terms}: {user}, number {turn} of those who wait, passes without a seat.",
        "{licence_de} ist im Modus {mode}{terms_de}: {user}, Stelle {turn} der Wartenden, darf ohne Platz.",
    ),
    ("mode", False): (
        "{licence} is in mode {mode}{terms}: {user}, number {turn} of those who wait, does not pass.",
        "{licence_de} ist im Modus {mode}{terms_de}: {user}, Stelle {turn} der Wartenden, darf nicht.",
    ),
    ("channel", True): (
        "Of {limit} channels ({licence}), {used} are in use.",
        "Von {limit} Kanälen ({licence_de}) sind {used} belegt.",
    ),
    ("channel", False): (
        "All {limit} channels ({licence}) are in use.",
        "Alle {limit} Kanäle ({licence_de}) sind belegt.",
    ),
    ("line", False): (
        "All {limit} licences ({licence}) are bound, and not to {line}.",
        "Alle {limit} Lizenzen ({licence_de}) sind gebunden, und nicht an {line}.",
    ),
    ("attendants", False): (
        "This is attendant number {position}, and {licence} has room for {seats}.",
        "Dies ist Attendant Nummer {position}, und {licence_de} reicht für {seats}.",
    ),
    ("cti", True): ("A TAPI or CSTA session is up.", "Eine TAPI- oder CSTA-Sitzung besteht."),
    ("cti", False): ("No TAPI or CSTA session is up.", "Keine TAPI- oder CSTA-Sitzung besteht."),
    ("members", True): (
        "Every member of an Analytics team holds TeamDesk.",
        "Jedes Mitglied eines Analytics-Teams hat TeamDesk.",
    ),
    ("members", False): (
        "These members lack TeamDesk: {users}.",
        "Diesen Mitgliedern fehlt TeamDesk: {users}.",
    ),
}


class StepTold(TypedDict):
    """A `Step` as JSON values; `facts` differ by `check`."""

    check: Check
    passed: bool
    facts: dict[str, object]
    text: str
    text_de: str


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
        if isinstance(users := words.get("users"), tuple):
            words["users"] = ", ".join(users)
        if self.check == "seat":
            contingent = words.get("contingent_of")
            words["share"] = "" if contingent is None else f" of the contingent of {contingent}"
            words["share_de"] = "" if contingent is None else f" im Kontingent von {contingent}"
        if self.check == "mode":
            words["terms"] = _given(words, " for {allowed} users", " until {until}")
            words["terms_de"] = _given(words, " für {allowed} Benutzer", " bis {until}")
        return _SENTENCES[self.check, self.passed][language == "de"].format_map(words)

    def as_dict(self) -> StepTold:
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
    `limit`, of lines `line` and `holders`, of Analytics `users`.
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


def _given(words: Mapping[str, object], for_users: str, until: str) -> str:
    terms = (for_users if "allowed" in words else "") + (until if "until" in words else "")
    return terms.format_map(words)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
