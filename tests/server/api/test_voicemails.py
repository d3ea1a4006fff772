from __future__ import annotations

import wave
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ringfence.server.site.acts import SetSetting

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


@pytest.fixture
async def message(pbx: PbxUnderTest, tmp_path: Path) -> bytes:
    """The sound of a message in anna's box."""
    recording = tmp_path / "recording.wav"
    with wave.open(str(recording), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(256)) * 100)
    sound = recording.read_bytes()
    received = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    await pbx.server.store.mailbox.add("anna", "+49731999", "08955550100", received, 1.6, recording)
    return sound


@pytest.mark.usefixtures("message")
async def test_a_message_is_listed_with_the_numbers_as_signalled(client: Client) -> None:
    (entry,) = await client.get("users/anna/voicemails")
    assert entry == {
        "id": entry["id"],
        "from": "+49731999",
        "to": "08955550100",
        "received_at": "2026-03-01T09:30:00Z",
        "duration_s": 1.6,
        "read": False,
    }
    assert await client.get("users/ben/voicemails") == []
    assert (await client.refused("GET", "users/nobody/voicemails"))[:2] == (404, "not_found")


async def test_the_sound_is_a_wav_whole_and_in_part(client: Client, message: bytes) -> None:
    (entry,) = await client.get("users/anna/voicemails")
    path = f"/api/v1/voicemails/{entry['id']}/audio"
    whole = await client.ask("GET", path)
    assert (whole.status, whole.headers["Content-Type"], whole.body) == (200, "audio/wav", message)
    part = await client.ask("GET", path, headers=client.headers | {"Range": "bytes=4-11"})
    assert (part.status, part.body) == (206, message[4:12])
    assert part.headers["Content-Range"] == f"bytes 4-11/{len(message)}"
    beyond = await client.ask("GET", path, headers=client.headers | {"Range": f"bytes={len(message)}-"})
    assert (beyond.status, beyond.json["reason"]) == (416, "request.invalid")
    assert beyond.headers["Content-Range"] == f"bytes */{len(message)}"
    spoilt = await client.ask("GET", path, headers=client.headers | {"Range": "bytes=x"})
    assert (spoilt.status, spoilt.json["reason"]) == (416, "request.invalid")
    last = await client.ask("GET", path, headers=client.headers | {"Range": "bytes=-8"})
    assert (last.status, last.body) == (206, message[-8:])


@pytest.mark.usefixtures("message")
async def test_a_deleted_message_is_gone_with_its_sound(client: Client, pbx: PbxUnderTest) -> None:
    (entry,) = await client.get("users/anna/voicemails")
    assert (await client.ask("DELETE", f"/api/v1/voicemails/{entry['id']}")).status == 204
    assert await client.get("users/anna/voicemails") == []
    assert list(pbx.server.store.messages_dir.glob("*.wav")) == []
    assert (await client.refused("GET", f"voicemails/{entry['id']}/audio"))[:2] == (404, "not_found")
    assert (await client.refused("DELETE", f"voicemails/{entry['id']}"))[:2] == (404, "not_found")


@pytest.mark.parametrize("name", ["0", "-1", "x", "9" * 40, "%2e%2e%2fetc", "٣"])
async def test_what_is_no_message_is_404(client: Client, name: str) -> None:
    assert (await client.refused("GET", f"voicemails/{name}/audio"))[0] == 404


async def test_who_shares_a_box_lists_hears_and_deletes_its_messages_and_nobody_else_does(
    client: Client, pbx: PbxUnderTest, message: bytes
) -> None:
    """A central mailbox (decision 44), read as his client may read his own box (L-34, L-35)."""
    act = SetSetting("anna", "voicemail", "shared_with", ["ben", "clara"])
    await pbx.server.administration.apply(act)
    ben = await client.holder(name="b", kind="user", user="ben", client="web")
    clara = await client.holder(name="c", kind="user", user="clara", client="mobile")
    dora = await client.holder(name="d", kind="user", user="dora", client="web")
    (entry,) = await ben.get("users/anna/voicemails")
    audio = f"voicemails/{entry['id']}/audio"
    assert (await ben.ask("GET", f"/api/v1/{audio}")).body == message
    for client_, status, reason in ((clara, 404, "function.not_configured"), (dora, 403, "auth.forbidden")):
        assert (await client_.refused("GET", "users/anna/voicemails"))[:2] == (status, reason)
    assert (await dora.refused("GET", audio))[:2] == (404, "not_found")
    for path in ("users/anna/greeting", "users/anna/greetings", "users/anna"):
        assert (await ben.refused("GET", path))[:2] == (403, "auth.forbidden")
    await pbx.server.administration.apply(SetSetting("anna", "voicemail", "shared_with", ["clara"]))
    assert (await ben.refused("DELETE", f"voicemails/{entry['id']}"))[:2] == (404, "not_found")
    await pbx.server.administration.apply(act)
    assert (await ben.ask("DELETE", f"/api/v1/voicemails/{entry['id']}")).status == 204


async def test_l47_a_shared_box_without_a_seat_is_refused_with_its_own_reason(
    client: Client, pbx: PbxUnderTest
) -> None:
    await pbx.server.administration.apply(SetSetting("dora", "voicemail", "shared_with", ["ben"]))
    ben = await client.holder(kind="user", user="ben", client="web")
    refused = await ben.refused("GET", "users/dora/voicemails")
    assert refused[:2] == (403, "license.voicemail.under_licensed")
