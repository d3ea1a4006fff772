from __future__ import annotations

import errno
import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ringfence.server.store import outbox as outbox_room
from ringfence.server.store.opening import Opening
from ringfence.server.store.outbox import Parcel
from ringfence.server.store.store import Store

from ..desks import AT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ringfence.server.site.site import Site

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)
MAIL = Parcel("mail", "anna", "anna@ulm.example", "Hello.", "Greetings")
SMS = Parcel("sms", "ben", "+49170", "Hi.", waits=True)


@pytest.fixture(params=[True, False], ids=["inline", "thread"])
def store(data: Path, site: Site, request: pytest.FixtureRequest) -> Iterator[Store]:
    store = Store.open(data, Opening(site, at=AT), inline=request.param)
    yield store
    store.close()


def reopened(store: Store, data: Path, site: Site) -> Store:
    store.close()
    return Store.open(data, Opening(site, at=AT), inline=True)


async def test_parcels_are_listed_in_the_order_in_which_they_came(store: Store) -> None:
    mail, sms = await store.outbox.add([MAIL, SMS], NOON)
    assert (mail.id, mail.to, mail.subject, mail.text, mail.state) == (
        "1",
        "anna@ulm.example",
        "Greetings",
        "Hello.",
        "kept",
    )
    assert (mail.created_at, mail.tries, mail.why, mail.sound) == (NOON, 0, None, None)
    assert await store.outbox.list() == (mail, sms)
    assert await store.outbox.list(limit=1) == (sms,)
    assert await store.outbox.list(kind="mail") == await store.outbox.list(user="anna") == (mail,)
    assert await store.outbox.list(to="+49170") == (sms,)
    assert await store.outbox.get("1") == mail
    assert await store.outbox.get("9") is await store.outbox.get("../1") is None


async def test_what_waits_is_known_after_a_restart(store: Store, data: Path, site: Site) -> None:
    await store.outbox.add([MAIL, SMS, SMS], NOON)
    await store.outbox.failed("2", "no answer", for_good=False)
    await store.outbox.failed("3", "no such number", for_good=True)
    again = reopened(store, data, site)
    assert await again.outbox.waiting() == ["2"]
    found = [(one.state, one.tries, one.why) for one in await again.outbox.list()]
    assert found == [("kept", 0, None), ("waiting", 1, "no answer"), ("failed", 1, "no such number")]
    again.close()


async def test_a_sound_stays_when_its_message_goes_and_goes_with_its_parcel(
    store: Store, tmp_path: Path
) -> None:
    sound = tmp_path / "message.wav"
    sound.write_bytes(b"RIFF")
    (sent,) = await store.outbox.add([Parcel("mail", "anna", "a@b", "t", "s", sound)], NOON)
    sound.unlink()
    assert sent.sound is not None
    assert sent.sound.read_bytes() == b"RIFF"
    assert await store.outbox.delete(sent.id) == 1
    assert not sent.sound.exists()
    assert await store.outbox.delete(sent.id) == 0


async def test_where_the_disk_knows_no_links_a_sound_is_copied(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    sound = tmp_path / "message.wav"
    sound.write_bytes(b"RIFF")
    (sent,) = await store.outbox.add([Parcel("mail", "anna", "a@b", "t", "s", sound)], NOON)
    assert sent.sound is not None
    assert sent.sound.read_bytes() == b"RIFF"


async def test_a_mail_whose_message_has_gone_meanwhile_goes_without_it(store: Store, tmp_path: Path) -> None:
    (sent,) = await store.outbox.add([Parcel("mail", "anna", "a@b", "t", "s", tmp_path / "x.wav")], NOON)
    assert sent.sound is None


async def test_the_oldest_give_way_where_there_are_too_many(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_room, "MOST", 3)
    for _ in range(3):
        await store.outbox.add([MAIL, SMS], NOON)
    assert [one.id for one in await store.outbox.list()] == ["4", "5", "6"]


async def test_old_parcels_lose_their_sounds_unless_they_wait(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_room, "MOST_SOUNDS", 2)
    sound = tmp_path / "message.wav"
    sound.write_bytes(b"RIFF")
    mail = Parcel("mail", "anna", "a@b", "t", "s", sound)
    await store.outbox.add([replace(mail, waits=True), mail], NOON)
    for _ in range(3):
        await store.outbox.add([mail], NOON)
    assert [one.sound is not None for one in await store.outbox.list()] == [True, False, False, True, True]
    assert len(list((store.folder / "outbox").glob("*.wav"))) == 3


async def test_sounds_that_a_crash_left_behind_are_swept(store: Store, data: Path, site: Site) -> None:
    stray = data / "outbox" / "7.wav"
    stray.write_bytes(b"RIFF")
    reopened(store, data, site).close()
    assert not stray.exists()


async def test_all_can_be_removed_at_once(store: Store) -> None:
    await store.outbox.add([MAIL, SMS], NOON)
    assert await store.outbox.delete() == 2
    assert await store.outbox.list() == ()


def test_a_store_of_the_second_revision_gets_an_outbox(store: Store, data: Path, site: Site) -> None:
    store.close()
    connection = sqlite3.connect(data / "ringfence.sqlite")
    connection.executescript("DROP TABLE outbox; UPDATE alembic_version SET version_num = '2';")
    before = list(connection.iterdump())
    connection.close()
    Store.open(data, Opening(site, at=AT)).close()
    connection = sqlite3.connect(data / "ringfence.sqlite")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("3",)
    assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    kept = set(connection.iterdump())
    assert {line for line in before if "alembic_version" not in line and "reckoned_at" not in line} <= kept
    connection.close()
