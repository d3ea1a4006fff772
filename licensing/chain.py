"""The steps on the way to a decision about a user and a function, in the order in which they are looked at.

The gate takes the chain of its refusals from here and `explain.why` its whole account, so that the two cannot
differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalogue import BUNDLES, FUNCTIONS, LICENCES, USER_PREREQUISITES
from .demand import configured
from .refusal import Refusal, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .allocation import Allocation
    from .demand import Subject
    from .entitlement import Entitlement


def steps(
    subject: Subject, function: str, entitlement: Entitlement, allocation: Allocation
) -> Iterator[Step]:
    """Yield: switched on? Server? then for each licence of the function minimum, prerequisites and seat.

    What follows from a failed step is left out; a prerequisite that the function needs as well is looked at
    in its turn.
    """
    place = {"function": function, "location": subject.location, "group": subject.group}
    on = configured(subject, function)
    yield Step("configured", on, place)
    if not on:
        return
    yield Step("server", entitlement.server)
    if entitlement.server:
        for licence in FUNCTIONS[function].licences:
            yield from _licence_steps(subject.name, licence, entitlement, allocation)


def minimum_step(licence: str, entitlement: Entitlement) -> Step:
    """Compare the IP channels that are licensed with what `licence` needs (L-30 to L-33)."""
    needed, licensed = LICENCES[licence].min_ip_channels, entitlement.ip_channels
    return Step("minimum", licensed >= needed, {"licence": licence, "needed": needed, "licensed": licensed})


def _licence_steps(
    user: str, licence: str, entitlement: Entitlement, allocation: Allocation
) -> Iterator[Step]:
    passed = True
    if LICENCES[licence].min_ip_channels:
        step = minimum_step(licence, entitlement)
        passed = step.passed
        yield step
    if licence not in BUNDLES:
        for needs in USER_PREREQUISITES[licence]:
            held = needs in allocation.assigned(user)
            passed = passed and held
            yield Step("prerequisite", held, {"user": user, "licence": licence, "needs": needs})
    if passed:
        pool = allocation.pools[licence]
        position = pool.positions[user]
        facts = {"user": user, "licence": licence, "position": position, "waiting": len(pool.positions)}
        yield Step("seat", position <= pool.seats, {**facts, "seats": pool.seats})


def refusal(
    subject: Subject, function: str, entitlement: Entitlement, allocation: Allocation
) -> Refusal | None:
    """Refuse `function`, or return None if nothing stands against it.

    Not switched on goes before any licence; among the licences, the one that names the function gives the
    reason.
    """
    facts: dict[str, object] = {"user": subject.name, "function": function}
    chain = tuple(steps(subject, function, entitlement, allocation))
    if not chain[0].passed:
        return Refusal("function.not_configured", chain, facts)
    lacks = {one.licence: one for one in allocation.missing(subject.name)}
    lack = next((lacks[key] for key in FUNCTIONS[function].licences if key in lacks), None)
    if lack is None:
        return None
    facts["licence"] = lack.licence
    if lack.state == "blocked":
        facts["because"] = lack.because
    else:
        pool = allocation.pools[lack.licence]
        facts |= {"position": pool.positions[subject.name], "seats": pool.seats}
    return Refusal(lack.reason, chain, facts)
