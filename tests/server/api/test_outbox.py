from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.store.outbox import Parcel

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


@pytest.fixture(autouse=True)
async def _parcels(pbx: PbxUnderTest, tmp_path: Path) -> None:
    """A mail with a sound, and an SMS; the mail with dora's PIN is gone."""
    await pbx.outbox.wait_for(user="dora")
    await pbx.outbox.clear()
    sound = tmp_path / "m.wav"
    sound.write_bytes(b"RIFF1234")
    mail = Parcel("mail", "anna", "anna@klein.example", "Hello.", "Greetings", sound)
    await pbx.server.store.outbox.add([mail, Parcel("sms", "ben", "+49170", "Hi.")], pbx.server.clock.today())


async def test_mails_and_sms_are_listed_and_chosen(client: Client) -> None:
    mail, sms = await client.get("outbox")
    assert (mail["kind"], mail["user"], mail["to"]) == ("mail", "anna", "anna@klein.example")
    assert (mail["subject"], mail["text"], mail["attachment"]) == ("Greetings", "Hello.", True)
    assert (mail["state"], mail["tries"], mail["why"]) == ("kept", 0, None)
    assert (sms["kind"], sms["to"], sms["text"], sms["attachment"]) == ("sms", "+49170", "Hi.", False)
    assert await client.get("outbox?kind=sms") == await client.get("outbox?limit=1") == [sms]
    assert await client.get("outbox?user=anna") == await client.get("outbox?to=anna@klein.example") == [mail]
    assert await client.get(f"outbox/{mail['id']}") == mail
    assert (await client.refused("GET", "outbox?kind=fax"))[:2] == (422, "request.invalid")


async def test_the_attachment_is_the_sound(client: Client) -> None:
    mail, sms = await client.get("outbox")
    reply = await client.ask("GET", f"/api/v1/outbox/{mail['id']}/attachment")
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "audio/wav", b"RIFF1234")
    status, _, detail = await client.refused("GET", f"outbox/{sms['id']}/attachment")
    assert (status, detail) == (404, f'Nothing is attached to "{sms["id"]}".')


async def test_one_or_all_are_deleted(client: Client) -> None:
    mail, sms = await client.get("outbox")
    assert (await client.ask("DELETE", f"/api/v1/outbox/{mail['id']}")).status == 204
    assert await client.get("outbox") == [sms]
    assert (await client.refused("DELETE", f"outbox/{mail['id']}"))[:2] == (404, "not_found")
    assert (await client.ask("DELETE", "/api/v1/outbox")).status == 204
    assert await client.get("outbox") == []


@pytest.mark.parametrize("id_", ["0", "x", "%2e%2e%2fetc", "9" * 40])
async def test_what_is_not_there_is_404(client: Client, id_: str) -> None:
    for path in (f"outbox/{id_}", f"outbox/{id_}/attachment"):
        assert (await client.refused("GET", path))[:2] == (404, "not_found")


async def test_pins_and_voices_are_for_administrators_alone(client: Client) -> None:
    user = await client.holder(kind="user", user="anna", client="web")
    sub = await client.holder(kind="sub_administrator", locations=["Haus"], name="s")
    for who in (user, sub):
        assert (await who.refused("GET", "outbox"))[:2] == (403, "auth.forbidden")
        assert (await who.refused("DELETE", "outbox"))[:2] == (403, "auth.forbidden")


async def test_a_new_user_finds_his_pin_in_the_outbox(client: Client) -> None:
    new = {
        "name": "fritz",
        "location": "Haus",
        "extension": "150",
        "password": "p",
        "email": "f@klein.example",
    }
    reply = await client.ask("POST", "/api/v1/users", json=new)
    assert reply.status == 201
    pin = reply.json["voicemail_pin"]
    (mail,) = await client.get("outbox?user=fritz")
    assert mail["to"] == "f@klein.example"
    assert f" is {pin}." in mail["text"]


async def test_a_mail_setting_is_made_by_the_user_and_refused_by_one_sentence(client: Client) -> None:
    anna = await client.holder(kind="user", user="anna", client="web")
    path = "users/anna/settings/voicemail/mail"
    reply = await anna.ask("PUT", f"/api/v1/{path}", json={"value": {"sound": False}})
    assert reply.status == 200
    assert (await anna.get(path))["value"] == {"sound": False}
    status, reason, detail = await anna.refused("PUT", path, json={"value": {"to": "x"}})
    assert (status, reason) == (422, "request.invalid")
    assert 'the setting "mail" of voicemail does not fit' in detail.lower()
    assert '"x" is no e-mail address; write e.g. { on = true' in detail
