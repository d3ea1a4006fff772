"""What holds of the allocation for any site; together the properties look at about a thousand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.licensing.allocation import allocate
from ringfence.licensing.catalogue import FUNCTIONS, LICENCES, USER_LICENCES, USER_PREREQUISITES
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement

if TYPE_CHECKING:
    from random import Random

_FUNCTIONS = st.frozensets(st.sampled_from(sorted(FUNCTIONS)), max_size=5)
_LOCATIONS = st.sampled_from(["Ulm", "Bonn"])


@dataclass(frozen=True)
class Site:
    """A random site."""

    entitlement: Entitlement
    subjects: tuple[Subject, ...]


@st.composite
def sites(draw: st.DrawFn) -> Site:
    bought = draw(st.fixed_dictionaries({key: st.integers(0, 5) for key in LICENCES}))
    seqs = draw(st.lists(st.integers(1, 99), unique=True, max_size=12))
    subjects = tuple(Subject(f"u{seq}", seq, draw(_LOCATIONS), None, draw(_FUNCTIONS)) for seq in seqs)
    return Site(Entitlement(bought), subjects)


thousandth = settings(max_examples=200, deadline=None)


@thousandth
@given(sites(), st.randoms(use_true_random=False))
def test_l42_the_order_of_loading_does_not_matter(site: Site, chance: Random) -> None:
    shuffled = list(site.subjects)
    chance.shuffle(shuffled)
    assert allocate(site.entitlement, shuffled) == allocate(site.entitlement, site.subjects)


@thousandth
@given(sites())
def test_sums_fit_the_pools_and_nobody_waits_before_a_free_seat(site: Site) -> None:
    result = allocate(site.entitlement, site.subjects)
    for key in USER_LICENCES:
        holders = [user for user in result.users if key in result.assigned(user)]
        waiting = [
            user
            for user in result.users
            if any((one.licence, one.state) == (key, "under_licensed") for one in result.missing(user))
        ]
        assert len(holders) == result.pools[key].assigned <= site.entitlement.capacity(key)
        assert not waiting or len(holders) == site.entitlement.capacity(key)


@thousandth
@given(sites())
def test_who_holds_a_licence_holds_what_it_builds_on(site: Site) -> None:
    result = allocate(site.entitlement, site.subjects)
    for user in result.users:
        held = result.assigned(user)
        assert all(held.issuperset(USER_PREREQUISITES[key]) for key in held)
        assert not any(site.entitlement.blocked_by(key) for key in held)


@thousandth
@given(sites())
def test_every_required_licence_is_either_held_or_missing_with_its_cause(site: Site) -> None:
    result = allocate(site.entitlement, site.subjects)
    for user in result.users:
        lacks = {one.licence: one for one in result.missing(user)}
        assert result.assigned(user).isdisjoint(lacks)
        assert result.assigned(user) | lacks.keys() == set(result.required(user))
        assert all((one.state == "blocked") == bool(one.because) for one in lacks.values())


@thousandth
@given(sites())
def test_nobody_is_passed_over_by_a_later_user(site: Site) -> None:
    result = allocate(site.entitlement, site.subjects)
    for key in USER_LICENCES:
        bundled = {
            user for user in result.users if key == "office" and "office_plus" in result.assigned(user)
        }
        queue = [
            user
            for user in result.users
            if user in result.pools[key].shares[-1].positions and user not in bundled
        ]
        held = [key in result.assigned(user) for user in queue]
        assert held == sorted(held, reverse=True)


@thousandth
@given(sites(), st.data())
def test_l48_a_user_who_leaves_takes_nothing_from_anybody(site: Site, data: st.DataObject) -> None:
    if not site.subjects:
        return
    gone = data.draw(st.sampled_from(site.subjects))
    before = allocate(site.entitlement, site.subjects)
    after = allocate(site.entitlement, [one for one in site.subjects if one is not gone])
    assert all(after.assigned(user) >= before.assigned(user) for user in after.users)
    for key in USER_LICENCES:
        gained = [user for user in after.users if key in after.assigned(user) - before.assigned(user)]
        assert len(gained) <= 1


@thousandth
@given(sites(), st.sampled_from(sorted(LICENCES)))
def test_buying_more_takes_nothing_from_anybody(site: Site, key: str) -> None:
    more = replace(
        site.entitlement, bought={**site.entitlement.bought, key: site.entitlement.bought[key] + 1}
    )
    before, after = allocate(site.entitlement, site.subjects), allocate(more, site.subjects)
    assert all(after.assigned(user) >= before.assigned(user) for user in after.users)
