"""Who gets which licence: a pure function of what was bought and what is configured.

Recomputed whole after each change, so that a restart gives the same users the same licences (L-41, L-42).
Users are served by their creation sequence (A-01); a bought Office Plus is one bundle with the Office in it
(A-03), and who lacks a prerequisite takes no seat of the dependent licence (L-49).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from .catalogue import BUNDLES, USER_LICENCES, USER_PREREQUISITES
from .demand import required

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .demand import Subject
    from .entitlement import Entitlement

State = Literal["under_licensed", "blocked"]

_SERVED_IN_ORDER = (*BUNDLES, *(key for key in USER_LICENCES if key not in BUNDLES))
_BUNDLE_OF = {part: bundle for bundle, part in BUNDLES.items()}


@dataclass(frozen=True, slots=True)
class Missing:
    """A licence that a user requires and does not hold.

    `under_licensed`: all seats are taken by users served earlier. `blocked`: a prerequisite or minimum is
    missing, and `because` names it. `reason` is the code under which calls are refused.
    """

    licence: str
    state: State
    reason: str
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """The seats of one licence and the users who compete for them.

    `positions` gives each competitor's place in the order of service, from 1; who stands within `seats` holds
    one. Users for whom the licence is blocked are `required` but do not compete.
    """

    seats: int
    required: int
    positions: Mapping[str, int] = field(hash=False)

    @property
    def assigned(self) -> int:
        """How many seats are held."""
        return min(self.seats, len(self.positions))

    @property
    def missing(self) -> int:
        """How many users require the licence without holding it, blocked ones included."""
        return self.required - self.assigned


@dataclass(frozen=True, slots=True)
class Allocation:
    """What every user requires, holds and lacks; asking for an unknown user raises `KeyError`."""

    pools: Mapping[str, Pool] = field(hash=False)
    _required: Mapping[str, tuple[str, ...]] = field(hash=False)
    _assigned: Mapping[str, frozenset[str]] = field(hash=False)
    _missing: Mapping[str, tuple[Missing, ...]] = field(hash=False)

    @property
    def users(self) -> tuple[str, ...]:
        """All users in the order of service."""
        return tuple(self._required)

    def required(self, user: str) -> tuple[str, ...]:
        """The licences that `user` requires, in catalogue order."""
        return self._required[user]

    def assigned(self, user: str) -> frozenset[str]:
        """The licences that `user` holds."""
        return self._assigned[user]

    def missing(self, user: str) -> tuple[Missing, ...]:
        """The licences that `user` lacks, in catalogue order; any of them earns a warning sign (L-44)."""
        return self._missing[user]


def allocate(entitlement: Entitlement, subjects: Iterable[Subject]) -> Allocation:
    """Deal the licences to the users; the order of `subjects` does not matter.

    Raises `ValueError` if two subjects bear one name.
    """
    subjects = sorted(subjects, key=attrgetter("seq", "name"))
    wanted = {subject.name: required(subject) for subject in subjects}
    if len(wanted) != len(subjects):
        raise ValueError("two users bear the same name; each name may be given once")
    pools, holders = _serve(entitlement, wanted)
    blocked = {key: entitlement.blocked_by(key) for key in USER_LICENCES}
    assigned: dict[str, frozenset[str]] = {}
    missing: dict[str, tuple[Missing, ...]] = {}
    outcomes: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[frozenset[str], tuple[Missing, ...]]] = {}
    for user, keys in wanted.items():
        held = tuple([key for key in keys if user in holders[key]])
        outcome = outcomes.get((keys, held))
        if outcome is None:
            lacks = tuple(_lack(key, blocked[key], held) for key in keys if key not in held)
            outcome = outcomes[keys, held] = frozenset(held), lacks
        assigned[user], missing[user] = outcome
    return Allocation(pools, wanted, assigned, missing)


def _serve(
    entitlement: Entitlement, wanted: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, Pool], dict[str, frozenset[str]]]:
    """Line up the users before each licence; bundles first, since they bring seats of what they contain."""
    waiting: dict[str, list[str]] = {key: [] for key in USER_LICENCES}
    for user, keys in wanted.items():
        for key in keys:
            waiting[key].append(user)
    pools: dict[str, Pool] = {}
    holders: dict[str, frozenset[str]] = {}
    for key in _SERVED_IN_ORDER:
        queue = waiting[key]
        if entitlement.blocked_by(key):
            queue = []
        elif key in _BUNDLE_OF:
            bundled = holders[_BUNDLE_OF[key]]
            queue.sort(key=lambda user: user not in bundled)
        elif key not in BUNDLES:
            for need in USER_PREREQUISITES[key]:
                queue = [user for user in queue if user in holders[need]]
        seats = entitlement.capacity(key)
        pools[key] = Pool(seats, len(waiting[key]), dict(zip(queue, range(1, len(queue) + 1), strict=True)))
        holders[key] = frozenset(queue[:seats])
    return {key: pools[key] for key in USER_LICENCES}, holders


@lru_cache(maxsize=256)
def _lack(key: str, blocked: tuple[str, ...], held: tuple[str, ...]) -> Missing:
    if not blocked and key not in BUNDLES:
        blocked = tuple(need for need in USER_PREREQUISITES[key] if need not in held)
    state: State = "blocked" if blocked else "under_licensed"
    return Missing(key, state, f"license.{key}.{state}", blocked)
