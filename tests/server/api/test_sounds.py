"""Greetings and prompts over HTTP: uploaded or spoken, heard, taken away; what is no sound is refused."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from ringfence.channels.media.plane import Clip
from ringfence.features.voicemail.settings import GREETING
from ringfence.server.site.acts import DeleteUser, MoveUser
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.channels.media.plane import Playable
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client

GREETING_OF_ANNA = "users/anna/greeting"
PROMPT = "attendants/zentrale/prompt"


def sound(form: str = "WAV", seconds: float = 1.0, rate_hz: int = 16000) -> bytes:
    file = io.BytesIO()
    tone = 0.3 * np.sin(2 * np.pi * 700 * np.arange(round(rate_hz * seconds)) / rate_hz)
    soundfile.write(file, tone, rate_hz, format=form)
    return file.getvalue()


def files(pbx: PbxUnderTest) -> list[Path]:
    return list((pbx.server.store.folder / "sounds").iterdir())


def announcement(pbx: PbxUnderTest) -> Playable | None:
    given = pbx.server.store.sounds.prompt("zentrale")
    return None if given is None else Clip(pbx.server.store.sounds.path(given))


def greeting(pbx: PbxUnderTest) -> Playable:
    box = pbx.server.boxes.box_of("anna")
    assert box is not None
    return box.greeting


async def put(client: Client, path: str, body: bytes) -> dict[str, object]:
    reply = await client.ask("PUT", f"/api/v1/{path}", data=body)
    assert reply.status == 200, reply.body
    told: dict[str, object] = reply.json
    return told


@pytest.mark.parametrize("form", ["WAV", "MP3", "FLAC", "OGG"])
async def test_a_box_has_the_greeting_that_was_uploaded_from_the_next_call_on(
    client: Client, pbx: PbxUnderTest, form: str
) -> None:
    assert greeting(pbx) == GREETING
    told = await put(client, GREETING_OF_ANNA, sound(form))
    assert told == {"duration_s": pytest.approx(1.0, abs=0.1), "text": None, "language": None}
    (file,) = files(pbx)
    assert greeting(pbx) == Clip(file)
    heard = await client.ask("GET", f"/api/v1/{GREETING_OF_ANNA}")
    assert (heard.headers["Content-Type"], heard.body) == ("audio/wav", file.read_bytes())
    assert soundfile.info(io.BytesIO(heard.body)).samplerate == 8000


async def test_the_next_greeting_takes_the_place_of_the_last_and_none_brings_back_the_server_s(
    client: Client, pbx: PbxUnderTest
) -> None:
    await put(client, GREETING_OF_ANNA, sound())
    await put(client, GREETING_OF_ANNA, sound(seconds=2))
    assert len(files(pbx)) == 1
    assert (await client.ask("DELETE", f"/api/v1/{GREETING_OF_ANNA}")).status == 204
    assert (files(pbx), greeting(pbx)) == ([], GREETING)
    for method in ("GET", "DELETE"):
        assert (await client.refused(method, GREETING_OF_ANNA))[:2] == (404, "not_found")


async def test_an_attendant_has_the_prompt_that_was_uploaded_until_it_is_taken_away(
    client: Client, pbx: PbxUnderTest
) -> None:
    assert (await client.refused("GET", PROMPT))[:2] == (404, "not_found")
    await put(client, PROMPT, sound("OGG"))
    await put(client, PROMPT, sound("FLAC"))
    (file,) = files(pbx)
    assert announcement(pbx) == Clip(file)
    assert (await client.ask("GET", f"/api/v1/{PROMPT}")).body == file.read_bytes()
    assert (await client.ask("DELETE", f"/api/v1/{PROMPT}")).status == 204
    assert (files(pbx), announcement(pbx)) == ([], None)
    assert (await client.refused("PUT", "attendants/nobody/prompt", data=sound()))[:2] == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"no sound", 415, "sound.unreadable"),
        (sound()[:20], 415, "sound.unreadable"),
        (bytes(10_000_001), 413, "sound.too_large"),
        (sound("FLAC", seconds=121, rate_hz=8000), 422, "sound.too_long"),
        (sound(seconds=0), 422, "sound.empty"),
    ],
    ids=["no sound", "cut", "large", "long", "empty"],
)
async def test_what_is_no_fitting_sound_is_refused_and_leaves_nothing(
    client: Client, pbx: PbxUnderTest, body: bytes, status: int, reason: str
) -> None:
    assert (await client.refused("PUT", GREETING_OF_ANNA, data=io.BytesIO(body)))[:2] == (status, reason)
    assert (files(pbx), greeting(pbx)) == ([], GREETING)
    assert list((pbx.server.store.folder / "recording").iterdir()) == []


async def test_a_box_that_is_switched_off_takes_no_greeting(client: Client, pbx: PbxUnderTest) -> None:
    status, reason, detail = await client.refused("PUT", "users/emil/greeting", data=sound())
    assert (status, reason, files(pbx)) == (422, "request.invalid", [])
    assert '"voicemail" is not on for "emil"' in detail


async def test_l35_a_user_sets_his_own_greeting_as_his_client_may_and_nobody_else_s(client: Client) -> None:
    web = await client.holder(name="w", kind="user", user="anna", client="web")
    mobile = await client.holder(name="m", kind="user", user="anna", client="mobile")
    await put(web, GREETING_OF_ANNA, sound())
    assert (await web.refused("PUT", "users/ben/greeting", data=sound()))[:2] == (403, "auth.forbidden")
    assert (await web.refused("PUT", PROMPT, data=sound()))[:2] == (403, "auth.forbidden")
    assert (await mobile.refused("DELETE", GREETING_OF_ANNA))[0] == 404
    assert (await web.ask("DELETE", f"/api/v1/{GREETING_OF_ANNA}")).status == 204


async def test_l06_the_greeting_goes_with_the_function_and_with_the_user(
    client: Client, pbx: PbxUnderTest
) -> None:
    await put(client, GREETING_OF_ANNA, sound())
    await put(client, "users/ben/greeting", sound())
    await pbx.server.administration.apply(MoveUser("anna", "Haus", "Lager"))
    assert len(files(pbx)) == 1
    await pbx.server.administration.apply(DeleteUser("ben"))
    assert files(pbx) == []


async def test_what_was_given_outlives_the_server_and_what_nobody_names_does_not(
    client: Client, pbx: PbxUnderTest, tmp_path: Path
) -> None:
    site, path = pbx.server.site, tmp_path / "data"
    store = Store.open(path, Opening(site, at=0))
    wav = tmp_path / "a.wav"
    wav.write_bytes(sound())
    kept = await store.sounds.keep(wav, 1.0, "Hello", "en")
    await store.sounds.set_prompt("zentrale", kept)
    (path / "sounds" / "orphan.wav").write_bytes(b"RIFF")
    store.close()
    again = Store.open(path, Opening(None, at=0))
    again.close()
    assert again.sounds.prompt("zentrale") == kept
    assert again.sounds.path(kept).read_bytes() == sound()
    assert len(list((path / "sounds").iterdir())) == 1


@pytest.mark.needs("espeakng_loader")
@pytest.mark.parametrize("path", [GREETING_OF_ANNA, PROMPT])
async def test_a_text_is_spoken(client: Client, pbx: PbxUnderTest, path: str) -> None:
    body = {"text": "Ich bin im Urlaub.", "language": "de"}
    reply = await client.ask("PUT", f"/api/v1/{path}", json=body)
    assert reply.status == 200
    assert reply.json == {"duration_s": pytest.approx(1.3, abs=0.5), **body}
    (file,) = files(pbx)
    samples, rate_hz = soundfile.read(file)
    assert len(samples) / rate_hz == pytest.approx(reply.json["duration_s"], abs=0.01)
    assert np.abs(samples).max() > 0.1


@pytest.mark.parametrize(
    "body", [{"text": ""}, {"text": " ."}, {"text": "x" * 1001}, {"text": "x", "language": "fr"}, {}]
)
async def test_a_text_that_cannot_be_spoken_is_refused(client: Client, body: dict[str, str]) -> None:
    assert (await client.refused("PUT", GREETING_OF_ANNA, json=body))[:2] == (422, "request.invalid")


async def test_without_the_extra_a_text_is_refused_with_the_remedy(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['espeakng_loader'] = None\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    status, reason, detail = await client.refused("PUT", GREETING_OF_ANNA, json={"text": "Hello"})
    assert (status, reason) == (501, "speech.not_installed")
    assert "tts" in detail


async def test_both_kinds_of_body_are_documented(client: Client) -> None:
    document = (await client.ask("GET", "/api/openapi.json")).json
    content = document["paths"]["/api/v1/users/{name}/greeting"]["put"]["requestBody"]["content"]
    assert set(content) == {"application/json", "application/octet-stream"}
    assert content["application/json"]["schema"]["$ref"].endswith("/SpokenText")
