"""Why a user may or may not use a function, and what a change would bring before it is made.

CLI, HTTP and console show both, as data and as sentences. `why` gives every step that the gate looked at,
passed or not; `what_if` compares two allocations and names what L-06 would delete.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from . import chain
from .allocation import allocate
from .catalogue import FUNCTIONS, LICENCES, SCHEME_VERSION
from .demand import working
from .entitlement import Entitlement
from .overview import channel_counts, pool_counts
from .reasons import reason_for
from .refusal import Refusal, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .allocation import Allocation
    from .demand import Subject
    from .refusal import Language


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """How a channel pool stands at the moment: channels in use, and how many there are."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """The account of one question: every step in order, and the refusal if there is one."""

    user: str
    function: str
    steps: tuple[Step, ...]
    refusal: Refusal | None

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

    def as_dict(self) -> dict[str, object]:
        """Return the account as JSON values."""
        return {
            "user": self.user,
            "function": self.function,
            "granted": self.granted,
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
    channels: Mapping[str, ChannelUse] | None = None,
) -> Explanation:
    """Explain whether `user` may use `function`.

    With `channels`, the state of the pools by key, a call of the function is looked at too: is a channel free
    now? Raises `KeyError` for a user or function that is not known.
    """
    subject = {one.name: one for one in subjects}[user]
    refusal = chain.refusal(subject, function, entitlement, allocation)
    steps = list(chain.steps(subject, function, entitlement, allocation))
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


@dataclass(frozen=True, slots=True)
class Change:
    """What to try: licences to `add` (below zero takes away), users to `move` and what each would be then."""

    add: Mapping[str, int] = field(default_factory=dict, hash=False)
    move: Mapping[str, Subject] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class UserChange:
    """What a change means to one user.

    Functions are gained and lost as they begin and cease to work; settings go with functions switched off
    (L-06).
    """

    user: str
    licences_gained: tuple[str, ...]
    licences_lost: tuple[str, ...]
    functions_gained: tuple[str, ...]
    functions_lost: tuple[str, ...]
    settings_deleted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a change would bring: both sides of it, and the users to whom it means something, by sequence."""

    entitlement_before: Entitlement
    entitlement_after: Entitlement
    before: Allocation
    after: Allocation
    users: tuple[UserChange, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the comparison as JSON values, pools and channels with `before` and `after`."""
        old, new = self.entitlement_before, self.entitlement_after
        before, after = pool_counts(old, self.before), pool_counts(new, self.after)
        return {
            "scheme_version": SCHEME_VERSION,
            "users": [asdict(one) for one in self.users],
            "pools": {key: {"before": before[key], "after": after[key]} for key in before},
            "channels": {"before": channel_counts(old), "after": channel_counts(new)},
        }

    def sentences(self, language: Language = "en") -> tuple[str, ...]:
        """Tell it user by user; one sentence if nobody would notice."""
        german = language == "de"
        nothing = "Für keinen Benutzer ändert sich etwas." if german else "Nothing changes for any user."
        told: list[str] = []
        for one in self.users:
            for fact, (english, deutsch) in _CHANGES.items():
                if keys := getattr(one, fact):
                    told.append(f"{one.user} {deutsch if german else english}: {', '.join(keys)}.")
        return tuple(told) or (nothing,)


_CHANGES = {
    "licences_gained": ("gains licences", "bekommt Lizenzen"),
    "licences_lost": ("loses licences", "verliert Lizenzen"),
    "functions_gained": ("gains functions", "bekommt Funktionen"),
    "functions_lost": ("loses functions", "verliert Funktionen"),
    "settings_deleted": ("loses the personal settings of", "verliert die persönlichen Einstellungen von"),
}


def what_if(entitlement: Entitlement, subjects: Iterable[Subject], change: Change) -> WhatIf:
    """Compare the allocation as it is with the one after `change`; nothing is changed.

    Raises `ValueError` for a licence or user that is not known, for more taken away than bought, and for a
    moved user whose name or sequence number is another (A-01).
    """
    old = {one.name: one for one in sorted(subjects, key=attrgetter("seq", "name"))}
    for name, moved in change.move.items():
        if name not in old:
            raise ValueError(f"there is no user {name!r} to move")
        if (moved.name, moved.seq) != (name, old[name].seq):
            raise ValueError(f"moving {name!r} may not change name or sequence number")
    new = old | dict(change.move)
    bought = dict(entitlement.bought)
    for key, count in change.add.items():
        bought[key] = bought.get(key, 0) + count
        if bought[key] < 0:
            raise ValueError(f"{-count} of {key!r} cannot be taken away: {bought[key] - count} are bought")
    entitlement_after = Entitlement(bought)
    before, after = allocate(entitlement, old.values()), allocate(entitlement_after, new.values())
    changes = (_compare(old[name], new[name], before, after) for name in old)
    return WhatIf(
        entitlement, entitlement_after, before, after, tuple(one for one in changes if one is not None)
    )


def _compare(old: Subject, new: Subject, before: Allocation, after: Allocation) -> UserChange | None:
    held, holds = before.assigned(old.name), after.assigned(new.name)
    worked, works = working(old.functions, held), working(new.functions, holds)
    differences = (
        _in_order(LICENCES, holds - held),
        _in_order(LICENCES, held - holds),
        _in_order(FUNCTIONS, works - worked),
        _in_order(FUNCTIONS, worked - works),
        _in_order(FUNCTIONS, old.functions - new.functions),
    )
    return UserChange(old.name, *differences) if any(differences) else None


def _in_order(catalogue: Mapping[str, object], keys: frozenset[str]) -> tuple[str, ...]:
    return tuple(key for key in catalogue if key in keys)
