"""What a change brings, made or only tried: the events that tell of it, and what it means to each user."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...licensing.catalogue import FUNCTIONS, LICENCES
from ...licensing.demand import working
from ...licensing.modes import Enforce
from ...licensing.what_if import UserChange
from .events import SettingsDeleted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .events import SiteEvent
    from .standing import Standing

_Held = tuple[frozenset[str], frozenset[str], frozenset[str]]
_NOTHING: _Held = frozenset(), frozenset(), frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`users` are those who gain or lose something, in the order of service, the deleted ones last.

    Their `settings_deleted` are the keys of the settings that go (L-06), as in `events`. `after` is what stands
    right after the change, whatever has followed it since.
    """

    after: Standing = field(compare=False, repr=False)
    events: tuple[SiteEvent, ...] = ()
    users: tuple[UserChange, ...] = ()


def outcome(before: Standing, after: Standing, events: Sequence[SiteEvent]) -> Outcome:
    """Compare two standings, between which `events` lie."""
    deleted: dict[str, tuple[str, ...]] = {}
    for event in events:
        if isinstance(event, SettingsDeleted):
            deleted[event.user] = (*deleted.get(event.user, ()), *event.settings)
    old, new = _held(before), _held(after)
    users = (_compared(name, old, new, deleted.get(name, ())) for name in dict.fromkeys((*new, *old)))
    return Outcome(after, tuple(events), tuple(one for one in users if one is not None))


def _held(standing: Standing) -> dict[str, _Held]:
    """For each user the functions that are on, the licences that are held, and those that the modes tolerate."""
    directory, allocation, tolerance = standing.directory, standing.allocation, standing.tolerance
    modes = (tolerance.modes.default, *tolerance.modes.pools.values())
    lenient = not all(isinstance(mode, Enforce) for mode in modes)
    held = {}
    for user in directory.users:
        name = user.name
        spared = (
            tolerance.tolerated(allocation, name) if lenient and allocation.missing(name) else _NOTHING[2]
        )
        held[name] = (directory.functions_of(user), allocation.assigned(name), spared)
    return held


def _compared(
    name: str, old: Mapping[str, _Held], new: Mapping[str, _Held], settings: tuple[str, ...]
) -> UserChange | None:
    was, now = old.get(name, _NOTHING), new.get(name, _NOTHING)
    if was == now and not settings:
        return None
    worked, works = (working(one[0], one[1] | one[2]) for one in (was, now))
    differences = (
        _in_order(LICENCES, now[1] - was[1]),
        _in_order(LICENCES, was[1] - now[1]),
        _in_order(FUNCTIONS, works - worked),
        _in_order(FUNCTIONS, worked - works),
        settings,
    )
    return UserChange(name, *differences) if any(differences) else None


def _in_order(catalogue: Mapping[str, object], keys: frozenset[str]) -> tuple[str, ...]:
    return tuple(key for key in catalogue if key in keys)
