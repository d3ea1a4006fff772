"""From the functions that are switched on for a user to the licences that he requires.

A licence is required by configuration alone (L-01); whether the user ever logs on is no input here (L-02).
Allocation and overview ask for each user, the site's directory makes the `Subject`s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .catalogue import DEALT_LICENCES, FUNCTIONS


@dataclass(frozen=True, slots=True)
class Subject:
    """A user, as licensing sees one.

    `seq` is the number that the user got when created and never loses (A-01); `functions` are the keys that
    are on for him after his group's list has replaced his location's.
    """

    name: str
    seq: int
    location: str
    group: str | None
    functions: frozenset[str]


def required(subject: Subject) -> tuple[str, ...]:
    """Return the licences that a user requires, in catalogue order; none without functions (L-10)."""
    return licences_of(subject.functions)


@lru_cache(maxsize=1024)
def licences_of(functions: frozenset[str]) -> tuple[str, ...]:
    """Return the licences that a set of functions requires together, in catalogue order (L-03)."""
    needed = {licence for key in functions for licence in FUNCTIONS[key].licences}
    return tuple(key for key in DEALT_LICENCES if key in needed)


def working(functions: frozenset[str], assigned: frozenset[str]) -> frozenset[str]:
    """Return those of `functions` whose licences are all `assigned`."""
    return frozenset(key for key in functions if assigned.issuperset(FUNCTIONS[key].licences))
