"""What time does: packages begin, are about to expire, and expire; a grace ends. Each is told once.

Asked for every step from one standing to the next; `next_notice` is when the next step is due for telling alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ...licensing.modes import Grace
from .events import GraceEnded, PackageBegun, PackageExpired, PackageExpiring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ...licensing.allocation import Pool
    from ...licensing.entitlement import Entitlement
    from ...licensing.modes import Tolerance
    from ...licensing.package import Package

NOTICE_DAYS = (30, 7, 1)
"""So many days before its end a package is told to be expiring."""

PackageTurn = PackageBegun | PackageExpiring | PackageExpired


def turns(before: Entitlement, after: Entitlement) -> Iterator[PackageTurn]:
    """What became of the packages that are in both, from the moment of one to that of the other."""
    if before.at is None or after.at is None:
        return
    for package in after.packages:
        if package in before.packages:
            yield from _turn(package, before.at, after.at)


def ended_graces(before: Tolerance, after: Tolerance, pools: Mapping[str, Pool]) -> Iterator[GraceEnded]:
    """The graces that ran at the moment of `before` and do no more at that of `after`, where somebody waits."""
    for licence, pool in pools.items():
        mode = after.modes.of(licence)
        if not isinstance(mode, Grace) or licence not in before.over_since:
            continue
        if pool.waiting and before.now < before.until(licence, mode) <= after.now:
            yield GraceEnded(licence, pool.waiting)


def next_notice(entitlement: Entitlement) -> datetime | None:
    """When the next package is to be told as expiring; None if none is."""
    now = entitlement.at
    if now is None:
        return None
    notices = (at for one in entitlement.counting for at in _notices(one).values() if at > now)
    return min(notices, default=None)


def _turn(package: Package, since: datetime, now: datetime) -> Iterator[PackageTurn]:
    was, is_now = package.state(since), package.state(now)
    if is_now == "expired" and was != "expired":
        yield PackageExpired(package.id)
    elif is_now == "valid":
        if was == "not_yet_valid":
            yield PackageBegun(package.id)
        passed = [days for days, at in _notices(package).items() if since < at <= now]
        if passed:
            yield PackageExpiring(package.id, min(passed), package.not_after)


def _notices(package: Package) -> dict[int, datetime]:
    end = package.ends_at
    return {} if end is None else {days: end - timedelta(days=days) for days in NOTICE_DAYS}
