"""What a store knows about itself: its site's text, the last sequence number, the head of the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from .schema import meta

if TYPE_CHECKING:
    from sqlalchemy import Connection


def all_meta(connection: Connection) -> dict[str, str]:
    """Every fact by its key."""
    return {row.key: row.value for row in connection.execute(select(meta))}


def set_meta(connection: Connection, **values: str) -> None:
    """Write facts, new or known ones."""
    rows = [{"key": key, "value": value} for key, value in values.items()]
    new = insert(meta)
    connection.execute(
        new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value}), rows
    )


def reckoned_at(connection: Connection, otherwise: float) -> float:
    """Up to when (Unix time) what time brings is written; `otherwise` where nothing says so."""
    return float(all_meta(connection).get("reckoned_at", otherwise))
