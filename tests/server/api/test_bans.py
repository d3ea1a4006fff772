from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.stranger import Stranger

from ringfence.server.switch.events import SourceUnbanned

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client

HOST, NETWORK_HOST, NETWORK = "127.0.0.66", "2001:db8::1", "2001:db8::/64"
RIGHT = "Anna-1000-Apfel"


def ban(pbx: PbxUnderTest, host: str, account: str = "100") -> None:
    """Let a source fail twenty times, which by the wire takes half a minute."""
    for _ in range(20):
        pbx.server.identity._guesses.failed(host, account, pbx.server.clock.now())


async def test_the_bans_that_stand_are_listed(client: Client, pbx: PbxUnderTest) -> None:
    assert await client.get("bans") == []
    ban(pbx, HOST)
    ban(pbx, NETWORK_HOST, "nobody")
    first, second = await client.get("bans")
    assert (first["source"], first["user"], first["failures"]) == (HOST, "100", 20)
    assert (second["source"], second["user"]) == (NETWORK, "nobody")
    until = pbx.server.clock.today() + timedelta(seconds=600)
    assert abs(until.fromisoformat(first["until"]) - until) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("host", "path"), [(HOST, f"bans/{HOST}/100"), (NETWORK_HOST, "bans/2001:db8::%2F64/100")]
)
async def test_a_ban_is_lifted_once_and_an_event_tells_by_whom(
    client: Client, pbx: PbxUnderTest, host: str, path: str
) -> None:
    ban(pbx, host)
    ban(pbx, host, "101")
    assert (await client.ask("DELETE", f"/api/v1/{path}")).status == 204
    assert [one["user"] for one in await client.get("bans")] == ["101"]
    source = NETWORK if host == NETWORK_HOST else host
    assert pbx.server.stream.recent[-1].event == SourceUnbanned(source, "100", "administrator")
    assert await client.refused("DELETE", path) == (
        404,
        "not_found",
        f'There is no ban of "{source}" for "100".',
    )


async def test_whose_ban_was_lifted_may_try_again_at_once(client: Client, pbx: PbxUnderTest) -> None:
    stranger = await Stranger.at(pbx, HOST)
    ban(pbx, HOST)
    told = await stranger.prove(RIGHT)
    assert told is not None
    assert told[1].status == 403
    await client.ask("DELETE", f"/api/v1/bans/{HOST}/100")
    async with asyncio.timeout(5):
        told = await stranger.prove(RIGHT)
    stranger.endpoint.close()
    assert told is not None
    assert told[1].status == 200


@pytest.mark.parametrize(
    "rights",
    [
        {"kind": "sub_administrator", "locations": ["Haus"]},
        {"kind": "user", "user": "anna", "client": "web"},
    ],
)
async def test_bans_are_for_administrators(
    client: Client, pbx: PbxUnderTest, rights: dict[str, object]
) -> None:
    ban(pbx, HOST)
    other = await client.holder(**rights)
    for method, path in (("GET", "bans"), ("DELETE", f"bans/{HOST}/100")):
        assert (await other.refused(method, path))[:2] == (403, "auth.forbidden")
    assert len(await client.get("bans")) == 1
