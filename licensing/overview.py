"""The licence overview: pools, users, locations, channels and warnings, as the JSON of CLI and HTTP.

It reports what the allocation decided and decides nothing itself (L-44, L-45).
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, TypedDict

from .catalogue import ADVISED_USERS, LICENCES, SCHEME_VERSION, USERS_PER_IP_CHANNEL, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .allocation import Allocation, State
    from .demand import Subject
    from .entitlement import Entitlement

_POOLS = tuple(one.key for one in LICENCES.values() if one.kind is not Kind.SYSTEM)


class Counts(TypedDict):
    """Seats of one licence at one location; `missing` = required - assigned, blocked ones included."""

    required: int
    assigned: int
    missing: int


class PoolCounts(Counts):
    """Seats of one licence in the whole system; `bought` is shown even where it has no effect (L-21)."""

    bought: int


class MissingLicence(TypedDict):
    """A licence that a user lacks, why, and what it waits for."""

    licence: str
    state: State
    reason: str
    because: list[str]


class UserLicences(TypedDict):
    """What one user requires, holds and lacks."""

    user: str
    required: list[str]
    assigned: list[str]
    missing: list[MissingLicence]


class Channels(TypedDict):
    """The channels and data sources that are in effect."""

    ip_channel: int
    auto_attendant: int
    data_sources: int


class Warning(TypedDict):  # noqa: A001 - the name in the contract; the builtin is an exception
    """Something that an administrator should know."""

    code: str
    text: str


class Overview(TypedDict):
    """The whole overview."""

    scheme_version: int
    pools: dict[str, PoolCounts]
    users: list[UserLicences]
    locations: dict[str, dict[str, Counts]]
    channels: Channels
    warnings: list[Warning]


def overview(
    entitlement: Entitlement,
    allocation: Allocation,
    subjects: Iterable[Subject],
    locations: Iterable[str] = (),
) -> Overview:
    """Return the overview; users stand in creation sequence.

    `locations` names those to list first and even without users; others follow as users mention them.
    """
    subjects = sorted(subjects, key=attrgetter("seq", "name"))
    return {
        "scheme_version": SCHEME_VERSION,
        "pools": pool_counts(entitlement, allocation),
        "users": [_user(subject.name, allocation) for subject in subjects],
        "locations": _locations(allocation, subjects, locations),
        "channels": channel_counts(entitlement),
        "warnings": list(_warnings(entitlement, allocation, subjects)),
    }


def pool_counts(entitlement: Entitlement, allocation: Allocation) -> dict[str, PoolCounts]:
    """Return the counts of every user licence and of `tapi_line`, zeros included."""
    counts: dict[str, PoolCounts] = {}
    for key in _POOLS:
        pool = allocation.pools.get(key)
        required, assigned = (pool.required, pool.assigned) if pool else (0, 0)
        bought = entitlement.capacity(key)
        counts[key] = {
            "bought": bought,
            "required": required,
            "assigned": assigned,
            "missing": required - assigned,
        }
    return counts


def channel_counts(entitlement: Entitlement) -> Channels:
    """Return the channels in effect."""
    return {
        "ip_channel": entitlement.ip_channels,
        "auto_attendant": entitlement.auto_attendant_channels,
        "data_sources": entitlement.data_sources,
    }


def recommended_ip_channels(um_users: int, *, voice: bool) -> int:
    """Return how many IP channels are advised: one for each 25 users of fax or voicemail (L-20, A-19).

    At least two if `voice`, that is with voicemail or an attendant in use, and at least one with fax alone.
    """
    at_least = 2 if voice else min(um_users, 1)
    return max(-(-um_users // USERS_PER_IP_CHANNEL), at_least)


def _user(name: str, allocation: Allocation) -> UserLicences:
    required, assigned = allocation.required(name), allocation.assigned(name)
    return {
        "user": name,
        "required": list(required),
        "assigned": [key for key in required if key in assigned],
        "missing": [
            {"licence": one.licence, "state": one.state, "reason": one.reason, "because": list(one.because)}
            for one in allocation.missing(name)
        ],
    }


def _locations(
    allocation: Allocation, subjects: list[Subject], locations: Iterable[str]
) -> dict[str, dict[str, Counts]]:
    names = dict.fromkeys((*locations, *(subject.location for subject in subjects)))
    required: Counter[tuple[str, str]] = Counter()
    assigned: Counter[tuple[str, str]] = Counter()
    for subject in subjects:
        required.update((subject.location, key) for key in allocation.required(subject.name))
        assigned.update((subject.location, key) for key in allocation.assigned(subject.name))
    return {
        name: {
            key: {
                "required": required[name, key],
                "assigned": assigned[name, key],
                "missing": required[name, key] - assigned[name, key],
            }
            for key in _POOLS
        }
        for name in names
    }


def _warnings(entitlement: Entitlement, allocation: Allocation, subjects: list[Subject]) -> Iterator[Warning]:
    users = len(subjects)
    if not entitlement.server:
        yield _warning(
            "server.unlicensed", "There is no Server licence: nothing that was bought has an effect."
        )
    else:
        for key, licence in LICENCES.items():
            pool = allocation.pools.get(key)
            if entitlement.blocked_by(key) and (entitlement.capacity(key) or (pool and pool.required)):
                needs = f"{licence.min_ip_channels} IP channels; licensed: {entitlement.ip_channels}"
                yield _warning(f"license.{key}.blocked", f"{licence.title} has no effect: it needs {needs}.")
    short = sum(1 for subject in subjects if allocation.missing(subject.name))
    if short:
        yield _warning(
            "users.under_licensed", f"{short} of {users} users lack a licence that their functions require."
        )
    wanted = [{"voicemail", "fax"}.intersection(allocation.required(subject.name)) for subject in subjects]
    um_users = sum(1 for one in wanted if one)
    voice = any("voicemail" in one for one in wanted) or entitlement.capacity("auto_attendant") > 0
    advised = recommended_ip_channels(um_users, voice=voice)
    if entitlement.ip_channels < advised:
        yield _warning(
            "capacity.ip_channel.recommended",
            f"{advised} IP channels are recommended, in effect: {entitlement.ip_channels}; one for each "
            f"{USERS_PER_IP_CHANNEL} users of fax or voicemail ({um_users} of {users} users).",
        )
    if users > ADVISED_USERS:
        text = f"{users} users are configured; the system is meant for up to {ADVISED_USERS}."
        yield _warning("capacity.users.advisory", text)


def _warning(code: str, text: str) -> Warning:
    return {"code": code, "text": text}
