"""Licence packages over HTTP, and what a change would bring before it is made."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

import ringfence
from ringfence.licensing.keys import generate_key
from ringfence.licensing.package import issue

if TYPE_CHECKING:
    from .conftest import Client

PACKAGES = "/api/v1/licences/packages"
DEVELOPER = (files(ringfence) / "fixtures" / "keys" / "developer.key").read_text(encoding="utf-8").strip()


def package(key: str = DEVELOPER, *, first: str = "2026-01-01", last: str | None = None) -> bytes:
    return issue(
        key,
        id="p-1",
        customer="Klein",
        licences={"office": 1, "office_plus": 1},
        issued="2026-01-01",
        not_before=first,
        not_after=last,
    )


async def test_l11_a_package_adds_to_the_pools_and_serves_whoever_waits(client: Client) -> None:
    before = (await client.get("licences/overview"))["pools"]["office_plus"]
    reply = await client.ask("POST", PACKAGES, data=package())
    assert reply.status == 201
    after = (await client.get("licences/overview"))["pools"]["office_plus"]
    assert (after["bought"] - before["bought"], after["missing"]) == (1, 0)
    (entry,) = await client.get("licences/packages")
    assert (entry["id"], entry["licences"], entry["developer"]) == (
        "p-1",
        {"office": 1, "office_plus": 1},
        True,
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (package().replace(b'"office":1', b'"office":9'), "package.signature"),
        (package(generate_key(b"1" * 32).private), "package.signature"),
        (package(last="2026-01-02"), "package.expired"),
        (package(first="2099-01-01"), "package.not_yet_valid"),
        (b"{}", "package.invalid"),
    ],
    ids=["one bit", "another key", "expired", "too early", "no package"],
)
async def test_a_package_that_does_not_count_is_422_with_its_reason(
    client: Client, data: bytes, reason: str
) -> None:
    reply = await client.ask("POST", PACKAGES, data=data)
    assert (reply.status, reply.json["reason"]) == (422, reason)
    assert await client.get("licences/packages") == []


async def test_a_dry_run_tells_what_would_change_and_changes_nothing(client: Client) -> None:
    before = await client.get("licences/overview")
    move = {"location": "Haus", "group": "Lager"}
    reply = await client.ask("PATCH", "/api/v1/users/anna?dry_run=true", json=move)
    users = {one["user"]: one for one in reply.json["users"]}
    assert reply.status == 200
    assert "office_plus" in users["anna"]["licences_lost"]
    assert users["dora"]["functions_gained"]
    assert (await client.ask("POST", f"{PACKAGES}?dry_run=true", data=package())).status == 200
    assert await client.get("licences/overview") == before
    assert (await client.ask("PATCH", "/api/v1/users/anna?dry_run=maybe", json=move)).status == 422


async def test_without_a_cti_door_analytics_is_closed_with_that_reason(client: Client) -> None:
    """L-54."""
    reply = await client.ask("GET", "/api/v1/analytics/access")
    assert (reply.status, reply.json["reason"]) == (403, "analytics.no_cti")
    assert reply.json["decision"]
