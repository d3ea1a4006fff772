"""The outbox: mails and SMS of the server, each with a row, and the sound that goes with it in the folder `outbox`.

What no carrier takes away stays here, to be read by API and in tests; what one is to take away waits here until it has.
A sound is a second name for the file of a message (a link), so that it takes no room as long as the message is there.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, insert, select, update

from .failure import explained
from .mailbox import number_of
from .schema import outbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Row

    from .unit import Unit

MOST, MOST_SOUNDS = 10_000, 1_000
"""So many parcels are held, the oldest give way; and of so many the sounds, unless they wait."""

Kind = Literal["mail", "sms"]
State = Literal["kept", "waiting", "failed"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail or an SMS to be sent for a user; `sound` is a WAV file that a mail takes along.

    `waits` for a carrier, or is just kept.
    """

    kind: Kind
    user: str
    to: str
    text: str = field(repr=False)
    subject: str = ""
    sound: Path | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A parcel as the outbox holds it; `why` tells of the last of the `tries` that failed."""

    id: str
    kind: Kind
    user: str
    to: str
    subject: str
    text: str = field(repr=False)
    created_at: datetime
    state: State
    tries: int
    why: str | None
    sound: Path | None


class Outbox:
    """The outbox of one store."""

    def __init__(self, unit: Unit, folder: Path) -> None:
        self._unit = unit
        self._folder = folder

    async def add(self, parcels: Sequence[Parcel], at: datetime) -> tuple[Sent, ...]:
        """Hold parcels that were made at `at`; raises `StoreError` where they cannot be kept."""

        def work(connection: Connection) -> tuple[tuple[Sent, ...], list[str]]:
            sent = tuple(self._add(connection, parcel, at) for parcel in parcels)
            newest = int(sent[-1].id)
            oldest = delete(outbox).where(outbox.c.id <= newest - MOST).returning(outbox.c.file)
            gone = [file for file in connection.scalars(oldest) if file is not None]
            return sent, gone + _silenced(connection, newest - MOST_SOUNDS, len(sent))

        with explained(self._folder):
            sent, gone = await self._unit.run(work)
        self.remove(gone)
        return sent

    def _add(self, connection: Connection, parcel: Parcel, at: datetime) -> Sent:
        row = {
            "kind": parcel.kind,
            "user": parcel.user,
            "recipient": parcel.to,
            "subject": parcel.subject,
            "text": parcel.text,
            "created_at": at.timestamp(),
            "state": "waiting" if parcel.waits else "kept",
            "tries": 0,
        }
        number = connection.scalar(insert(outbox).values(row).returning(outbox.c.id))
        file = f"{number}.wav"
        if parcel.sound is not None and _linked(parcel.sound, self._folder / file):
            connection.execute(update(outbox).where(outbox.c.id == number).values(file=file))
        return self._sent(connection.execute(select(outbox).where(outbox.c.id == number)).one())

    async def list(
        self, *, kind: Kind | None = None, to: str | None = None, user: str | None = None, limit: int = MOST
    ) -> tuple[Sent, ...]:
        """The newest parcels, those of one kind, to one recipient or for one user; oldest first."""
        query = select(outbox).order_by(outbox.c.id.desc()).limit(limit)
        for column, value in ((outbox.c.kind, kind), (outbox.c.recipient, to), (outbox.c.user, user)):
            if value is not None:
                query = query.where(column == value)
        rows = await self._unit.run(lambda connection: connection.execute(query).all())
        return tuple(self._sent(row) for row in reversed(rows))

    async def get(self, id: str) -> Sent | None:  # noqa: A002 - the name that the value and the door have too
        """The parcel with that id."""
        query = select(outbox).where(outbox.c.id == number_of(id))
        row = await self._unit.run(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else self._sent(row)

    async def waiting(self) -> Sequence[str]:
        """The ids of the parcels that wait for a carrier, oldest first."""
        query = select(outbox.c.id).where(outbox.c.state == "waiting").order_by(outbox.c.id)
        return await self._unit.run(lambda connection: [str(id_) for id_ in connection.scalars(query)])

    async def failed(self, id: str, why: str, *, for_good: bool) -> None:  # noqa: A002 - as above
        """Note a try that failed; `for_good` it stays here and waits no more."""
        state = "failed" if for_good else "waiting"
        change = (
            update(outbox)
            .where(outbox.c.id == number_of(id))
            .values(state=state, why=why, tries=outbox.c.tries + 1)
        )
        await self._unit.run(lambda connection: connection.execute(change))

    async def delete(self, id: str | None = None) -> int:  # noqa: A002 - as above
        """Remove a parcel, or all, with the sounds; returns how many there were."""
        removal = delete(outbox).returning(outbox.c.file)
        if id is not None:
            removal = removal.where(outbox.c.id == number_of(id))
        files = await self._unit.run(lambda connection: connection.scalars(removal).all())
        self.remove(file for file in files if file is not None)
        return len(files)

    def remove(self, files: Iterable[str]) -> None:
        """Remove sounds that no row names any more."""
        for file in files:
            (self._folder / file).unlink(missing_ok=True)

    def _sent(self, row: Row[tuple[object, ...]]) -> Sent:
        values = row._asdict()
        file = values.pop("file")
        return Sent(
            id=str(values.pop("id")),
            to=values.pop("recipient"),
            created_at=datetime.fromtimestamp(values.pop("created_at"), UTC),
            sound=None if file is None else self._folder / file,
            **values,
        )


def _silenced(connection: Connection, last: int, count: int) -> list[str]:
    """Take their sounds from the `count` parcels up to `last`, but not from those that wait; returns the files."""
    old = (outbox.c.id > last - count, outbox.c.id <= last, outbox.c.state != "waiting")
    files = connection.scalars(select(outbox.c.file).where(*old, outbox.c.file.is_not(None))).all()
    if files:
        connection.execute(update(outbox).where(*old).values(file=None))
    return list(files)


def _linked(source: Path, target: Path) -> bool:
    """Give a file a second name, or a copy where the disk knows no links; False where the file has gone meanwhile."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError:
        shutil.copyfile(source, target)
    return True
