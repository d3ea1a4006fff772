"""Greetings with names over HTTP: listed, given, heard, taken away; what is none is refused and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.plane import Clip
from ringfence.server.site.acts import MoveUser

from .test_sounds import files, greeting, sound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client

GREETINGS = "users/anna/greetings"
HUGE_BYTES = 200_000_000


async def put(client: Client, name: str, body: bytes) -> None:
    reply = await client.ask("PUT", f"/api/v1/{GREETINGS}/{name}", data=body)
    assert reply.status == 200, reply.body


def named(pbx: PbxUnderTest) -> dict[str, object]:
    box = pbx.server.boxes.box_of("anna")
    assert box is not None
    return dict(box.greetings)


async def test_a_box_has_several_greetings_by_name_beside_its_own(client: Client, pbx: PbxUnderTest) -> None:
    await client.ask("PUT", "/api/v1/users/anna/greeting", data=sound())
    await put(client, "closed", sound("OGG", seconds=2))
    await put(client, "holiday", sound("MP3"))
    entries = {one["name"]: one["duration_s"] for one in await client.get(GREETINGS)}
    assert entries == {"closed": pytest.approx(2, abs=0.1), "holiday": pytest.approx(1, abs=0.1)}
    assert sorted(named(pbx)) == ["closed", "holiday"]
    assert {Clip(file) for file in files(pbx)} == {greeting(pbx), *named(pbx).values()}
    heard = await client.ask("GET", f"/api/v1/{GREETINGS}/closed")
    file = pbx.server.store.sounds.path(pbx.server.greetings.of("anna")["closed"])
    assert named(pbx)["closed"] == Clip(file)
    assert (heard.headers["Content-Type"], heard.body) == ("audio/wav", file.read_bytes())


async def test_one_takes_the_place_of_the_last_of_its_name_and_can_be_taken_away(
    client: Client, pbx: PbxUnderTest
) -> None:
    await put(client, "closed", sound())
    before = named(pbx)
    await put(client, "closed", sound(seconds=2))
    assert len(files(pbx)) == 1
    assert named(pbx) != before
    assert (await client.ask("DELETE", f"/api/v1/{GREETINGS}/closed")).status == 204
    assert (files(pbx), named(pbx)) == ([], {})
    for method in ("GET", "DELETE"):
        assert (await client.refused(method, f"{GREETINGS}/closed"))[:2] == (404, "not_found")


async def test_of_two_that_are_given_at_once_none_is_lost(client: Client, pbx: PbxUnderTest) -> None:
    await asyncio.gather(*(put(client, name, sound()) for name in ("a", "b", "c")))
    assert sorted(named(pbx)) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["..%2F..%2Fetc", "Closed", "a b", "-a", "x" * 33, "%00"])
async def test_a_name_that_is_none_is_refused_and_leaves_nothing(
    client: Client, pbx: PbxUnderTest, name: str
) -> None:
    status, reason, detail = await client.refused("PUT", f"{GREETINGS}/{name}", data=sound())
    assert (status, reason) == (422, "request.invalid")
    assert "is no name of a greeting; use up to 32 small letters" in detail
    assert files(pbx) == []


async def test_a_box_that_has_ten_takes_no_more_and_keeps_them(client: Client, pbx: PbxUnderTest) -> None:
    for n in range(10):
        await put(client, f"g{n}", sound(seconds=0.1))
    status, reason, detail = await client.refused("PUT", f"{GREETINGS}/g10", data=sound(seconds=0.1))
    assert (status, reason) == (422, "request.invalid")
    assert detail == 'The box of "anna" has 10 greetings already; take one away first.'
    assert (len(files(pbx)), len(named(pbx))) == (10, 10)
    await put(client, "g0", sound(seconds=0.2))


async def test_what_is_no_sound_leaves_the_greeting_that_there_was(client: Client, pbx: PbxUnderTest) -> None:
    await put(client, "closed", sound())
    before = named(pbx)
    assert (await client.refused("PUT", f"{GREETINGS}/closed", data=b"no sound"))[:2] == (
        415,
        "sound.unreadable",
    )
    assert (named(pbx), len(files(pbx))) == (before, 1)


async def test_200_mb_are_refused_after_the_first_ten(client: Client, pbx: PbxUnderTest) -> None:
    sent = 0

    async def huge() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < HUGE_BYTES:
            sent += 1 << 20
            yield bytes(1 << 20)

    status, reason, detail = await client.refused("PUT", f"{GREETINGS}/closed", data=huge())
    assert (status, reason, detail) == (
        413,
        "sound.too_large",
        "The file is larger than 10 MB. Send a smaller one, for instance as Ogg.",
    )
    assert sent < HUGE_BYTES / 4
    assert (files(pbx), named(pbx)) == ([], {})


async def test_l06_they_go_with_the_function(client: Client, pbx: PbxUnderTest) -> None:
    await put(client, "closed", sound())
    await pbx.server.administration.apply(MoveUser("anna", "Haus", "Lager"))
    assert files(pbx) == []
    await pbx.server.administration.apply(MoveUser("anna", "Haus", "Vertrieb"))
    assert named(pbx) == {}


async def test_l35_a_user_gives_them_to_his_own_box_as_his_client_may(client: Client) -> None:
    web = await client.holder(name="w", kind="user", user="anna", client="web")
    await put(web, "closed", sound())
    ben = await web.refused("PUT", "users/ben/greetings/closed", data=sound())
    assert ben[:2] == (403, "auth.forbidden")
    mobile = await client.holder(name="m", kind="user", user="clara", client="mobile")
    assert (await mobile.refused("GET", "users/clara/greetings"))[0] in {403, 404}


@pytest.mark.parametrize("path", ["voicemails", "greeting", "greetings"])
async def test_a_mailbox_named_like_a_path_is_not_there(client: Client, path: str) -> None:
    status, reason, detail = await client.refused("GET", f"users/..%2F..%2Fetc/{path}")
    assert (status, reason) == (404, "not_found")
    assert '"../../etc"' in detail


async def test_a_text_may_be_a_greeting_with_a_name(client: Client) -> None:
    body = {"text": ""}
    assert (await client.refused("PUT", f"{GREETINGS}/closed", json=body))[:2] == (422, "request.invalid")
    document = (await client.ask("GET", "/api/openapi.json")).json
    operation = document["paths"]["/api/v1/users/{name}/greetings/{greeting}"]["put"]
    assert set(operation["requestBody"]["content"]) == {"application/json", "application/octet-stream"}
