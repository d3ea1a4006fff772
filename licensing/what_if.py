"""What a change would bring before it is made: who gains and who loses what, and which settings would go.

CLI, HTTP and console show it, as data and as sentences, and each command that changes something tells the same with
`--dry-run`. `what_if` compares two allocations, and what comes of it is what then happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from .allocation import allocate
from .catalogue import FUNCTIONS, LICENCES, SCHEME_VERSION
from .demand import working
from .entitlement import Entitlement
from .modes import Tolerance, compliance
from .order import BY_SEQUENCE
from .overview import Channels, PoolCounts, channel_counts, pool_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from .allocation import Allocation
    from .demand import Subject
    from .order import ServiceOrder
    from .package import Package
    from .refusal import Language


@dataclass(frozen=True, slots=True)
class Change:
    """What to try, all of it at once.

    `add`: licences bought plainly, below zero given back. `move`: what users would be, elsewhere or with other
    functions on at their place. `packages`: such as would be imported. `create`: new users; `delete`: those who go.
    `at`: the moment to look at, for what begins or expires until then; None is now.
    """

    add: Mapping[str, int] = field(default_factory=dict, hash=False)
    move: Mapping[str, Subject] = field(default_factory=dict, hash=False)
    packages: tuple[Package, ...] = ()
    create: tuple[Subject, ...] = ()
    delete: frozenset[str] = frozenset()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserChange:
    """What a change means to one user.

    Functions are gained and lost as they begin and cease to work, tolerated or not; settings go with functions
    switched off (L-06), and with the user.
    """

    user: str
    licences_gained: tuple[str, ...]
    licences_lost: tuple[str, ...]
    functions_gained: tuple[str, ...]
    functions_lost: tuple[str, ...]
    settings_deleted: tuple[str, ...]

    def as_dict(self) -> UserChangeTold:
        """Return the change as JSON values."""
        return {
            "user": self.user,
            "licences_gained": list(self.licences_gained),
            "licences_lost": list(self.licences_lost),
            "functions_gained": list(self.functions_gained),
            "functions_lost": list(self.functions_lost),
            "settings_deleted": list(self.settings_deleted),
        }


class UserChangeTold(TypedDict):
    """A `UserChange` as JSON values."""

    user: str
    licences_gained: list[str]
    licences_lost: list[str]
    functions_gained: list[str]
    functions_lost: list[str]
    settings_deleted: list[str]


class PoolChange(TypedDict):
    """The counts of one licence before and after."""

    before: PoolCounts
    after: PoolCounts


class ChannelChange(TypedDict):
    """The channels before and after."""

    before: Channels
    after: Channels


class WhatIfTold(TypedDict):
    """A `WhatIf` as JSON values; `users` are those to whom it means something."""

    scheme_version: int
    users: list[UserChangeTold]
    pools: dict[str, PoolChange]
    channels: ChannelChange


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a change would bring: both sides of it, and the users to whom it means something, by sequence."""

    entitlement_before: Entitlement
    entitlement_after: Entitlement
    before: Allocation
    after: Allocation
    users: tuple[UserChange, ...]

    def as_dict(self) -> WhatIfTold:
        """Return the comparison as JSON values, pools and channels with `before` and `after`."""
        old, new = self.entitlement_before, self.entitlement_after
        before, after = pool_counts(old, self.before), pool_counts(new, self.after)
        return {
            "scheme_version": SCHEME_VERSION,
            "users": [one.as_dict() for one in self.users],
            "pools": {key: {"before": before[key], "after": after[key]} for key in before},
            "channels": {"before": channel_counts(old), "after": channel_counts(new)},
        }

    def sentences(self, language: Language = "en") -> tuple[str, ...]:
        """Tell it user by user; one sentence if nobody would notice."""
        return sentences(self.users, language)


def sentences(users: Iterable[UserChange], language: Language = "en") -> tuple[str, ...]:
    """Tell user by user who gains and loses what; one sentence if nobody would notice."""
    german = language == "de"
    nothing = "Für keinen Benutzer ändert sich etwas." if german else "Nothing changes for any user."
    told: list[str] = []
    for one in users:
        for fact, (english, deutsch) in _CHANGES.items():
            if keys := getattr(one, fact):
                told.append(f"{one.user} {deutsch if german else english}: {', '.join(keys)}.")
    return tuple(told) or (nothing,)


_CHANGES = {
    "licences_gained": ("gains licences", "bekommt Lizenzen"),
    "licences_lost": ("loses licences", "verliert Lizenzen"),
    "functions_gained": ("gains functions", "bekommt Funktionen"),
    "functions_lost": ("loses functions", "verliert Funktionen"),
    "settings_deleted": ("loses personal settings", "verliert persönliche Einstellungen"),
}


def what_if(
    entitlement: Entitlement,
    subjects: Iterable[Subject],
    change: Change,
    order: ServiceOrder = BY_SEQUENCE,
    tolerance: Tolerance | None = None,
) -> WhatIf:
    """Compare the allocation as it is with the one after `change`; nothing is changed.

    Packages need the moment of the entitlement or of `change.at`. Raises `ValueError` where both are missing, for a
    licence or user that is not known, for more given back than bought, for a user created whose name or sequence
    number is taken, and for one who would have another of them (A-01).
    """
    old = {one.name: one for one in sorted(subjects, key=attrgetter("seq", "name"))}
    new = _after(old, change)
    entitlement_after = _bought_after(entitlement, change)
    before, after = (
        allocate(entitlement, old.values(), order),
        allocate(entitlement_after, new.values(), order),
    )
    tolerance_after = tolerance
    if tolerance is not None:
        now = change.at or tolerance.now
        over_since, _ = compliance(after.pools, tolerance.over_since, now)
        tolerance_after = Tolerance(tolerance.modes, over_since, now)
    everybody = sorted({**old, **new}.values(), key=attrgetter("seq", "name"))
    changes = (
        _compare(
            one.name, _side(one.name, old, before, tolerance), _side(one.name, new, after, tolerance_after)
        )
        for one in everybody
    )
    return WhatIf(
        entitlement, entitlement_after, before, after, tuple(one for one in changes if one is not None)
    )


def _after(old: Mapping[str, Subject], change: Change) -> dict[str, Subject]:
    for name, subject in change.move.items():
        if name not in old:
            raise ValueError(f"there is no user {name!r} to move")
        if (subject.name, subject.seq) != (name, old[name].seq):
            raise ValueError(f"moving {name!r} may not change name or sequence number")
    for name in change.delete:
        if name not in old:
            raise ValueError(f"there is no user {name!r} to delete")
    new = {name: one for name, one in {**old, **change.move}.items() if name not in change.delete}
    taken = {one.seq for one in old.values()}
    for subject in change.create:
        if subject.name in new or subject.seq in taken:
            raise ValueError(
                f"name or sequence number of {subject.name!r} is taken; create it with the next one"
            )
        taken.add(subject.seq)
        new[subject.name] = subject
    return new


def _bought_after(entitlement: Entitlement, change: Change) -> Entitlement:
    plain = entitlement.plain
    for key, count in change.add.items():
        plain[key] = plain.get(key, 0) + count
        if plain[key] < 0:
            raise ValueError(f"{-count} of {key!r} cannot be taken away: {plain[key] - count} are bought")
    packages = (*entitlement.packages, *change.packages)
    now = change.at or entitlement.at
    if now is not None:
        return Entitlement.of(plain, packages, now)
    if packages:
        raise ValueError("packages are valid at some time; give the moment to look at")
    return Entitlement(plain)


_Side = tuple[frozenset[str], frozenset[str], frozenset[str]]
_NOBODY: _Side = (frozenset(), frozenset(), frozenset())


def _side(
    user: str, subjects: Mapping[str, Subject], allocation: Allocation, tolerance: Tolerance | None
) -> _Side:
    """The licences that a user holds, the functions that work for him, and those that are on."""
    if user not in subjects:
        return _NOBODY
    held, on = allocation.assigned(user), subjects[user].functions
    usable = held if tolerance is None else held | tolerance.tolerated(allocation, user)
    return held, working(on, usable), on


def _compare(user: str, before: _Side, after: _Side) -> UserChange | None:
    if before == after:
        return None
    held, worked, was_on = before
    holds, works, is_on = after
    differences = (
        _in_order(LICENCES, holds - held),
        _in_order(LICENCES, held - holds),
        _in_order(FUNCTIONS, works - worked),
        _in_order(FUNCTIONS, worked - works),
        _in_order(FUNCTIONS, was_on - is_on),
    )
    return UserChange(user, *differences) if any(differences) else None


def _in_order(catalogue: Mapping[str, object], keys: frozenset[str]) -> tuple[str, ...]:
    return tuple(key for key in catalogue if key in keys)
