"""A change tried out before it is made: licences bought or given back, acts, a later moment. Nothing is written.

Used by `Administration.what_if` for HTTP and by the command line, so that both answer alike.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ...licensing.catalogue import LICENCES
from ...licensing.what_if import Change, WhatIf, what_if
from .dealing import service_order
from .directory import Directory
from .draft import Draft
from .problem import closest
from .require import AdministrationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ...licensing.entitlement import Entitlement
    from ...licensing.package import Package
    from .acts import Act
    from .standing import Standing

Place = tuple[str, str | None]
"""A location and a group in it, or None."""

NOTHING: Mapping[str, int] = MappingProxyType({})


def place_named(directory: Directory, text: str) -> Place:
    """The place that `Location` or `Location/Group` means; names may contain a slash themselves."""
    cuts = [(text, ""), *((text[:at], text[at + 1 :]) for at, letter in enumerate(text) if letter == "/")]
    places = [(location, group or None) for location, group in cuts]
    known = (place for place in places if directory.has_place(*place))
    return next(known, places[min(1, len(places) - 1)])


def try_out(
    standing: Standing, *acts: Act, add: Mapping[str, int] = NOTHING, at: datetime | None = None
) -> WhatIf:
    """What `acts`, adding licences (below zero: giving them back) and waiting until `at` would bring together.

    The acts work on a draft, as they would on the way to the store. Raises `AdministrationError`, also for a
    licence that is not there and for more given back than bought, and `PackageError`.
    """
    _require_there(add, standing.entitlement)
    before = standing.holdings
    draft = Draft(before, standing.tolerance.now.timestamp())
    for act in acts:
        draft.make(act)
    after = draft.holdings()
    packages = tuple(one.package for one in after.packages[len(before.packages) :])
    change = _change(standing.directory, Directory(after.site), add, packages, at)
    order = service_order(before.site)
    return what_if(standing.entitlement, standing.directory.subjects(), change, order, standing.tolerance)


def _change(
    before: Directory,
    after: Directory,
    add: Mapping[str, int],
    packages: tuple[Package, ...],
    at: datetime | None,
) -> Change:
    """Users are the same as long as they have the same number, whatever came and went under a name."""
    old, new = ({one.seq: one for one in side.subjects()} for side in (before, after))
    return Change(
        add,
        {one.name: one for seq, one in new.items() if seq in old and old[seq] != one},
        packages,
        tuple(one for seq, one in new.items() if seq not in old),
        frozenset(one.name for seq, one in old.items() if seq not in new),
        at,
    )


def _require_there(add: Mapping[str, int], entitlement: Entitlement) -> None:
    for key, count in add.items():
        if key not in LICENCES:
            remedy = closest(key, LICENCES, f"use one of {', '.join(LICENCES)}")
            raise AdministrationError("request.invalid", f'the licence "{key}" is not known; {remedy}')
        plain = entitlement.plain.get(key, 0)
        if plain + count < 0:
            sentence = f"{-count} of {key} cannot be given back; no more than {plain} are bought"
            raise AdministrationError("request.invalid", f"{sentence} beside the packages")
