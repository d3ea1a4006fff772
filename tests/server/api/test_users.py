from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


NEW = {"name": "gerd", "location": "Haus", "extension": "106", "password": "Gerd-1060-Gurke"}


async def test_a01_a_new_user_is_the_last_in_the_order_and_can_log_in(
    client: Client, pbx: PbxUnderTest
) -> None:
    reply = await client.ask("POST", "/api/v1/users", json=NEW)
    assert reply.status == 201
    created = reply.json
    assert (created["name"], created["display_name"], created["location"]) == ("gerd", "gerd", "Haus")
    assert created["voicemail_pin"].isdigit()
    assert "Gurke" not in reply.body.decode()
    assert [user["name"] for user in await client.get("users")][-1] == "gerd"
    await pbx.phone("106")
    assert (await client.refused("POST", "users", json=NEW))[:2] == (422, "request.invalid")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "200"}, "200"),
        ({"extension": "100"}, "100"),
        ({"location": "Hauss"}, "Haus"),
        ({"seq": 1}, "seq"),
        ({"password": 1}, "password"),
        ({"voicemail_pin": "1111"}, "PIN"),
    ],
)
async def test_a_user_who_cannot_be_is_refused_with_what_is_wrong(
    client: Client, change: dict[str, object], named: str
) -> None:
    status, reason, detail = await client.refused("POST", "users", json=NEW | change)
    assert (status, reason) == (422, "request.invalid")
    assert named in detail
    assert len(await client.get("users")) == 5


async def test_fields_that_are_not_named_stay(client: Client) -> None:
    before = await client.get("users/anna")
    change = {"display_name": "Anna Maier", "fax_number": None, "forward": {"busy": "101"}}
    after = (await client.ask("PATCH", "/api/v1/users/anna", json=change)).json
    kinds = dict.fromkeys(("always", "busy", "no_answer", "not_registered", "internal", "external"))
    forward = kinds | {"busy": "101", "after_s": 20.0}
    assert after == before | {"display_name": "Anna Maier", "fax_number": None, "forward": forward}
    pin = (await client.ask("PATCH", "/api/v1/users/anna", json={"voicemail_pin": None})).json[
        "voicemail_pin"
    ]
    assert pin.isdigit()
    assert pin != "8264"


async def test_a_move_and_other_fields_are_one_change_or_none(client: Client) -> None:
    both = {"location": "Haus", "group": "Lager", "display_name": "A"}
    moved = (await client.ask("PATCH", "/api/v1/users/anna", json=both)).json
    assert (moved["group"], moved["display_name"]) == ("Lager", "A")
    taken = {"location": "Haus", "extension": "101"}
    assert (await client.refused("PATCH", "users/anna", json=taken))[:2] == (422, "request.invalid")
    assert (await client.get("users/anna"))["group"] == "Lager"
    for alone in ({"group": "Vertrieb"}, {"name": "x"}, {"seq": 1}, {"location": None}):
        assert (await client.refused("PATCH", "users/anna", json=alone))[:2] == (422, "request.invalid")


async def test_l48_a_deleted_user_is_gone_and_whoever_waited_is_served(client: Client) -> None:
    dry = (await client.ask("DELETE", "/api/v1/users/anna?dry_run=true")).json
    told = {one["user"]: one for one in dry["users"]}
    assert "office_plus" in told["dora"]["licences_gained"]
    assert "voicemail_pin" in told["anna"]["settings_deleted"]
    assert "user.deleted" in [one["event"] for one in dry["events"]]
    assert (await client.get("users/anna"))["name"] == "anna"
    assert (await client.ask("DELETE", "/api/v1/users/anna")).status == 204
    assert "office_plus" in (await client.get("users/dora"))["licences"]
    assert (await client.refused("DELETE", "users/anna"))[:2] == (404, "not_found")
