"""What a change would bring, over HTTP: each kind of change alone and together, and nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ringfence.server.site.site import Site

from .test_packages import package

if TYPE_CHECKING:
    from .conftest import Client

NEW = {"name": "gerd", "location": "Haus", "extension": "106", "password": "Gerd-1060-Gurke"}


async def told(client: Client, **trial: Any) -> dict[str, Any]:
    """What it would mean to each user."""
    before = await client.get("licences/overview"), await client.get("users")
    reply = await client.ask("POST", "/api/v1/licences/what-if", json=trial)
    assert reply.status == 200, reply.body
    assert (await client.get("licences/overview"), await client.get("users")) == before
    return {one["user"]: one for one in reply.json["users"]}


async def test_every_kind_of_change_can_be_tried(client: Client) -> None:
    assert (await told(client, add={"office_plus": 1}))["dora"]["licences_gained"] == ["office_plus"]
    assert "office_plus" in (await told(client, move={"anna": "Haus/Lager"}))["dora"]["licences_gained"]
    assert "office_plus" in (await told(client, delete=["anna"]))["dora"]["licences_gained"]
    switched = await told(client, switch=[{"location": "Haus", "group": "Vertrieb", "functions": ["cti"]}])
    assert "softphone" in switched["anna"]["functions_lost"]
    assert (await told(client, create=[NEW | {"group": "Lager"}])) == {}
    assert "cti" in (await told(client, add={"office": 1}, create=[NEW]))["gerd"]["functions_gained"]


async def test_a_package_is_tried_until_it_expires(client: Client) -> None:
    text = package(last="2098-12-31").decode()
    assert "office_plus" in (await told(client, packages=[text]))["dora"]["licences_gained"]
    assert await told(client, packages=[text], at="2099-06-01T00:00:00Z") == {}
    reply = await client.refused(
        "POST", "licences/what-if", json={"packages": [package(last="2026-01-02").decode()]}
    )
    assert reply[:2] == (422, "package.expired")


async def test_a_stored_package_is_seen_to_expire(client: Client) -> None:
    assert (
        await client.ask("POST", "/api/v1/licences/packages", data=package(last="2098-12-31"))
    ).status == 201
    lost = await told(client, at="2099-01-01T00:00:00Z")
    assert "office_plus" in lost["dora"]["licences_lost"]


async def test_all_of_it_at_once_is_one_change(client: Client) -> None:
    again = NEW | {"name": "anna", "extension": "100", "group": "Vertrieb"}
    changes = await told(client, delete=["anna"], create=[again])
    assert "office_plus" in changes["anna"]["licences_lost"]  # she stands at the end of the order now (A-01)
    assert "office_plus" in changes["dora"]["licences_gained"]


@pytest.mark.parametrize(
    ("trial", "named"),
    [
        ({"add": {"offic": 1}}, '"office"'),
        ({"add": {"office": -100}}, "no more than"),
        ({"switch": [{"location": "Haus", "functions": None}]}, "inherit"),
        ({"switch": [{"location": "Haus", "group": None, "functions": ["ctj"]}]}, '"cti"'),
        ({"create": [NEW | {"extension": "100"}]}, "100"),
        ({"at": "2027-01-01T00:00:00"}, "at"),
        ({"at": "soon"}, "at"),
        ({"packages": ["{}"]}, "package"),
        ({"everything": True}, "everything"),
    ],
)
async def test_what_cannot_be_tried_is_422_and_named(
    client: Client, trial: dict[str, Any], named: str
) -> None:
    status, _, detail = await client.refused("POST", "licences/what-if", json=trial)
    assert status == 422
    assert named in detail


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"])
async def test_the_ends_of_time_can_be_looked_at(client: Client, at: str) -> None:
    assert await told(client, at=at) == {}


@pytest.mark.ringfence(site=Site.sample("small").text + '\n[licensing]\nmode = "grace"\n')
async def test_a_grace_that_begins_at_the_end_of_time_can_be_looked_at(client: Client) -> None:
    lost = await told(client, add={"voicemail": -3}, at="9999-12-31T23:59:59Z")
    assert lost["anna"]["licences_lost"] == ["voicemail"]
