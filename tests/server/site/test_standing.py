from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.licensing.gate import Granted
from ringfence.licensing.modes import ComplianceChanged
from ringfence.licensing.package import read
from ringfence.licensing.refusal import Refusal
from ringfence.server.site.events import EntitlementChanged, GraceEnded, LimitReached, PackageExpired
from ringfence.server.site.holdings import Holdings, StoredPackage, peopled
from ringfence.server.site.site import Site
from ringfence.server.site.standing import brought_up, consequences, stand

from ..issued import issued

NOW = 1_700_000_000.0
MOMENT = datetime.fromtimestamp(NOW, UTC)
DAY_S = 86_400.0

if TYPE_CHECKING:
    from collections.abc import Mapping


def over_since(standing_of: Holdings, now: float) -> Mapping[str, datetime]:
    return stand(standing_of, now)[0].holdings.over_since


def test_what_is_held_amounts_to_the_same_however_often_it_is_asked(site: Site) -> None:
    """L-42"""
    one, other = stand(Holdings.of(site), NOW)[0], stand(Holdings.of(site), NOW)[0]
    assert (one.allocation, one.entitlement, one.holdings) == (
        other.allocation,
        other.entitlement,
        other.holdings,
    )


def test_since_when_a_licence_is_short_is_kept_until_it_is_no_longer(site: Site) -> None:
    first, changes = stand(Holdings.of(site), NOW)
    assert set(changes) == {ComplianceChanged(key, True, MOMENT, 1) for key in ("office", "office_plus")}
    later, changes = stand(first.holdings, NOW + DAY_S)
    assert changes == ()
    assert later.holdings is first.holdings
    package = StoredPackage(read(issued("p-1", office_plus=1)), NOW)
    cured, changes = stand(replace(later.holdings, packages=(package,)), NOW + DAY_S)
    assert {(one.licence, one.over) for one in changes} == {("office", False), ("office_plus", False)}
    assert cured.holdings.over_since == {}
    assert consequences(later, cured)[0] == EntitlementChanged("office_plus", 1, 2)


def test_a_grace_runs_from_the_stored_moment_and_ends(site: Site, text: str) -> None:
    lenient = Site.parse(
        "[licensing.modes]\noffice_plus = { grace_days = 2 }\noffice = { grace_days = 2 }\n" + text
    )
    held = stand(Holdings.of(lenient), NOW)[0].holdings
    assert stand(held, NOW + 1.9 * DAY_S)[0].gate.may("ben", "softphone") == Granted("grace")
    assert isinstance(stand(held, NOW + 2 * DAY_S)[0].gate.may("ben", "softphone"), Refusal)
    assert over_since(held, NOW + 3 * DAY_S) == held.over_since


def test_teams_and_reservations_lose_whom_there_is_not_and_find_him_again(text: str) -> None:
    file = Site.parse(f'[licensing]\nreservations = {{ office_plus = ["ben", "anna"] }}\n{text}')
    without = peopled(file, file.users[1:], file.locations)
    assert without.teams[0].members == ()
    assert without.licensing.reservations == {"office_plus": ("ben",)}
    assert peopled(file, file.users, file.locations) == file


def test_a_grace_that_ended_is_told_once_to_whoever_steps_over_its_end(text: str) -> None:
    lenient = Site.parse("[licensing.modes]\noffice_plus = { grace_days = 2 }\n" + text)
    first = stand(Holdings.of(lenient), NOW)[0]
    assert first.valid_until == datetime.fromtimestamp(NOW + 2 * DAY_S, UTC)
    assert brought_up(first, NOW + 1.9 * DAY_S) == (first, [])
    later, told = brought_up(first, NOW + 9 * DAY_S)
    assert told == [GraceEnded("office_plus", 1)]
    assert brought_up(later, NOW + 99 * DAY_S) == (later, [])


def test_who_wakes_up_late_finds_what_he_would_have_found_in_time(site: Site) -> None:
    """The end of a package begins a shortage at that instant, however late it is looked at."""
    package = StoredPackage(read(issued("p-1", until="2023-11-30", office_plus=1)), NOW)
    first = stand(replace(Holdings.of(site), packages=(package,)), NOW)[0]
    end = datetime(2023, 12, 1, tzinfo=UTC)
    late, told = brought_up(first, end.timestamp() + 40 * DAY_S)
    assert late.holdings.over_since == {"office": end, "office_plus": end}
    step, in_time = first, []
    for at in (end.timestamp() - 7 * DAY_S, end.timestamp() - DAY_S, end.timestamp()):
        step, more = brought_up(step, at)
        in_time += more
    assert (step.holdings, in_time) == (late.holdings, told)
    assert [one for one in told if isinstance(one, PackageExpired)] == [PackageExpired("p-1")]


def test_a_pool_is_told_as_used_up_when_its_last_seat_is_taken_and_not_again(site: Site) -> None:
    def with_plus(*packages: tuple[str, int]) -> Holdings:
        stored = (StoredPackage(read(issued(id_, office_plus=count)), NOW) for id_, count in packages)
        return replace(Holdings.of(site), packages=tuple(stored))

    def reached(before: Holdings, after: Holdings) -> list[LimitReached]:
        sides = (stand(one, NOW)[0] for one in (before, after))
        return [one for one in consequences(*sides) if isinstance(one, LimitReached)]

    short, enough, plenty = with_plus(), with_plus(("p-1", 1)), with_plus(("p-1", 1), ("p-2", 9))
    assert reached(short, enough) == []
    assert reached(plenty, enough) == [LimitReached("office", 2), LimitReached("office_plus", 2)]
    assert reached(plenty, short) == [LimitReached("office", 1), LimitReached("office_plus", 1)]
    assert reached(short, plenty) == []
