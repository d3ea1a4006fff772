"""What time does to licences, seen at the SIP door: a package ends, a grace ends, a limit is reached."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ringfence.licensing.overview import overview
from ringfence.server.event_form import name_of
from ringfence.server.site.acts import ImportPackage
from ringfence.server.site.events import (
    EntitlementChanged,
    GraceEnded,
    LicenceDisplaced,
    LimitReached,
    PackageExpired,
    PackageExpiring,
)
from ringfence.server.site.site import Site

from ..issued import issued

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time

ROOT = "08955550"
DAY_S = 86_400.0
UNDER_LICENSED = (403, "license.office_plus.under_licensed")
WITH_GRACE = Site.sample("small").text.replace(
    "[[location]]", "[licensing.modes]\noffice_plus = { grace_days = 1 }\n\n[[location]]", 1
)


async def import_until(pbx: PbxUnderTest, seconds: float, **licences: int) -> float:
    """Import a package that ends in about so many seconds; returns when, on the server's clock."""
    clock = pbx.server.clock
    end = (clock.today() + timedelta(seconds=seconds)).replace(microsecond=0)
    data = issued("p-1", until=end.strftime("%Y-%m-%dT%H:%M:%SZ"), **licences)
    await pbx.server.administration.apply(ImportPackage(data))
    packages = pbx.server.administration.entitlement.packages
    ends_at = packages[0].ends_at
    assert ends_at is not None
    return clock.now() + (ends_at - clock.today()).total_seconds()


async def reach(pbx: PbxUnderTest, at_s: float) -> None:
    """Let virtual time jump."""
    await asyncio.sleep(at_s - pbx.server.clock.now())


def warnings(pbx: PbxUnderTest) -> set[str]:
    desk = pbx.server.administration
    subjects, locations = desk.directory.subjects(), [one.name for one in desk.directory.locations]
    return {
        one["code"] for one in overview(desk.entitlement, desk.allocation, subjects, locations)["warnings"]
    }


def metric(pbx: PbxUnderTest, sample: str) -> float:
    (line,) = [one for one in pbx.server.metrics.text().decode().splitlines() if one.startswith(f"{sample} ")]
    return float(line.rpartition(" ")[2])


async def test_a_package_that_ends_is_without_effect_from_that_instant_and_calls_go_on(
    pbx: PbxUnderTest,
) -> None:
    """L-47, L-76"""
    end_s = await import_until(pbx, 90, office_plus=1)
    dora, ben = await pbx.phone("dora"), await pbx.phone("101")
    call = await dora.dial("101")
    answered = await ben.answer()
    assert "package.expiring" in warnings(pbx)
    await reach(pbx, end_s - 0.001)
    assert (await dora.register()).status == 200
    await pbx.wait_for(PackageExpired, package="p-1")
    stamped = {name_of(one.event): one.at_s for one in pbx.server.stream.recent}
    assert stamped["package.expired"] == pytest.approx(end_s, abs=1e-5)
    refused = await dora.dial("9901")
    assert (refused.status, refused.reason) == UNDER_LICENSED
    assert (await dora.register()).status == 403
    told = [one.event for one in pbx.server.stream.recent]
    assert EntitlementChanged("office_plus", 3, 2) in told
    assert LicenceDisplaced("dora", "office_plus", None) in told
    assert "package.expired" in warnings(pbx)
    assert metric(pbx, 'ringfence_package_counts{package="p-1"}') == 0
    assert metric(pbx, 'ringfence_licences_bought{licence="office_plus"}') == 2
    assert metric(pbx, 'ringfence_licences_over{licence="office_plus"}') == 1
    await call.send_digits("1")
    assert not call.is_over
    await answered.hang_up()


async def test_a_package_is_told_to_be_expiring_at_each_of_its_three_instants(pbx: PbxUnderTest) -> None:
    end_s = await import_until(pbx, 31 * DAY_S, fax=1)
    await pbx.wait_for(PackageExpired, timeout_s=32 * DAY_S)
    notices = {
        one.event.days: one.at_s for one in pbx.server.stream.recent if isinstance(one.event, PackageExpiring)
    }
    assert notices == {days: pytest.approx(end_s - days * DAY_S, abs=1e-4) for days in (30, 7, 1)}


@pytest.mark.ringfence(site=WITH_GRACE)
async def test_a_grace_that_ends_refuses_from_that_instant_on(pbx: PbxUnderTest) -> None:
    dora = await pbx.phone("dora", register=False)
    until = pbx.server.administration.gate.valid_until
    assert until is not None
    clock = pbx.server.clock
    end_s = clock.now() + (until - clock.today()).total_seconds()
    await reach(pbx, end_s - 0.001)
    assert (await dora.register()).status == 200
    await pbx.wait_for(GraceEnded, licence="office_plus", waiting=1)
    response = await dora.register()
    assert (response.status, response.get("x-license-reason")) == UNDER_LICENSED
    assert clock.now() == pytest.approx(end_s, abs=0.1)


async def test_the_last_channel_is_told_each_time_it_is_taken_and_a_refusal_tells_nothing_more(
    pbx: PbxUnderTest,
) -> None:
    """L-15"""
    caller = await pbx.outside("+49731999")
    held = [await caller.dial(f"{ROOT}*100") for _ in range(4)]
    reached = LimitReached("ip_channel", 4)

    def told() -> int:
        return [one.event for one in pbx.server.stream.recent].count(reached)

    assert told() == 1
    assert (await caller.dial(f"{ROOT}*100")).status == 503
    assert told() == 1
    await held.pop().hang_up()
    await pbx.server.stream.until(lambda: pbx.pools.ip_channel.used == 3, 10.0)
    held.append(await caller.dial(f"{ROOT}*100"))
    assert told() == 2
    assert metric(pbx, 'ringfence_limit_reached_total{pool="ip_channel"}') == 2
    for call in held:
        await call.hang_up()


async def test_channels_that_go_with_a_package_cut_no_call_and_may_use_up_the_pool(pbx: PbxUnderTest) -> None:
    """L-75"""
    await import_until(pbx, 20, ip_channel=1)
    caller = await pbx.outside("+49731999")
    held = [await caller.dial(f"{ROOT}*100") for _ in range(4)]
    assert [pbx.pools.ip_channel.limit, pbx.pools.ip_channel.used] == [5, 4]
    await pbx.wait_for(LimitReached, pool="ip_channel", limit=4)
    assert (await caller.dial(f"{ROOT}*100")).reason == "ip_channel.exhausted"
    assert not any(call.is_over for call in held)
    for call in held:
        await call.hang_up()
