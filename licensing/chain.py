"""The steps on the way to a decision about a user and a function, in the order in which they are looked at.

The gate takes the chain of its refusals from here and `explain.why` its whole account, so that the two cannot
differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalogue import BUNDLES, FUNCTIONS, LICENCES, USER_PREREQUISITES
from .refusal import Refusal, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .allocation import Allocation
    from .demand import Subject
    from .entitlement import Entitlement
    from .modes import Tolerance


def steps(
    subject: Subject,
    function: str,
    entitlement: Entitlement,
    allocation: Allocation,
    tolerance: Tolerance | None = None,
) -> Iterator[Step]:
    """Yield: switched on? Server? then for each licence of the function minimum, prerequisites, seat and mode.

    What follows from a failed step is left out; a prerequisite that the function needs as well is looked at
    in its turn.
    """
    place = {"function": function, "location": subject.location, "group": subject.group}
    on = function in subject.functions
    yield Step("configured", on, place)
    if not on:
        return
    yield Step("server", entitlement.server)
    if entitlement.server:
        for licence in FUNCTIONS[function].licences:
            yield from _licence_steps(subject.name, licence, entitlement, allocation, tolerance)


def minimum_step(licence: str, entitlement: Entitlement) -> Step:
    """Compare the IP channels that are licensed with what `licence` needs (L-30 to L-33)."""
    needed, licensed = LICENCES[licence].min_ip_channels, entitlement.ip_channels
    return Step("minimum", licensed >= needed, {"licence": licence, "needed": needed, "licensed": licensed})


def _licence_steps(
    user: str, licence: str, entitlement: Entitlement, allocation: Allocation, tolerance: Tolerance | None
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
    if not passed:
        return
    pool = allocation.pools[licence]
    share = pool.share_of(user)
    facts: dict[str, object] = {"user": user, "licence": licence, "position": share.positions[user]}
    facts |= {"waiting": len(share.positions), "seats": share.seats}
    if share.location is not None:
        facts["contingent_of"] = share.location
    seated = share.positions[user] <= share.seats
    yield Step("seat", seated, facts)
    tolerated = None if seated or tolerance is None else tolerance.step(licence, pool, user)
    if tolerated is not None:
        yield tolerated


def refusal(
    subject: Subject,
    function: str,
    entitlement: Entitlement,
    allocation: Allocation,
    tolerance: Tolerance | None = None,
) -> Refusal | None:
    """Refuse `function`, or return None if nothing stands against it that is not tolerated.

    Not switched on goes before any licence; among the licences, the one that names the function gives the
    reason.
    """
    facts: dict[str, object] = {"user": subject.name, "function": function}
    chain = tuple(steps(subject, function, entitlement, allocation, tolerance))
    if not chain[0].passed:
        return Refusal("function.not_configured", chain, facts)
    tolerated = {step.facts["licence"] for step in chain if step.check == "mode" and step.passed}
    lacks = {one.licence: one for one in allocation.missing(subject.name) if one.licence not in tolerated}
    lack = next((lacks[key] for key in FUNCTIONS[function].licences if key in lacks), None)
    if lack is None:
        return None
    facts["licence"] = lack.licence
    if lack.state == "blocked":
        facts["because"] = lack.because
    else:
        share = allocation.pools[lack.licence].share_of(subject.name)
        facts |= {"position": share.positions[subject.name], "seats": share.seats}
    return Refusal(lack.reason, chain, facts)


def tolerated_by(chain: Iterable[Step]) -> str | None:
    """The mode that let somebody pass without a seat, None if all seats are held."""
    return next((str(step.facts["mode"]) for step in chain if step.check == "mode" and step.passed), None)
