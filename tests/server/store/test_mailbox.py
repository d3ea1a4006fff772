from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ringfence.server.store.failure import StoreError
from ringfence.server.store.mailbox import Message
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

from ..desks import AT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from ringfence.server.site.site import Site

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)


@pytest.fixture(params=[True, False], ids=["inline", "thread"])
def store(data: Path, site: Site, request: pytest.FixtureRequest) -> Iterator[Store]:
    store = Store.open(data, Opening(site, at=AT), inline=request.param)
    yield store
    store.close()


async def leave(store: Store, folder: Path, user: str = "anna", sound: bytes = b"RIFF") -> Message:
    recording = folder / "recording.wav"
    recording.write_bytes(sound)
    message = await store.mailbox.add(user, "+49731999", "0731777*100", NOON, 2.5, recording)
    assert not recording.exists()
    return message


async def test_a_message_keeps_the_numbers_as_signalled_and_its_sound(store: Store, tmp_path: Path) -> None:
    message = await leave(store, tmp_path)
    assert message == Message(
        "1", "anna", "+49731999", "0731777*100", NOON, 2.5, read=False, path=store.messages_dir / "1.wav"
    )
    assert message.path.read_bytes() == b"RIFF"
    assert await store.mailbox.get("1") == message


async def test_each_user_has_a_box_of_his_own_oldest_first(store: Store, tmp_path: Path) -> None:
    first, _, third = [await leave(store, tmp_path, user) for user in ("anna", "ben", "anna")]
    assert await store.mailbox.list("anna") == (first, third)
    assert await store.mailbox.list("nobody") == ()


async def test_the_time_of_day_is_kept_whatever_the_zone(store: Store, tmp_path: Path) -> None:
    recording = tmp_path / "recording.wav"
    recording.write_bytes(b"")
    local = NOON.astimezone(timezone(timedelta(hours=2)))
    message = await store.mailbox.add("anna", "1", "2", local, 1.0, recording)
    assert await store.mailbox.get(message.id) == message
    assert message.received_at.tzinfo is UTC
    assert message.received_at == NOON


async def test_a_message_that_was_heard_is_read(store: Store, tmp_path: Path) -> None:
    message = await leave(store, tmp_path)
    assert await store.mailbox.mark_read(message.id, NOON)
    found = await store.mailbox.get(message.id)
    assert found is not None
    assert found.read


async def test_a_deleted_message_is_gone_with_its_sound_and_its_id_does_not_come_back(
    store: Store, tmp_path: Path
) -> None:
    message = await leave(store, tmp_path)
    assert await store.mailbox.delete(message.id)
    assert not message.path.exists()
    assert await store.mailbox.get(message.id) is None
    assert (await leave(store, tmp_path)).id == "2"


@pytest.mark.parametrize("id", ["7", "0", "", "-1", "one", "٣", "9" * 30, "../1"])
async def test_an_id_that_is_not_there_is_no_message(store: Store, id: str) -> None:  # noqa: A002 - as in Mailbox
    assert await store.mailbox.get(id) is None
    assert not await store.mailbox.mark_read(id, NOON)
    assert not await store.mailbox.delete(id)


async def test_a_recording_that_is_not_there_leaves_no_message(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        await store.mailbox.add("anna", "1", "2", NOON, 1.0, tmp_path / "nothing.wav")
    assert await store.mailbox.list("anna") == ()
    assert (await leave(store, tmp_path)).id == "1"


async def test_messages_outlive_the_server_and_the_change_of_the_site(
    data: Path, site: Site, changed: Site, tmp_path: Path
) -> None:
    """A-04"""
    store = Store.open(data, Opening(site, at=AT))
    message = await leave(store, tmp_path)
    store.close()
    again = Store.open(data, Opening(changed, at=AT, apply_site=True))
    assert await again.mailbox.list("anna") == (message,)
    assert message.path.read_bytes() == b"RIFF"
    again.close()


async def test_a_message_that_the_disk_has_no_room_for_is_told_in_one_sentence(
    store: Store, tmp_path: Path
) -> None:
    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    async def until_there_is_no_room() -> None:
        for _ in range(1000):
            await leave(store, tmp_path)

    await store.unit.run(fill)
    with pytest.raises(
        StoreError, match="the disk is full; make room on it; what was stored before is unharmed"
    ):
        await until_there_is_no_room()
    messages = await store.mailbox.list("anna")
    assert messages
    assert all(message.path.read_bytes() == b"RIFF" for message in messages)
