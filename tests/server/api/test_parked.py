"""Parked calls over HTTP: listed, parked by an application, and taken by a placed call."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from tests.server.switch.talk import bridged

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


async def test_an_application_parks_a_call_and_lets_another_telephone_take_it(
    client: Client, pbx: PbxUnderTest
) -> None:
    call, answered = await bridged(pbx)
    clara = await pbx.phone("102")
    (entry,) = await client.get("calls")
    reply = await client.ask("POST", f"/api/v1/calls/{entry['id']}/park", json={"by": "101"})
    assert reply.status == 200
    told = dict(reply.json)
    assert datetime.fromisoformat(told.pop("since")).tzinfo is not None
    assert told == {"slot": "1", "number": "**71", "call": entry["id"], "device": "100", "by": "101"}
    await answered.ended()
    assert await client.get("parked") == [reply.json]
    await client.ask("POST", "/api/v1/calls", json={"from": "clara", "to": told["number"]})
    taken = await clara.answer()
    await asyncio.sleep(0.2)
    assert await client.get("parked") == []
    assert [one["device"] for one in (await client.get(f"calls/{entry['id']}"))["connections"]] == [
        "100",
        "102",
    ]
    await taken.hang_up()
    await call.ended()


async def test_who_asks_for_what_cannot_be_gets_one_sentence(client: Client, pbx: PbxUnderTest) -> None:
    call, answered = await bridged(pbx)
    (entry,) = await client.get("calls")
    path = f"calls/{entry['id']}/park"
    status, reason, detail = await client.refused("POST", path, json={"by": "102"})
    assert (status, reason) == (422, "request.invalid")
    assert 'no device of the call is "102"' in detail
    status, reason, detail = await client.refused("POST", path, json={"by": "101", "slot": "10"})
    assert (status, reason) == (422, "request.invalid")
    assert "it is none of 1 to 9" in detail
    assert (await client.refused("POST", "calls/c-0/park", json={"by": "101"}))[:2] == (404, "not_found")
    await client.ask("POST", f"/api/v1/{path}", json={"by": "101", "slot": "4"})
    status, reason, _ = await client.refused("POST", path, json={"by": "100"})
    assert (status, reason) == (409, "park.no_call"), "he waits already"
    await answered.ended()
    await call.hang_up()
    assert await client.get("parked") == []
