"""Mails and SMS about new messages: to whom, in which words, and that no call waits for them (L-36)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import CreateUser, DeleteUser, MoveUser, SetSetting
from ringfence.server.site.require import AdministrationError
from ringfence.server.switch.events import MessageLeft, Refused

from .box_caller import put

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def choose(pbx: PbxUnderTest, key: str, value: dict[str, Any], function: str = "voicemail") -> None:
    await pbx.server.administration.apply(SetSetting("anna", function, key, value))


async def test_a_message_is_told_by_mail_with_its_sound_and_the_name_of_the_directory(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    message = await put(pbx, tmp_path, caller="101")
    mail = await pbx.outbox.wait_for(kind="mail", user="anna")
    assert (mail.to, mail.state) == ("anna@klein.example", "kept")
    assert mail.subject == "Voicemail from Ben Krause (101)"
    assert mail.text.startswith("Hello Anna Huber,\n\na message came from Ben Krause (101) on ")
    assert mail.text.endswith("It lasts 2 seconds.\n\nTo listen, dial 199.\n")
    assert mail.sound is not None
    assert mail.sound.read_bytes() == message.path.read_bytes()


async def test_a_call_is_not_kept_waiting_and_its_mail_follows(pbx: PbxUnderTest) -> None:
    outside = await pbx.outside("+49731999")
    call = await outside.dial("08955550*100")
    await call.hear_tone(1000)
    await asyncio.sleep(3)
    await call.hang_up()
    await pbx.wait_for(MessageLeft, user="anna")
    mail = await pbx.outbox.wait_for(user="anna")
    assert mail.subject == "Voicemail from +49731999"


async def test_who_hid_his_number_is_an_unknown_caller(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await put(pbx, tmp_path, caller="anonymous")
    assert (await pbx.outbox.wait_for(user="anna")).subject == "Voicemail from an unknown caller"


async def test_a_user_chooses_another_address_and_no_sound(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await choose(pbx, "mail", {"to": "team@klein.example", "sound": False})
    await put(pbx, tmp_path)
    mail = await pbx.outbox.wait_for(user="anna")
    assert (mail.to, mail.sound) == ("team@klein.example", None)


async def test_who_switched_mails_off_or_has_no_address_gets_none(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await choose(pbx, "mail", {"on": False})
    await put(pbx, tmp_path)
    message = await put(pbx, tmp_path, hz=600)
    again = tmp_path / "again.wav"
    again.write_bytes(message.path.read_bytes())
    await pbx.server.boxes.add(user="ben", caller="100", called="101", duration_s=2.0, wav_path=again)
    await asyncio.sleep(1)
    assert await pbx.outbox.list(user="anna") == await pbx.outbox.list(user="ben") == ()


@pytest.mark.parametrize(
    ("function", "key", "value", "wrong"),
    [
        ("voicemail", "mail", {"to": "nobody"}, '"nobody" is no e-mail address'),
        ("voicemail", "mail", {"colour": "red"}, "colour"),
        ("voicemail_sms", "sms", {"to": "../../etc"}, "is no number for an SMS"),
    ],
)
@pytest.mark.ringfence(site=read_site("small").text.replace('"voicemail_client"', '"voicemail_sms"'))
async def test_a_setting_that_does_not_fit_is_one_sentence(
    pbx: PbxUnderTest, function: str, key: str, value: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(AdministrationError, match=wrong):
        await choose(pbx, key, value, function)


# -- SMS -------------------------------------------------------------------------------------------------------

WITH_SMS = read_site("small").text.replace('"voicemail_client"', '"voicemail_sms"')
MOBILE = {"to": "+491701234567"}


@pytest.mark.ringfence(site=WITH_SMS)
async def test_a_message_is_told_by_sms_to_who_has_the_function(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await choose(pbx, "sms", MOBILE, "voicemail_sms")
    await put(pbx, tmp_path, caller="101")
    sms = await pbx.outbox.wait_for(kind="sms", user="anna")
    assert (sms.to, sms.subject, sms.sound) == ("+491701234567", "", None)
    assert sms.text.startswith("Voicemail from Ben Krause (101), ")
    assert sms.text.endswith(", 2 s. Listen: 199")
    assert await pbx.outbox.list(kind="mail", user="anna")


WITHOUT_OFFICE = WITH_SMS.replace("office = 2\noffice_plus = 2\n", "")


@pytest.mark.ringfence(site=WITHOUT_OFFICE)
async def test_without_office_the_sms_is_refused_and_the_mail_goes(pbx: PbxUnderTest, tmp_path: Path) -> None:
    """L-36; the setting stays (L-46), the reason is the licence's (L-47)."""
    await choose(pbx, "sms", MOBILE, "voicemail_sms")
    await put(pbx, tmp_path)
    refused = await pbx.wait_for(Refused, reason="license.office.under_licensed", user="anna")
    decision = pbx.server.decisions.get(refused.decision)
    assert decision is not None
    assert decision.what == "SMS of a new message for anna"
    assert (await pbx.outbox.wait_for(user="anna")).kind == "mail"
    assert await pbx.outbox.list(kind="sms") == ()
    anna = pbx.server.administration.directory.by_name("anna")
    assert anna is not None
    assert [(one.key, one.value) for one in anna.settings] == [("sms", MOBILE)]


async def test_without_the_function_there_is_no_such_setting(pbx: PbxUnderTest) -> None:
    with pytest.raises(AdministrationError, match='"voicemail_sms" is not on for "anna"'):
        await choose(pbx, "sms", MOBILE, "voicemail_sms")


@pytest.mark.ringfence(site=WITH_SMS)
async def test_a_move_to_a_group_without_it_deletes_the_settings_and_no_message(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    """L-06: the group Haus has voicemail, and no SMS."""
    await choose(pbx, "sms", MOBILE, "voicemail_sms")
    await choose(pbx, "mail", {"sound": False})
    await put(pbx, tmp_path)
    await pbx.move("anna", "Haus")
    anna = pbx.server.administration.directory.by_name("anna")
    assert anna is not None
    assert [one.key for one in anna.settings] == ["mail"]
    await pbx.move("anna", "Haus", "Lager")
    anna = pbx.server.administration.directory.by_name("anna")
    assert anna is not None
    assert anna.settings == ()
    assert len(await pbx.voicemails("anna")) == 1


async def test_who_is_deleted_takes_along_what_was_written_for_him(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await put(pbx, tmp_path)
    mail = await pbx.outbox.wait_for(user="anna")
    await pbx.server.administration.apply(DeleteUser("anna"))
    assert await pbx.outbox.list(user="anna") == ()
    assert mail.sound is not None
    assert not mail.sound.exists()
    assert await pbx.outbox.list(user="dora")


# -- PINs ------------------------------------------------------------------------------------------------------


async def test_the_random_pin_of_a_new_user_is_mailed_to_him(pbx: PbxUnderTest) -> None:
    act = CreateUser("fritz", "Haus", "150", "Fritz-1500", "Fritz Frei", email="fritz@klein.example")
    await pbx.server.administration.apply(act)
    mail = await pbx.outbox.wait_for(user="fritz")
    fritz = pbx.server.administration.directory.by_name("fritz")
    assert fritz is not None
    assert (mail.to, mail.subject) == ("fritz@klein.example", "The PIN of your voicemail box")
    assert f"the PIN of your voicemail box 150 is {fritz.voicemail_pin}." in mail.text


async def test_who_has_no_address_is_found_in_the_outbox_by_his_name(pbx: PbxUnderTest) -> None:
    """Dora has no PIN in the site file: she got one at the start."""
    mail = await pbx.outbox.wait_for(user="dora")
    assert (mail.to, mail.state) == ("dora@klein.example", "kept")


async def test_a_pin_that_was_given_is_not_mailed(pbx: PbxUnderTest) -> None:
    await pbx.outbox.clear()
    act = CreateUser("fritz", "Haus", "150", "Fritz-1500", email="f@klein.example", voicemail_pin="8264")
    await pbx.server.administration.apply(act)
    await pbx.server.administration.apply(MoveUser("fritz", "Haus", "Lager"))
    await asyncio.sleep(1)
    assert await pbx.outbox.list() == ()


@pytest.mark.ringfence(
    site=replace(
        read_site("small"),
        text=read_site("small").text.replace('domain = "klein', 'language = "de"\ndomain = "klein'),
    ).text
)
async def test_a_site_writes_its_language(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await put(pbx, tmp_path, caller="101")
    mail = await pbx.outbox.wait_for(user="anna")
    assert mail.subject == "Voicemail von Ben Krause (101)"
    assert "Sie dauert 2 Sekunden.\n\nZum Abhören wählen Sie 199.\n" in mail.text


async def test_the_language_of_the_box_goes_before_that_of_the_site(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await pbx.server.administration.apply(SetSetting("anna", "voicemail", "language", "de"))
    await put(pbx, tmp_path, caller="101")
    assert (await pbx.outbox.wait_for(user="anna")).subject == "Voicemail von Ben Krause (101)"
