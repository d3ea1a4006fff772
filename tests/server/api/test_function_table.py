"""Each function that is used over HTTP in each licence state: the status, the reason, and what is kept.

A user's own token is gated, an administrator's is not (L-34 to L-37, L-47).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.features.box_caller import put
from tests.server.function_table import Function, cells

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client, Reply

CLIENTS = {"voicemail": "web", "voicemail_client": "connect", "voicemail_mobile": "mobile"}
"""The kind of client whose reading of a box is that function."""


async def told(client: Client, reply: Reply) -> tuple[str, str]:
    """The reason of a refusal, and what is known of its decision."""
    decision = await client.get(f"decisions/{reply.json['decision']}")
    return reply.json["reason"], decision["reason"]


@cells(*CLIENTS)
async def test_a_box_is_read_by_whose_client_may(
    client: Client, pbx: PbxUnderTest, function: Function, state: str, tmp_path: Path
) -> None:
    await put(pbx, tmp_path, caller="101")
    if state == "moved_away":
        await pbx.move("anna", "Haus", "Ohne")
    anna = await client.holder(kind="user", user="anna", client=CLIENTS[function.name])
    reply = await anna.ask("GET", "/api/v1/users/anna/voicemails")
    assert reply.status == function.http(state), reply.body
    if reply.status != 200:
        assert await told(client, reply) == (function.reason(state),) * 2
    assert len(await client.get("users/anna/voicemails")) == 1, "what was left is never lost (A-04)"
    if function.setting:
        await expect_setting(client, function, state)


@cells("cti")
async def test_an_own_call_is_placed_and_seen_by_who_may(
    client: Client, pbx: PbxUnderTest, function: Function, state: str
) -> None:
    if state == "moved_away":
        await pbx.move("anna", "Haus", "Ohne")
    await pbx.phone("100")
    anna = await client.holder(kind="user", user="anna", client="connect")
    reply = await anna.ask("POST", "/api/v1/calls", json={"from": "anna", "to": "101"})
    if function.reason(state) is None:
        assert reply.status == 201, reply.body
        assert len(await anna.get("calls")) == 1
        return
    assert reply.status == function.http(state)
    assert await told(client, reply) == (function.reason(state),) * 2
    assert (await anna.refused("GET", "calls"))[:2] == (function.http(state), function.reason(state))


async def expect_setting(client: Client, function: Function, state: str) -> None:
    """L-46, L-06."""
    settings = await client.get("users/anna/settings")
    kept = {one["function"] for one in settings if one["value"] is not None}
    assert (function.name in kept) is function.keeps_setting(state)
