from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ringfence.server.app import Options, Pbx

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


async def metrics(client: Client) -> dict[tuple[str, str], float]:
    reply = await client.ask("GET", "/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain")
    return read(reply.body)


def read(text: bytes) -> dict[tuple[str, str], float]:
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


async def test_calls_channels_registrations_and_refusals_are_counted(
    client: Client, pbx: PbxUnderTest
) -> None:
    await pbx.phone("101")
    anna = await pbx.phone("100")
    unknown = await anna.dial("777")
    box = await anna.dial("*102")
    await box.answered()
    now = await metrics(client)
    assert unknown.reason == "number.unknown"
    assert now["ringfence_refusals_total", "number.unknown"] == 1
    assert now["ringfence_registrations", ""] == 2
    assert now["ringfence_calls", ""] == 1
    assert now["ringfence_calls_started_total", ""] == 2
    assert now["ringfence_calls_ended_total", ""] == 1
    assert now["ringfence_channels_limit", "ip_channel"] == 4
    assert now["ringfence_channels_used", "ip_channel"] == 1
    assert now["ringfence_rtp_ports", "used"] == 1
    assert now["ringfence_sip_transactions", ""] > 0


@pytest.mark.virtual_time
async def test_what_a_call_took_is_free_again_once_its_last_transaction_is_over(pbx: PbxUnderTest) -> None:
    """RFC 3261 17.2.2: that waits 32 s for repetitions."""
    anna = await pbx.phone("100")
    box = await anna.dial("*102")
    await box.answered()
    await box.hang_up()
    await box.ended()
    await asyncio.sleep(33)
    now = read(pbx.server.metrics.text())
    assert now["ringfence_channels_used", "ip_channel"] == 0
    assert now["ringfence_channels_high_water", "ip_channel"] == 1
    assert now["ringfence_channels_denied_total", "ip_channel"] == 0
    assert (now["ringfence_rtp_ports", "used"], now["ringfence_sip_transactions", ""]) == (0, 0)


async def test_two_servers_in_one_process_count_by_themselves(client: Client, pbx: PbxUnderTest) -> None:
    other = await Pbx.start(pbx.server.site, Options(seed=2, in_process=True, http_port=None))
    try:
        await (await pbx.phone("100")).dial("777")
        assert (await metrics(client))["ringfence_refusals_total", "number.unknown"] == 1
        assert b"number.unknown" not in other.metrics.text()
    finally:
        await other.stop()
