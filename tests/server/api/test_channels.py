from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


async def test_an_idle_server_has_its_limits_and_no_lease(client: Client) -> None:
    assert await client.get("channels") == {
        "pools": {
            "ip_channel": {"limit": 4, "used": 0, "high_water": 0, "denied": 0},
            "auto_attendant": {"limit": 20, "used": 0, "high_water": 0, "denied": 0},
        },
        "leases": [],
    }


async def test_a_call_to_the_attendant_holds_one_channel_of_each_pool(
    client: Client, pbx: PbxUnderTest
) -> None:
    call = await (await pbx.phone("100")).dial("200")
    await call.answered()
    report = await client.get("channels")
    (entry,) = await client.get("calls")
    assert [lease["pool"] for lease in report["leases"]] == ["ip_channel", "auto_attendant"]
    assert {lease["call"] for lease in report["leases"]} == {entry["id"]}
    assert {lease["leg"] for lease in report["leases"]} == {entry["connections"][0]["leg"]}
    assert all(lease["since"] >= entry["started_at"] for lease in report["leases"])
    assert report["pools"]["ip_channel"]["used"] == 1


async def test_a_denial_is_counted(client: Client, pbx: PbxUnderTest) -> None:
    pbx.pools.ip_channel.limit = 0
    call = await (await pbx.phone("100")).dial("*101")
    assert (call.status, call.reason) == (503, "ip_channel.exhausted")
    assert (await client.get("channels"))["pools"]["ip_channel"]["denied"] == 1
