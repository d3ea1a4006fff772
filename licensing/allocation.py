"""Who gets which licence: a pure function of what was bought and what is configured.

Recomputed whole after each change, so that a restart gives the same users the same licences (L-41, L-42).
Users are served by their creation sequence (A-01), unless a `ServiceOrder` says more; a bought Office Plus is one
bundle with the Office in it (A-03), and who lacks a prerequisite takes no seat of the dependent licence (L-49).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from .catalogue import BUNDLES, DEALT_LICENCES, USER_PREREQUISITES
from .demand import required
from .order import BY_SEQUENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .demand import Subject
    from .entitlement import Entitlement
    from .order import ServiceOrder, Share

State = Literal["under_licensed", "blocked"]

_SERVED_IN_ORDER = (*BUNDLES, *(key for key in DEALT_LICENCES if key not in BUNDLES))
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
    """The seats of one licence, and the shares in which users compete for them.

    Users for whom the licence is blocked are `required` but do not compete. Those whose bundle brings the licence
    stand at the front of the last share and take no seat of a contingent.
    """

    seats: int
    required: int
    shares: tuple[Share, ...]

    @property
    def assigned(self) -> int:
        """How many seats are held."""
        return sum(share.assigned for share in self.shares)

    @property
    def missing(self) -> int:
        """How many users require the licence without holding it, blocked ones included."""
        return self.required - self.assigned

    @property
    def waiting(self) -> int:
        """How many users compete for a seat in vain."""
        return sum(share.waiting for share in self.shares)

    def share_of(self, user: str) -> Share:
        """The share in which `user` competes; raises `KeyError` if he does not."""
        for share in self.shares:
            if user in share.positions:
                return share
        raise KeyError(user)

    def turn(self, user: str) -> int:
        """The place of `user` among those who wait for a seat, from 1; raises `KeyError` if he does not."""
        before = 0
        for share in self.shares:
            position = share.positions.get(user, 0)
            if position > share.seats:
                return before + position - share.seats
            before += share.waiting
        raise KeyError(user)


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


def allocate(
    entitlement: Entitlement, subjects: Iterable[Subject], order: ServiceOrder = BY_SEQUENCE
) -> Allocation:
    """Deal the licences to the users; in what order `subjects` come does not matter.

    Raises `ValueError` if two subjects bear one name.
    """
    subjects = sorted(subjects, key=attrgetter("seq", "name"))
    wanted = {subject.name: required(subject) for subject in subjects}
    if len(wanted) != len(subjects):
        raise ValueError("two users bear the same name; each name may be given once")
    locations = {subject.name: subject.location for subject in subjects} if order.contingents else {}
    pools, holders = _serve(entitlement, wanted, order, locations)
    blocked = {key: entitlement.blocked_by(key) for key in DEALT_LICENCES}
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
    entitlement: Entitlement,
    wanted: Mapping[str, tuple[str, ...]],
    order: ServiceOrder,
    locations: Mapping[str, str],
) -> tuple[dict[str, Pool], dict[str, set[str]]]:
    """Line up the users before each licence; bundles first, since they bring seats of what they contain."""
    waiting: dict[str, list[str]] = {key: [] for key in DEALT_LICENCES}
    for user, keys in wanted.items():
        for key in keys:
            waiting[key].append(user)
    pools: dict[str, Pool] = {}
    holders: dict[str, set[str]] = {}
    for key in _SERVED_IN_ORDER:
        queue, seats = waiting[key], entitlement.capacity(key)
        bundled: list[str] = []
        if entitlement.blocked_by(key):
            queue = []
        elif key in _BUNDLE_OF:
            with_bundle = holders[_BUNDLE_OF[key]]
            bundled = [user for user in queue if user in with_bundle]
            queue = [user for user in queue if user not in with_bundle]
        elif key not in BUNDLES:
            for need in USER_PREREQUISITES[key]:
                queue = [user for user in queue if user in holders[need]]
        shares = order.shares(key, queue, seats - len(bundled), locations, bundled)
        pools[key] = Pool(seats, len(waiting[key]), shares)
        holders[key] = {user for share in shares for user in islice(share.positions, share.seats)}
    return {key: pools[key] for key in DEALT_LICENCES}, holders


@lru_cache(maxsize=256)
def _lack(key: str, blocked: tuple[str, ...], held: tuple[str, ...]) -> Missing:
    if not blocked and key not in BUNDLES:
        blocked = tuple(need for need in USER_PREREQUISITES[key] if need not in held)
    state: State = "blocked" if blocked else "under_licensed"
    return Missing(key, state, f"license.{key}.{state}", blocked)
