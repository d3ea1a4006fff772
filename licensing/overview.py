"""The licence overview: pools, users, locations, packages, modes and warnings, as the JSON of CLI and HTTP.

It reports what the allocation decided and decides nothing itself (L-44, L-45).
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from .advice import Advice, advice
from .allocation import State  # noqa: TC001 - pydantic reads the shapes
from .catalogue import DEALT_LICENCES, SCHEME_VERSION
from .lines import Lines
from .modes import Enforce, Grace, Overdraft
from .order import BY_SEQUENCE
from .package import Validity  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .allocation import Allocation
    from .analytics import Team
    from .demand import Subject
    from .entitlement import Entitlement
    from .modes import Tolerance
    from .order import ServiceOrder
    from .package import Package

_NO_LINES = Lines()


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


class PackageShown(TypedDict):
    """A licence package; `developer` if the developer key signed it, which anybody can."""

    id: str
    customer: str
    key: str
    developer: bool
    state: Validity
    licences: dict[str, int]
    issued: str
    not_before: str
    not_after: str | None


class ModeShown(TypedDict):
    """The mode of a pool. `over_since` and `until` are ISO 8601: since when it is over, when its grace ends.

    Where nothing is tolerated it does not matter since when.
    """

    mode: str
    grace_days: int | None
    grace_percent: int | None
    overdraft: int | None
    over_since: str | None
    until: str | None


class Overview(TypedDict):
    """The whole overview; `developer` if any package counts that the developer key signed."""

    scheme_version: int
    developer: bool
    packages: list[PackageShown]
    pools: dict[str, PoolCounts]
    modes: dict[str, ModeShown]
    users: list[UserLicences]
    locations: dict[str, dict[str, Counts]]
    contingents: dict[str, dict[str, int]]
    channels: Channels
    warnings: list[Advice]


def overview(
    entitlement: Entitlement,
    allocation: Allocation,
    subjects: Iterable[Subject],
    locations: Iterable[str] = (),
    *,
    order: ServiceOrder = BY_SEQUENCE,
    tolerance: Tolerance | None = None,
    lines: Lines = _NO_LINES,
    teams: Iterable[Team] = (),
) -> Overview:
    """Return the overview; users stand in creation sequence.

    `locations` names those to list first and even without users; others follow as users mention them. `order` and
    `tolerance` are those of the allocation and of the gate, `lines` the TAPI lines by first use.
    """
    subjects = sorted(subjects, key=attrgetter("seq", "name"))
    return {
        "scheme_version": SCHEME_VERSION,
        "developer": entitlement.developer,
        "packages": [package_shown(one, entitlement) for one in entitlement.packages],
        "pools": pool_counts(entitlement, allocation, lines),
        "modes": {key: _mode(key, tolerance) for key in DEALT_LICENCES},
        "users": [_user(subject.name, allocation) for subject in subjects],
        "locations": _locations(allocation, subjects, locations),
        "contingents": {place: dict(counts) for place, counts in order.contingents.items() if counts},
        "channels": channel_counts(entitlement),
        "warnings": list(
            advice(
                entitlement, allocation, subjects, order=order, tolerance=tolerance, lines=lines, teams=teams
            )
        ),
    }


def pool_counts(
    entitlement: Entitlement, allocation: Allocation, lines: Lines = _NO_LINES
) -> dict[str, PoolCounts]:
    """Return the counts of every user licence and of `tapi_line`, zeros included.

    A TAPI line is required by each of `lines` that holds or asked, or by the users to whom it is dealt.
    """
    counts: dict[str, PoolCounts] = {}
    for key, pool in allocation.pools.items():
        required, assigned = pool.required, pool.assigned
        if key == "tapi_line":
            required, assigned = required + lines.required, assigned + len(lines.holding(entitlement))
        counts[key] = {
            "bought": pool.seats,
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


def package_shown(package: Package, entitlement: Entitlement) -> PackageShown:
    """Return a package of the entitlement, and whether it counts."""
    return {
        "id": package.id,
        "customer": package.customer,
        "key": package.key,
        "developer": package.developer,
        "state": "valid" if entitlement.at is None else package.state(entitlement.at),
        "licences": dict(package.licences),
        "issued": package.issued,
        "not_before": package.not_before,
        "not_after": package.not_after,
    }


def _mode(licence: str, tolerance: Tolerance | None) -> ModeShown:
    shown: ModeShown = {
        "mode": "enforce",
        "grace_days": None,
        "grace_percent": None,
        "overdraft": None,
        "over_since": None,
        "until": None,
    }
    if tolerance is None:
        return shown
    mode, since = tolerance.modes.of(licence), tolerance.over_since.get(licence)
    shown["mode"] = mode.name
    if since is not None and not isinstance(mode, Enforce):
        shown["over_since"] = since.isoformat()
    if isinstance(mode, Overdraft):
        shown["overdraft"] = mode.seats
    if isinstance(mode, Grace):
        shown["grace_days"], shown["grace_percent"] = mode.days, mode.percent
        shown["until"] = None if since is None else tolerance.until(licence, mode).isoformat()
    return shown


def _user(name: str, allocation: Allocation) -> UserLicences:
    required, assigned = allocation.required(name), allocation.assigned(name)
    return {
        "user": name,
        "required": list(required),
        "assigned": [key for key in required if key in assigned],
        "missing": missing_licences(name, allocation),
    }


def missing_licences(user: str, allocation: Allocation) -> list[MissingLicence]:
    """Return what `user` lacks (L-44); raises `KeyError` if he is unknown."""
    return [
        {"licence": one.licence, "state": one.state, "reason": one.reason, "because": list(one.because)}
        for one in allocation.missing(user)
    ]


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
            for key in DEALT_LICENCES
        }
        for name in names
    }
