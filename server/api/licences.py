"""Licences over HTTP: the overview, and why a user may use a function.

The bodies are those of the command line; both come from `licensing`. A sub-administrator is told of his locations
(L-62), a user of himself.
"""

from typing import TYPE_CHECKING

from ...licensing.explain import ChannelUse, ExplanationTold, why
from ...licensing.overview import Counts, Overview, PoolCounts, overview
from ..site import require
from ..site.dealing import service_order
from ..store.tokens import Token
from .operation import API, Routes
from .rights import ALL_ADMINISTRATORS, EVERYBODY, sees, user_named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ..app import Pbx

routes = Routes()

_NO_COUNTS: Counts = {"required": 0, "assigned": 0, "missing": 0}


@routes.get(f"{API}/licences/overview", may=ALL_ADMINISTRATORS)
async def licence_overview(pbx: "Pbx", who: Token) -> Overview:
    """Pools, users, locations, packages, modes, channels and warnings.

    A sub-administrator sees users, seats and contingents of his locations; what is bought is the whole server's.
    """
    now = pbx.administration
    site, order = now.directory.site, service_order(now.directory.site)
    subjects = [now.directory.subject(user) for user in now.directory.users if sees(who, user)]
    locations = [one.name for one in site.locations]
    told = overview(
        now.entitlement,
        now.allocation,
        subjects,
        locations,
        order=order,
        tolerance=now.tolerance,
        lines=now.lines,
        teams=site.teams,
    )
    return told if who.kind == "administrator" else _of(who.locations, told)


@routes.get(f"{API}/licences/explain", may=EVERYBODY)
async def explain_licence(pbx: "Pbx", who: Token, user: str, function: str) -> ExplanationTold:
    """Why a user may, or may not, use a function at this moment; free channels count."""
    now = pbx.administration
    user_named(who, now.directory, user)
    require.function(function)
    use = {pool.key: ChannelUse(pool.used, pool.limit) for pool in pbx.pools}
    subjects = now.directory.subjects()
    return why(
        user, function, now.entitlement, now.allocation, subjects, tolerance=now.tolerance, channels=use
    ).as_dict()


def _of(names: "Collection[str]", told: Overview) -> Overview:
    """The part of the overview that is of these locations."""
    locations = {name: counts for name, counts in told["locations"].items() if name in names}
    return {
        **told,
        "packages": [],
        "pools": {key: _pool(pool["bought"], key, locations) for key, pool in told["pools"].items()},
        "locations": locations,
        "contingents": {name: one for name, one in told["contingents"].items() if name in names},
        "warnings": [one for one in told["warnings"] if _is_local(one["code"])],
    }


def _pool(bought: int, key: str, locations: "Mapping[str, Mapping[str, Counts]]") -> PoolCounts:
    counts = [one.get(key, _NO_COUNTS) for one in locations.values()]
    required, assigned = sum(one["required"] for one in counts), sum(one["assigned"] for one in counts)
    return {"bought": bought, "required": required, "assigned": assigned, "missing": required - assigned}


def _is_local(code: str) -> bool:
    """Whether a warning tells of nobody elsewhere: what has no effect for anybody, and who of the users is short."""
    return code in {"server.unlicensed", "users.under_licensed"} or code.endswith(".blocked")
