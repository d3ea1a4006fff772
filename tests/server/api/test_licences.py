from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from ringfence.server.cli import application

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


@pytest.mark.ringfence(site="musterfirma")
async def test_the_overview_is_that_of_the_command_line(
    client: Client, pbx: PbxUnderTest, tmp_path: Path
) -> None:
    file = tmp_path / "site.toml"
    file.write_text(pbx.server.site.text, encoding="utf-8")
    line = ["licence", "overview", str(file), "--json"]
    told = json.loads(CliRunner().invoke(application(line), line).stdout_bytes)
    assert await client.get("licences/overview") == told


async def test_explain_tells_each_step_and_the_state_of_the_channels(
    client: Client, pbx: PbxUnderTest
) -> None:
    refused = await client.get("licences/explain?user=dora&function=softphone")
    assert (refused["granted"], refused["reason"]) == (False, "license.office_plus.under_licensed")
    granted = await client.get("licences/explain?user=anna&function=voicemail")
    assert (granted["granted"], granted["reason"]) == (True, None)
    assert granted["steps"][-1]["check"] == "channel"
    pbx.pools.ip_channel.limit = 0
    full = await client.get("licences/explain?user=anna&function=voicemail")
    assert (full["granted"], full["reason"]) == (False, "ip_channel.exhausted")


async def test_explain_wants_a_known_user_and_a_known_function(client: Client) -> None:
    assert (await client.refused("GET", "licences/explain?user=ana&function=cti"))[:2] == (404, "not_found")
    refused = await client.refused("GET", "licences/explain?user=anna&function=softfone")
    assert refused[:2] == (422, "request.invalid")
    assert '"softphone"' in refused[2]


async def test_what_if_tells_who_gains_and_changes_nothing(client: Client) -> None:
    before = await client.get("licences/overview")
    reply = await client.ask("POST", "/api/v1/licences/what-if", json={"add": {"office_plus": 1}})
    gains = {user["user"]: user["licences_gained"] for user in reply.json["users"]}
    assert gains == {"dora": ["office_plus"]}
    moved = await client.ask("POST", "/api/v1/licences/what-if", json={"move": {"anna": "Haus/Lager"}})
    assert "voicemail" in moved.json["users"][0]["settings_deleted"]
    assert await client.get("licences/overview") == before


@pytest.mark.parametrize(
    "change",
    [
        {"add": {"offic": 1}},
        {"add": {"office": -3}},
        {"move": {"anna": "Bonn"}},
        {"move": {"anna": "Haus/Keller"}},
    ],
)
async def test_what_cannot_be_tried_is_422(client: Client, change: dict[str, object]) -> None:
    assert (await client.refused("POST", "licences/what-if", json=change))[:2] == (422, "request.invalid")
