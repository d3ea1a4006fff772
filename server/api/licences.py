"""Licences over HTTP: the overview, why a user may use a function, and what a change would bring.

The bodies are those of the command line; both come from `licensing`.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ...licensing.catalogue import FUNCTIONS
from ...licensing.explain import ChannelUse, why
from ...licensing.overview import overview
from ..site import require
from ..site.acts import MoveUser
from ..site.dealing import service_order
from ..site.problem import closest
from ..site.trial import place_named
from .licence_shapes import Explanation, Overview, WhatIf
from .operation import API, STRICT, Routes, shaped
from .problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class Change:
    """Licences to `add` (below zero: given back) and users to `move`, each to `Location` or `Location/Group`."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    add: dict[str, int] = field(default_factory=dict)
    move: dict[str, str] = field(default_factory=dict)


@routes.get(f"{API}/licences/overview")
async def licence_overview(pbx: "Pbx") -> Overview:
    """Pools, users, locations, channels and warnings."""
    now = pbx.administration
    locations = [one.name for one in now.directory.locations]
    subjects, order = now.directory.subjects(), service_order(now.directory.site)
    told = overview(now.entitlement, now.allocation, subjects, locations, order=order)
    return shaped(Overview, told)


@routes.get(f"{API}/licences/explain")
async def explain_licence(pbx: "Pbx", user: str, function: str) -> Explanation:
    """Why a user may, or may not, use a function at this moment; free channels count."""
    now = pbx.administration
    require.user(now.directory, user)
    if function not in FUNCTIONS:
        remedy = closest(function, FUNCTIONS, f"use one of {', '.join(FUNCTIONS)}")
        raise ProblemError.invalid(f'The function "{function}" is not known; {remedy}')
    use = {pool.key: ChannelUse(pool.used, pool.limit) for pool in pbx.pools}
    subjects = now.directory.subjects()
    result = why(user, function, now.entitlement, now.allocation, subjects, channels=use)
    return shaped(Explanation, result.as_dict())


@routes.post(f"{API}/licences/what-if")
async def try_change(pbx: "Pbx", change: Change) -> WhatIf:
    """What buying licences or moving users would bring; nothing is changed."""
    now = pbx.administration
    moves = [MoveUser(user, *place_named(now.directory, place)) for user, place in change.move.items()]
    return shaped(WhatIf, now.what_if(*moves, add=change.add).as_dict())
