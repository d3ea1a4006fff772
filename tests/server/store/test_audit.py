from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.dialects import sqlite

from ringfence.licensing.modes import ComplianceChanged
from ringfence.server.site.acts import DeleteUser, MoveUser
from ringfence.server.site.events import (
    FunctionsSwitched,
    LicenceDisplaced,
    PackageImported,
    PinMade,
    UserMoved,
)
from ringfence.server.store import audit, schema
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store
from ringfence.server.store.unit import connect, disconnect, in_transaction

from ..desks import desk_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from ringfence.server.site.site import Site
    from ringfence.server.store.audit import BrokenLink

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
COLUMNS = ("at", "actor", "kind", "detail", "previous", "hash")
EVENTS = [
    PinMade("anna"),
    LicenceDisplaced("ben", "office", "anna"),
    UserMoved("ä", "Köln", None, "Ulm", "A"),
]


@pytest.fixture
def log() -> Iterator[Connection]:
    connection = logged()
    yield connection
    disconnect(connection)


def logged() -> Connection:
    connection = connect(None)

    def make(connection: Connection) -> None:
        for table in (schema.audit, schema.meta):
            table.create(connection)
        for n in range(3):
            audit.append(connection, EVENTS, f"admin {n}", NOON + n)

    in_transaction(connection, make)
    return connection


def tamper(connection: Connection, statement: str, *values: object) -> BrokenLink | None:
    def work(connection: Connection) -> BrokenLink | None:
        connection.exec_driver_sql(statement, tuple(values))
        return audit.verify(connection)

    return in_transaction(connection, work)


@pytest.mark.parametrize(
    ("event", "kind", "detail"),
    [
        (PinMade("anna"), "pin.made", {"user": "anna"}),
        (
            LicenceDisplaced("ben", "office", "anna"),
            "licence.displaced",
            {"user": "ben", "licence": "office", "by": "anna"},
        ),
        (
            FunctionsSwitched("Ulm", None, frozenset({"fax", "cti"})),
            "functions.switched",
            {"location": "Ulm", "group": None, "functions": ["cti", "fax"]},
        ),
        (
            PackageImported("p-1", {"office": 2}),
            "package.imported",
            {"package": "p-1", "licences": {"office": 2}},
        ),
        (
            ComplianceChanged("fax", True, datetime(2026, 3, 1, tzinfo=UTC), 2),
            "compliance.changed",
            {"licence": "fax", "over": True, "since": "2026-03-01T00:00:00.000000+00:00", "waiting": 2},
        ),
    ],
)
async def test_a_change_is_recorded_with_its_time_and_in_full(
    site: Site, event: object, kind: str, detail: dict[str, object]
) -> None:
    """A-02"""
    store = Store.open(None, Opening(site, at=NOON), inline=True)
    await store.unit.run(lambda connection: audit.append(connection, [event], "root", NOON + 0.25))
    rows = await store.unit.run(lambda connection: list(audit.export(connection, "json")))
    told = json.loads("".join(rows))[-1]
    assert (told["at"], told["actor"]) == ("2026-03-01T12:00:00.250000+00:00", "root")
    assert (told["kind"], told["detail"]) == (kind, detail)
    store.close()


async def test_the_log_tells_from_the_import_on_who_got_and_who_lost_what(site: Site) -> None:
    """L-48, A-02"""
    store = Store.open(None, Opening(site, at=NOON), inline=True)
    desk = desk_of(store)
    await desk.start()
    await desk.apply(MoveUser("anna", "Ulm", "Lager"), DeleteUser("ben"), actor="root")
    rows = await store.unit.run(lambda connection: list(audit.export(connection, "csv")))
    told = [(row["actor"], row["kind"]) for row in csv.DictReader(io.StringIO("".join(rows)))]
    assert told == [
        ("server", "site.imported"),
        ("server", "compliance.changed"),
        ("server", "compliance.changed"),
        ("server", "pin.made"),
        ("root", "user.moved"),
        ("root", "user.deleted"),
        ("root", "settings.deleted"),
        ("root", "settings.deleted"),
        ("root", "licence.released"),
        ("root", "licence.released"),
        ("root", "compliance.changed"),
        ("root", "compliance.changed"),
    ]
    assert await store.unit.run(audit.verify) is None
    store.close()


def test_an_untouched_log_is_whole(log: Connection) -> None:
    assert in_transaction(log, audit.verify) is None
    assert in_transaction(log, audit.head)[0] == 9


@settings(max_examples=150)
@given(
    seq=st.integers(1, 9),
    column=st.sampled_from(COLUMNS),
    value=st.integers(-(2**40), 2**40) | st.text(max_size=8) | st.binary(max_size=4),
)
def test_any_change_of_any_row_is_found(seq: int, column: str, value: object) -> None:
    connection = logged()
    table = schema.audit
    query = select(table.c[column]).where(table.c.seq == seq)
    if value != in_transaction(connection, lambda one: one.scalar(query)):
        statement = str(
            update(table).values({column: ""}).where(table.c.seq == 0).compile(dialect=sqlite.dialect())
        )
        broken = tamper(connection, statement, value, seq)
        assert broken is not None
        assert broken.seq == seq
    disconnect(connection)


@settings(max_examples=30)
@given(first=st.integers(1, 9), last=st.integers(1, 9))
def test_rows_taken_out_are_found_wherever_they_stood(first: int, last: int) -> None:
    connection = logged()
    broken = tamper(connection, "DELETE FROM audit WHERE seq BETWEEN ? AND ?", first, last)
    assert (broken is None) == (first > last)
    assert broken is None or broken.seq == first
    disconnect(connection)


@settings(max_examples=30)
@given(one=st.integers(1, 9), other=st.integers(1, 9))
def test_rows_that_change_places_are_found(one: int, other: int) -> None:
    connection = logged()
    for old, new in ((one, -1), (other, one), (-1, other)):
        broken = tamper(connection, "UPDATE audit SET seq = ? WHERE seq = ?", new, old)
    assert (broken is None) == (one == other)
    disconnect(connection)


def test_a_row_whose_hash_was_made_to_fit_is_found_by_the_next(log: Connection) -> None:
    row = tuple(
        log.exec_driver_sql("SELECT seq, at, 'nobody', kind, detail, previous FROM audit WHERE seq = 4").one()
    )
    log.rollback()
    forged = audit._hash(row)
    broken = tamper(log, "UPDATE audit SET actor = 'nobody', hash = ? WHERE seq = 4", forged)
    assert broken == audit.BrokenLink(5, "row 5 does not follow from row 4")


def test_a_forged_last_row_and_one_that_was_added_are_found_by_the_head(log: Connection) -> None:
    _, last = in_transaction(log, audit.head)
    row = (10, "2026-03-01", "nobody", "pin.made", "{}", last)
    broken = tamper(log, "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", *row, audit._hash(row))
    assert broken == audit.BrokenLink(10, "the log was written up to row 9, what is there now is another")


def test_a_head_that_is_none_is_found(log: Connection) -> None:
    assert tamper(log, "UPDATE meta SET value = 'x:y' WHERE key = 'audit_head'") is not None


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_has_every_row_in_full_even_of_a_broken_log(log: Connection, form: str) -> None:
    tamper(log, "UPDATE audit SET detail = 'no JSON' WHERE seq = 2")
    lines = "".join(
        in_transaction(log, lambda one: list(audit.export(one, "csv" if form == "csv" else "json")))
    )
    rows = list(csv.DictReader(io.StringIO(lines))) if form == "csv" else json.loads(lines)
    assert [int(row["seq"]) for row in rows] == list(range(1, 10))
    assert rows[1]["detail"] == "no JSON"
    assert "Köln" in str(rows[2]["detail"])
    assert list(rows[0]) == ["seq", "at", "actor", "kind", "detail", "previous", "hash"]


def test_an_empty_log_is_whole_and_its_export_is_empty() -> None:
    connection = connect(None)

    def work(connection: Connection) -> tuple[object, str, str]:
        for table in (schema.audit, schema.meta):
            table.create(connection)
        audit.append(connection, [], "root", NOON)
        json_text, csv_text = ("".join(audit.export(connection, form)) for form in ("json", "csv"))
        return audit.verify(connection), json_text, csv_text

    assert in_transaction(connection, work) == (None, "[]\n", "seq,at,actor,kind,detail,previous,hash\n")
    disconnect(connection)
