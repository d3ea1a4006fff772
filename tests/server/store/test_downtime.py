"""A server that was stopped finds what it would have found in time, and tells each thing once over all its starts."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from ringfence.server.site.acts import ImportPackage
from ringfence.server.site.administration import Administration
from ringfence.server.site.events import EntitlementChanged, PackageExpired, PackageExpiring
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

from ..desks import AT
from ..issued import issued

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.server.site.events import SiteEvent
    from ringfence.server.site.site import Site

END = datetime(2023, 12, 1, tzinfo=UTC)
DAY_S = 86_400.0
TIME = (PackageExpiring, PackageExpired, EntitlementChanged)


async def run(data: Path, site: Site, at: float, *packages: bytes) -> tuple[list[SiteEvent], Administration]:
    """Start a server at `at`, import packages, and end it; what time did to licences, and how it stood then."""
    heard: list[SiteEvent] = []
    store = Store.open(data, Opening(site, at=at))
    desk = Administration(
        store.holdings, store, heard.append, random=Random(1), clock=lambda: at, since=store.reckoned_at
    )
    await desk.start()
    told: list[SiteEvent] = [one for one in heard if isinstance(one, TIME)]
    if packages:
        await desk.apply(*(ImportPackage(data) for data in packages))
    desk.stop()
    store.close()
    return told, desk


async def test_what_ended_while_the_server_was_stopped_is_told_at_its_start_once(
    data: Path, site: Site
) -> None:
    """L-42"""
    package = issued("p-1", until="2023-11-30", office_plus=3)
    _, first = await run(data, site, AT, package)
    assert first.holdings.over_since == {}
    notice = PackageExpiring("p-1", 7, "2023-11-30")
    assert (await run(data, site, END.timestamp() - 6 * DAY_S))[0] == [notice]
    assert (await run(data, site, END.timestamp() - 5 * DAY_S))[0] == []
    told, late = await run(data, site, END.timestamp() + 9 * DAY_S)
    assert told == [
        PackageExpiring("p-1", 1, "2023-11-30"),
        PackageExpired("p-1"),
        EntitlementChanged("office_plus", 3, 0),
    ]
    assert late.holdings.over_since == {"office": END, "office_plus": END}
    again, _ = await run(data, site, END.timestamp() + 10 * DAY_S)
    assert again == []
