"""What a question is asked about: the standing of a site file or of a store, at this moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..site.draft import Draft
from ..site.holdings import Holdings
from ..site.site import Site
from ..site.standing import stand
from .failure import fail, told
from .licence_file import package_file

if TYPE_CHECKING:
    from pathlib import Path

    from ..site.standing import Standing


def standing_of(site: Path | None, data: Path | None, licences: list[Path] | None = None) -> Standing:
    """Read one of both, and import `licences` without writing anything."""
    if (site is None) == (data is None):
        fail("name either a site file or, with --data, the directory of a store")
    with told():
        held = _stored(data) if data is not None else Holdings.of(Site.read(site or ""))
    return _standing(held, licences)


def standing_of_sample(licences: list[Path] | None = None) -> Standing:
    """The sample company, which is served when nobody names another."""
    return _standing(Holdings.of(Site.sample()), licences)


def _standing(held: Holdings, licences: list[Path] | None) -> Standing:
    now = datetime.now(UTC).timestamp()
    with told():
        draft = Draft(held, now)
        for file in licences or ():
            draft.make(package_file(file))
        return stand(draft.holdings(), now)[0]


def _stored(data: Path) -> Holdings:
    from ..store.reading import stored_holdings

    return stored_holdings(data)
