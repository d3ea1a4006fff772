"""The audit log: what was changed, when, by whom and with what effect, as a chain of hashes.

Each row holds the hash of the one before it and its own, SHA-256 over everything else in it, so that no row can
be changed, left out or added without the rows after it telling; the head stands apart, so that the end cannot
be cut off either. Rows are written in the transaction of what they tell of.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from sqlalchemy import insert, select

from ..event_form import name_of, values_of
from .meta import all_meta, set_meta
from .schema import audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

GENESIS = "0" * 64
"""What the first row has for the hash of the one before."""

_HEAD = "audit_head"
_COLUMNS = ("seq", "at", "actor", "kind", "detail", "previous", "hash")
_ROWS = f"SELECT {', '.join(_COLUMNS)} FROM audit ORDER BY seq"  # noqa: S608 - our own names

Row = tuple[int, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first row that does not hold the chain together, and what is wrong with it."""

    seq: int
    what: str


def append(connection: Connection, events: Iterable[Any], actor: str, at: float) -> None:
    """Add a row for each event, a dataclass without secrets, that `actor` brought about at `at` (Unix time)."""
    seq, previous = head(connection)
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
    rows = []
    for event in events:
        seq += 1
        row = (seq, moment, actor, name_of(event), _canonical(event), previous)
        previous = _hash(row)
        rows.append(dict(zip(_COLUMNS, (*row, previous), strict=True)))
    if rows:
        connection.execute(insert(audit), rows)
        set_meta(connection, **{_HEAD: f"{seq}:{previous}"})


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last row that was written; 0 and `GENESIS` before the first."""
    seq, _, last = all_meta(connection).get(_HEAD, f"0:{GENESIS}").partition(":")
    return int(seq) if seq.isascii() and seq.isdigit() else 0, last


def verify(connection: Connection) -> BrokenLink | None:
    """Go through the whole chain; the first broken link, or None where it holds."""
    seq, previous = 0, GENESIS
    for row in connection.exec_driver_sql(_ROWS):
        if row[0] != seq + 1:
            return BrokenLink(seq + 1, f"row {seq + 1} is missing")
        seq += 1
        if any(not isinstance(value, str) for value in row[1:]) or row[6] != _hash(tuple(row[:6])):
            return BrokenLink(seq, f"row {seq} is not what was written: its hash is another")
        if row[5] != previous:
            return BrokenLink(seq, f"row {seq} does not follow from row {seq - 1}")
        previous = row[6]
    written, last = head(connection)
    if written > seq:
        return BrokenLink(seq + 1, f"row {seq + 1} is missing, the last one written was {written}")
    if (written, last) != (seq, previous):
        return BrokenLink(
            written + 1, f"the log was written up to row {written}, what is there now is another"
        )
    return None


def find(
    connection: Connection,
    *,
    before: int | None = None,
    limit: int = 100,
    actor: str | None = None,
    kind: str | None = None,
) -> list[Row]:
    """At most `limit` rows, newest first; those before row `before`, of `actor`, of a `kind` where it is given."""
    query = select(*(audit.c[name] for name in _COLUMNS)).order_by(audit.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.seq < before)
    if actor is not None:
        query = query.where(audit.c.actor == actor)
    if kind is not None:
        query = query.where(audit.c.kind == kind)
    return [cast("Row", tuple(row)) for row in connection.execute(query)]


def export(connection: Connection, form: Literal["csv", "json"]) -> Iterator[str]:
    """The whole log, a line at a time: CSV with a heading, or one JSON array."""
    rows = connection.exec_driver_sql(_ROWS)
    if form == "csv":
        yield _csv_line(_COLUMNS)
        for row in rows:
            yield _csv_line(row)
        return
    opening = "["
    for row in rows:
        entry = dict(zip(_COLUMNS, row, strict=True)) | {"detail": detail_of(row[4])}
        yield f"{opening}\n{json.dumps(entry, ensure_ascii=False, default=str)}"
        opening = ","
    yield "[]\n" if opening == "[" else "\n]\n"


def _canonical(event: Any) -> str:
    return json.dumps(values_of(event), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def detail_of(detail: Any) -> Any:
    """The detail as JSON; as it stands where it is none any more."""
    try:
        return json.loads(detail)
    except (ValueError, TypeError):
        return detail


def _hash(row: tuple[Any, ...]) -> str:
    return hashlib.sha256(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()
