"""Why a user may or may not use a function.

CLI, HTTP and console show it, as data and as sentences: `why` gives every step that the gate looked at, passed or
not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from . import chain
from .catalogue import FUNCTIONS
from .reasons import reason_for
from .refusal import Refusal, Step, StepTold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .allocation import Allocation
    from .demand import Subject
    from .entitlement import Entitlement
    from .modes import Tolerance
    from .refusal import Language


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """How a channel pool stands at the moment: channels in use, and how many there are."""

    used: int
    limit: int


class ExplanationTold(TypedDict):
    """An `Explanation` as JSON values."""

    user: str
    function: str
    granted: bool
    tolerated: str | None
    reason: str | None
    steps: list[StepTold]
    text: str
    text_de: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The account of one question: every step in order, and the refusal if there is one."""

    user: str
    function: str
    steps: tuple[Step, ...]
    refusal: Refusal | None

    @property
    def tolerated(self) -> str | None:
        """The mode that lets the user pass without a licence, None if he holds it or is refused."""
        return chain.tolerated_by(self.steps) if self.granted else None

    @property
    def granted(self) -> bool:
        """Whether the user may use the function."""
        return self.refusal is None

    def verdict(self, language: Language = "en") -> str:
        """Say the outcome and, if it is a refusal, what helps."""
        german = language == "de"
        if self.refusal is None:
            title = FUNCTIONS[self.function].title_de if german else FUNCTIONS[self.function].title
            return f"{self.user} darf benutzen: {title}." if german else f"{self.user} may use: {title}."
        reason = reason_for(self.refusal)
        return (reason.sentence_de if german else reason.sentence)(self.refusal.facts)

    def sentences(self, language: Language = "en") -> tuple[str, ...]:
        """Tell it step by step, the outcome last."""
        return (*(step.sentence(language) for step in self.steps), self.verdict(language))

    def as_dict(self) -> ExplanationTold:
        """Return the account as JSON values."""
        return {
            "user": self.user,
            "function": self.function,
            "granted": self.granted,
            "tolerated": self.tolerated,
            "reason": None if self.refusal is None else self.refusal.reason,
            "steps": [step.as_dict() for step in self.steps],
            "text": self.verdict(),
            "text_de": self.verdict("de"),
        }


def why(
    user: str,
    function: str,
    entitlement: Entitlement,
    allocation: Allocation,
    subjects: Iterable[Subject],
    *,
    tolerance: Tolerance | None = None,
    channels: Mapping[str, ChannelUse] | None = None,
) -> Explanation:
    """Explain whether `user` may use `function`.

    With `channels`, the state of the pools by key, a call of the function is looked at too: is a channel free
    now? Raises `KeyError` for a user or function that is not known.
    """
    subject = {one.name: one for one in subjects}[user]
    refusal = chain.refusal(subject, function, entitlement, allocation, tolerance)
    steps = list(chain.steps(subject, function, entitlement, allocation, tolerance))
    for key in FUNCTIONS[function].channels:
        use = (channels or {}).get(key)
        if refusal is None and use is not None:
            facts = {"licence": key, "used": use.used, "limit": use.limit}
            steps.append(Step("channel", use.used < use.limit, facts))
            if not steps[-1].passed:
                refusal = Refusal(
                    f"{key}.exhausted", tuple(steps), {"user": user, "function": function, **facts}
                )
    return Explanation(user, function, tuple(steps), refusal)
