"""TAPI lines over HTTP: which are bound, which asked in vain, and how an administrator releases one (L-09, V12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.site.acts import BindLine
from ringfence.server.site.require import LineRefusedError

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


async def bind(pbx: PbxUnderTest, *lines: str) -> None:
    for line in lines:
        await pbx.server.administration.apply(BindLine(line), actor="tapi")


async def test_v12_a_released_line_lets_another_have_its_licence(client: Client, pbx: PbxUnderTest) -> None:
    await bind(pbx, "100", "101")
    with pytest.raises(LineRefusedError):
        await bind(pbx, "102")
    lines = await client.get("licences/lines")
    assert (lines["limit"], [one["line"] for one in lines["bound"]], lines["asked"]) == (
        2,
        ["100", "101"],
        ["102"],
    )
    assert all(one["effective"] for one in lines["bound"])
    assert (await client.get("licences/overview"))["pools"]["tapi_line"]["missing"] == 1
    dry = await client.ask("DELETE", "/api/v1/licences/lines/100?dry_run=true")
    assert (dry.status, dry.json["events"][0]["event"]) == (200, "line.released")
    assert await client.get("licences/lines") == lines
    assert (await client.ask("DELETE", "/api/v1/licences/lines/100")).status == 204
    await bind(pbx, "102")
    assert [one["line"] for one in (await client.get("licences/lines"))["bound"]] == ["101", "102"]
    assert (await client.refused("DELETE", "licences/lines/100"))[:2] == (404, "not_found")
