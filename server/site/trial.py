"""A change tried out before it is made: licences bought or given back, users moved. Nothing is written.

Used by `Administration.what_if` for HTTP and by the command line, so that both answer alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.catalogue import LICENCES
from ...licensing.demand import Subject
from ...licensing.what_if import Change, WhatIf, what_if
from . import require
from .dealing import service_order
from .problem import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...licensing.entitlement import Entitlement
    from .directory import Directory

Place = tuple[str, str | None]
"""A location and a group in it, or None."""


def place_named(directory: Directory, text: str) -> Place:
    """The place that `Location` or `Location/Group` means; names may contain a slash themselves."""
    cuts = [(text, ""), *((text[:at], text[at + 1 :]) for at, letter in enumerate(text) if letter == "/")]
    places = [(location, group or None) for location, group in cuts]
    known = (place for place in places if directory.has_place(*place))
    return next(known, places[min(1, len(places) - 1)])


def try_out(
    directory: Directory, entitlement: Entitlement, add: Mapping[str, int], moves: Mapping[str, Place]
) -> WhatIf:
    """What adding licences (below zero: giving them back) and moving users would bring.

    Raises `AdministrationError` for a licence, user or place that is not there, and for more given back than
    bought.
    """
    moved: dict[str, Subject] = {}
    for name, (location, group) in moves.items():
        user = require.user(directory, name)
        require.place(directory, location, group, "request.invalid")
        moved[name] = Subject(name, user.seq, location, group, directory.functions_at(location, group))
    for key, count in add.items():
        if key not in LICENCES:
            remedy = closest(key, LICENCES, f"use one of {', '.join(LICENCES)}")
            raise require.AdministrationError(
                "request.invalid", f'the licence "{key}" is not known; {remedy}'
            )
        bought = entitlement.bought.get(key, 0)
        if bought + count < 0:
            sentence = f"{-count} of {key} cannot be given back; no more than {bought} are bought"
            raise require.AdministrationError("request.invalid", sentence)
    order = service_order(directory.site)
    return what_if(entitlement, directory.subjects(), Change(add, moved), order)
