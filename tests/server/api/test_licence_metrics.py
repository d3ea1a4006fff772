from __future__ import annotations

from random import Random

from ringfence.licensing.overview import pool_counts
from ringfence.server.api.licence_metrics import licence_metrics, webhook_metrics
from ringfence.server.hooks.outbox import Outbox
from ringfence.server.site.acts import BindLine, ImportPackage
from ringfence.server.site.administration import Administration
from ringfence.server.site.events import LimitReached
from ringfence.server.site.holdings import Holdings
from ringfence.server.site.site import Site, Webhook
from ringfence.server.switch.stream import Stamped

from ..issued import issued

NOW = 1_700_000_000.0


async def licences() -> dict[tuple[str, str], float]:
    desk = Administration(
        Holdings.of(Site.sample("small")), None, lambda _: None, random=Random(1), clock=lambda: NOW
    )
    await desk.apply(ImportPackage(issued("p-1", until="2023-11-30", fax=2)))
    await desk.apply(BindLine("100"))
    desk.stop()
    found = {
        (sample.name.removeprefix("ringfence_"), next(iter(sample.labels.values()))): sample.value
        for family in licence_metrics(desk)
        for sample in family.samples
    }
    for key, count in pool_counts(desk.entitlement, desk.allocation, desk.lines).items():
        for column, value in count.items():
            assert found[f"licences_{column}", key] == value
    return found


async def test_the_licences_are_those_of_the_overview_and_who_is_over_is_told_since_when() -> None:
    now = await licences()
    assert (now["licences_bought", "office"], now["licences_bought", "ip_channel"]) == (4, 4)
    assert (now["licences_required", "office_plus"], now["licences_missing", "office_plus"]) == (3, 1)
    assert (now["licences_over", "office_plus"], now["licences_over", "fax"]) == (1, 0)
    assert now["licences_over", "tapi_line"] == 0
    assert now["licences_assigned", "tapi_line"] == 1
    assert now["licences_over_since_timestamp_seconds", "office_plus"] == NOW


async def test_a_package_is_told_with_its_end_and_whether_it_counts() -> None:
    now = await licences()
    assert now["package_expiry_timestamp_seconds", "p-1"] == 1_701_388_800
    assert now["package_counts", "p-1"] == 1


def test_a_webhook_is_told_with_what_was_taken_what_failed_and_what_waits() -> None:
    box = Outbox(Webhook("ci", "http://127.0.0.1/", "a-long-secret"), lambda: "w-1", room=2, most_tries=2)
    for seq in range(1, 5):
        box.put(Stamped(seq, 0.0, LimitReached("fax", seq)))
    box.next(0.0)
    box.taken()
    box.next(0.0)
    box.failed(0.0)
    values = {sample.name: sample.value for family in webhook_metrics([box]) for sample in family.samples}
    assert values == {
        "ringfence_webhook_waiting": 2,
        "ringfence_webhook_deliveries_total": 1,
        "ringfence_webhook_failed_tries_total": 1,
        "ringfence_webhook_missing_total": 2,
    }
