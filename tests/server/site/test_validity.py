from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.package import Package, read
from ringfence.server.site.events import PackageBegun, PackageExpired, PackageExpiring
from ringfence.server.site.validity import PackageTurn, next_notice, turns

from ..issued import issued

END = datetime(2027, 1, 1, tzinfo=UTC)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def package(until: str | None = "2026-12-31") -> Package:
    return read(issued("p-1", until=until, office=1))


def told(*moments: datetime, until: str | None = "2026-12-31") -> list[PackageTurn]:
    """What is told on the way from the first moment over all others to the last."""
    sides = [Entitlement.of({}, [package(until)], at) for at in moments]
    return [turn for before, after in pairwise(sides) for turn in turns(before, after)]


def days_before(days: float) -> datetime:
    return END - timedelta(days=days)


def test_a_package_is_told_30_7_and_1_days_before_its_end_and_at_its_end() -> None:
    assert told(*(days_before(days) for days in (31, 30, 8, 7, 2, 1, 0.5, 0, -1))) == [
        PackageExpiring("p-1", 30, "2026-12-31"),
        PackageExpiring("p-1", 7, "2026-12-31"),
        PackageExpiring("p-1", 1, "2026-12-31"),
        PackageExpired("p-1"),
    ]


def test_a_step_over_several_notices_tells_the_last_and_one_over_the_end_only_that() -> None:
    assert told(days_before(40), days_before(0.1)) == [PackageExpiring("p-1", 1, "2026-12-31")]
    assert told(days_before(40), days_before(-40)) == [PackageExpired("p-1")]


def test_a_package_begins_once() -> None:
    before = BEGIN - timedelta(seconds=1)
    assert told(before, BEGIN, BEGIN + timedelta(days=1)) == [PackageBegun("p-1")]


def test_a_package_for_ever_and_one_that_is_imported_now_have_no_turn() -> None:
    assert told(BEGIN, END, END + timedelta(days=9999), until=None) == []
    assert list(turns(Entitlement.of({}, [], BEGIN), Entitlement.of({}, [package()], END))) == []


@given(st.lists(st.integers(-10, 40), min_size=1, max_size=12))
def test_each_turn_is_told_once_however_often_is_asked(days: list[int]) -> None:
    steps = told(days_before(50), *(days_before(one) for one in sorted(days, reverse=True)))
    assert len(steps) == len(set(steps))
    assert (PackageExpired("p-1") in steps) == (min(days) <= 0)


def test_the_next_notice_is_the_next_of_any_package_and_none_after_the_last() -> None:
    def notice(now: datetime, until: str | None = "2026-12-31") -> datetime | None:
        return next_notice(Entitlement.of({}, [package(until)], now))

    assert notice(BEGIN) == days_before(30)
    assert notice(days_before(30)) == days_before(7)
    assert notice(days_before(1)) is None
    assert notice(BEGIN, None) is None
    assert next_notice(Entitlement({})) is None
