"""Personal settings over HTTP: read, set, taken away, refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client, Reply

BUSY = "users/anna/settings/telephone/forward.busy"
PIN = "users/anna/settings/voicemail/voicemail_pin"


async def put(client: Client, path: str, value: Any) -> Reply:
    return await client.ask("PUT", f"/api/v1/{path}", json={"value": value})


async def test_a_setting_is_set_read_and_taken_away(client: Client, pbx: PbxUnderTest) -> None:
    reply = await put(client, BUSY, "101")
    assert (reply.status, reply.json["value"]) == (200, "101")
    assert (await client.get(BUSY))["value"] == "101"
    forward = pbx.server.administration.directory.by_name("anna").forward  # type: ignore[union-attr]
    assert forward is not None
    assert forward.busy == "101"
    assert (await client.ask("DELETE", f"/api/v1/{BUSY}")).status == 204
    assert (await client.get(BUSY))["value"] is None
    assert (await client.refused("DELETE", BUSY))[:2] == (404, "not_found")


async def test_the_list_has_what_a_user_can_set_and_what_he_has(client: Client) -> None:
    settings = {(one["function"], one["key"]): one for one in await client.get("users/anna/settings")}
    assert settings["voicemail", "voicemail_pin"]["value"] == "8264"
    assert settings["voicemail", "greeting"]["value"] is None
    assert settings["telephone", "forward.busy"]["wanted"].startswith("a number to dial")
    functions = {one["function"] for one in await client.get("users/emil/settings")}
    assert functions == {"telephone"}


async def test_a_dry_run_changes_nothing_and_tells_what_would_happen(client: Client) -> None:
    reply = await client.ask("PUT", f"/api/v1/{BUSY}?dry_run=true", json={"value": "101"})
    (event,) = reply.json["events"]
    assert event["event"] == "setting.changed"
    assert (await client.get(BUSY))["value"] != "101"


async def test_l06_a_forwarding_to_the_own_box_goes_with_voicemail_whoever_set_it(client: Client) -> None:
    await put(client, BUSY, "*100")
    await client.ask("PATCH", "/api/v1/users/anna", json={"location": "Haus", "group": "Lager"})
    assert (await client.get(BUSY))["value"] is None


@pytest.mark.parametrize(
    ("path", "value", "status", "detail"),
    [
        (
            BUSY,
            7,
            422,
            'The setting "forward.busy" of telephone does not fit: input should be a valid string',
        ),
        (BUSY, "x", 422, 'The target "x" of the busy forwarding of "anna" is no number; use'),
        (BUSY, "100", 422, 'The busy forwarding of "anna" leads back to its own extension 100; name another'),
        (BUSY, None, 422, 'The field "value" does not fit: null is no value; DELETE takes one away.'),
        (PIN, "1234", 422, 'The voicemail_pin of "anna" is not a PIN; use 2 to 9 digits without a run'),
        (f"{BUSY}x", "100", 404, 'The setting "forward.busyx" of telephone is not known; did you mean'),
        ("users/anna/settings/vm/x", 1, 404, 'The function "vm" is not known; use one of telephone, '),
        ("users/emil/settings/voicemail/voicemail_pin", "82", 422, 'is not on for "emil"; switch it on'),
        (
            "users/anna/settings/voicemail/greeting",
            {},
            422,
            'The setting "greeting" is no value; use PUT users',
        ),
    ],
)
async def test_what_cannot_be_set_is_refused_in_one_sentence(
    client: Client, path: str, value: object, status: int, detail: str
) -> None:
    before = await client.get("users/anna/settings")
    told = await client.refused("PUT", path, json={"value": value})
    assert (told[0], detail in told[2]) == (status, True), told
    assert await client.get("users/anna/settings") == before


async def test_a_user_changes_his_own_and_nobody_elses(client: Client) -> None:
    anna = await client.holder(kind="user", user="anna", client="web")
    assert (await put(anna, BUSY, "101")).status == 200
    assert (await put(anna, PIN, "2795")).json["value"] is None
    assert (await client.get(PIN))["value"] == "2795"
    assert (await anna.refused("GET", PIN))[:2] == (403, "auth.forbidden")
    assert all(one["key"] != "voicemail_pin" for one in await anna.get("users/anna/settings"))
    other = await anna.refused("PUT", "users/ben/settings/telephone/forward.busy", json={"value": "100"})
    assert other[:2] == (403, "auth.forbidden")


async def test_l47_whoever_is_not_licensed_keeps_his_settings_and_cannot_change_them(
    client: Client, pbx: PbxUnderTest
) -> None:
    """L-46, L-47"""
    dora = await client.holder(kind="user", user="dora", client="web")
    pin = "users/dora/settings/voicemail/voicemail_pin"
    assert (await client.get(pin))["value"] == pbx.server.boxes.box_of("dora").pin  # type: ignore[union-attr]
    status, reason, _ = await dora.refused("PUT", pin, json={"value": "2795"})
    assert (status, reason) == (403, "license.voicemail.under_licensed")
    assert (await put(client, pin, "2795")).status == 200


async def test_l62_a_sub_administrator_changes_those_of_his_locations(client: Client) -> None:
    sub = await client.holder(kind="sub_administrator", locations=["Haus"])
    assert (await put(sub, BUSY, "101")).status == 200
    assert (await sub.refused("GET", "users/nobody/settings"))[0] == 403
