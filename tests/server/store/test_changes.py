from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from ringfence.server.site.events import FunctionsSwitched, LicenceDisplaced, PinMade
from ringfence.server.store.changes import note_changes
from ringfence.server.store.schema import changes
from ringfence.server.store.store import Store

if TYPE_CHECKING:
    from ringfence.server.site.events import SiteEvent
    from ringfence.server.site.site import Site


@pytest.mark.parametrize(
    ("event", "kind", "detail"),
    [
        (PinMade("anna"), "pin.made", {"user": "anna"}),
        (
            LicenceDisplaced("ben", "office", "anna"),
            "licence.displaced",
            {"user": "ben", "licence": "office", "by": "anna"},
        ),
        (
            FunctionsSwitched("Ulm", None, frozenset({"fax", "cti"})),
            "functions.switched",
            {"location": "Ulm", "group": None, "functions": ["cti", "fax"]},
        ),
    ],
)
async def test_a_change_is_recorded_with_its_time_and_in_full(
    site: Site, event: SiteEvent, kind: str, detail: dict[str, object]
) -> None:
    """A-02"""
    store = Store.open(None, site, inline=True)
    await store.unit.run(lambda connection: note_changes(connection, [event], 12.5))
    row = await store.unit.run(lambda connection: connection.execute(select(changes)).one())
    assert (row.at, row.kind, row.detail) == (12.5, kind, detail)
    store.close()


async def test_no_change_is_no_record(site: Site) -> None:
    store = Store.open(None, site, inline=True)
    await store.unit.run(lambda connection: note_changes(connection, [], 12.5))
    assert await store.unit.run(lambda connection: connection.execute(select(changes)).all()) == []
    store.close()
