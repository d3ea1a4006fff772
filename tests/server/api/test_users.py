from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


async def test_l44_who_lacks_a_licence_has_a_warning_and_nobody_else(client: Client) -> None:
    users = {user["name"]: user for user in await client.get("users")}
    assert list(users) == ["anna", "ben", "clara", "dora", "emil"]
    lacking = {name for name, user in users.items() if user["missing"]}
    assert lacking == {name for name, user in users.items() if user["warnings"]} == {"ben", "dora"}
    assert [one["licence"] for one in users["dora"]["missing"]] == ["office_plus", "voicemail", "fax"]
    assert users["dora"]["missing"][0]["state"] == "under_licensed"
    assert users["dora"]["warnings"][0].startswith("No Office Plus licence is left for dora.")


async def test_l44_the_list_can_be_that_of_a_location_or_group(client: Client) -> None:
    assert [user["name"] for user in await client.get("users?location=Haus&group=Lager")] == ["emil"]
    assert len(await client.get("users?location=Haus")) == 5
    unknown = await client.ask("GET", "/api/v1/users?location=Bonn")
    assert unknown.status == 404
    assert b"Bonn" in unknown.body


async def test_an_administrator_is_told_the_pin_even_a_random_one(client: Client, pbx: PbxUnderTest) -> None:
    assert (await client.get("users/anna"))["voicemail_pin"] == "8264"
    pin = (await client.get("users/dora"))["voicemail_pin"]
    assert pin.isdigit()
    box = pbx.server.boxes.box_of("dora")
    assert box is not None
    assert box.pin == pin


async def test_the_list_tells_neither_pins_nor_passwords(client: Client) -> None:
    text = (await client.ask("GET", "/api/v1/users")).body
    assert b"8264" not in text
    assert b"Anna-1000-Apfel" not in text


async def test_l05_a_moved_user_has_other_functions_and_whoever_waited_is_served(client: Client) -> None:
    reply = await client.ask("PATCH", "/api/v1/users/anna", json={"location": "Haus", "group": "Lager"})
    assert reply.status == 200
    moved = reply.json
    assert (moved["name"], moved["location"], moved["group"]) == ("anna", "Haus", "Lager")
    assert (moved["functions"], moved["licences"], moved["voicemail_pin"]) == ([], [], None)
    assert "office_plus" in (await client.get("users/dora"))["licences"]
    back = await client.ask("PATCH", "/api/v1/users/anna", json={"location": "Haus", "group": None})
    assert back.json["functions"] == ["cti", "presence", "voicemail"]


async def test_a_move_is_durable_when_it_is_acknowledged(client: Client, pbx: PbxUnderTest) -> None:
    await client.ask("PATCH", "/api/v1/users/ben", json={"location": "Haus"})
    rows = await pbx.server.store.unit.run(
        lambda connection: connection.exec_driver_sql("SELECT \"group\" FROM users WHERE name = 'ben'").all()
    )
    assert [tuple(row) for row in rows] == [(None,)]


async def test_a_user_or_place_that_is_not_there_is_named(client: Client) -> None:
    status, reason, detail = await client.refused("GET", "users/ana")
    assert (status, reason) == (404, "not_found")
    assert '"anna"' in detail
    status, reason, detail = await client.refused("PATCH", "users/anna", json={"location": "Hauss"})
    assert (status, reason) == (422, "request.invalid")
    assert '"Haus"' in detail
    assert (await client.refused("PATCH", "users/ana", json={"location": "Haus"}))[0] == 404
