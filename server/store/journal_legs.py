"""The audio of a call that is over, in the journal: one row for each leg, with its verdict as JSON.

`journal` writes the rows with its batches and reads them with the calls they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

LEGS_A_CALL = 4
"""So many legs are kept for each entry that is kept."""

_metadata = MetaData()
_legs = Table(
    "legs",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("call_id", String, nullable=False, index=True),
    Column("leg", String, nullable=False),
    Column("device", String, nullable=False),
    Column("verdict", JSON, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Leg:
    """How a leg's audio fared; `at` is Unix time at its end, `verdict` what `Verdict.told` tells."""

    at: float
    call_id: str
    leg: str
    device: str
    verdict: Mapping[str, Any]


_FIELDS = ("at", "call_id", "leg", "device", "verdict")


def make(connection: Connection, *, checkfirst: bool) -> None:
    """Make the table."""
    _metadata.create_all(connection, checkfirst=checkfirst)


def write(connection: Connection, legs: Sequence[Leg], *, kept: int, since: float) -> None:
    """Write `legs`; forget those before `since`, and all but the last of as many calls as are `kept`."""
    if not legs:
        return
    connection.execute(insert(_legs), [{name: getattr(one, name) for name in _FIELDS} for one in legs])
    last = connection.scalar(select(func.max(_legs.c.id))) or 0
    connection.execute(delete(_legs).where(or_(_legs.c.id <= last - LEGS_A_CALL * kept, _legs.c.at < since)))


def read(connection: Connection, call_ids: Sequence[str]) -> dict[str, tuple[Leg, ...]]:
    """Return the legs of these calls, in the order of their ends."""
    found: dict[str, tuple[Leg, ...]] = {}
    rows = connection.execute(select(_legs).where(_legs.c.call_id.in_(call_ids)).order_by(_legs.c.id))
    for row in rows:
        leg = Leg(**{name: getattr(row, name) for name in _FIELDS})
        found[leg.call_id] = (*found.get(leg.call_id, ()), leg)
    return found
