"""Voicemail messages: a row for each, and its WAV file in the store's `messages` folder.

The voicemail feature adds and reads them, HTTP lists them. A message is acknowledged once file and row are on
the disk; the file moves first and the row comes last, so that no row is ever without its file.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from .durable import move_durably
from .failure import explained
from .schema import messages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy import Column, Connection, Row

    from .unit import Unit


@dataclass(frozen=True, slots=True)
class Message:
    """One voicemail: the numbers as signalled, and the WAV file (mono, 16 bit, 8 kHz) at `path`."""

    id: str
    user: str
    caller: str
    called: str
    received_at: datetime
    duration_s: float
    read: bool
    path: Path


class Mailbox:
    """The boxes of all users, over one store; `counts` says how many messages each holds when it is opened."""

    def __init__(self, unit: Unit, folder: Path, counts: dict[str, int]) -> None:
        self._unit = unit
        self._folder = folder
        self._counts = Counter(counts)

    def count(self, user: str) -> int:
        """How many messages are in the box of `user`."""
        return self._counts[user]

    def forget(self, users: Iterable[str]) -> None:
        """The boxes of these users are gone with all that was in them."""
        for user in users:
            self._counts.pop(user, None)

    async def add(  # noqa: PLR0917 - the fields of a message, in the order in which `Message` has them
        self, user: str, caller: str, called: str, received_at: datetime, duration_s: float, wav_path: Path
    ) -> Message:
        """Keep the recording at `wav_path`, which moves into the store, as a new message of `user`.

        `received_at` must know its time zone. Raises `StoreError` where it cannot be kept; nothing is then.
        """

        def work(connection: Connection) -> Message:
            number = _next_number(connection)
            path = self._folder / f"{number}.wav"
            move_durably(wav_path, path)
            row = {
                "id": number,
                "user": user,
                "caller": caller,
                "called": called,
                "received_at": received_at.timestamp(),
                "duration_s": duration_s,
                "read": False,
                "file": path.name,
            }
            connection.execute(insert(messages), row)
            return Message(
                str(number),
                user,
                caller,
                called,
                received_at.astimezone(UTC),
                duration_s,
                read=False,
                path=path,
            )

        with explained(self._folder):
            message = await self._unit.run(work)
        self._counts[user] += 1
        return message

    async def list(self, user: str) -> tuple[Message, ...]:
        """The messages of `user`, oldest first."""
        query = select(messages).where(messages.c.user == user).order_by("id")
        return await self._unit.run(lambda connection: tuple(map(self._message, connection.execute(query))))

    async def get(self, id: str) -> Message | None:  # noqa: A002 - the name that the value and the door have too
        """The message with that id."""
        query = select(messages).where(messages.c.id == number_of(id))
        row = await self._unit.run(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else self._message(row)

    async def mark_read(self, id: str, at: datetime) -> str | None:  # noqa: A002 - as above
        """Note that the message was heard `at` that time; returns whose it is, None where there is none that was not.

        The time is that of its file: it costs no column, and a copy that loses it only keeps the message longer.
        """
        change = (
            update(messages)
            .where(messages.c.id == number_of(id), ~messages.c.read)
            .values(read=True)
            .returning(messages.c.file, messages.c.user)
        )
        row = await self._unit.run(lambda connection: connection.execute(change).one_or_none())
        if row is None:
            return None
        with suppress(FileNotFoundError):
            os.utime(self._folder / row.file, (at.timestamp(), at.timestamp()))
        return str(row.user)

    async def delete(self, id: str) -> str | None:  # noqa: A002 - as above
        """Remove the message and its file; returns whose it was, None where there is none."""
        removal = (
            delete(messages).where(messages.c.id == number_of(id)).returning(messages.c.file, messages.c.user)
        )
        row = await self._unit.run(lambda connection: connection.execute(removal).one_or_none())
        if row is None:
            return None
        self._remove(row.file, row.user)
        return str(row.user)

    async def expire(self, before: datetime) -> tuple[tuple[str, str], ...]:
        """Remove the messages that were heard before that time; returns user and id of each."""

        def work(connection: Connection) -> list[tuple[str, str, str]]:
            heard = select(messages.c.id, messages.c.file, messages.c.user).where(messages.c.read)
            old = [row for row in connection.execute(heard) if self._heard_at(row.file) < before.timestamp()]
            for row in old:
                connection.execute(delete(messages).where(messages.c.id == row.id))
            return [(str(row.id), str(row.file), str(row.user)) for row in old]

        with explained(self._folder):
            gone = await self._unit.run(work)
        for _, file, user in gone:
            self._remove(file, user)
        return tuple((user, id_) for id_, _, user in gone)

    def _heard_at(self, file: str) -> float:
        try:
            return (self._folder / file).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _remove(self, file: str, user: str) -> None:
        (self._folder / file).unlink(missing_ok=True)
        self._counts[user] -= 1

    def _message(self, row: Row[tuple[object, ...]]) -> Message:
        values = row._asdict()
        return Message(
            id=str(values.pop("id")),
            received_at=datetime.fromtimestamp(values.pop("received_at"), UTC),
            path=self._folder / values.pop("file"),
            **values,
        )


def counted(connection: Connection) -> dict[str, int]:
    """How many messages each user has."""
    query = select(messages.c.user, func.count()).group_by(messages.c.user)
    return {str(user): int(count) for user, count in connection.execute(query)}


def sweep(connection: Connection, folder: Path, files: Column[str]) -> None:
    """Remove recordings that no row has among its `files`, which a crash between file and row leaves behind."""
    kept = set(connection.scalars(select(files)))
    for path in folder.glob("*.wav"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def number_of(id: str) -> int:  # noqa: A002 - as above
    """The number of a row by its id at the door; one that there is not where it is none."""
    return int(id) if id.isascii() and id.isdigit() and len(id) < 19 else -1


def _next_number(connection: Connection) -> int:
    """The next id; the id of a deleted message does not come back."""
    known = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").scalar()
    highest = connection.scalar(select(func.max(messages.c.id)))
    return max(int(known or 0), int(highest or 0)) + 1
