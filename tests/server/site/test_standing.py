from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.licensing.gate import Granted
from ringfence.licensing.modes import ComplianceChanged
from ringfence.licensing.package import read
from ringfence.licensing.refusal import Refusal
from ringfence.server.site.events import EntitlementChanged
from ringfence.server.site.holdings import Holdings, StoredPackage, peopled
from ringfence.server.site.site import Site
from ringfence.server.site.standing import consequences, stand

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
