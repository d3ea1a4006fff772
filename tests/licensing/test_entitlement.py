"""What was bought, as channels, data sources and pools."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.licensing.entitlement import AttendantUnit, Entitlement
from ringfence.licensing.keys import DEVELOPER_KEY, generate_key, key_id
from ringfence.licensing.package import Package, issue, read

KEY = generate_key(bytes(32))
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def package(
    name: str, not_before: str = "2026-01-01", not_after: str | None = None, **licences: int
) -> Package:
    data = issue(
        KEY.private,
        id=name,
        customer="Firma",
        licences=licences,
        issued="2026-01-01",
        not_before=not_before,
        not_after=not_after,
    )
    return read(data)


def bought(**counts: int) -> Entitlement:
    return Entitlement({"server": 1, **counts})


def test_l11_office_plus_counts_as_office_too() -> None:
    entitlement = bought(office=100, office_plus=50)
    assert (entitlement.capacity("office"), entitlement.capacity("office_plus")) == (150, 50)


def test_l15_an_ip_channel_licence_is_one_channel() -> None:
    assert bought(ip_channel=4).ip_channels == 4


def test_l16_an_attendant_licence_is_twenty_channels() -> None:
    assert bought(ip_channel=2, auto_attendant=3).auto_attendant_channels == 60


@pytest.mark.parametrize("ip_channel", [0, 1])
def test_l32_below_two_ip_channels_there_is_no_attendant_channel(ip_channel: int) -> None:
    assert bought(ip_channel=ip_channel, auto_attendant=3).auto_attendant_channels == 0


@pytest.mark.parametrize(("more", "sources"), [(0, 10), (2, 30)])
def test_v10_l17_ten_data_sources_and_ten_more_a_licence(more: int, sources: int) -> None:
    assert bought(additional_databases=more).data_sources == sources


def test_v7_the_attendant_has_more_channels_than_the_system() -> None:
    entitlement = bought(auto_attendant=1, ip_channel=2)
    assert (entitlement.ip_channels, entitlement.auto_attendant_channels) == (2, 20)


def test_v7b_the_system_has_more_channels_than_the_attendant() -> None:
    entitlement = bought(auto_attendant=1, ip_channel=25)
    assert (entitlement.ip_channels, entitlement.auto_attendant_channels) == (25, 20)


def test_l21_without_server_nothing_has_an_effect_and_counts_stay_as_bought() -> None:
    entitlement = Entitlement({"ip_channel": 4, "auto_attendant": 1, "office": 3, "additional_databases": 1})
    channels = entitlement.ip_channels, entitlement.auto_attendant_channels, entitlement.data_sources
    assert not entitlement.server
    assert channels == (0, 0, 0)
    assert entitlement.capacity("office") == 3
    assert entitlement.blocked_by("office") == entitlement.blocked_by("voicemail") == ("server",)


@pytest.mark.parametrize(
    ("ip_channel", "key", "blocked"),
    [
        (1, "voicemail", ("ip_channel>=2",)),
        (2, "voicemail", ()),
        (0, "fax", ("ip_channel>=1",)),
        (1, "fax", ()),
        (0, "office", ()),
        (0, "server", ()),
    ],
)
def test_l30_l31_what_blocks_a_licence_for_everybody(
    ip_channel: int, key: str, blocked: tuple[str, ...]
) -> None:
    assert bought(ip_channel=ip_channel).blocked_by(key) == blocked


def test_l33_two_channels_satisfy_all_minimums_together() -> None:
    entitlement = bought(ip_channel=2)
    assert not any(entitlement.blocked_by(key) for key in ("fax", "voicemail", "auto_attendant"))


def test_an_unknown_licence_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no licence 'ofice'"):
        bought(ofice=1)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="office = -1"):
        bought(office=-1)


def test_l11_l12_orders_add_up_to_150_office_and_50_plus() -> None:
    orders = [package("first", office=100), package("second", office_plus=50)]
    entitlement = Entitlement.of({"server": 1}, orders, NOW)
    assert (entitlement.capacity("office"), entitlement.capacity("office_plus")) == (150, 50)
    assert entitlement.plain == {"server": 1, "office": 0, "office_plus": 0}


def test_a_package_that_is_there_twice_counts_once() -> None:
    one = package("first", office=100)
    assert Entitlement.of({}, [one, read(one.data)], NOW).bought == {"office": 100}


def test_a_package_counts_from_its_beginning_to_its_end_and_the_next_turn_is_known() -> None:
    packages = [
        package("spring", "2026-03-01", "2026-06-30", office=1),
        package("now", "2026-07-01", "2026-07-31", office=2),
        package("next", "2026-08-15", None, office=4),
    ]
    turns = []
    at = datetime(2026, 1, 1, tzinfo=UTC)
    while True:
        entitlement = Entitlement.of({"office": 8}, packages, at)
        turns.append((at.date().isoformat(), entitlement.bought["office"]))
        if entitlement.next_change_at is None:
            break
        before = Entitlement.of({"office": 8}, packages, entitlement.next_change_at - timedelta(seconds=1))
        assert before.bought == entitlement.bought
        at = entitlement.next_change_at
    assert turns == [
        ("2026-01-01", 8),
        ("2026-03-01", 9),
        ("2026-07-01", 10),
        ("2026-08-01", 8),
        ("2026-08-15", 12),
    ]


def test_a_package_of_the_developer_key_marks_the_whole_while_it_counts() -> None:
    ours = replace(package("trial", not_after="2026-07-31", office=1), key=key_id(DEVELOPER_KEY))
    assert Entitlement.of({}, [ours], NOW).developer
    assert not Entitlement.of({}, [ours], NOW + timedelta(31)).developer
    assert not Entitlement.of({}, [package("bought", office=1)], NOW).developer


@pytest.mark.parametrize(("unit", "channels"), [("channels", 20), ("attendants", 25), ("both", 20)])
def test_a07_what_an_attendant_licence_limits_is_a_setting(unit: AttendantUnit, channels: int) -> None:
    assert bought(ip_channel=25, auto_attendant=1).attendant_channels(unit) == channels
    assert bought(ip_channel=1, auto_attendant=1).attendant_channels(unit) == 0
    assert bought(ip_channel=25).attendant_channels(unit) == 0
