"""What opening a store does to what it holds: a site is imported or merged, packages are imported.

`Store.open` writes it, in one transaction; `reading.foretell` only tells it, so that the two cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..site.draft import Draft
from ..site.events import SiteImported
from ..site.holdings import Holdings
from ..site.merge import merge
from ..site.site import Site
from ..site.standing import brought_up, consequences, stand
from .failure import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..site.acts import ImportPackage
    from ..site.events import SiteEvent
    from ..site.merge import Merge
    from ..site.standing import Standing


@dataclass(frozen=True, slots=True)
class Opening:
    """How a store is opened: the `site` to import or compare (None: what is stored must be enough).

    With `apply_site` a site that differs from the imported one is merged, after `announce` was given what that
    changes. `packages` are imported. `at` is the time of the opening (Unix time).
    """

    site: Site | None
    at: float
    apply_site: bool = False
    packages: tuple[ImportPackage, ...] = ()
    announce: Callable[[Merge], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Opened:
    """What is stored `before` and `after`, the `events` between, and what `--apply-site` changed, if it did."""

    before: Standing
    after: Standing
    events: Sequence[SiteEvent]
    merge: Merge | None = None


def opened(stored: Holdings | None, since: float, folder: Path, opening: Opening) -> Opened | None:
    """What is held once a store that holds `stored` (None: nothing yet) is opened; None if that is the same.

    `stored` is brought up to `since` (Unix time). Raises `StoreError`, `SiteError` where a merge does not go
    together, and `PackageError` and `AdministrationError` for a package that does not count.
    """
    if stored is None and opening.site is None:
        return None
    result = _with_packages(stored, since, opening, _with_site(stored, since, folder, opening))
    if result is not None and result.merge is not None:
        opening.announce(result.merge)
    return result


def _with_packages(
    stored: Holdings | None, since: float, opening: Opening, result: Opened | None
) -> Opened | None:
    fresh = [one for one in opening.packages if stored is None or not stored.has(one.data)]
    if not fresh:
        return result
    if result is None:
        result = _brought_up(stored or Holdings.of(Site()), since, opening.at)
    draft = Draft(result.after.holdings, opening.at)
    for package in fresh:
        draft.make(package)
    after, compliance = stand(draft.holdings(), opening.at)
    told = [*result.events, *draft.events, *consequences(result.after, after), *compliance]
    return replace(result, after=after, events=told)


def _with_site(stored: Holdings | None, since: float, folder: Path, opening: Opening) -> Opened | None:
    site, at = opening.site, opening.at
    if site is None or (stored is not None and site.digest == stored.file.digest):
        return None
    if stored is None:
        first, compliance = stand(Holdings.of(site), at)
        nothing, _ = stand(Holdings.of(Site()), at)
        return Opened(nothing, first, [_imported(first), *compliance])
    if not opening.apply_site:
        what = f"{site.source} differs from the site that was imported here"
        raise StoreError(folder, what, "give --apply-site to merge it, or another --data")
    merged = merge(stored, site)
    now = _brought_up(stored, since, at)
    after, compliance = stand(replace(merged.holdings, over_since=now.after.holdings.over_since), at)
    events = [*now.events, *merged.events, *consequences(now.after, after), *compliance]
    return Opened(now.before, after, events, merged)


def _brought_up(stored: Holdings, since: float, at: float) -> Opened:
    before, untold = stand(stored, since)
    after, due = brought_up(before, at)
    return Opened(before, after, [*untold, *due])


def _imported(first: Standing) -> SiteImported:
    site, allocation = first.holdings.site, first.allocation
    assigned = {
        key: tuple(user for user in allocation.users if key in allocation.assigned(user))
        for key in allocation.pools
    }
    return SiteImported(site.source, site.digest, len(site.users), first.entitlement.bought, assigned)
