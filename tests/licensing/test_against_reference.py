"""Allocation and what-if agree with the slow reference; RINGFENCE_EXAMPLES says on how many random sites."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.licensing.allocation import Allocation, allocate
from ringfence.licensing.demand import Subject, working
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.gate import Gate, Granted
from ringfence.licensing.modes import Tolerance, compliance
from ringfence.licensing.what_if import what_if

from .random_sites import NOW, Site, sites
from .reference import Person, deal

if TYPE_CHECKING:
    from random import Random

SITES = int(os.environ.get("RINGFENCE_EXAMPLES", "1000"))
slowly = [HealthCheck.too_slow]


def bought_at(site: Site, moment: datetime, *, changed: bool) -> dict[str, int]:
    """What counts at `moment`, by adding it up by hand (L-11)."""
    bought = dict(site.plain)
    packages = site.packages
    if changed:
        packages += site.change.packages
        for key, count in site.change.add.items():
            bought[key] = bought.get(key, 0) + count
    for one in packages:
        begun = datetime.fromisoformat(one.not_before).date() <= moment.date()
        if begun and (one.not_after is None or moment.date() <= datetime.fromisoformat(one.not_after).date()):
            for key, count in one.licences.items():
                bought[key] = bought.get(key, 0) + count
    return bought


def people_of(site: Site, *, changed: bool) -> list[Person]:
    """The users by sequence, after the change if it is made."""
    subjects = {one.name: one for one in site.subjects}
    if changed:
        subjects.update(site.change.move)
        subjects.update({one.name: one for one in site.change.create})
        subjects = {name: one for name, one in subjects.items() if name not in site.change.delete}
    in_order = sorted(subjects.values(), key=lambda one: one.seq)
    return [Person(one.name, one.seq, one.location, one.functions) for one in in_order]


def referred(site: Site, *, changed: bool = False) -> list[Person]:
    moment = (site.change.at or NOW) if changed else NOW
    people = people_of(site, changed=changed)
    contingents = {place: dict(counts) for place, counts in site.order.contingents.items()}
    deal(bought_at(site, moment, changed=changed), people, dict(site.order.reservations), contingents)
    return people


def check(result: Allocation, people: list[Person]) -> None:
    assert result.users == tuple(one.name for one in people)
    for one in people:
        assert result.assigned(one.name) == one.held
        lacks = {lack.licence: lack for lack in result.missing(one.name)}
        assert set(lacks) | one.held == set(result.required(one.name))
        blocked = {key: ", ".join(lack.because) for key, lack in lacks.items() if lack.state == "blocked"}
        assert blocked == one.blocked
    for key, pool in result.pools.items():
        holders = sum(key in one.held for one in people)
        assert (pool.assigned, pool.missing) == (holders, pool.required - holders)
        waiting = [one.name for one in people if key not in one.held | set(one.blocked) and one.wants(key)]
        assert sorted(map(pool.turn, waiting)) == list(range(1, pool.waiting + 1))


@settings(max_examples=SITES, deadline=None, suppress_health_check=slowly)
@given(sites(), st.randoms(use_true_random=False))
def test_allocation_and_what_then_happens_are_what_the_rules_say(site: Site, chance: Random) -> None:
    shuffled = list(site.subjects)
    chance.shuffle(shuffled)
    before = allocate(site.entitlement, shuffled, site.order)
    check(before, referred(site))

    told = what_if(site.entitlement, shuffled, site.change, site.order)
    after = referred(site, changed=True)
    check(told.after, after)
    assert told.before == before

    changes = {one.user: one for one in told.users}
    then, now = {one.name: one for one in referred(site)}, {one.name: one for one in after}
    for name in {**then, **now}:
        had = then[name] if name in then else Person(name, 0, "", frozenset())
        has = now[name] if name in now else Person(name, 0, "", frozenset())
        expected = (
            has.held - had.held,
            had.held - has.held,
            working(has.functions, frozenset(has.held)) - working(had.functions, frozenset(had.held)),
            working(had.functions, frozenset(had.held)) - working(has.functions, frozenset(has.held)),
            had.functions - has.functions,
        )
        if name in changes:
            one = changes[name]
            found = (one.licences_gained, one.licences_lost, one.functions_gained, one.functions_lost)
            assert [set(keys) for keys in (*found, one.settings_deleted)] == [set(keys) for keys in expected]
        else:
            assert not any(expected)


@settings(max_examples=SITES // 5, deadline=None, suppress_health_check=slowly)
@given(sites())
def test_what_if_foretells_what_the_gate_then_answers_in_every_mode(site: Site) -> None:
    before = allocate(site.entitlement, site.subjects, site.order)
    over_since, _ = compliance(before.pools, site.over_since, NOW)
    tolerance = Tolerance(site.modes, over_since, NOW)
    told = what_if(site.entitlement, site.subjects, site.change, site.order, tolerance)
    worked = answers(site, before, told.entitlement_before, tolerance, changed=False)

    then = site.change.at or NOW
    over_since, _ = compliance(told.after.pools, over_since, then)
    works = answers(
        site, told.after, told.entitlement_after, Tolerance(site.modes, over_since, then), changed=True
    )

    changes = {one.user: one for one in told.users}
    for name in {**worked, **works}:
        had, has = worked.get(name, set()), works.get(name, set())
        gained = set(changes[name].functions_gained) if name in changes else set()
        lost = set(changes[name].functions_lost) if name in changes else set()
        assert (gained, lost) == (has - had, had - has)


def answers(
    site: Site, allocation: Allocation, entitlement: Entitlement, tolerance: Tolerance, *, changed: bool
) -> dict[str, set[str]]:
    """By user the functions that the gate grants."""
    people = people_of(site, changed=changed)
    subjects = [Subject(one.name, one.seq, one.location, None, one.functions) for one in people]
    gate = Gate(entitlement, allocation, subjects, tolerance)
    return {
        one.name: {key for key in one.functions if isinstance(gate.may(one.name, key), Granted)}
        for one in people
    }


@settings(max_examples=SITES // 5, deadline=None, suppress_health_check=slowly)
@given(sites())
def test_no_location_holds_more_than_its_contingent_or_less_than_its_guarantee(site: Site) -> None:
    result = allocate(site.entitlement, site.subjects, site.order)
    places = {one.name: one.location for one in site.subjects}
    for key, pool in result.pools.items():
        caps = site.order.caps(key)
        bundled = {user for user in places if key == "office" and "office_plus" in result.assigned(user)}
        for place, cap in caps.items():
            there = [user for user in places if places[user] == place and user not in bundled]
            holding = sum(key in result.assigned(user) for user in there)
            waiting = sum(
                (lack.licence, lack.state) == (key, "under_licensed")
                for user in there
                for lack in result.missing(user)
            )
            assert holding <= cap
            if waiting and sum(caps.values()) <= pool.seats - len(bundled):
                assert holding == cap


@settings(max_examples=SITES // 5, deadline=None, suppress_health_check=slowly)
@given(sites())
def test_nothing_changes_before_the_moment_that_is_told(site: Site) -> None:
    now = site.entitlement
    for days in range(8):
        later = Entitlement.of(site.plain, site.packages, NOW + timedelta(days))
        if now.next_change_at is None or NOW + timedelta(days) < now.next_change_at:
            assert later.bought == now.bought
        assert later.bought == bought_at(site, NOW + timedelta(days), changed=False)
        assert later.plain == {key: site.plain.get(key, 0) for key in later.plain}
