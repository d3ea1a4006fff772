"""What an administrator should know: the warnings of the licence overview, each with a code and a sentence.

They advise; nothing here blocks anybody (L-19, L-20, L-44, L-53).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from .analytics import warnings
from .catalogue import ADVISED_USERS, DEALT_LICENCES, LICENCES, USERS_PER_IP_CHANNEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .allocation import Allocation
    from .analytics import Team
    from .demand import Subject
    from .entitlement import Entitlement
    from .lines import Lines
    from .modes import Tolerance
    from .order import ServiceOrder

_EXPIRING = timedelta(days=30)


class Advice(TypedDict):
    """Something that an administrator should know."""

    code: str
    text: str


def advice(
    entitlement: Entitlement,
    allocation: Allocation,
    subjects: list[Subject],
    *,
    order: ServiceOrder,
    tolerance: Tolerance | None,
    lines: Lines,
    teams: Iterable[Team],
) -> Iterator[Advice]:
    """Yield the warnings: what has no effect, who is short, what is advised, and what is about to change."""
    yield from _without_effect(entitlement, allocation)
    yield from _packages(entitlement)
    yield from _contingents(entitlement, order)
    yield from _short(allocation, subjects, tolerance)
    if lines.asked or len(lines.bound) > len(lines.holding(entitlement)):
        more = lines.required - len(lines.holding(entitlement))
        yield _warning("license.tapi_line.exhausted", f"{more} lines asked for a TAPI Line licence in vain.")
    yield from (_warning(one.code, one.text) for one in warnings(teams, allocation) if one.page == "start")
    yield from _capacity(entitlement, allocation, subjects)


def recommended_ip_channels(um_users: int, *, voice: bool) -> int:
    """Return how many IP channels are advised: one for each 25 users of fax or voicemail (L-20, A-19).

    At least two if `voice`, that is with voicemail or an attendant in use, and at least one with fax alone.
    """
    at_least = 2 if voice else min(um_users, 1)
    return max(-(-um_users // USERS_PER_IP_CHANNEL), at_least)


def _without_effect(entitlement: Entitlement, allocation: Allocation) -> Iterator[Advice]:
    if not entitlement.server:
        yield _warning(
            "server.unlicensed", "There is no Server licence: nothing that was bought has an effect."
        )
        return
    for key, licence in LICENCES.items():
        pool = allocation.pools.get(key)
        if entitlement.blocked_by(key) and (entitlement.capacity(key) or (pool and pool.required)):
            needs = f"{licence.min_ip_channels} IP channels; licensed: {entitlement.ip_channels}"
            yield _warning(f"license.{key}.blocked", f"{licence.title} has no effect: it needs {needs}.")


def _packages(entitlement: Entitlement) -> Iterator[Advice]:
    if entitlement.developer:
        names = ", ".join(one.id for one in entitlement.counting if one.developer)
        yield _warning("package.developer", f"Packages count that the public developer key signed: {names}.")
    now = entitlement.at
    if now is None:
        return
    for package in entitlement.packages:
        state = package.state(now)
        if state == "expired":
            text = f"The package {package.id} has no effect: it expired with {package.not_after}."
            yield _warning("package.expired", text)
        elif state == "not_yet_valid":
            text = f"The package {package.id} has no effect yet: it counts from {package.not_before} on."
            yield _warning("package.not_yet_valid", text)
        elif package.ends_at is not None and package.ends_at - now <= _EXPIRING:
            yield _warning("package.expiring", f"The package {package.id} expires with {package.not_after}.")


def _contingents(entitlement: Entitlement, order: ServiceOrder) -> Iterator[Advice]:
    for key in DEALT_LICENCES:
        promised, there = sum(order.caps(key).values()), entitlement.capacity(key)
        if promised > there:
            text = f"The contingents of {LICENCES[key].title} are {promised} together, and {there} are there"
            yield _warning("contingent.exceeded", f"{text}: the locations are served in the site's order.")


def _short(allocation: Allocation, subjects: list[Subject], tolerance: Tolerance | None) -> Iterator[Advice]:
    short = sum(1 for subject in subjects if allocation.missing(subject.name))
    if short:
        yield _warning(
            "users.under_licensed",
            f"{short} of {len(subjects)} users lack a licence that their functions require.",
        )
    if tolerance is None:
        return
    for key, pool in allocation.pools.items():
        mode = tolerance.modes.of(key)
        if pool.waiting and mode.name != "enforce":
            yield _warning(
                f"license.{key}.{mode.name}",
                f"{pool.waiting} users are without a seat of {LICENCES[key].title}, which is in mode {mode.name}.",
            )


def _capacity(entitlement: Entitlement, allocation: Allocation, subjects: list[Subject]) -> Iterator[Advice]:
    users = len(subjects)
    wanted = [{"voicemail", "fax"}.intersection(allocation.required(subject.name)) for subject in subjects]
    um_users = sum(1 for one in wanted if one)
    voice = any("voicemail" in one for one in wanted) or entitlement.capacity("auto_attendant") > 0
    advised = recommended_ip_channels(um_users, voice=voice)
    if entitlement.ip_channels < advised:
        yield _warning(
            "capacity.ip_channel.recommended",
            f"{advised} IP channels are recommended, in effect: {entitlement.ip_channels}; one for each "
            f"{USERS_PER_IP_CHANNEL} users of fax or voicemail ({um_users} of {users} users).",
        )
    if users > ADVISED_USERS:
        text = f"{users} users are configured; the system is meant for up to {ADVISED_USERS}."
        yield _warning("capacity.users.advisory", text)


def _warning(code: str, text: str) -> Advice:
    return {"code": code, "text": text}
