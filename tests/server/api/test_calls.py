from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from ringfence.server.site.acts import SwitchFunctions
from ringfence.server.switch.events import CallEnded, StreamEnded

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


@pytest.mark.parametrize("caller", ["anna", "100"])
async def test_a_test_call_rings_the_callers_phone_first_and_then_dials(
    client: Client, pbx: PbxUnderTest, caller: str
) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    reply = await client.ask("POST", "/api/v1/calls", json={"from": caller, "to": "101"})
    assert reply.status == 201
    assert (reply.json["from"], reply.json["to"], reply.json["user"]) == ("100", "101", "anna")
    await anna.answer()
    await ben.answer()
    call = await client.get(f"calls/{reply.json['id']}")
    assert call["answered"]
    assert {one["device"] for one in call["connections"]} == {"100", "101"}
    assert await client.get("calls") == [
        call | {"connections": [one | {"verdict": None} for one in call["connections"]]}
    ]
    assert datetime.fromisoformat(call["started_at"]).tzinfo is not None


async def test_hanging_up_ends_the_call_for_both(client: Client, pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    dialling = asyncio.create_task(anna.dial("101"))
    taken = await ben.answer()
    call = await dialling
    await call.answered()
    (entry,) = await client.get("calls")
    reply = await client.ask("DELETE", f"/api/v1/calls/{entry['id']}")
    assert (reply.status, reply.body) == (204, b"")
    await call.ended()
    await taken.ended()
    await pbx.wait_for(CallEnded, call_id=entry["id"])
    assert (await client.refused("GET", f"calls/{entry['id']}"))[:2] == (404, "not_found")
    assert (await client.refused("DELETE", f"calls/{entry['id']}"))[:2] == (404, "not_found")


async def test_without_a_phone_a_test_call_is_a_refusal_with_a_decision(client: Client) -> None:
    reply = await client.ask("POST", "/api/v1/calls", json={"from": "anna", "to": "101"})
    assert (reply.status, reply.json["reason"]) == (409, "user.not_registered")
    assert (await client.get(f"decisions/{reply.json['decision']}"))["user"] == "anna"


async def test_two_calls_of_a_user_become_a_conference(client: Client, pbx: PbxUnderTest) -> None:
    anna, ben, clara = [await pbx.phone(number) for number in ("100", "101", "102")]
    call = await anna.dial("101")
    taken = await ben.answer()
    await call.answered()
    consultation = await anna.dial("102")
    asked = await clara.answer()
    await consultation.answered()
    first, second = [entry["id"] for entry in await client.get("calls")]
    path, other = f"calls/{second}/conference", {"with": first}
    status, reason, detail = await client.refused("POST", path, json=other)
    assert (status, reason) == (409, "conference.not_two_calls")
    assert "Hold the one call" in detail
    await call.hold()
    reply = await client.ask("POST", f"/api/v1/{path}", json=other)
    assert reply.status == 200
    assert reply.json["id"] == first
    assert {one["device"] for one in reply.json["connections"] if one["state"] == "connected"} == {
        "100",
        "101",
        "102",
    }
    await call.ended()
    (entry,) = await client.get("calls")
    assert entry["id"] == first
    assert len((await client.get(f"calls/{first}"))["connections"]) == 3
    assert (await client.refused("POST", path, json=other))[:2] == (404, "not_found")
    entries = (await client.get("journal?user=anna"))["entries"]
    assert [one["what"] for one in entries if one["kind"] == "conference"] == ["conference of 100, 101, 102"]
    assert (await client.ask("DELETE", f"/api/v1/calls/{first}")).status == 204
    for one in (consultation, taken, asked):
        await one.ended()


async def test_calls_of_two_users_are_no_conference_and_the_decision_says_so(
    client: Client, pbx: PbxUnderTest
) -> None:
    for number in ("100", "101"):
        call = await (await pbx.phone(number)).dial("9901")
        await call.answered()
    first, second = [entry["id"] for entry in await client.get("calls")]
    reply = await client.ask("POST", f"/api/v1/calls/{first}/conference", json={"with": second})
    assert (reply.status, reply.json["reason"]) == (409, "conference.other_user")
    decision = await client.get(f"decisions/{reply.json['decision']}")
    assert decision["what"] == f"conference of {first} with {second}"
    for body in ({}, {"with": 7}, {"with": second, "more": 1}):
        status, reason, _ = await client.refused("POST", f"calls/{first}/conference", json=body)
        assert (status, reason) == (422, "request.invalid")
    for one, other in ((first, "c-99"), ("c-99", first)):
        refused = await client.refused("POST", f"calls/{one}/conference", json={"with": other})
        assert refused[:2] == (404, "not_found")


@pytest.mark.parametrize(
    "body", [{"from": "nobody", "to": "101"}, {"from": "anna", "to": "10\r\n1"}, {"from": "anna", "to": ""}]
)
async def test_who_is_not_there_cannot_call_and_what_is_no_number_is_not_dialled(
    client: Client, body: dict[str, str]
) -> None:
    assert (await client.refused("POST", "calls", json=body))[:2] == (422, "request.invalid")
    assert await client.get("calls") == []


async def test_a_live_call_tells_how_its_audio_fares_and_the_journal_how_it_fared(
    client: Client, pbx: PbxUnderTest
) -> None:
    anna = await pbx.phone("100")
    call = await anna.dial("9901")
    await call.hear_tone(440)
    (listed,) = await client.get("calls")
    (connection,) = (await client.get(f"calls/{listed['id']}"))["connections"]
    live = connection["verdict"]
    assert (live["codec"], live["ptime_ms"], live["packets_refused"]) == ("PCMA", 20, 0)
    assert live["packets_received"] > 0
    assert live["mos"] > 1
    await call.hang_up()
    await pbx.wait_for(StreamEnded)
    (entry,) = (await client.get("journal?number=9901"))["entries"]
    (leg,) = entry["legs"]
    assert leg["device"] == "100"
    assert leg["verdict"]["packets_sent"] >= live["packets_sent"] > 0


async def test_a_call_is_pulled_to_another_telephone_of_its_user(client: Client, pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await ben.dial("100")
    await anna.answer()
    await call.answered()
    (entry,) = await client.get("calls")
    path = f"calls/{entry['id']}/pull"
    assert (await client.refused("POST", path, json={"to": "anna"}))[:2] == (404, "function.not_configured")
    assert (await client.refused("POST", path, json={"to": "102"}))[:2] == (409, "pull.nothing")
    assert (await client.refused("POST", path, json={"from": "100"}))[:2] == (422, "request.invalid")
    functions = frozenset({"softphone", "one_number"})
    await pbx.server.administration.apply(SwitchFunctions("Haus", "Vertrieb", functions))
    soft = await pbx.phone("anna")
    pulling = asyncio.create_task(client.ask("POST", f"/api/v1/{path}", json={"to": "anna"}))
    taken = await soft.answer()
    reply = await pulling
    assert reply.status == 200
    assert {one["device"] for one in reply.json["connections"]} == {"101", "anna"}
    await call.hang_up()
    await taken.ended()


async def test_a_user_controls_his_own_calls_and_no_others(client: Client, pbx: PbxUnderTest) -> None:
    """The function `cti` (Office): whom he calls, that he hangs up, and nothing of what others say."""
    anna = await client.holder(kind="user", user="anna", client="connect")
    phone = await pbx.phone("100")
    own = await anna.ask("POST", "/api/v1/calls", json={"from": "anna", "to": "9900"})
    assert own.status == 201, own.body
    taken = await phone.answer()
    clara = await (await pbx.phone("102")).dial("9900")
    await clara.answered()
    assert [one["id"] for one in await anna.get("calls")] == [own.json["id"]]
    (other,) = [one["id"] for one in await client.get("calls") if one["id"] != own.json["id"]]
    assert (await anna.refused("DELETE", f"calls/{other}"))[:2] == (404, "not_found")
    refused = await anna.refused("POST", "calls", json={"from": "ben", "to": "9900"})
    assert refused[:2] == (422, "request.invalid")
    assert (await anna.ask("DELETE", f"/api/v1/calls/{own.json['id']}")).status == 204
    await taken.ended()
    await clara.hang_up()
