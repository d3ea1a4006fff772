"""The journal over HTTP: calls that are over and refusals, found by user, number, reason and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


async def test_calls_and_refusals_are_found_newest_first(client: Client, pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    call = await anna.dial("99200")
    await call.hang_up()
    pbx.pools.ip_channel.limit = 0
    refused = await anna.dial("*101")
    page = await client.get("journal")
    assert page["before"] is None
    found = [(one["kind"], one["called"]) for one in page["entries"]]
    assert ("call", "99200") in found
    (refusal,) = (await client.get("journal?reason=ip_channel.exhausted"))["entries"]
    assert (refusal["decision"], refusal["user"], refusal["called"]) == (refused.decision, "anna", "*101")
    assert (await client.get("journal?number=99200&user=anna"))["entries"][0]["kind"] == "call"
    assert (await client.get("journal?user=ben"))["entries"] == []


async def test_a_page_leads_to_the_next_and_time_bounds_it(client: Client, pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    for number in ("99486", "99404", "99403"):
        await anna.dial(number)
    whole = (await client.get("journal"))["entries"]
    first = await client.get("journal?limit=2")
    rest = await client.get(f"journal?before={first['before']}")
    assert first["entries"] + rest["entries"] == whole
    at = whole[-1]["at"]
    assert (await client.get(f"journal?until={at}"))["entries"] == []
    assert (await client.get(f"journal?since={at}"))["entries"] == whole


async def test_l56_calls_are_recorded_while_analytics_is_closed(client: Client, pbx: PbxUnderTest) -> None:
    assert (await client.refused("GET", "analytics/access"))[:2] == (403, "analytics.no_cti")
    anna = await pbx.phone("100")
    call = await anna.dial("9901")
    await call.hang_up()
    (entry,) = (await client.get("journal?number=9901"))["entries"]
    assert (entry["kind"], entry["caller"], entry["called"]) == ("call", "100", "9901")


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-01-01T00:00:00", "limit=0", "limit=1001"])
async def test_what_cannot_be_asked_is_422(client: Client, query: str) -> None:
    assert (await client.refused("GET", f"journal?{query}"))[:2] == (422, "request.invalid")
